//! Edits of the scripts of `RUN`, `CMD` and `ENTRYPOINT`: a word more or less, a command more or less.
//!
//! Only what is written in the file as the shell reads it is edited: shell form and heredocs, and scripts behind
//! `sh -c` where the quotes change nothing. Continuations, comments and line endings around an edit stay. Where the
//! shell reader is unsure, or an edit would need a comment to go, there is no edit.

use crate::{
    model::{ScriptForm, Step, StepCommand, StepScript},
    syntax::{
        dockerfile::Keyword,
        shell::{Command, CompoundKind, Connector, Element, Script, Section, Word},
    },
    text::{Edit, FileId, Span},
};

/// Makes edits of one script of a step.
#[derive(Clone, Copy, Debug)]
pub struct ShellEditor<'m> {
    step: Step<'m>,
    script: &'m StepScript,
}

impl<'m> ShellEditor<'m> {
    /// An editor of the script that `command` is part of; none where that must not be edited.
    pub fn of(command: StepCommand<'m>) -> Option<Self> {
        Self::new(command.step, command.script).filter(|_| !command.command.is_doubtful())
    }

    /// An editor of the script of a step; none where that must not be edited, or the reader doubts any of it.
    pub fn of_step(step: Step<'m>) -> Option<Self> {
        let editor = Self::new(step, step.script()?)?;
        let is_sure = editor.script.script.doubts().len() == 0;
        is_sure.then_some(editor)
    }

    fn new(step: Step<'m>, script: &'m StepScript) -> Option<Self> {
        let is_editable = matches!(step.keyword(), Keyword::Run | Keyword::Cmd | Keyword::Entrypoint)
            && !step.is_trigger()
            && script.is_verbatim()
            && script.script.dialect().is_bourne()
            && !step.stage().is_windows()
            && !step.model().syntax.has_foreign_frontend(&step.model().file.text);
        is_editable.then_some(Self { step, script })
    }

    /// A word more behind `word`. `text` holds nothing that quotes around it would change.
    pub fn insert_behind(&self, word: Word<'_>, text: &str) -> Edit {
        self.insert(self.end_of(word.span()), format!(" {text}"))
    }

    /// More words behind `word`, on lines of their own where it has one.
    pub fn add_words(&self, word: Word<'_>, words: &[&str]) -> Edit {
        let gap = self.gap_before(word);
        let text: Vec<String> = words.iter().map(|word| format!("{gap}{word}")).collect();
        self.insert(self.end_of(word.span()), text.concat())
    }

    /// What stands between `word` and the one before it, if that is as it should be: a blank, or a continuation and the
    /// indentation of its line.
    fn gap_before(&self, word: Word<'_>) -> String {
        let start = self.start_of(word.span()) as usize;
        let before = start - blanks_before(self.text(), start);
        let is_on_own_line = before > 0 && self.text()[before - 1] == b'\n';
        if is_on_own_line {
            let ending = if self.text()[..before].ends_with(b"\r\n") { "\r\n" } else { "\n" };
            let indent = String::from_utf8_lossy(&self.text()[before..start]);
            format!(" {}{ending}{indent}", char::from(self.escape()))
        } else {
            " ".to_owned()
        }
    }

    /// More words in the list of `words`: each where the order of the alphabet wants it, if the list has that, else at its
    /// end. They are on lines of their own where those of the list are.
    pub fn add_to_list(&self, words: &[Word<'_>], added: &[&str]) -> Vec<Edit> {
        let Some((first, last)) = words.first().zip(words.last()).filter(|_| !added.is_empty()) else {
            return Vec::new();
        };
        let is_sorted = words.len() > 1 && words.windows(2).all(|pair| pair[0].text() <= pair[1].text());
        if !is_sorted {
            return vec![self.add_words(*last, added)];
        }
        let mut edits = Vec::new();
        let mut rest = added.to_vec();
        for (at, word) in words.iter().enumerate() {
            let belongs = |name: &&str| words.get(at + 1).is_none_or(|next| **name < *next.text());
            let (before, behind): (Vec<&str>, Vec<&str>) =
                rest.iter().copied().filter(belongs).partition(|name| at == 0 && **name < *word.text());
            rest.retain(|name| !belongs(name));
            if !before.is_empty() {
                let gap = if self.share_a_line(*first, words[1]) { " ".to_owned() } else { self.gap_before(*first) };
                let text = before.iter().flat_map(|word| [*word, &*gap]).collect();
                edits.push(self.insert(self.start_of(first.span()), text));
            }
            let is_on_line_of_next = words.get(at + 1).is_some_and(|next| self.share_a_line(*word, *next));
            if is_on_line_of_next && !behind.is_empty() {
                edits.push(self.insert_behind(*word, &behind.join(" ")));
            } else if !behind.is_empty() {
                edits.push(self.add_words(*word, &behind));
            }
        }
        edits
    }

    /// Whether no line ends between two words.
    fn share_a_line(&self, word: Word<'_>, next: Word<'_>) -> bool {
        let between = self.text().get(self.end_of(word.span()) as usize..self.start_of(next.span()) as usize);
        between.is_some_and(|between| !between.contains(&b'\n'))
    }

    /// Another word in place of `word`; none where the bytes of that are not its own.
    pub fn replace(&self, word: Word<'_>, text: impl Into<String>) -> Option<Edit> {
        let is_whole = self.source_of(word.span()) == Some(word.source());
        is_whole.then(|| Edit::replace(self.file(), self.script.file_span(word.span()), text))
    }

    /// Takes the words from `first` to `last` out, with the blank or the continuation before them.
    pub fn remove(&self, first: Word<'_>, last: Word<'_>) -> Option<Edit> {
        self.remove_span(first.span().to(last.span()))
    }

    /// Takes text of the script out, with the blank or the continuation before it.
    pub fn remove_span(&self, span: Span) -> Option<Edit> {
        let place = self.script.file_span(span);
        let is_plain = self.is_free_of_comments(place);
        is_plain.then(|| self.room_of(place)).flatten().map(|room| Edit::delete(self.file(), room))
    }

    /// Takes what stands from the start of `first` to the start of `next` out: a word in front of another one.
    pub fn remove_between(&self, first: Span, next: Span) -> Option<Edit> {
        let place = Span { start: self.start_of(first), end: self.start_of(next) };
        self.is_free_of_comments(place).then(|| Edit::delete(self.file(), place))
    }

    /// More commands behind `command` in its list: ` && text`. None where what follows would mean something else.
    pub fn append_to(&self, command: Command<'_>, text: &str) -> Option<Edit> {
        let place = command.place();
        let is_alone = !place.negated && !place.before.is_pipe() && !place.after.is_pipe();
        let stays = !matches!(place.after, Connector::Background | Connector::Or)
            && !matches!(place.before, Connector::Or)
            && place.section != Section::Condition;
        (is_alone && stays && command.is_verbatim())
            .then(|| self.insert(self.end_of(command.span()), format!(" && {text}")))
    }

    /// More commands at the end of the script, run if what is there succeeds. They take the place that the last command
    /// has in the list: on a line of its own, or behind it. None where what is there ends the script itself.
    pub fn append(&self, text: &str) -> Option<Edit> {
        let script = &self.script.script;
        let last = top_level(script).find(|&element| script.place_of(element).next.is_none())?;
        let place = script.place_of(last);
        if place.negated || place.after == Connector::Background || leaves(script, last) {
            return None;
        }
        let separator = self.separator(last)?;
        Some(self.insert(self.end_of(script.span_of(last)), format!("{separator}{text}")))
    }

    /// More commands in front of `command`, run first wherever that is run: `text && `. Where the command stands in a
    /// block, they come in front of the block.
    pub fn prepend(&self, command: StepCommand<'_>, text: &str) -> Option<Edit> {
        let script = &self.script.script;
        let offset = command.command.span().start;
        let mut element = top_level(script).find(|&element| {
            let span = script.span_of(element);
            span.start <= offset && offset < span.end
        })?;
        if is_function(script, element) {
            return None;
        }
        loop {
            let place = script.place_of(element);
            match place.before {
                Connector::Pipe | Connector::PipeAll | Connector::Or => element = place.previous?,
                _ if place.negated => return None,
                Connector::None
                | Connector::And
                | Connector::Semicolon
                | Connector::Newline
                | Connector::Background => break,
            }
        }
        let start = self.start_of(script.span_of(element));
        Some(self.insert(start, format!("{text} && ")))
    }

    /// A word more in front of `command`; none where its bytes are not its own.
    pub fn insert_before(&self, command: Command<'_>, text: &str) -> Option<Edit> {
        let is_sure = command.is_verbatim() && !command.is_doubtful();
        is_sure.then(|| self.insert(self.start_of(command.span()), format!("{text} ")))
    }

    /// More commands at the start of the script; what is there is run if they succeed.
    pub fn begin(&self, text: &str) -> Option<Edit> {
        let script = &self.script.script;
        let first = top_level(script).min_by_key(|&element| script.span_of(element).start)?;
        let start = self.start_of(script.span_of(first));
        (!script.place_of(first).negated).then(|| self.insert(start, format!("{text} && ")))
    }

    /// Takes `command` out of its list, with the operator that joins it. None where it decides what is run, feeds a
    /// pipe, or is alone.
    pub fn remove_command(&self, command: Command<'_>) -> Option<Edit> {
        let place = command.place();
        let is_simple = !place.negated && place.section != Section::Condition && command.is_verbatim();
        let keeps_order = !matches!(place.before, Connector::Or | Connector::Pipe | Connector::PipeAll)
            && !matches!(place.after, Connector::Or | Connector::Pipe | Connector::PipeAll | Connector::Background);
        if !is_simple || !keeps_order || command.redirects().any(|redirect| redirect.heredoc().is_some()) {
            return None;
        }
        let script = command.script();
        let own = self.script.file_span(command.span());
        let room = match (place.before, place.previous, place.next) {
            (Connector::And, Some(previous), _) | (_, Some(previous), None) => {
                Span { start: self.end_of(script.span_of(previous)), end: own.end }
            }
            (_, _, Some(next)) => Span { start: own.start, end: self.start_of(script.span_of(next)) },
            (_, _, None) => return None,
        };
        self.is_free_of_comments(room).then(|| Edit::delete(self.file(), room))
    }

    fn file(&self) -> FileId {
        self.step.model().file.id
    }

    fn text(&self) -> &'m [u8] {
        &self.step.model().file.text
    }

    fn insert(&self, offset: u32, text: String) -> Edit {
        Edit::insert(self.file(), offset as usize, text)
    }

    fn source_of(&self, span: Span) -> Option<&'m [u8]> {
        self.text().get(self.script.file_span(span).range())
    }

    fn start_of(&self, span: Span) -> u32 {
        self.script.file_span(span).start
    }

    fn end_of(&self, span: Span) -> u32 {
        self.script.file_span(span).end
    }

    /// What a backslash is at the end of a line: Docker joins the lines of an instruction, the shell those of a heredoc.
    fn escape(&self) -> u8 {
        match self.script.form {
            ScriptForm::Shell | ScriptForm::Exec => self.step.model().syntax.escape,
            ScriptForm::Heredoc | ScriptForm::Fed => b'\\',
        }
    }

    /// Whether no comment line and no comment of the script lies in a part of the file.
    fn is_free_of_comments(&self, place: Span) -> bool {
        let lines = place.of(self.text()).split(|&byte| byte == b'\n').skip(1);
        let mut comments = self.script.script.comments().map(|comment| self.script.file_span(comment));
        !lines.into_iter().any(|line| line.trim_ascii_start().starts_with(b"#"))
            && !comments.any(|comment| comment.start < place.end && place.start < comment.end)
    }

    /// `place` with the blanks before it; a line that holds nothing else goes as a whole.
    fn room_of(&self, place: Span) -> Option<Span> {
        let text = self.text();
        let before = place.start as usize - blanks_before(text, place.start as usize);
        let starts_line = before == 0 || text[before - 1] == b'\n';
        if !starts_line {
            return Some(Span::new(before, place.end as usize));
        }
        let behind = place.end as usize + blanks_behind(text, place.end as usize);
        let ends_line = |at: usize| matches!(text.get(at..), None | Some([] | [b'\n', ..] | [b'\r', b'\n', ..]));
        if text.get(behind) == Some(&self.escape()) {
            let end = behind + 1 + blanks_behind(text, behind + 1);
            if ends_line(end) {
                let next = memchr::memchr(b'\n', &text[end..]).map_or(text.len(), |at| end + at + 1);
                return Some(Span::new(before, next));
            }
        }
        if !ends_line(behind) {
            return Some(Span::new(place.start as usize, behind));
        }
        // The last word of the last line: the continuation before it goes with it.
        let line_end = before.checked_sub(1)?;
        let line_end = if text[..line_end].ends_with(b"\r") { line_end - 1 } else { line_end };
        let mark = (line_end - blanks_before(text, line_end)).checked_sub(1)?;
        let line_start = memchr::memrchr(b'\n', &text[..mark]).map_or(0, |at| at + 1);
        let is_comment = text[line_start..mark].trim_ascii_start().starts_with(b"#");
        let joins = text[mark] == self.escape() && !is_comment;
        joins.then(|| Span::new(mark - blanks_before(text, mark), place.end as usize))
    }

    /// What joins one more command to the `last` element of the script, in the form that the script uses.
    fn separator(&self, last: Element) -> Option<String> {
        let script = &self.script.script;
        let place = script.place_of(last);
        if let Some(previous) = place.previous {
            let gap = Span { start: self.end_of(script.span_of(previous)), end: self.start_of(script.span_of(last)) };
            let gap = std::str::from_utf8(gap.of(self.text())).ok()?;
            let joins = match place.before {
                Connector::And => gap.contains("&&"),
                Connector::Semicolon => gap.contains(';') && stops_at_errors(script),
                Connector::Newline => stops_at_errors(script),
                Connector::None | Connector::Or | Connector::Background | Connector::Pipe | Connector::PipeAll => false,
            };
            let is_bare =
                gap.bytes().all(|byte| byte.is_ascii_whitespace() || b"&;".contains(&byte) || byte == self.escape());
            if joins && is_bare && gap.contains('\n') {
                return Some(gap.to_owned());
            }
        }
        Some(self.line_of_its_own(script.span_of(last)).unwrap_or_else(|| " && ".to_owned()))
    }

    /// A continuation, if the element goes over several lines, with the blanks that its last line begins with.
    fn line_of_its_own(&self, element: Span) -> Option<String> {
        let place = self.script.file_span(element);
        let text = place.of(self.text());
        let at = memchr::memrchr(b'\n', text)?;
        let ending = if text[..at].ends_with(b"\r") { "\r\n" } else { "\n" };
        let line = &text[at + 1..];
        let indent = std::str::from_utf8(&line[..blanks_behind(line, 0)]).ok()?;
        Some(format!(" {}{ending}{indent}&& ", char::from(self.escape())))
    }
}

/// The elements of the script's own list, those that are parts of words left out.
fn top_level(script: &Script) -> impl Iterator<Item = Element> + '_ {
    let commands = script.commands().map(|command| Element::Command(command.index()));
    let compounds = script
        .compounds()
        .filter(|compound| !matches!(compound.kind(), CompoundKind::Substitution | CompoundKind::ProcessSubstitution));
    commands
        .chain(compounds.map(|compound| Element::Compound(compound.index())))
        .filter(|&element| script.place_of(element).block.is_none())
}

fn is_function(script: &Script, element: Element) -> bool {
    match element {
        Element::Command(_) => false,
        Element::Compound(index) => script.compound(index).kind() == CompoundKind::Function,
    }
}

/// Whether nothing behind the element is run.
fn leaves(script: &Script, element: Element) -> bool {
    match element {
        Element::Command(index) => {
            matches!(script.command(index).name(), Some("exec" | "exit" | "return"))
        }
        Element::Compound(_) => is_function(script, element),
    }
}

/// Whether the script begins with `set -e`, so that `;` does not go on after an error.
fn stops_at_errors(script: &Script) -> bool {
    script.commands().next().is_some_and(|first| {
        let sets = |word: Word<'_>| {
            let text = word.text();
            text == "errexit" || text.starts_with('-') && !text.starts_with("--") && text.contains('e')
        };
        first.name() == Some("set") && first.arguments().any(sets)
    })
}

fn blanks_before(text: &[u8], at: usize) -> usize {
    text[..at].iter().rev().take_while(|&&byte| matches!(byte, b' ' | b'\t')).count()
}

fn blanks_behind(text: &[u8], at: usize) -> usize {
    text[at..].iter().take_while(|&&byte| matches!(byte, b' ' | b'\t')).count()
}

#[cfg(test)]
mod tests;
