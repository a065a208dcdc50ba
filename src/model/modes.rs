//! File modes that a step sets: by `chmod`, `install -m`, `mkdir -m`, `COPY --chmod`.
//!
//! Sources: chmod(1), install(1), mkdir(1), Dockerfile reference `COPY --chmod`.

use super::{programs::Programs, script::StepCommand, step::Step};
use crate::{
    syntax::{
        dockerfile::{Arguments, Keyword},
        shell::{Invocation, Word},
    },
    text::Span,
};
use std::collections::HashMap;

/// One mode that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModeChange {
    /// Where the mode is written.
    pub span: Span,
    /// As it is written.
    pub text: String,
    /// What it lets happen.
    pub mode: Mode,
    /// The files that get it, as far as they are written out.
    pub targets: Vec<String>,
    /// Whether everything below them gets it too.
    pub is_recursive: bool,
}

/// The bits that a mode sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mode(u32);

impl Mode {
    const WORLD_ENTERABLE: u32 = 0o1;
    const WORLD_WRITABLE: u32 = 0o2;
    const WORLD_READABLE: u32 = 0o4;
    const STICKY: u32 = 0o1000;
    const SETGID: u32 = 0o2000;
    const SETUID: u32 = 0o4000;
    /// The mode says all bits, not only which are added or taken away.
    const IN_DIGITS: u32 = 0o10_0000;

    /// Reads an octal or symbolic mode; `None` for what is neither.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        if text.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
            return u32::from_str_radix(text, 8).ok().map(|bits| Self(bits & 0o7777 | Self::IN_DIGITS));
        }
        text.split(',').try_fold(0, |bits, clause| Some(bits | clause_bits(clause)?)).map(Self)
    }

    /// Everybody may write.
    pub fn is_world_writable(self) -> bool {
        self.0 & Self::WORLD_WRITABLE != 0
    }

    /// Everybody may read.
    pub fn is_world_readable(self) -> bool {
        self.0 & Self::WORLD_READABLE != 0
    }

    /// Users that are neither owner nor of the group cannot enter the directory. Only a mode in digits says that.
    pub fn shuts_others_out(self) -> bool {
        self.0 & (Self::WORLD_ENTERABLE | Self::IN_DIGITS) == Self::IN_DIGITS
    }

    /// Only owners may remove what lies in the directory.
    pub fn is_sticky(self) -> bool {
        self.0 & Self::STICKY != 0
    }

    /// A program runs as its owner.
    pub fn is_setuid(self) -> bool {
        self.0 & Self::SETUID != 0
    }

    /// A program runs as its group; files made in a directory get its group.
    pub fn is_setgid(self) -> bool {
        self.0 & Self::SETGID != 0
    }
}

/// Those of the bits that matter here which a clause such as `go+w` sets.
fn clause_bits(clause: &str) -> Option<u32> {
    let (who, rest) = clause.split_at(clause.find(['+', '=', '-'])?);
    if !who.bytes().all(|byte| b"ugoa".contains(&byte)) {
        return None;
    }
    let mut bits = 0;
    let mut adds = false;
    for letter in rest.chars() {
        match letter {
            '+' | '=' => adds = true,
            '-' => adds = false,
            // Without `who` the umask keeps others from writing.
            'w' if adds && who.contains(['o', 'a']) => bits |= Mode::WORLD_WRITABLE,
            'r' if adds && (who.is_empty() || who.contains(['o', 'a'])) => bits |= Mode::WORLD_READABLE,
            't' if adds => bits |= Mode::STICKY,
            's' if adds => {
                let of = |letter| who.is_empty() || who.contains([letter, 'a']);
                bits |= if of('u') { Mode::SETUID } else { 0 } | if of('g') { Mode::SETGID } else { 0 };
            }
            'r' | 'w' | 'x' | 'X' | 's' | 't' | 'u' | 'g' | 'o' => {}
            _ => return None,
        }
    }
    Some(bits)
}

/// Programs that set modes.
const SETTERS: Programs = Programs::of(&["chmod", "umask", "install", "mkdir"]);

/// Programs that make directories.
const MAKERS: Programs = Programs::of(&["mkdir", "install"]);

impl Step<'_> {
    /// The words that it gives to a program, such as the files that `rm` removes, and where the last command with each
    /// starts in the file.
    pub fn given_to(self, program: &str) -> HashMap<String, u32> {
        let calls = self.commands_beside(Programs::of(&[program]));
        let calls = calls.filter(|command| command.name() == Some(program));
        let words = calls.flat_map(|command| {
            let words = command.invocation().into_iter().flat_map(Invocation::arguments);
            words.map(move |word| (word.text().into_owned(), command.span().start))
        });
        words.collect()
    }

    /// The directories that it certainly makes: of `mkdir`, `install -d`, `WORKDIR` and `VOLUME`, as they are written.
    pub fn made_directories(self) -> Vec<String> {
        match self.keyword() {
            Keyword::Run => self.commands_beside(MAKERS).flat_map(directories_of).collect(),
            Keyword::Workdir | Keyword::Volume => match self.arguments() {
                Arguments::Json(words) | Arguments::Words(words) => {
                    words.iter().filter_map(|word| self.absolute_arg(word)).collect()
                }
                Arguments::Text(text) => self.absolute_arg(text).into_iter().collect(),
                Arguments::Assignments(_) | Arguments::None => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// The modes that it sets.
    pub fn mode_changes(self) -> Vec<ModeChange> {
        match self.keyword() {
            Keyword::Copy | Keyword::Add => self.copied_mode().into_iter().collect(),
            Keyword::Run | Keyword::Cmd | Keyword::Entrypoint => {
                self.commands_beside(SETTERS).filter_map(of_command).collect()
            }
            _ => Vec::new(),
        }
    }

    fn copied_mode(self) -> Option<ModeChange> {
        let flag = self.instruction().flag("chmod")?;
        let text = flag.value.clone()?;
        let mode = Mode::parse(&text)?;
        // The destination may be a directory: which file gets the mode is not told.
        Some(ModeChange { span: flag.span, text, mode, targets: Vec::new(), is_recursive: false })
    }
}

fn of_command(command: StepCommand<'_>) -> Option<ModeChange> {
    let invocation = command.invocation()?;
    let name = invocation.name()?;
    if !matches!(name, "chmod" | "umask" | "install" | "mkdir") {
        return None;
    }
    let sets_none = |word: Word<'_>| !word.bytes().starts_with(b"-m") && !word.bytes().starts_with(b"--mode");
    if matches!(name, "install" | "mkdir") && invocation.arguments().all(sets_none) {
        return None;
    }
    let words: Vec<Word<'_>> = invocation.arguments().collect();
    let at = match name {
        // `-x` and the like are modes that take away, and may stand in front.
        "chmod" => words.iter().position(|word| !is_option(&word.text()))?,
        "umask" => return umask(command, *words.first()?),
        "install" | "mkdir" => return with_option(command, &words),
        _ => return None,
    };
    let text = words[at].literal()?;
    let targets =
        words[at + 1..].iter().map(|word| word.text().into_owned()).filter(|word| !word.starts_with('-')).collect();
    let is_recursive = invocation.has_option(Some('R'), "recursive", "");
    Some(ModeChange {
        span: command.word_span(words[at]),
        text: text.to_owned(),
        mode: Mode::parse(text)?,
        targets,
        is_recursive,
    })
}

fn directories_of(command: StepCommand<'_>) -> Vec<String> {
    let Some(invocation) = command.invocation() else { return Vec::new() };
    let makes = match invocation.name() {
        Some("mkdir") => true,
        Some("install") => invocation.has_option(Some('d'), "directory", "mgoSt"),
        Some(_) | None => false,
    };
    let operands = invocation.arguments().map(|word| word.text().into_owned()).filter(|word| !word.starts_with('-'));
    if makes { operands.collect() } else { Vec::new() }
}

fn is_option(text: &str) -> bool {
    text.starts_with("--")
        || text.starts_with('-')
            && text[1..].chars().all(|c| matches!(c, 'R' | 'v' | 'f' | 'c' | 'h' | 'H' | 'L' | 'P'))
}

/// `install -m 4755 …`, `mkdir -p -m777 …`.
fn with_option(command: StepCommand<'_>, words: &[Word<'_>]) -> Option<ModeChange> {
    let mut words = words.iter();
    let mut found = None;
    let mut targets = Vec::new();
    while let Some(word) = words.next() {
        let text = word.literal();
        match text {
            Some("-m" | "--mode") => found = words.next().map(|word| (*word, word.literal())),
            Some(text) if text.starts_with("-m") || text.starts_with("--mode=") => {
                found = Some((*word, Some(text.trim_start_matches("--mode=").trim_start_matches("-m"))));
            }
            Some(text) if text.starts_with('-') => {}
            Some(_) | None => targets.push(word.text().into_owned()),
        }
    }
    let (word, text) = found?;
    Some(ModeChange {
        span: command.word_span(word),
        text: text?.to_owned(),
        mode: Mode::parse(text?)?,
        targets,
        is_recursive: false,
    })
}

/// `umask 0` lets everybody write what is made from here on.
fn umask(command: StepCommand<'_>, word: Word<'_>) -> Option<ModeChange> {
    let text = word.literal().filter(|text| text.bytes().all(|byte| (b'0'..=b'7').contains(&byte)))?;
    let mode = Mode(!u32::from_str_radix(text, 8).ok()? & Mode::WORLD_WRITABLE);
    Some(ModeChange {
        span: command.word_span(word),
        text: format!("umask {text}"),
        mode,
        targets: Vec::new(),
        is_recursive: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `w` world-writable, `t` sticky, `u` set-uid, `g` set-gid.
    fn letters(text: &str) -> Option<String> {
        let mode = Mode::parse(text)?;
        let bits = [
            (mode.is_world_writable(), 'w'),
            (mode.is_sticky(), 't'),
            (mode.is_setuid(), 'u'),
            (mode.is_setgid(), 'g'),
        ];
        Some(bits.into_iter().filter_map(|(set, letter)| set.then_some(letter)).collect())
    }

    #[test]
    fn modes() {
        for (text, expected) in [
            ("777", Some("w")),
            ("0755", Some("")),
            ("1777", Some("wt")),
            ("4755", Some("u")),
            ("2775", Some("g")),
            ("666", Some("w")),
            ("a+rwx", Some("w")),
            ("ugo+w", Some("w")),
            ("o+w,+t", Some("wt")),
            ("+w", Some("")),
            ("o-w", Some("")),
            ("u+s", Some("u")),
            ("g+s", Some("g")),
            ("a-s", Some("")),
            ("u=rwx,go=rx", Some("")),
            ("", None),
            ("888", None),
            ("x", None),
        ] {
            assert_eq!(letters(text).as_deref(), expected, "{text}");
        }
    }
}
