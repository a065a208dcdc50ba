//! Takes a pipe or a substitution apart: download, check, use, remove.

use super::{
    check,
    joint::{self, Kind},
    user,
};
use crate::{
    lock::LockedUrl,
    model::{DockerfileModel, StepCommand, downloads::Download},
    rule::Cx,
    syntax::shell::{Command, CompoundKind, Connector, Invocation, PieceKind, RedirectOperator, Slot, Word},
    text::{Edit, Span},
};

/// Keeps what flows from `download` into another command in a file, which is checked before it is used.
pub(super) fn take_apart(
    cx: &Cx<'_, DockerfileModel<'_>>,
    download: &Download<'_>,
    url: &str,
    entry: &LockedUrl,
) -> Result<Vec<Edit>, String> {
    let consumer = download.consumer().ok_or("nobody can tell what uses the download")?;
    let apart = Apart {
        cx,
        download,
        user: StepCommand { command: consumer, ..download.command },
        path: format!("/tmp/{}", file_name(url)),
    };
    let check = check(&apart.path, entry).ok_or("the file has no name that fits into quotes")?;
    let is_direct = download.command.invocation().is_some_and(Invocation::is_direct);
    if !is_direct || consumer.redirects().any(|redirect| redirect.heredoc().is_some()) || consumer.is_doubtful() {
        return Err("the commands around the download are too much for a rewrite".to_owned());
    }
    if download.command.command.redirects().any(|redirect| redirect.descriptor() != Some(b"2")) {
        return Err("the output of the download is redirected".to_owned());
    }
    if download.command.command.piped_into().is_some() { apart.pipe(&check) } else { apart.substitution(&check) }
}

/// A name for the file, taken from the address.
fn file_name(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte);
    let fits = !name.is_empty() && !name.starts_with(['-', '.']) && name.bytes().all(is_plain);
    if fits && path.matches('/').count() > 2 { name } else { "download" }
}

struct Apart<'c, 'm> {
    cx: &'c Cx<'c, DockerfileModel<'c>>,
    download: &'c Download<'m>,
    user: StepCommand<'m>,
    path: String,
}

impl Apart<'_, '_> {
    /// `curl URL | sh`.
    fn pipe(&self, check: &str) -> Result<Vec<Edit>, String> {
        let (from, to) = (self.download.command.command, self.user.command);
        let is_pair = from.place().position == 0
            && from.place().after == Connector::Pipe
            && to.place().position == 1
            && !to.place().after.is_pipe();
        if !is_pair || to.redirects().any(|redirect| reads(redirect.operator())) {
            return Err("the pipe has more than two commands".to_owned());
        }
        let kind = joint::kind_between(self.download.command, to)?;
        let between = Span { start: self.download.span().end, end: self.user.span().start };
        let joint = self.joint_of(between, kind).ok_or("a comment stands in the pipe")?;
        let check = if kind == Kind::Guarded { joint::guarded(check) } else { check.to_owned() };
        let file = self.cx.file.id;
        let mut edits = self.write_file()?;
        edits.push(Edit::replace(file, between, format!("{joint}{check}{joint}")));
        let mut remove = self.remove(&joint);
        let read = user::read_file(self.user, file, &self.path)?;
        // Two insertions at one place have no order.
        if read.span == remove.span {
            remove.text.insert_str(0, &read.text);
        } else {
            edits.push(read);
        }
        edits.push(remove);
        Ok(edits)
    }

    /// The text of the pipe's operator and the blanks around it, with another operator in it.
    fn joint_of(&self, between: Span, kind: Kind) -> Option<String> {
        let raw = self.cx.bytes(between);
        let at = memchr::memchr(b'|', raw)?;
        let (lead, gap) = (joint::blank(&raw[..at])?, joint::blank(&raw[at + 1..])?);
        Some(match kind {
            Kind::Statement if lead.contains('\n') => format!(";{lead}"),
            Kind::Statement => format!(";{}", if gap.is_empty() { " " } else { &gap }),
            Kind::List | Kind::Guarded if gap.is_empty() => " && ".to_owned(),
            Kind::List | Kind::Guarded => format!("{lead}&&{gap}"),
        })
    }

    /// Takes the file away behind the command that used it.
    fn remove(&self, joint: &str) -> Edit {
        let end = self.user.span().end;
        Edit::insert(self.cx.file.id, end as usize, format!("{joint}rm -f {}", self.path))
    }

    /// Makes the download write the file.
    fn write_file(&self) -> Result<Vec<Edit>, String> {
        let (span, text) = self.output().ok_or("how the download would write a file is unclear")?;
        Ok(vec![Edit::replace(self.cx.file.id, span, text)])
    }

    /// Where the download says what it writes to, and what it says then.
    fn output(&self) -> Option<(Span, String)> {
        let command = self.download.command;
        let invocation = command.invocation()?;
        let words: Vec<Word<'_>> = invocation.arguments().collect();
        let is_stdout = |word: &Word<'_>| matches!(&*word.text(), "-" | "/dev/stdout");
        match self.download.program {
            "curl" => {
                let path = &self.path;
                for (at, word) in words.iter().enumerate() {
                    let text = word.text();
                    let place = command.word_span(*word);
                    if let Some(cluster) = text.strip_suffix("o-").filter(|rest| is_short(rest)) {
                        return Some((place, format!("{cluster}o {path}")));
                    }
                    let names = is_short(&text) && text.ends_with('o') || text == "--output";
                    if let Some(value) = words.get(at + 1).filter(|value| names && is_stdout(value)) {
                        return Some((command.word_span(*value), path.clone()));
                    }
                    if names || text.starts_with("--output=") {
                        return None;
                    }
                }
                let end = command.word_span(invocation.name_word()).end;
                Some((Span { start: end, end }, format!(" -o {path}")))
            }
            "wget" => words.iter().enumerate().find_map(|(at, word)| {
                let text = word.text();
                let place = command.word_span(*word);
                if let Some(cluster) = text.strip_suffix("O-").filter(|rest| is_short(rest)) {
                    return Some((place, format!("{cluster}O {}", self.path)));
                }
                if matches!(&*text, "--output-document=-" | "--output-document=/dev/stdout") {
                    return Some((place, format!("--output-document={}", self.path)));
                }
                let names = is_short(&text) && text.ends_with('O') || text == "--output-document";
                let value = words.get(at + 1).filter(|value| names && is_stdout(value))?;
                Some((command.word_span(*value), self.path.clone()))
            }),
            _ => None,
        }
    }

    /// `sh -c "$(curl URL)"`, `bash <(curl URL)`.
    fn substitution(&self, check: &str) -> Result<Vec<Edit>, String> {
        const UNCLEAR: &str = "the substitution holds more than the download";
        let (inner, outer) = (self.download.command.command, self.user.command);
        let block = inner.blocks().next().ok_or(UNCLEAR)?;
        let owner = block.owner().ok_or(UNCLEAR)?;
        let place = inner.place();
        let is_alone = place.previous.is_none() && place.next.is_none() && place.after == Connector::None;
        if !is_alone || outer.place().before.is_pipe() || outer.place().after.is_pipe() {
            return Err(UNCLEAR.to_owned());
        }
        let Slot::Word(index) = owner.slot else { return Err(UNCLEAR.to_owned()) };
        let kind = joint::kind_between(self.user, outer)?;
        let joint = if kind == Kind::Statement { "; " } else { " && " };
        let check = if kind == Kind::Guarded { joint::guarded(check) } else { check.to_owned() };
        let argument = self.argument(outer, index as usize, block.kind()).ok_or(UNCLEAR)?;
        let (output, text) = self.output().ok_or("how the download would write a file is unclear")?;
        let own = self.download.span();
        let mut command = self.cx.text(Span { start: own.start, end: output.start }).into_owned();
        command.push_str(&text);
        command.push_str(&self.cx.text(Span { start: output.end, end: own.end }));
        let file = self.cx.file.id;
        let start = self.user.span().start as usize;
        Ok(vec![
            Edit::insert(file, start, format!("{command}{joint}{check}{joint}")),
            Edit::replace(file, argument, self.path.as_str()),
            self.remove(joint),
        ])
    }

    /// What stands for the script in the command line: `-c "$(…)"` with the name behind it, or `<(…)`.
    fn argument(&self, outer: Command<'_>, index: usize, kind: CompoundKind) -> Option<Span> {
        let word = outer.word(index)?;
        let pieces: Vec<_> = word.pieces().filter(|piece| !piece.nested).collect();
        let [piece] = pieces.as_slice() else { return None };
        let place = |word: Word<'_>| self.user.word_span(word);
        match (piece.kind, kind) {
            (PieceKind::Process(_), CompoundKind::ProcessSubstitution) => Some(place(word)),
            (PieceKind::Substitution(_), CompoundKind::Substitution) => {
                let option = outer.word(index.checked_sub(1)?)?;
                let name = self.user.name()?;
                let is_shell = matches!(name, "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh");
                let runs = is_shell || name.starts_with("python");
                if &*option.text() != "-c" || !runs {
                    return None;
                }
                // The word behind the script of a shell is its name, not an argument.
                let name_of_script = outer.word(index + 1).filter(|_| is_shell).unwrap_or(word);
                Some(place(option).to(place(name_of_script)))
            }
            _ => None,
        }
    }
}

fn reads(operator: RedirectOperator) -> bool {
    use RedirectOperator::{DuplicateInput, HereString, Heredoc, Read, ReadWrite};
    matches!(operator, Read | ReadWrite | DuplicateInput | Heredoc | HereString)
}

/// Whether a word is one or more short options.
fn is_short(word: &str) -> bool {
    word.starts_with('-') && !word.starts_with("--")
}
