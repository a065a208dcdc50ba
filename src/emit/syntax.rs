//! How a Dockerfile is read, as one line of JSON.
//!
//! `path`, `ok`, `error` (the first one), `escape`, `instructions`: `[kind, first line, last line, details]`, and
//! `stages`: `[name, base, platform, line]`. Bytes that are not UTF-8 come as U+FFFD, one for each.

use crate::syntax::dockerfile::{self, Arg, Arguments, Assignment, Dockerfile, Flag, Instruction, Keyword};
use serde::Serialize;

/// The line for the Dockerfile `text` called `name`.
pub fn syntax_line(name: &str, text: &[u8]) -> Vec<u8> {
    let parsed = dockerfile::parse(text);
    let file = File {
        path: name,
        ok: parsed.errors.is_empty(),
        error: parsed.errors.first().map(|error| error.message.as_str()),
        escape: char::from(parsed.tree.escape),
        instructions: parsed.tree.instructions.iter().map(|instruction| row(instruction, text)).collect(),
        stages: stages(&parsed.tree, text),
    };
    let mut line = serde_json::to_vec(&file).expect("strings, numbers and lists can be written as JSON");
    line.push(b'\n');
    line
}

#[derive(Serialize)]
struct File<'a> {
    path: &'a str,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    escape: char,
    instructions: Vec<Row>,
    stages: Vec<Stage>,
}

/// Kind, first line, last line, details.
#[derive(Serialize)]
struct Row(String, u32, u32, Details);

/// Name, base, platform, line.
#[derive(Serialize)]
struct Stage(String, String, String, u32);

#[derive(Serialize)]
struct Details {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flags: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    json: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    heredocs: Vec<(String, usize)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    args: Vec<String>,
}

fn row(instruction: &Instruction, source: &[u8]) -> Row {
    let details = Details {
        flags: instruction.flags.iter().map(flag).collect(),
        json: instruction.is_json(source),
        heredocs: instruction.heredocs.iter().map(|heredoc| (heredoc.name.clone(), heredoc.body.len())).collect(),
        args: arguments(instruction, source),
    };
    let (first, last) = instruction.lines;
    Row(kind(instruction, source), first, last, details)
}

fn kind(instruction: &Instruction, source: &[u8]) -> String {
    readable(instruction.keyword_span.of(source)).to_lowercase()
}

fn flag(flag: &Flag) -> String {
    match &flag.value {
        Some(value) => format!("--{}={value}", flag.name),
        None => format!("--{}", flag.name),
    }
}

fn arguments(instruction: &Instruction, source: &[u8]) -> Vec<String> {
    let text = |arg: &Arg<'_>| readable(&arg.text);
    match instruction.arguments(source) {
        Arguments::Json(args) | Arguments::Words(args) => args.iter().map(text).collect(),
        Arguments::Text(arg) => vec![text(&arg)],
        Arguments::Assignments(assignments) if instruction.keyword == Keyword::Arg => {
            assignments.iter().map(declaration).collect()
        }
        Arguments::Assignments(assignments) => assignments.iter().flat_map(triple).collect(),
        Arguments::None => Vec::new(),
    }
}

fn declaration(assignment: &Assignment<'_>) -> String {
    let name = readable(&assignment.name.text);
    match &assignment.value {
        Some(value) => format!("{name}={}", readable(&value.text)),
        None => name,
    }
}

/// Name, value and what stands between them, as BuildKit keeps them.
fn triple(assignment: &Assignment<'_>) -> [String; 3] {
    let value = assignment.value.as_ref().map(|value| readable(&value.text)).unwrap_or_default();
    let between = if assignment.legacy { "" } else { "=" };
    [readable(&assignment.name.text), value, between.to_owned()]
}

fn stages(tree: &Dockerfile, source: &[u8]) -> Vec<Stage> {
    let stages = tree.instructions.iter().filter(|instruction| instruction.keyword == Keyword::From);
    let stages = stages.filter_map(|from| {
        let mut words = arguments(from, source).into_iter();
        let base = words.next()?;
        let name = words.nth(1).unwrap_or_default().to_lowercase();
        let platform = from.flag("platform").and_then(|flag| flag.value.clone()).unwrap_or_default();
        Some(Stage(name, base, platform, from.lines.0))
    });
    stages.collect()
}

/// Text with U+FFFD for each byte that is not UTF-8.
fn readable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_instructions_and_stages() {
        let text = b"FROM --platform=linux/amd64 a AS B\nENV A=b\nRUN <<E\nx\nE\nCMD [\"c\xff\"]\n";
        let line = String::from_utf8(syntax_line("x/Dockerfile", text)).expect("JSON is UTF-8");
        assert_eq!(
            line,
            concat!(
                r#"{"path":"x/Dockerfile","ok":true,"escape":"\\","instructions":["#,
                r#"["from",1,1,{"flags":["--platform=linux/amd64"],"args":["a","AS","B"]}],"#,
                r#"["env",2,2,{"args":["A","b","="]}],"#,
                r#"["run",3,5,{"heredocs":[["E",2]],"args":["<<E"]}],"#,
                "[\"cmd\",6,6,{\"json\":true,\"args\":[\"c\u{fffd}\"]}]],",
                r#""stages":[["b","a","linux/amd64",1]]}"#,
                "\n"
            )
        );
    }
}
