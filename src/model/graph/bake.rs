//! What bake files build: blocks `target "name" { … }` in HCL, or the same as JSON.

use super::{
    Caller, CallerBuild, Fact, Lines, System,
    actor::{Actor, ImageName, Order, id_of, is_plain_path},
    evidence,
};
use crate::{
    context::{self, BuildContext},
    syntax::yaml::{self, Node},
    text::Span,
};
use std::collections::{HashMap, HashSet};

/// So many targets may inherit from each other in a row, and so many parents a target may have.
const DEEPEST: usize = 8;

/// A target, as it is written.
#[derive(Clone, Debug, Default)]
struct Target {
    name: String,
    span: Span,
    texts: HashMap<String, String>,
    lists: HashMap<String, Vec<String>>,
    arguments: Vec<(String, Option<String>)>,
}

/// What the targets of a bake file build.
pub(super) fn actors(text: &[u8], lines: &Lines, around: BuildContext<'_>) -> Vec<Actor> {
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    let targets = if first == Some(&b'{') { of_json(text) } else { of_hcl(text) };
    let mut by_name = HashMap::new();
    for (at, target) in targets.iter().enumerate() {
        by_name.entry(target.name.as_str()).or_insert(at);
    }
    targets.iter().filter_map(|target| actor(target, &targets, &by_name, lines, around)).collect()
}

fn actor(
    target: &Target,
    all: &[Target],
    by_name: &HashMap<&str, usize>,
    lines: &Lines,
    around: BuildContext<'_>,
) -> Option<Actor> {
    let chain = chain(target, all, by_name);
    let text = |key: &str| chain.iter().find_map(|target| target.texts.get(key)).map(String::as_str);
    let list = |key: &str| chain.iter().find_map(|target| target.lists.get(key)).map(Vec::as_slice).unwrap_or_default();
    // Targets that only others inherit from are built by nobody.
    let is_shared = target.name.starts_with('_') || !chain.iter().any(|target| !target.texts.is_empty());
    if is_shared || text("dockerfile-inline").is_some() {
        return None;
    }
    let context = text("context").unwrap_or(".");
    let file = text("dockerfile").unwrap_or("Dockerfile");
    let builds = if is_plain_path(context) && is_plain_path(file) {
        let path = context::join(context, file);
        // Bake starts where it is called: beside the file, or above it with `--file`.
        let mut places = around.directories().map(|directory| context::resolve(directory, &path));
        let beside = context::resolve(evidence::directory(&lines.path), &path);
        Order::File(places.find(|path| around.at(path).is_some()).unwrap_or(beside))
    } else {
        Order::Hidden
    };
    let place = lines.place(target.span);
    let mut arguments: Vec<(String, Option<String>)> = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    for (name, value) in chain.iter().flat_map(|target| &target.arguments) {
        if seen.insert(name) {
            arguments.push((name.clone(), value.clone().filter(|value| !value.contains("${"))));
        }
    }
    let build = CallerBuild {
        place: place.clone(),
        target: text("target").map(|name| Fact {
            value: (!name.contains("${")).then(|| name.to_owned()),
            is_defaulted: false,
            place: place.clone(),
        }),
        arguments,
        secrets: list("secret").iter().filter_map(|secret| id_of(secret)).map(str::to_owned).collect(),
    };
    let caller = Caller { build: Some(build), ..Caller::new(target.name.clone(), place, System::Bake) };
    Some(Actor {
        caller,
        builds,
        names: list("tags").iter().map(|tag| ImageName::with_variables(tag)).collect(),
        is_run: false,
        refuses_root: false,
        crossings: Vec::new(),
        labels: Vec::new(),
    })
}

/// The target and what it inherits from, what wins first.
fn chain<'t>(target: &'t Target, all: &'t [Target], by_name: &HashMap<&str, usize>) -> Vec<&'t Target> {
    let mut chain = vec![target];
    let mut at = 0;
    while at < chain.len() && chain.len() < DEEPEST {
        // Of several parents the last one wins.
        for parent in chain[at].lists.get("inherits").into_iter().flatten().rev().take(DEEPEST) {
            let Some(&parent) = by_name.get(parent.as_str()) else { continue };
            if !chain.iter().any(|known| std::ptr::eq(*known, &raw const all[parent])) {
                chain.push(&all[parent]);
            }
        }
        at += 1;
    }
    chain
}

fn of_json(text: &[u8]) -> Vec<Target> {
    let tree = yaml::parse(text).tree;
    let targets = tree.documents().next().and_then(|document| document.get("target"));
    let scalar = |node: Node<'_>| node.scalar().map(str::to_owned);
    let of_entry = |name: &str, span: Span, node: Node<'_>| {
        let mut target = Target { name: name.to_owned(), span, ..Target::default() };
        for entry in node.entries() {
            let Some(key) = scalar(entry.key) else { continue };
            if entry.value.is_sequence() {
                target.lists.insert(key, entry.value.items().filter_map(scalar).collect());
            } else if key == "args" {
                let pairs = entry.value.entries().filter_map(|pair| Some((scalar(pair.key)?, scalar(pair.value))));
                target.arguments = pairs.collect();
            } else if let Some(text) = scalar(entry.value) {
                target.texts.insert(key, text);
            }
        }
        target
    };
    let entries = targets.into_iter().flat_map(Node::entries);
    entries.filter_map(|entry| Some(of_entry(entry.key.scalar()?, entry.key.span(), entry.value))).collect()
}

/// A piece of HCL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'t> {
    /// A name, a number, a truth value.
    Word(&'t str),
    /// What stands between quotes, as it is written.
    Text(&'t str),
    /// Anything else, and the ends of lines.
    Sign(u8),
}

/// The pieces of a text, each with its start; comments are none, nor is what is no UTF-8.
fn tokens(text: &[u8]) -> Vec<(Token<'_>, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    while at < text.len() {
        let rest = &text[at..];
        let length = match rest[0] {
            b'#' => memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
            b'/' if rest.starts_with(b"//") => memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
            b'/' if rest.starts_with(b"/*") => memchr::memmem::find(rest, b"*/").map_or(rest.len(), |end| end + 2),
            b'"' => {
                let length = length_of_text(rest);
                let inside = rest[1..length].strip_suffix(b"\"").unwrap_or(&rest[1..length]);
                found.push((Token::Text(std::str::from_utf8(inside).unwrap_or_default()), at));
                length
            }
            byte if is_of_word(&byte) => {
                let length = rest.iter().take_while(|byte| is_of_word(byte)).count();
                found.push((Token::Word(std::str::from_utf8(&rest[..length]).unwrap_or_default()), at));
                length
            }
            b' ' | b'\t' | b'\r' => 1,
            sign => {
                found.push((Token::Sign(sign), at));
                1
            }
        };
        at += length;
    }
    found
}

/// How long the text in quotes is that begins here; `${…}` in it may hold quotes of its own.
fn length_of_text(text: &[u8]) -> usize {
    let mut at = 1;
    let mut open = 0;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 1,
            b'{' if text[at - 1] == b'$' => open += 1,
            b'}' if open > 0 => open -= 1,
            b'"' if open == 0 => return at + 1,
            b'\n' => return at,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

fn of_hcl(text: &[u8]) -> Vec<Target> {
    let tokens = tokens(text);
    let mut targets = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_line_start = at == 0 || matches!(tokens[at - 1].0, Token::Sign(b'\n' | b'}'));
        let head = (tokens[at].0, tokens.get(at + 1).map(|token| token.0), tokens.get(at + 2).map(|token| token.0));
        if let (Token::Word("target"), Some(Token::Text(name) | Token::Word(name)), Some(Token::Sign(b'{'))) = head
            && is_line_start
        {
            let start = tokens[at].1 as u32;
            let span = Span { start, end: start + "target".len() as u32 };
            let mut target = Target { name: name.to_owned(), span, ..Target::default() };
            at = read_block(&tokens, at + 3, &mut target);
            targets.push(target);
        } else {
            at += 1;
        }
    }
    targets
}

/// Reads attributes up to the brace that ends the block; answers what is behind it.
fn read_block(tokens: &[(Token<'_>, usize)], mut at: usize, target: &mut Target) -> usize {
    while at < tokens.len() {
        match (tokens[at].0, tokens.get(at + 1).map(|token| token.0)) {
            (Token::Sign(b'}'), _) => return at + 1,
            (Token::Word(key) | Token::Text(key), Some(Token::Sign(b'='))) => {
                let end = end_of_value(tokens, at + 2);
                read_value(key, &tokens[at + 2..end], target);
                at = end;
            }
            (Token::Sign(b'{'), _) => at = end_of_value(tokens, at),
            _ => at += 1,
        }
    }
    at
}

/// Where the value ends that begins at `at`: at the end of its line, outside of brackets.
fn end_of_value(tokens: &[(Token<'_>, usize)], mut at: usize) -> usize {
    let mut open = 0_usize;
    while at < tokens.len() {
        match tokens[at].0 {
            Token::Sign(b'{' | b'[' | b'(') => open += 1,
            Token::Sign(b'}' | b']' | b')' | b'\n') if open == 0 => return at,
            Token::Sign(b'}' | b']' | b')') => open -= 1,
            Token::Word(_) | Token::Text(_) | Token::Sign(_) => {}
        }
        at += 1;
    }
    at
}

fn read_value(key: &str, value: &[(Token<'_>, usize)], target: &mut Target) {
    let texts = || value.iter().filter_map(|(token, _)| if let Token::Text(text) = token { Some(*text) } else { None });
    match value.first().map(|token| token.0) {
        Some(Token::Text(text)) if value.len() == 1 => {
            target.texts.insert(key.to_owned(), text.to_owned());
        }
        Some(Token::Sign(b'[')) => {
            target.lists.insert(key.to_owned(), texts().map(str::to_owned).collect());
        }
        Some(Token::Sign(b'{')) if key == "args" => {
            for at in 1..value.len() {
                let (Token::Word(name) | Token::Text(name)) = value[at].0 else { continue };
                let Some(Token::Sign(b'=' | b':')) = value.get(at + 1).map(|token| token.0) else { continue };
                let written = match value.get(at + 2).map(|token| token.0) {
                    Some(Token::Text(text)) => Some(text.to_owned()),
                    Some(Token::Word(_) | Token::Sign(_)) | None => None,
                };
                target.arguments.push((name.to_owned(), written));
            }
        }
        // A variable or a call: nobody here computes it.
        Some(Token::Word(_) | Token::Text(_) | Token::Sign(_)) => {
            target.texts.insert(key.to_owned(), "${}".to_owned());
        }
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::NoFiles;

    fn read(text: &str, path: &str) -> Vec<Actor> {
        actors(text.as_bytes(), &Lines::of(path, text.as_bytes()), BuildContext::new(&NoFiles, path))
    }

    #[test]
    fn targets_inherit_and_say_what_they_build() {
        let text = "variable \"TAG\" { default = \"1\" }\ngroup \"default\" { targets = [\"web\"] }\ntarget \"_base\" {\n  args = { A = \"1\", B = TAG }\n}\ntarget \"web\" {\n  inherits = [\"_base\"]\n  context = \"./web\" # here\n  target = \"runtime\"\n  tags = [\"acme/web:${TAG}\", \"acme/web:latest\"]\n  secret = [\"type=file,id=npm,src=.npmrc\"]\n}\n";
        let actors = read(text, "ops/docker-bake.hcl");
        assert_eq!(actors.len(), 1);
        let web = &actors[0];
        assert_eq!((web.caller.name.as_str(), web.caller.place.line), ("web", 6));
        assert_eq!(web.builds, Order::File("ops/web/Dockerfile".to_owned()));
        assert_eq!(web.names[0].repository.as_deref(), Some("docker.io/acme/web"));
        let build = web.caller.build.as_ref().unwrap();
        assert_eq!(build.arguments, [("A".to_owned(), Some("1".to_owned())), ("B".to_owned(), None)]);
        assert_eq!(build.secrets, ["npm"]);
        assert_eq!(build.target.as_ref().unwrap().value.as_deref(), Some("runtime"));
    }

    #[test]
    fn json_says_the_same() {
        let text = "{\"target\": {\"web\": {\"dockerfile\": \"a.Dockerfile\", \"tags\": [\"acme/web\"], \"args\": {\"A\": \"1\"}}}}";
        let actors = read(text, "docker-bake.json");
        assert_eq!(actors[0].builds, Order::File("a.Dockerfile".to_owned()));
    }

    #[test]
    fn damage_ends_nothing() {
        for text in [
            "target \"a\" {",
            "target \"a\" { x = \"${\"",
            "target target { args = {",
            "}}}}",
            "target \"a\" { { } }\ntarget \"b\" {}",
        ] {
            read(text, "docker-bake.hcl");
        }
    }
}
