//! One stage becomes two: what the author wrote builds, and a new last stage is the image.
//!
//! What speaks about the finished image (ports, labels, volumes, the health check, the start) moves to the new stage
//! with the comments above it, byte for byte. Variables are said again, for a build may use them and the program too.
//! The user is not named here: the engine for users does that, on the text that comes out.

use super::{Runtime, Start, Subject, Taken, effect, packages};
use crate::{
    knowledge::{Family, ImageFacts, RULESET_DATE},
    model::{Reference, ScriptForm, Stage, Step, StepCommand, UserOrigin, Variable, VariableKind, packages::Action},
    syntax::dockerfile::{Editor, Instruction, Keyword},
    text::{Edit, Span},
};
use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

/// Why a stage cannot be split: a sentence.
pub type Obstacle = Cow<'static, str>;

/// The edits that make `runtime` the image of `subject`, and what the author wrote the stage that builds it.
///
/// # Errors
/// What of the author's text cannot be moved or said again with certainty.
pub fn split(subject: &Subject<'_>, runtime: &Runtime) -> Result<Vec<Edit>, Obstacle> {
    let split = Split { subject, runtime, editor: Editor::new(subject.cx.file, subject.cx.model.syntax) };
    split.edits()
}

struct Split<'s, 'a> {
    subject: &'s Subject<'a>,
    runtime: &'s Runtime,
    editor: Editor<'a>,
}

/// The names that the stage that builds may have.
const NAMES: [&str; 4] = ["build", "builder", "build-stage", "ironhull-build"];

impl<'a> Split<'_, 'a> {
    fn edits(&self) -> Result<Vec<Edit>, Obstacle> {
        let target = self.subject.target;
        if let Some(obstacle) = packages::foreign(self.subject, &effect::effects(self.subject), &self.runtime.packages)
        {
            return Err(obstacle.into());
        }
        let name = self.name()?;
        let moved = self.moved();
        let mut last = vec![self.first_line()];
        last.extend(self.texts(&moved, |keyword| matches!(keyword, Keyword::Label | Keyword::Maintainer))?);
        last.extend(self.variables()?);
        let user = self.user(&moved)?;
        let names_user = user.iter().any(|line| line.starts_with(&self.cased("USER")));
        let system = self.packages()?.into_iter().chain(self.runtime.setup.iter().cloned());
        let system: Vec<String> = system.chain(self.accounts().filter(|_| names_user)).collect();
        let runs = |line: &String| line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("RUN "));
        last.extend(self.root().filter(|_| system.iter().any(runs)));
        last.extend(system);
        last.extend(self.workdir()?);
        last.extend(self.runtime.taken.iter().map(|taken| copy_line(&name, taken)));
        last.extend(self.runtime.finish.iter().cloned());
        last.extend(self.about_running(&moved)?);
        last.extend(self.start_shell(&moved));
        last.extend(user);
        last.extend(self.start(&moved)?);
        let (removed, mut edits): (Vec<Edit>, Vec<Edit>) =
            self.runtime.build.iter().cloned().partition(|edit| edit.text.is_empty());
        edits.extend(self.name_edits(&name));
        edits.extend(self.ending(&moved, &removed, &last)?);
        edits.sort();
        let is_disjoint = edits.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start);
        if !is_disjoint {
            return Err(format!("the build of `{}` would be edited twice at one place", target_name(target)).into());
        }
        Ok(edits)
    }

    /// A name for the stage that builds, which no stage has.
    fn name(&self) -> Result<String, Obstacle> {
        let model = self.subject.cx.model;
        let is_free = |name: &&&str| model.stages().all(|stage| stage.name() != Some(**name));
        let free = NAMES.iter().find(is_free).ok_or("every name for a stage that builds is taken")?;
        Ok((*free).to_owned())
    }

    /// The author's stage gets its name; if it had one, the new last stage takes that over.
    fn name_edits(&self, name: &str) -> Vec<Edit> {
        let target = self.subject.target;
        match target.name_span() {
            Some(span) => vec![self.editor.replace(span, name)],
            None => vec![self.editor.insert(target.base_span().end as usize, format!(" {} {name}", self.cased("AS")))],
        }
    }

    /// A keyword as the author writes keywords.
    fn cased(&self, keyword: &str) -> String {
        let from = self.subject.cx.bytes(self.subject.target.instruction().keyword_span);
        if from.iter().all(u8::is_ascii_lowercase) { keyword.to_ascii_lowercase() } else { keyword.to_owned() }
    }

    fn first_line(&self) -> String {
        let target = self.subject.target;
        let platform = target.instruction().flag("platform").map(|flag| self.subject.cx.text(flag.span).into_owned());
        let mut line = self.cased("FROM");
        for word in platform.iter().map(String::as_str).chain([self.runtime.base.as_str()]) {
            line.push(' ');
            line.push_str(word);
        }
        if let Some(span) = target.name_span() {
            for word in [&self.cased("AS"), &*self.subject.cx.text(span)] {
                line.push(' ');
                line.push_str(word);
            }
        }
        line
    }

    /// The instructions of the stage that go over to the new one, in their order.
    fn moved(&self) -> Vec<Step<'a>> {
        let target = self.subject.target;
        let start = target.start_steps();
        let is_start = |step: &Step<'_>| start.iter().any(|each| each.index() == step.index());
        target
            .steps()
            .filter(|step| !step.is_trigger())
            .filter(|step| match step.keyword() {
                Keyword::Cmd | Keyword::Entrypoint => is_start(step),
                Keyword::User => is_last_user(*step),
                keyword => is_about_running(keyword) || matches!(keyword, Keyword::Label | Keyword::Maintainer),
            })
            .collect()
    }

    /// Moved instructions of some kinds as they are written, comments above them included.
    fn texts(&self, moved: &[Step<'a>], wanted: impl Fn(Keyword) -> bool) -> Result<Vec<String>, Obstacle> {
        moved.iter().filter(|step| wanted(step.keyword())).map(|step| self.text(step.instruction())).collect()
    }

    /// Ports, volumes, the signal, the health check.
    fn about_running(&self, moved: &[Step<'a>]) -> Result<Vec<String>, Obstacle> {
        let steps = moved.iter().filter(|step| is_about_running(step.keyword()));
        let line = |step: &Step<'a>| match &self.runtime.health {
            Some(words) if step.keyword() == Keyword::Healthcheck => self.health(step.instruction(), words),
            _ => self.text(step.instruction()),
        };
        steps.map(line).collect()
    }

    /// The health check with other words behind its own options.
    fn health(&self, instruction: &Instruction, words: &[String]) -> Result<String, Obstacle> {
        let mut text = self.comments(instruction)?;
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&self.cased("HEALTHCHECK"));
        for flag in &instruction.flags {
            text.push(' ');
            text.push_str(&self.subject.cx.text(flag.span));
        }
        Ok(format!("{text} {} {}", self.cased("CMD"), json_form(words)))
    }

    /// An instruction as it is written, with the comments above it, without the last line ending.
    fn text(&self, instruction: &Instruction) -> Result<String, Obstacle> {
        let span = self.span(instruction)?;
        let text = std::str::from_utf8(self.subject.cx.bytes(span))
            .map_err(|_| format!("line {} is not UTF-8, and cannot be moved", instruction.lines.0))?;
        Ok(text.trim_end_matches(['\n', '\r']).to_owned())
    }

    /// The lines of an instruction, the comments above it included.
    fn span(&self, instruction: &Instruction) -> Result<Span, Obstacle> {
        let span = self.editor.lines_with_comments(instruction);
        span.ok_or_else(|| format!("the end of the file cuts line {} off", instruction.lines.0).into())
    }

    /// `ENV` and the `ARG`s that anything said again needs.
    fn variables(&self) -> Result<Vec<String>, Obstacle> {
        let steps = self.subject.steps();
        let mut lines = Vec::new();
        let mut needed = BTreeSet::new();
        for step in steps.iter().filter(|step| step.keyword() == Keyword::Env) {
            let kept: Vec<&Variable<'_>> = step.assigned().iter().filter(|variable| self.is_kept(variable)).collect();
            if kept.is_empty() {
                continue;
            }
            for variable in &kept {
                needed.extend(variable.value.iter().flat_map(|value| &value.depends).map(|each| each.name.to_string()));
            }
            lines.push(if kept.len() == step.assigned().len() {
                self.instruction_text(step.instruction())?
            } else {
                let words: Result<Vec<String>, Obstacle> = kept.iter().map(|each| self.assignment(each)).collect();
                format!("{} {}", self.cased("ENV"), words?.join(" "))
            });
        }
        for (name, value) in &self.runtime.environment {
            lines.push(format!("{} {name}={value}", self.cased("ENV")));
        }
        let is_needed =
            |variable: &Variable<'_>| variable.kind == VariableKind::Arg && needed.contains(&*variable.name);
        let mut arguments = Vec::new();
        for step in steps.iter().filter(|step| step.keyword() == Keyword::Arg) {
            if step.assigned().iter().any(is_needed) {
                arguments.push(self.instruction_text(step.instruction())?);
            }
        }
        arguments.extend(lines);
        Ok(arguments)
    }

    fn is_kept(&self, variable: &Variable<'_>) -> bool {
        !self.runtime.left_out.iter().any(|name| *name == *variable.name)
    }

    /// `NAME=value` as it is written.
    fn assignment(&self, variable: &Variable<'_>) -> Result<String, Obstacle> {
        let span = variable.value_span.map_or(variable.name_span, |value| variable.name_span.to(value));
        let text = std::str::from_utf8(self.subject.cx.bytes(span)).ok().filter(|text| !text.contains('\n'));
        let text = text.ok_or_else(|| format!("`ENV {}` goes over several lines", variable.name))?;
        Ok(text.to_owned())
    }

    /// An instruction as it is written, without comments.
    fn instruction_text(&self, instruction: &Instruction) -> Result<String, Obstacle> {
        let text = std::str::from_utf8(self.subject.cx.bytes(instruction.span));
        let text = text.map_err(|_| format!("line {} is not UTF-8, and cannot be said again", instruction.lines.0))?;
        Ok(text.to_owned())
    }

    /// What installs the packages of the distribution.
    fn packages(&self) -> Result<Option<String>, Obstacle> {
        if self.runtime.packages.is_empty() {
            return Ok(None);
        }
        let facts = self.subject.target.image_facts();
        let installs = |step: &Step<'_>| {
            step.package_commands().any(|each| each.call.action == Action::Install && each.call.manager.is_system())
        };
        if facts.is_some_and(is_archived) && !self.subject.runs().iter().any(installs) {
            let package = &self.runtime.packages[0];
            return Err(
                format!("it needs `{package}`, and the packages of its release have moved to an archive").into()
            );
        }
        let manager = facts.and_then(|facts| facts.package_manager.known().copied().flatten());
        let line = manager.and_then(|manager| packages::instruction(manager, &self.runtime.packages));
        line.map(Some).ok_or_else(|| "how the distribution of the base installs packages is not known".into())
    }

    fn workdir(&self) -> Result<Option<String>, Obstacle> {
        let workdir = self.subject.target.workdir();
        let Some(span) = workdir.span else { return Ok(None) };
        let Some(path) = workdir.path.known() else {
            return Err(format!("the working directory `{}` depends on the build", self.subject.cx.text(span)).into());
        };
        Ok(Some(format!("{} {}", self.cased("WORKDIR"), path)))
    }

    /// The shell of commands in shell form, where the author chose one.
    fn start_shell(&self, moved: &[Step<'a>]) -> Option<String> {
        let span = self.subject.target.shell().span?;
        let needs_shell = |step: &Step<'_>| step.script().is_some_and(|script| script.form == ScriptForm::Shell);
        let is_used = self.runtime.start.is_none() && moved.iter().any(needs_shell);
        let text = self.subject.cx.text(span);
        is_used.then(|| {
            if text.to_ascii_uppercase().starts_with("SHELL") {
                text.into_owned()
            } else {
                format!("{} {text}", self.cased("SHELL"))
            }
        })
    }

    /// Makes the author's users and groups once more: a number alone has no home, and is a member of no group.
    fn accounts(&self) -> Option<String> {
        let changes = self.subject.target.account_changes();
        if changes.is_empty() || self.base_facts().is_none_or(|facts| facts.has_no_shell()) {
            return None;
        }
        let mut commands: Vec<StepCommand<'a>> = changes.iter().map(|change| change.command).collect();
        commands.dedup_by_key(|command| command.span());
        let texts: Option<Vec<String>> = commands.into_iter().map(as_written).collect();
        Some(format!("{} {}", self.cased("RUN"), texts?.join(" \\\n    && ")))
    }

    /// Root for the steps that change the system, where the base is somebody else; the engine for users ends that again.
    fn root(&self) -> Option<String> {
        let facts = self.base_facts()?;
        let is_other = facts.user.known().is_some_and(|user| user.uid.is_some_and(|uid| uid != 0));
        is_other.then(|| format!("{} 0", self.cased("USER")))
    }

    fn base_facts(&self) -> Option<Arc<ImageFacts>> {
        let named = Reference::parse(self.runtime.base.as_str()).ok();
        let facts = named.and_then(|base| base.facts(self.subject.cx.knowledge));
        // A variable in the author's own base hides no more here than there.
        let is_own = || *self.subject.cx.text(self.subject.target.root().base_span()) == *self.runtime.base;
        facts.or_else(|| {
            is_own().then(|| self.subject.target.named_image().and_then(|image| image.facts.clone())).flatten()
        })
    }

    /// The author's own user, if it is not root and has a number, with the comments above it; others are found by the
    /// engine for users, and only their comments stay.
    fn user(&self, moved: &[Step<'a>]) -> Result<Vec<String>, Obstacle> {
        let Some(step) = moved.iter().find(|step| step.keyword() == Keyword::User) else { return Ok(Vec::new()) };
        let comments = Some(self.comments(step.instruction())?).filter(|text| !text.is_empty());
        let user = self.subject.target.user();
        let written = match user.origin {
            UserOrigin::Instruction { span, .. } => self.subject.cx.text(span),
            UserOrigin::BaseImage { .. } | UserOrigin::Nobody => "".into(),
        };
        let is_number = !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
        let line = (is_number && !user.is_root()).then(|| format!("{} {written}", self.cased("USER")));
        Ok(comments.into_iter().chain(line).collect())
    }

    fn start(&self, moved: &[Step<'a>]) -> Result<Vec<String>, Obstacle> {
        let Some(Start { entrypoint, command }) = &self.runtime.start else {
            return self.texts(moved, |keyword| matches!(keyword, Keyword::Cmd | Keyword::Entrypoint));
        };
        let mut lines = Vec::new();
        for (keyword, words) in [(Keyword::Entrypoint, entrypoint), (Keyword::Cmd, command)] {
            let Some(words) = words else { continue };
            let name = if keyword == Keyword::Cmd { "CMD" } else { "ENTRYPOINT" };
            lines.push(format!("{} {}", self.cased(name), json_form(words)));
        }
        let comments = moved.iter().filter(|step| matches!(step.keyword(), Keyword::Cmd | Keyword::Entrypoint));
        let comments: Result<Vec<String>, Obstacle> = comments.map(|step| self.comments(step.instruction())).collect();
        Ok(comments?.into_iter().filter(|text| !text.is_empty()).chain(lines).collect())
    }

    /// The comments above an instruction.
    fn comments(&self, instruction: &Instruction) -> Result<String, Obstacle> {
        let text = self.text(instruction)?;
        let own = self.subject.cx.text(instruction.span);
        let above = text.strip_suffix(own.trim_end_matches(['\n', '\r'])).unwrap_or_default();
        Ok(above.trim_end().to_owned())
    }

    /// Takes what moves out of the stage that builds, and writes the new one behind it.
    fn ending(&self, moved: &[Step<'a>], removed: &[Edit], last: &[String]) -> Result<Vec<Edit>, Obstacle> {
        let text = &self.subject.cx.file.text;
        let line_ending = self.editor.line_ending();
        let stage_end = self.subject.target.steps().rfind(|step| !step.is_trigger());
        let stage_end = stage_end.map_or(self.subject.target.instruction(), Step::instruction);
        let stage_end = self.span(stage_end)?.end as usize;
        let mut spans =
            moved.iter().map(|step| self.span(step.instruction())).collect::<Result<Vec<Span>, Obstacle>>()?;
        spans.extend(removed.iter().map(|edit| edit.span));
        spans.sort();
        // What moves or goes at the very end is replaced together with the blank lines around it.
        let mut tail = stage_end;
        while let Some(span) =
            spans.last().filter(|span| text[span.end as usize..tail].iter().all(u8::is_ascii_whitespace))
        {
            tail = span.start as usize;
            spans.pop();
        }
        let blank = text[..tail].iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
        let kept = tail - blank;
        let mut new = String::new();
        for line in &self.runtime.build_end {
            new.push_str(line_ending);
            new.push_str(line);
        }
        new.push_str(line_ending);
        for line in last {
            new.push_str(line_ending);
            new.push_str(&line.replace("\r\n", "\n").replace('\n', line_ending));
        }
        new.push_str(line_ending);
        let delete = |span| Edit::delete(self.subject.cx.file.id, with_blank_lines(text, span));
        let mut edits: Vec<Edit> = spans.into_iter().map(delete).collect();
        edits.push(Edit::replace(self.subject.cx.file.id, Span::new(kept, stage_end), new));
        Ok(edits)
    }
}

/// Lines together with the blank ones behind them, where a blank one stands before them too.
fn with_blank_lines(text: &[u8], span: Span) -> Span {
    let before = &text[..span.start as usize];
    let is_behind_blank = before.ends_with(b"\n\n") || before.ends_with(b"\n\r\n");
    if !is_behind_blank {
        return span;
    }
    let blank = text[span.end as usize..].iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
    Span::new(span.start as usize, span.end as usize + blank)
}

/// Whether the packages of a release have moved to an archive (`archive.debian.org`, `old-releases.ubuntu.com`,
/// `vault.centos.org`): its images cannot install any as they are.
fn is_archived(facts: &ImageFacts) -> bool {
    let release = facts.release.known().map_or("", String::as_str);
    let number = |text: &str| text.split('.').next().and_then(|number| number.parse::<u32>().ok());
    let has_ended = facts.distribution_end_of_life.known().is_some_and(|end| *end < RULESET_DATE);
    match facts.family.known() {
        Some(Family::Debian) => number(release).is_some_and(|number| number <= 10),
        Some(Family::Ubuntu) => {
            let is_long = release.ends_with(".04") && number(release).is_some_and(|year| year % 2 == 0);
            has_ended && !is_long && !release.is_empty()
        }
        _ => false,
    }
}

/// Instructions about the finished image that are no start and no label.
fn is_about_running(keyword: Keyword) -> bool {
    matches!(keyword, Keyword::Expose | Keyword::Volume | Keyword::Stopsignal | Keyword::Healthcheck)
}

fn target_name(target: Stage<'_>) -> &str {
    target.name().unwrap_or("the last stage")
}

/// `COPY` out of the stage `name`.
fn copy_line(name: &str, Taken { from, to }: &Taken) -> String {
    if [from, to].iter().any(|path| path.contains([' ', '"'])) {
        return format!("COPY --from={name} {}", json_form(&[from.clone(), to.clone()]));
    }
    format!("COPY --from={name} {from} {to}")
}

/// Words in JSON form.
pub fn json_form(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| serde_json::Value::from(word.as_str()).to_string()).collect();
    format!("[{}]", words.join(", "))
}

/// The words of a command that runs alone and the same anywhere.
fn as_written(command: StepCommand<'_>) -> Option<String> {
    let place = command.command.place();
    let is_alone = !place.before.is_pipe() && !place.after.is_pipe() && command.command.redirects().len() == 0;
    let is_plain = command.script.is_verbatim() && command.command.assignments().len() == 0;
    let words = command.command.words().map(|word| word.literal().map(|_| word.text().into_owned()));
    let words: Option<Vec<String>> = words.collect();
    let needs_no_quotes =
        |word: &String| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./=:,+@".contains(&byte));
    words.filter(|words| is_alone && is_plain && words.iter().all(needs_no_quotes)).map(|words| words.join(" "))
}

/// Whether a `USER` says who runs the image, and nothing that is built.
fn is_last_user(step: Step<'_>) -> bool {
    let builds = |step: Step<'_>| {
        matches!(step.keyword(), Keyword::Run | Keyword::Copy | Keyword::Add | Keyword::Workdir | Keyword::User)
    };
    !step.later().any(builds)
}
