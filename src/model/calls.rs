//! Which other programs the program of an image calls, read from its text: they must stay in the image, and those that
//! a shell runs need one there.
//!
//! No language is parsed. A call is told by the words with which each language makes processes, and by packages that
//! are known to call one program; its name where it is a literal. It is a list of what was found, never a proof that
//! there is nothing else.

use super::{
    Evidence,
    path::file_name,
    shipped::{ContextText, extension, is_program},
    stage::Stage,
};
use crate::context::BuildContext;

/// What is known of the processes that a program makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessCalls {
    /// The calls, in the order of the files.
    pub calls: Vec<ProcessCall>,
    /// How many programs of the build context were read for it.
    pub files: usize,
}

/// A place where a program makes a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessCall {
    /// The name of the program; `None` where the text does not say it.
    pub program: Option<String>,
    /// Whether a shell runs it.
    pub by_shell: bool,
    /// The line that does.
    pub evidence: Evidence,
}

impl Stage<'_> {
    /// Which programs those of the image call, as far as the text of the build context tells.
    pub fn process_calls(self, context: &BuildContext<'_>) -> ProcessCalls {
        let Some((_, texts)) = self.context_texts(context) else { return ProcessCalls::default() };
        let programs = || texts.iter().filter(|file| is_program(&file.path));
        ProcessCalls { calls: programs().flat_map(calls_in).collect(), files: programs().count() }
    }
}

/// How a language makes a process.
struct Maker {
    /// Ends of names of files.
    languages: &'static [&'static str],
    /// What the file must hold somewhere, so that the word means this; empty for nothing.
    with: &'static str,
    /// What stands in front of the program.
    word: &'static str,
    shell: Shell,
}

/// Whether a shell runs what is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shell {
    Never,
    Always,
    /// Where the line says so: `shell=True`, `shell: true`.
    IfAsked,
    /// Where the text is more than one word.
    IfLine,
}

const PYTHON: &[&str] = &["py"];
const NODE: &[&str] = &["js", "mjs", "cjs", "ts", "mts", "jsx", "tsx"];
const GO: &[&str] = &["go"];
const RUST: &[&str] = &["rs"];
const JAVA: &[&str] = &["java", "kt", "scala"];
const C: &[&str] = &["c", "cc", "cpp", "h", "hpp"];
const PHP: &[&str] = &["php"];
const RUBY: &[&str] = &["rb"];
const ELIXIR: &[&str] = &["ex", "exs"];

const fn maker(languages: &'static [&'static str], with: &'static str, word: &'static str, shell: Shell) -> Maker {
    Maker { languages, with, word, shell }
}

const MAKERS: [Maker; 69] = [
    maker(PYTHON, "", "subprocess.run(", Shell::IfAsked),
    maker(PYTHON, "", "subprocess.call(", Shell::IfAsked),
    maker(PYTHON, "", "subprocess.check_call(", Shell::IfAsked),
    maker(PYTHON, "", "subprocess.check_output(", Shell::IfAsked),
    maker(PYTHON, "", "subprocess.Popen(", Shell::IfAsked),
    maker(PYTHON, "", "subprocess.getoutput(", Shell::Always),
    maker(PYTHON, "", "subprocess.getstatusoutput(", Shell::Always),
    maker(PYTHON, "from subprocess import", "run(", Shell::IfAsked),
    maker(PYTHON, "from subprocess import", "call(", Shell::IfAsked),
    maker(PYTHON, "from subprocess import", "check_call(", Shell::IfAsked),
    maker(PYTHON, "from subprocess import", "check_output(", Shell::IfAsked),
    maker(PYTHON, "from subprocess import", "Popen(", Shell::IfAsked),
    maker(PYTHON, "", "os.system(", Shell::Always),
    maker(PYTHON, "", "os.popen(", Shell::Always),
    maker(PYTHON, "", "os.execv(", Shell::Never),
    maker(PYTHON, "", "os.execvp(", Shell::Never),
    maker(PYTHON, "", "os.execlp(", Shell::Never),
    maker(PYTHON, "", "create_subprocess_exec(", Shell::Never),
    maker(PYTHON, "", "create_subprocess_shell(", Shell::Always),
    maker(PYTHON, "pexpect", "pexpect.spawn(", Shell::Never),
    maker(NODE, "child_process", "exec(", Shell::Always),
    maker(NODE, "child_process", "execSync(", Shell::Always),
    maker(NODE, "child_process", "spawn(", Shell::IfAsked),
    maker(NODE, "child_process", "spawnSync(", Shell::IfAsked),
    maker(NODE, "child_process", "execFile(", Shell::IfAsked),
    maker(NODE, "child_process", "execFileSync(", Shell::IfAsked),
    maker(NODE, "execa", "execa(", Shell::IfAsked),
    maker(NODE, "execa", "execaCommand(", Shell::Never),
    maker(NODE, "", "Deno.Command(", Shell::Never),
    maker(NODE, "", "Bun.spawn(", Shell::Never),
    maker(NODE, "", "Bun.spawnSync(", Shell::Never),
    maker(GO, "os/exec", "exec.Command(", Shell::Never),
    maker(GO, "os/exec", "exec.CommandContext(", Shell::Never),
    maker(GO, "os/exec", "exec.LookPath(", Shell::Never),
    maker(GO, "", "syscall.Exec(", Shell::Never),
    maker(GO, "", "os.StartProcess(", Shell::Never),
    maker(RUST, "process", "process::Command::new(", Shell::Never),
    maker(RUST, "process::Command", "Command::new(", Shell::Never),
    maker(RUST, "process::{", "Command::new(", Shell::Never),
    maker(JAVA, "", "ProcessBuilder(", Shell::Never),
    maker(JAVA, "", "getRuntime().exec(", Shell::Never),
    maker(JAVA, "sys.process", "Process(", Shell::Never),
    maker(C, "", "system(", Shell::Always),
    maker(C, "", "popen(", Shell::Always),
    maker(C, "", "execl(", Shell::Never),
    maker(C, "", "execlp(", Shell::Never),
    maker(C, "", "execv(", Shell::Never),
    maker(C, "", "execvp(", Shell::Never),
    maker(C, "", "execve(", Shell::Never),
    maker(PHP, "", "exec(", Shell::Always),
    maker(PHP, "", "shell_exec(", Shell::Always),
    maker(PHP, "", "system(", Shell::Always),
    maker(PHP, "", "passthru(", Shell::Always),
    maker(PHP, "", "popen(", Shell::Always),
    maker(PHP, "", "proc_open(", Shell::IfLine),
    maker(PHP, "", "new Process(", Shell::Never),
    maker(RUBY, "", "system(", Shell::IfLine),
    maker(RUBY, "", "exec(", Shell::IfLine),
    maker(RUBY, "", "spawn(", Shell::IfLine),
    maker(RUBY, "", "IO.popen(", Shell::IfLine),
    maker(RUBY, "", "%x(", Shell::Always),
    maker(ELIXIR, "", "System.cmd(", Shell::Never),
    maker(ELIXIR, "", "System.shell(", Shell::Always),
    maker(&["cs"], "", "Process.Start(", Shell::Never),
    maker(&["cs"], "", "ProcessStartInfo(", Shell::Never),
    maker(&["r"], "", "system(", Shell::Always),
    maker(&["r"], "", "system2(", Shell::Never),
    maker(&["lua"], "", "os.execute(", Shell::Always),
    maker(&["lua"], "", "io.popen(", Shell::Always),
];

/// Packages that call a program of the system, by what brings them in, from their documentation ("Installation",
/// "Dependencies").
const PACKAGES: [(&[&str], &str, &str); 21] = [
    (PYTHON, "import git", "git"),
    (PYTHON, "from git import", "git"),
    (PYTHON, "import pygit", "git"),
    (PYTHON, "pydub", "ffmpeg"),
    (PYTHON, "import ffmpeg", "ffmpeg"),
    (PYTHON, "moviepy", "ffmpeg"),
    (PYTHON, "yt_dlp", "ffmpeg"),
    (PYTHON, "pdf2image", "pdftoppm"),
    (PYTHON, "pytesseract", "tesseract"),
    (PYTHON, "import pdfkit", "wkhtmltopdf"),
    (PYTHON, "import graphviz", "dot"),
    (PYTHON, "pypandoc", "pandoc"),
    (PYTHON, "import ansible_runner", "ansible-playbook"),
    (NODE, "fluent-ffmpeg", "ffmpeg"),
    (NODE, "simple-git", "git"),
    (NODE, "'gm'", "gm"),
    (NODE, "\"gm\"", "gm"),
    (NODE, "imagemagick", "convert"),
    (NODE, "puppeteer", "chromium"),
    (NODE, "playwright", "chromium"),
    (RUBY, "mini_magick", "convert"),
];

/// Lines above are generated or minified.
const LONGEST_LINE: usize = 400;

/// The calls in one file.
fn calls_in(file: &ContextText) -> Vec<ProcessCall> {
    let language = extension(&file.path).to_ascii_lowercase();
    let speaks = |languages: &[&str]| languages.contains(&language.as_str());
    let makers: Vec<&Maker> = MAKERS
        .iter()
        .filter(|maker| speaks(maker.languages) && file.text.contains(maker.with) && file.text.contains(maker.word))
        .collect();
    let packages: Vec<_> =
        PACKAGES.iter().filter(|(languages, word, _)| speaks(languages) && file.text.contains(word)).collect();
    if makers.is_empty() && packages.is_empty() {
        return Vec::new();
    }
    let mut calls: Vec<ProcessCall> = Vec::new();
    let mut lines = file.text.lines().zip(1..).peekable();
    while let Some((line, number)) = lines.next() {
        if line.len() > LONGEST_LINE || is_comment(line) {
            continue;
        }
        let next = lines.peek().map_or("", |(line, _)| line);
        let evidence = || file.evidence(number, format!("`{}`", cut(line.trim())));
        let called = makers.iter().filter_map(|maker| called_by(maker, line, next));
        for (program, by_shell) in called {
            let call = ProcessCall { program, by_shell, evidence: evidence() };
            if calls.last() != Some(&call) {
                calls.push(call);
            }
        }
        let brought = packages.iter().find(|(_, word, _)| is_import(line) && line.contains(word));
        calls.extend(brought.map(|(_, _, program)| ProcessCall {
            program: Some((*program).to_owned()),
            by_shell: false,
            evidence: evidence(),
        }));
    }
    calls
}

fn is_import(line: &str) -> bool {
    ["import", "from ", "require"].iter().any(|word| line.contains(word))
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    ["#", "//", "*", "/*", "--"].iter().any(|start| line.starts_with(start)) && !line.starts_with("#!")
}

/// The program that a maker calls on a line, and whether a shell runs it; `None` where the maker is not there.
fn called_by(maker: &Maker, line: &str, next: &str) -> Option<(Option<String>, bool)> {
    let at = line.match_indices(maker.word).map(|(at, _)| at).find(|&at| stands_alone(maker, &line[..at]))?;
    let arguments = line[at + maker.word.len()..].trim_start();
    let arguments = if arguments.is_empty() { next.trim_start() } else { arguments };
    let before = line[..at].trim_end();
    if ["def", "func", "function", "fn", "int", "void"].iter().any(|word| before.ends_with(word)) {
        return None;
    }
    // The first argument of this one is no program.
    let arguments =
        if maker.word == "exec.CommandContext(" { arguments.split_once(',')?.1.trim_start() } else { arguments };
    let literal = literal(arguments);
    let is_line = literal.as_deref().is_some_and(|text| text.trim().contains(' '));
    let is_asked = ["shell=True", "shell = True", "shell: true", "shell:true"].iter().any(|word| line.contains(word));
    let by_shell = match maker.shell {
        Shell::Never => false,
        Shell::Always => true,
        Shell::IfAsked => is_asked,
        Shell::IfLine => is_line,
    };
    let program = literal.as_deref().and_then(program_of);
    let names_shell = matches!(program.as_deref(), Some("sh" | "bash" | "ash" | "dash" | "zsh"));
    Some((program, by_shell || names_shell))
}

/// Whether what stands before a word is no part of another name, nor a method of something else.
fn stands_alone(maker: &Maker, before: &str) -> bool {
    let Some(last) = before.chars().next_back() else { return true };
    if last.is_alphanumeric() || last == '_' || last == '$' {
        return false;
    }
    if last == '.' && !maker.word.contains(['.', ':']) {
        let owner = before[..before.len() - 1].rsplit(|c: char| !c.is_alphanumeric() && c != '_').next();
        return matches!(owner, Some("child_process" | "childProcess" | "cp" | "Kernel" | "Process" | "java.lang"));
    }
    last != '>' || !before.ends_with("->")
}

/// The first literal among arguments, if nothing else comes before it.
fn literal(arguments: &str) -> Option<String> {
    let mut rest = arguments.trim_start_matches(['[', '(', '{', ' ', '&', '@', 'f', 'r', 'b']);
    for start in ["listOf(", "List.of(", "Arrays.asList(", "new String[]", "new String[] {", "args:"] {
        rest = rest.strip_prefix(start).unwrap_or(rest).trim_start_matches(['[', '{', ' ', '(']);
    }
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\'' | '`'))?;
    let text = &rest[1..];
    // A line may end in the middle of it; what is there begins with the program all the same.
    Some(text.split(quote).next().unwrap_or(text).to_owned())
}

/// The name of the program that a text calls, unless something is put into it.
fn program_of(text: &str) -> Option<String> {
    let first = text.split_whitespace().find(|word| !word.contains('='))?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/' | b'+');
    let name = file_name(first);
    (first.bytes().all(is_plain) && !name.is_empty()).then(|| name.to_owned())
}

fn cut(line: &str) -> &str {
    const LONGEST: usize = 80;
    line.char_indices().nth(LONGEST).map_or(line, |(at, _)| &line[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(Option<String>, bool)> {
        let file = ContextText { path: path.to_owned(), text: text.to_owned() };
        calls_in(&file).into_iter().map(|call| (call.program, call.by_shell)).collect()
    }

    #[test]
    fn programs_are_found_in_many_languages() {
        for (path, text, program, by_shell) in [
            ("a.py", "subprocess.run([\"ffmpeg\", \"-i\", film], check=True)", "ffmpeg", false),
            ("a.py", "subprocess.run(\"convert a b\", shell=True)", "convert", true),
            ("a.py", "from subprocess import run\nrun(\n    ['git', 'log'])", "git", false),
            ("a.py", "os.system('pg_dump db > f')", "pg_dump", true),
            ("a.py", "from pydub import AudioSegment", "ffmpeg", false),
            ("a.js", "const { exec } = require('child_process');\nexec('convert a b');", "convert", true),
            ("a.ts", "import cp from 'node:child_process';\ncp.spawn(\"git\", [\"log\"]);", "git", false),
            ("a.go", "import \"os/exec\"\ncmd := exec.Command(\"git\", \"log\")", "git", false),
            ("a.go", "import \"os/exec\"\nexec.CommandContext(ctx, \"/usr/bin/convert\")", "convert", false),
            ("a.rs", "use std::process::Command;\nCommand::new(\"git\").arg(\"log\")", "git", false),
            ("A.java", "new ProcessBuilder(\"git\", \"log\").start()", "git", false),
            ("A.java", "Runtime.getRuntime().exec(\"git log\")", "git", false),
            ("a.cpp", "  system(\"tar xf a\");", "tar", true),
            ("a.php", "$x = shell_exec('convert a');", "convert", true),
            ("a.rb", "system(\"git\", \"log\")", "git", false),
            ("a.ex", "System.cmd(\"git\", [\"log\"])", "git", false),
            ("a.py", "subprocess.run(['bash', '-c', x])", "bash", true),
        ] {
            assert_eq!(found(path, text), [(Some(program.to_owned()), by_shell)], "{text}");
        }
    }

    #[test]
    fn a_program_that_the_text_does_not_name_is_unknown() {
        for (path, text) in [
            ("a.py", "subprocess.run(command)"),
            ("a.py", "subprocess.run([tool, 'x'])"),
            ("a.py", "os.system(f'{tool} x')"),
            ("a.go", "import \"os/exec\"\nexec.Command(name)"),
        ] {
            assert_eq!(
                found(path, text).iter().map(|(program, _)| program.clone()).collect::<Vec<_>>(),
                [None],
                "{text}"
            );
        }
    }

    #[test]
    fn what_only_looks_like_a_call_is_none() {
        for (path, text) in [
            ("a.js", "require('child_process');\nconst m = /x/.exec('git');"),
            ("a.js", "const m = pattern.exec(text);"),
            ("a.rs", "menu::Command::new(\"git\")"),
            ("a.py", "from subprocess import run\napp.run(host)"),
            ("a.py", "# os.system('x')"),
            ("a.php", "$db->exec('DROP')"),
            ("a.cpp", "int system(const char *);"),
            ("a.md", "os.system('x')"),
        ] {
            assert_eq!(found(path, text), [], "{text}");
        }
    }
}
