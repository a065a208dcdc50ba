//! Steps that fail when any command of a pipe does.
//!
//! `set -o pipefail` is known to bash and to the ash of BusyBox; to dash from 0.5.13 on only, which no release of Debian
//! or Ubuntu before 2025 has.

use super::shell::ShellEditor;
use crate::{
    knowledge::Family,
    model::{Step, StepCommand},
    rule::{Fix, Safety},
    syntax::{
        dockerfile::Editor,
        shell::{Command, CompoundKind, Dialect, Element, Section, dialect_of_shebang},
    },
    text::{Edit, Span},
};

/// Why an edit is not made.
pub type Refusal = &'static str;

/// Where more steps follow, it is not known what another shell changes for them.
const MOST_STEPS: usize = 300;

/// The pipes of a step in which a failure is not noticed.
#[derive(Debug)]
pub struct Pipes {
    span: Span,
}

impl Pipes {
    /// `None` where there is no such pipe.
    pub fn of(step: Step<'_>) -> Option<Self> {
        let script = step.script()?;
        if !script.is_verbatim() || !script.script.dialect().is_bourne() || is_noticed(step) {
            return None;
        }
        let commands = script.script.commands().map(|command| StepCommand { step, script, command });
        let first =
            commands.filter(|command| writes_unnoticed(command.command)).find(|command| !cannot_fail(*command))?;
        let end = last_of_pipeline(first.command);
        let span = script.file_span(first.command.span().to(end));
        Some(Self { span })
    }

    /// The first of them.
    pub fn span(&self) -> Span {
        self.span
    }
}

/// A repair of a step.
#[derive(Debug)]
pub struct Repair {
    /// The fix.
    pub fix: Fix,
    /// Whether it puts another shell in force for what follows.
    pub sets_shell: bool,
}

/// Has a failure in the pipes of a step fail the step.
///
/// # Errors
/// Why that would be wrong, or cannot be told.
pub fn noticed(step: Step<'_>) -> Result<Repair, Refusal> {
    if may_end_early(step) {
        return Err("a command of the pipe may fail or be cut off although nothing is wrong");
    }
    let reason = "a command that used to fail unnoticed fails the step then";
    let editor = ShellEditor::of_step(step).ok_or("the script is not written as the shell reads it")?;
    if knows_pipefail(step) {
        let first = step.script().and_then(|script| script.script.commands().next());
        let edit = match first.filter(|first| is_option_list(*first)) {
            Some(set) => set.words().next_back().map(|last| editor.insert_behind(last, "-o pipefail")),
            None => editor.begin("set -o pipefail"),
        };
        let edit = edit.ok_or("the script is not written as the shell reads it")?;
        let fix = Fix::new("Set `pipefail` in the step", Safety::Risky, reason, vec![edit]);
        return Ok(Repair { fix, sets_shell: false });
    }
    let facts = step.stage().image_facts();
    let shells = facts.and_then(|facts| facts.shell.known()).map_or(&[][..], Vec::as_slice);
    let is_default = step.shell().span.is_none();
    if !is_default || !shells.iter().any(|shell| shell == "/bin/bash") {
        return Err("whether a shell of the image has `pipefail` is not known");
    }
    if step.later().nth(MOST_STEPS).is_some() {
        return Err("too many steps follow to tell what bash changes for them");
    }
    if step.later().any(may_end_early) {
        return Err("a later pipe may fail or be cut off although nothing is wrong, and one shell runs them all");
    }
    if writes_backslashes(step) || step.later().any(writes_backslashes) {
        return Err("bash prints backslashes with `echo` as they are, and the shell in force does not");
    }
    if expands_braces(step) || step.later().any(expands_braces) {
        return Err("bash makes several words of `{a,b}`, and the shell in force leaves them as they are");
    }
    let model = step.model();
    let line = ["SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]"];
    let edit: Edit = Editor::new(model.file, model.syntax).insert_before(step.instruction(), &line);
    let reason = "bash runs all that follows, and a command that used to fail unnoticed fails the step";
    let fix = Fix::new("Use bash with `pipefail`", Safety::Risky, reason, vec![edit]);
    Ok(Repair { fix, sets_shell: true })
}

/// Whether a pipe of the step, also one whose outcome is asked for, has a command that ends before its reader does.
fn may_end_early(step: Step<'_>) -> bool {
    step.commands().any(|command| command.command.place().after.is_pipe() && ends_early(command.command))
}

/// Whether an `echo` of the step has a backslash to print, which dash and bash do each in its own way.
fn writes_backslashes(step: Step<'_>) -> bool {
    let has_backslash =
        |command: StepCommand<'_>| command.command.arguments().any(|word| word.source().contains(&b'\\'));
    step.commands().any(|command| command.command.name() == Some("echo") && has_backslash(command))
}

/// Whether a word of the step has braces that bash expands and dash does not: `rm -rf /var/lib/{apt,dpkg}`.
fn expands_braces(step: Step<'_>) -> bool {
    let is_list = |word: &[u8]| {
        let Some(open) = memchr::memchr(b'{', word) else { return false };
        let Some(close) = memchr::memrchr(b'}', word).filter(|close| *close > open) else { return false };
        let inner = &word[open..close];
        memchr::memchr(b',', inner).is_some() || memchr::memmem::find(inner, b"..").is_some()
    };
    step.commands().any(|command| command.command.words().any(|word| !word.is_quoted() && is_list(word.source())))
}

/// Whether the option is on already: by `SHELL`, by the first line of a heredoc, by `set`.
fn is_noticed(step: Step<'_>) -> bool {
    let by_shell = step.shell().words.iter().any(|word| word.contains("pipefail"));
    let by_line = step.scripts().iter().any(|script| {
        let text = script.script.text();
        let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
        line.starts_with(b"#!") && memchr::memmem::find(line, b"pipefail").is_some()
    });
    let by_command = || {
        step.commands().any(|command| {
            matches!(command.command.name(), Some("set" | "shopt" | "bash"))
                && command.command.words().any(|word| word.bytes() == b"pipefail")
        })
    };
    by_shell || by_line || by_command()
}

/// Whether the shell that runs the step knows the option.
fn knows_pipefail(step: Step<'_>) -> bool {
    let by_line = step.script().and_then(|script| dialect_of_shebang(script.script.text()));
    let program = step.shell().words.first().map_or("", |word| word.rsplit('/').next().unwrap_or(word));
    if by_line == Some(Dialect::Bash) || by_line.is_none() && program == "bash" {
        return true;
    }
    let family = step.stage().image_facts().and_then(|facts| facts.family.known());
    let by_family = match family {
        // `/bin/sh` is the ash of BusyBox, or bash.
        Some(Family::Alpine | Family::Rhel | Family::Amazon | Family::Suse | Family::Arch | Family::Azurelinux) => true,
        Some(_) | None => false,
    };
    by_line.is_none() && matches!(program, "sh" | "ash") && by_family
}

/// Whether a command writes into a pipe whose outcome decides what the script does.
fn writes_unnoticed(command: Command<'_>) -> bool {
    let place = command.place();
    let is_asked = command.blocks().any(|block| {
        matches!(
            block.kind(),
            CompoundKind::Substitution
                | CompoundKind::ProcessSubstitution
                | CompoundKind::Test
                | CompoundKind::Function
        )
    });
    place.after.is_pipe() && !place.negated && place.section != Section::Condition && !is_asked
}

fn last_of_pipeline(command: Command<'_>) -> Span {
    let script = command.script();
    let mut last = Element::Command(command.index());
    while let Some(next) = script.place_of(last).next.filter(|_| script.place_of(last).after.is_pipe()) {
        last = next;
    }
    script.span_of(last)
}

/// Whether nothing of note can go wrong in a command.
fn cannot_fail(command: StepCommand<'_>) -> bool {
    matches!(command.command.name(), Some("echo" | "printf" | "yes" | "true" | ":" | "cat"))
}

/// Whether a command is not done when its reader is, or fails when it finds nothing.
fn ends_early(writer: Command<'_>) -> bool {
    let script = writer.script();
    let fails_by_nature =
        matches!(writer.name(), Some("yes" | "grep" | "egrep" | "fgrep" | "diff" | "cmp" | "find" | "ls"));
    let reader = writer.piped_into();
    let cuts_off = reader.is_some_and(|reader| match reader {
        Element::Compound(_) => true,
        Element::Command(index) => {
            let command = script.command(index);
            let has = |short: char| command.invocation().is_some_and(|run| run.has_option(Some(short), "quiet", ""));
            match command.name() {
                None | Some("head" | "less" | "more" | "read" | "true" | ":") => true,
                Some("grep" | "egrep" | "fgrep") => has('q') || has('m') || command.piped_into().is_some(),
                Some("sed" | "awk" | "gawk") => command.arguments().any(|word| {
                    let text = word.text();
                    text.contains("exit") || text.ends_with('q') || text.contains("q;")
                }),
                Some(_) => false,
            }
        }
    });
    fails_by_nature || cuts_off
}

/// Whether a command is `set` with letters only.
fn is_option_list(command: Command<'_>) -> bool {
    let is_letters = |text: &[u8]| {
        text.starts_with(b"-")
            && text.len() > 1
            && text[1..].iter().all(u8::is_ascii_alphabetic)
            && !text.ends_with(b"o")
    };
    command.name() == Some("set")
        && command.place().block.is_none()
        && command.word_count() > 1
        && command.arguments().all(|word| is_letters(word.bytes()))
}
