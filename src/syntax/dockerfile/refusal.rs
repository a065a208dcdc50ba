//! What BuildKit refuses in instructions that can be told apart: flags, numbers of arguments, forms, stages.
//!
//! Facts: `frontend/dockerfile/instructions` of BuildKit. What can only be told when variables are known, such as an
//! empty base image, is not said here.

use super::{
    Dockerfile, Flag, Instruction, Keyword, arguments, duration, heredoc,
    json::{self, Form},
    space, words,
};
use crate::text::{Span, SyntaxError};
use std::ops::Range;

/// Adds to `errors` what BuildKit refuses in `instruction` by itself.
///
/// BuildKit tells the first of these only, and looks into the instruction behind `ONBUILD` no further than its parser.
pub(super) fn refuse(instruction: &Instruction, source: &[u8], errors: &mut Vec<SyntaxError>) {
    let first = errors.len();
    let mut judge = Judge { instruction, source, args: instruction.args_text(source), errors };
    judge.form();
    judge.flags();
    judge.arguments();
    if let Some(trigger) = &instruction.trigger {
        Judge { instruction: trigger, source, args: trigger.args_text(source), errors }.form();
    }
    // One cause, one error: a mistyped word often breaks several of these at once.
    errors.truncate(first + 1);
}

/// Whether a file has stages, and nothing in front of them that needs one.
#[derive(Default)]
pub(super) struct Stages {
    has_stage: bool,
    has_orphan: bool,
}

impl Stages {
    /// Looks at the next instruction.
    pub(super) fn see(&mut self, instruction: &Instruction, errors: &mut Vec<SyntaxError>) {
        match instruction.keyword {
            Keyword::From => self.has_stage = true,
            Keyword::Arg | Keyword::Unknown => {}
            _ if self.has_stage || self.has_orphan => {}
            _ => {
                self.has_orphan = true;
                errors.push(SyntaxError {
                    span: instruction.keyword_span,
                    message: "only `ARG` may stand before the first `FROM`".to_owned(),
                });
            }
        }
    }

    /// Says what is missing at the end of the file.
    pub(super) fn finish(&self, tree: &Dockerfile, errors: &mut Vec<SyntaxError>) {
        if !errors.is_empty() || self.has_stage {
            return;
        }
        let (span, message) = match tree.instructions.first() {
            Some(first) => (first.keyword_span, "the file has no stage: there is no `FROM`"),
            None => (Span::default(), "the file has no instruction"),
        };
        errors.push(SyntaxError { span, message: message.to_owned() });
    }
}

/// What a flag may be given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Nothing, or `true` or `false`.
    Switch,
    /// One value, once.
    One,
    /// One value, as often as one likes.
    Many,
}

/// The flags of an instruction; `None` where BuildKit does not look at flags at all.
fn known_flags(keyword: Keyword) -> Option<&'static [(&'static str, Takes)]> {
    use Takes::{Many, One, Switch};
    Some(match keyword {
        Keyword::Add => &[
            ("chown", One),
            ("chmod", One),
            ("link", Switch),
            ("keep-git-dir", Switch),
            ("checksum", One),
            ("exclude", Many),
            ("unpack", Switch),
        ],
        Keyword::Copy => {
            &[("from", One), ("chown", One), ("chmod", One), ("link", Switch), ("parents", Switch), ("exclude", Many)]
        }
        Keyword::From => &[("platform", One)],
        Keyword::Healthcheck => {
            &[("interval", One), ("timeout", One), ("start-period", One), ("start-interval", One), ("retries", One)]
        }
        Keyword::Run => &[("mount", Many), ("network", One), ("security", One), ("device", Many)],
        Keyword::Cmd
        | Keyword::Entrypoint
        | Keyword::Env
        | Keyword::Expose
        | Keyword::Label
        | Keyword::Maintainer
        | Keyword::Onbuild
        | Keyword::Shell
        | Keyword::User
        | Keyword::Volume
        | Keyword::Workdir => &[],
        Keyword::Arg | Keyword::Stopsignal | Keyword::Unknown => return None,
    })
}

struct Judge<'a> {
    instruction: &'a Instruction,
    source: &'a [u8],
    args: &'a [u8],
    errors: &'a mut Vec<SyntaxError>,
}

impl Judge<'_> {
    fn error(&mut self, span: Span, message: impl Into<String>) {
        self.errors.push(SyntaxError { span, message: message.into() });
    }

    /// The keyword, for messages.
    fn name(&self) -> &'static str {
        self.instruction.keyword.name()
    }

    fn span_of_args(&self) -> Span {
        self.instruction.body.file_span(self.instruction.args.clone())
    }

    /// The file span of a part of the arguments.
    fn span_of(&self, part: Range<usize>) -> Span {
        let start = self.instruction.args.start;
        self.instruction.body.file_span(start + part.start as u32..start + part.end as u32)
    }

    /// What BuildKit's parser itself refuses.
    fn form(&mut self) {
        if self.instruction.json_form(self.source) == Form::Others {
            self.error(self.span_of_args(), "the JSON form holds strings only");
        }
        if matches!(self.instruction.keyword, Keyword::Env | Keyword::Label) {
            self.pairs();
        }
    }

    fn pairs(&mut self) {
        let mut words = words::quoted(self.args, self.instruction.escape);
        let Some(first) = words.next() else { return };
        if !self.args[first].contains(&b'=') {
            if !self.args.iter().copied().any(space::is_separator) {
                self.error(self.span_of_args(), format!("`{}` has a name and no value", self.name()));
            }
            return;
        }
        let Some(word) = words.find(|word| !self.args[word.clone()].contains(&b'=')) else { return };
        let text = excerpt(&self.args[word.clone()]);
        self.error(self.span_of(word), format!("`{text}` is not of the form `name=value`"));
    }

    fn flags(&mut self) {
        if self.instruction.flags.is_empty() {
            return;
        }
        let Some(known) = known_flags(self.instruction.keyword) else { return };
        // BuildKit does not look at the flags of `HEALTHCHECK NONE`.
        if self.instruction.keyword == Keyword::Healthcheck && self.health_check_type().eq_ignore_ascii_case(b"none") {
            return;
        }
        let flags = &self.instruction.flags;
        for (index, flag) in flags.iter().enumerate() {
            let takes = known.iter().find(|(name, _)| *name == flag.name).map(|&(_, takes)| takes);
            let is_repeated =
                || takes != Some(Takes::Many) && flags[..index].iter().any(|other| other.name == flag.name);
            let message = match (takes, flag.value.as_deref()) {
                (None, _) => format!("`{}` has no flag `--{}`", self.name(), excerpt(flag.name.as_bytes())),
                (Some(_), _) if is_repeated() => format!("`--{}` is given twice", flag.name),
                (Some(Takes::One | Takes::Many), None) => format!("`--{}` has no value", flag.name),
                (Some(Takes::Switch), Some(value)) if !is_boolean(value) => {
                    format!("`--{}` is neither `true` nor `false`", flag.name)
                }
                (Some(Takes::Switch | Takes::One | Takes::Many), _) => match value_error(flag) {
                    Some(message) => message,
                    None => continue,
                },
            };
            return self.error(flag.span, message);
        }
    }

    fn health_check_type(&self) -> &[u8] {
        &self.args[..arguments::health_check(self.args).0]
    }

    fn arguments(&mut self) {
        match self.instruction.keyword {
            Keyword::Unknown => {
                let word = self.instruction.keyword_span.of(self.source);
                let meant = Keyword::nearest(word).map(|keyword| format!("; `{}` is", keyword.name()));
                let message = format!("`{}` is no instruction{}", excerpt(word), meant.unwrap_or_default());
                self.error(self.instruction.keyword_span, message);
            }
            Keyword::Add | Keyword::Copy => self.sources_and_destination(),
            Keyword::Arg | Keyword::Env | Keyword::Label => self.names(),
            Keyword::From => self.base_and_name(),
            Keyword::Healthcheck => self.health_check(),
            Keyword::Onbuild => self.trigger(),
            Keyword::Shell => self.shell(),
            Keyword::Volume => self.volumes(),
            Keyword::Expose | Keyword::Maintainer | Keyword::Stopsignal | Keyword::User | Keyword::Workdir => {
                self.not_empty();
            }
            Keyword::Cmd | Keyword::Entrypoint | Keyword::Run => {}
        }
    }

    /// Says that there is no argument, and answers whether there is one.
    fn not_empty(&mut self) -> bool {
        if self.args.is_empty() {
            self.error(self.instruction.keyword_span, format!("`{}` has no argument", self.name()));
        }
        !self.args.is_empty()
    }

    /// How many arguments there are, and the last of them.
    fn count(&self) -> (usize, Option<Range<usize>>) {
        let mut count = 0;
        let mut last = None;
        let mut add = |range| {
            count += 1;
            last = Some(range);
        };
        if json::form(self.args, |_| {}) == Form::Strings {
            json::form(self.args, add);
        } else {
            words::plain(self.args).for_each(&mut add);
        }
        (count, last)
    }

    fn sources_and_destination(&mut self) {
        let (count, last) = self.count();
        if count < 2 {
            return self
                .error(self.instruction.keyword_span, format!("`{}` needs a source and a destination", self.name()));
        }
        if let Some(destination) = last.filter(|range| heredoc::is_opening(&self.args[range.clone()])) {
            self.error(self.span_of(destination), "a heredoc is no destination");
        }
    }

    /// `ENV`, `LABEL` and `ARG`: a `=` has a name before it.
    fn names(&mut self) {
        if !self.not_empty() {
            return;
        }
        // Seldom is there a `=` that a name does not touch, and only then the words are split.
        let is_suspect = |at: usize| at.checked_sub(1).is_none_or(|before| !self.args[before].is_ascii_graphic());
        if !memchr::memchr_iter(b'=', self.args).any(is_suspect) {
            return;
        }
        let is_legacy = |first: Range<usize>| !self.args[first].contains(&b'=');
        let mut words = words::quoted(self.args, self.instruction.escape).peekable();
        if self.instruction.keyword != Keyword::Arg && words.peek().cloned().is_some_and(is_legacy) {
            return;
        }
        let nameless = words.find(|word| self.args[word.start] == b'=');
        if let Some(word) = nameless {
            self.error(self.span_of(word), "there is no name before `=`");
        }
    }

    fn base_and_name(&mut self) {
        let mut words = words::plain(self.args);
        let (Some(_), second, third, None) = (words.next(), words.next(), words.next(), words.next()) else {
            let span = if self.args.is_empty() { self.instruction.keyword_span } else { self.span_of_args() };
            return self.error(span, "`FROM` takes an image, or an image, `AS` and a name");
        };
        match (second, third) {
            (None, _) => {}
            (Some(second), Some(third)) if self.args[second.clone()].eq_ignore_ascii_case(b"as") => {
                if !is_stage_name(&self.args[third.clone()]) {
                    let name = excerpt(&self.args[third.clone()]);
                    self.error(
                        self.span_of(third),
                        format!("`{name}` is no name for a stage: a letter, then letters, digits, `-`, `_` and `.`"),
                    );
                }
            }
            (Some(second), _) => {
                self.error(self.span_of(second), "`FROM` takes an image, or an image, `AS` and a name");
            }
        }
    }

    fn health_check(&mut self) {
        let (end, start) = arguments::health_check(self.args);
        if end == 0 {
            return self.error(self.instruction.keyword_span, "`HEALTHCHECK` has no argument");
        }
        let has_command = match json::form(&self.args[start..], |_| {}) {
            Form::Strings => json::strings(&self.args[start..]).is_some_and(|strings| !strings.is_empty()),
            Form::Others => true,
            Form::NotJson => start < self.args.len(),
        };
        let kind = &self.args[..end];
        if kind.eq_ignore_ascii_case(b"none") {
            if has_command {
                self.error(self.span_of(start..self.args.len()), "`HEALTHCHECK NONE` takes nothing more");
            }
        } else if !kind.eq_ignore_ascii_case(b"cmd") {
            let kind = excerpt(kind);
            self.error(self.span_of(0..end), format!("`{kind}` is neither `CMD` nor `NONE`"));
        } else if !has_command {
            self.error(self.span_of(0..end), "`HEALTHCHECK CMD` has no command");
        }
    }

    fn trigger(&mut self) {
        if !self.not_empty() {
            return;
        }
        let refused = match self.instruction.trigger.as_deref() {
            None => "an `ONBUILD` cannot hold another one",
            Some(trigger) if trigger.keyword == Keyword::From => "an `ONBUILD` cannot hold a `FROM`",
            Some(trigger) if trigger.keyword == Keyword::Maintainer => "an `ONBUILD` cannot hold a `MAINTAINER`",
            Some(_) => return,
        };
        self.error(self.span_of_args(), refused);
    }

    fn shell(&mut self) {
        match json::strings(self.args) {
            Some(words) if !words.is_empty() => {}
            Some(_) => self.error(self.span_of_args(), "`SHELL` has no argument"),
            None if self.args.is_empty() => self.error(self.instruction.keyword_span, "`SHELL` has no argument"),
            None => self.error(self.span_of_args(), "`SHELL` takes the JSON form only"),
        }
    }

    fn volumes(&mut self) {
        let Some(volumes) = json::strings(self.args) else {
            self.not_empty();
            return;
        };
        if volumes.is_empty() {
            self.error(self.span_of_args(), "`VOLUME` has no argument");
        }
        if let Some((range, _)) = volumes.into_iter().find(|(_, text)| space::trim(text).is_empty()) {
            self.error(self.span_of(range), "a `VOLUME` has no path");
        }
    }
}

/// The start of a text, for messages.
pub(super) fn excerpt(text: &[u8]) -> String {
    const LONGEST: usize = 40;
    let start = String::from_utf8_lossy(&text[..text.len().min(4 * LONGEST)]).into_owned();
    let shown: String = start.chars().take_while(|char| !char.is_control()).take(LONGEST).collect();
    if shown == start { shown } else { shown + "…" }
}

fn is_boolean(value: &str) -> bool {
    value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false")
}

fn is_stage_name(name: &[u8]) -> bool {
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    name.first().is_some_and(u8::is_ascii_alphabetic) && name.iter().all(is_inner)
}

/// What is wrong with the value of a flag that BuildKit looks at before variables are known.
fn value_error(flag: &Flag) -> Option<String> {
    let value = flag.value.as_deref()?;
    let shown = || excerpt(value.as_bytes());
    match flag.name.as_str() {
        "interval" | "timeout" | "start-period" | "start-interval" => {
            let is_good =
                value.is_empty() || duration::nanoseconds(value).is_some_and(|time| time == 0 || time >= 1_000_000);
            (!is_good).then(|| format!("`{}` is not a duration of a millisecond or more", shown()))
        }
        "retries" => {
            let is_good = value.is_empty() || value.parse::<i32>().is_ok_and(|retries| retries >= 0);
            (!is_good).then(|| format!("`{}` is not a number of retries", shown()))
        }
        "network" => {
            let is_good = matches!(value, "default" | "none" | "host");
            (!is_good).then(|| format!("`{}` is not a network: `default`, `none` or `host`", shown()))
        }
        "security" => {
            let is_good = matches!(value, "insecure" | "sandbox");
            (!is_good).then(|| format!("`{}` is not a security mode: `sandbox` or `insecure`", shown()))
        }
        "mount" => mount_error(value),
        _ => None,
    }
}

fn mount_error(value: &str) -> Option<String> {
    if value.is_empty() {
        return Some("`--mount` has no value".to_owned());
    }
    let from = value.split(',').filter_map(|field| field.split_once('=')).find(|(key, from)| {
        key.eq_ignore_ascii_case("from") && from.split_once('$').is_some_and(|(_, name)| !name.is_empty())
    })?;
    Some(format!("`from` of `--mount` takes no variable, as in `{}`", excerpt(from.1.as_bytes())))
}
