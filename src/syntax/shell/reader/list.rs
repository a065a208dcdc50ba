//! Lists of commands: connectors, reserved words, simple and compound commands.

use super::{AssignmentHead, Frame, List, Opener, Reader, Role, State};
use crate::{
    syntax::shell::{
        CompoundKind, Connector, Element, Place, Reason, Section,
        tree::{CommandData, CompoundData, Run},
        word::is_name_byte,
    },
    text::Span,
};

impl Reader<'_> {
    pub(super) fn list_step(&mut self) {
        self.skip_blanks();
        self.plain_arguments();
        let Some(byte) = self.peek() else { return self.end_of_text() };
        let at = self.at;
        match (byte, self.byte(1)) {
            (b'\n', _) => {
                self.connect(Connector::Newline, at, at + 1);
                self.line_end();
            }
            (b'#', _) => self.comment(),
            (b';', Some(b';' | b'&')) => self.end_branch(),
            (b';', _) => self.operator(Connector::Semicolon, 1),
            (b'&', Some(b'&')) => self.operator(Connector::And, 2),
            (b'&', Some(b'>')) => self.redirect(at, None),
            (b'&', _) => self.operator(Connector::Background, 1),
            (b'|', Some(b'|')) => self.operator(Connector::Or, 2),
            (b'|', Some(b'&')) => self.operator(Connector::PipeAll, 2),
            (b'|', _) => self.operator(Connector::Pipe, 1),
            (b'(', _) => self.parenthesis(),
            (b')', _) => self.close_parenthesis(),
            (b'<' | b'>', Some(b'(')) => self.word(),
            (b'<' | b'>', _) => self.redirect(at, None),
            (b'0'..=b'9' | b'{', _) => match self.descriptor() {
                Some(descriptor) => {
                    self.at = descriptor.end as usize;
                    self.redirect(at, Some(descriptor));
                }
                None => self.word(),
            },
            _ => self.word(),
        }
    }

    /// The arguments ahead that are bare text, which is what scripts are made of.
    fn plain_arguments(&mut self) {
        let &mut List { state: State::Command(index), words, .. } = self.list() else { return };
        if self.words.len() == words {
            return;
        }
        let before = self.words.len();
        while self.peek().is_some_and(begins_argument) {
            let (stop, features, is_complete) = self.scan_word();
            if !is_complete {
                break;
            }
            let word = self.plain_word(stop, features);
            self.note_script(word.span);
            self.words.push(word);
            self.at = stop;
            self.skip_blanks();
        }
        if let Some(last) = self.words[before..].last() {
            let span = &mut self.out.commands[index as usize].span;
            span.end = span.end.max(last.span.end);
        }
    }

    pub(super) fn operator(&mut self, connector: Connector, length: usize) {
        self.connect(connector, self.at, self.at + length);
        self.at += length;
    }

    /// `2` of `2>`, or `{name}` of `{name}>`.
    fn descriptor(&self) -> Option<Span> {
        let rest = self.rest();
        let length = if rest[0] == b'{' {
            let name = rest[1..].iter().take_while(|&&byte| is_name_byte(byte)).count();
            (name > 0 && rest.get(name + 1) == Some(&b'}')).then_some(name + 2)?
        } else {
            rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
        };
        let is_redirect = matches!(rest.get(length), Some(b'<' | b'>'));
        is_redirect.then(|| Span::new(self.at, self.at + length))
    }

    /// The current element ends with `connector`.
    pub(super) fn connect(&mut self, connector: Connector, start: usize, end: usize) {
        self.settle_function();
        let Some(element) = self.finish_element() else {
            if connector != Connector::Newline {
                self.doubt(start, end, Reason::MissingCommand);
            }
            return;
        };
        let span = Span::new(start, end);
        let place = self.out.place_mut(element);
        place.after = connector;
        place.after_span = span;
        let list = self.list();
        list.last = Some(element);
        list.joint = connector;
        list.joint_span = span;
        list.negated &= connector.is_pipe();
    }

    /// Moves what waits for the current element to the tables; the list then waits for the next one.
    fn finish_element(&mut self) -> Option<Element> {
        let &mut List { state, words, assignments, redirects, has_script, .. } = self.list();
        self.list().state = State::Start;
        match state {
            State::Start => None,
            State::Command(index) => {
                let words = self.take_words(words);
                let assignments = self.take_assignments(assignments);
                let redirects = self.take_redirects(redirects);
                let command = &mut self.out.commands[index as usize];
                (command.words, command.assignments, command.redirects) = (words, assignments, redirects);
                let span = command.span;
                if has_script {
                    self.shells.push(index);
                }
                if words.of(&self.out.words).first().is_some_and(|name| name.span.of(self.text) == b"eval") {
                    self.doubt(span.start as usize, span.end as usize, Reason::Eval);
                }
                Some(Element::Command(index))
            }
            State::After(index) => {
                self.out.compounds[index as usize].redirects = self.take_redirects(redirects);
                Some(Element::Compound(index))
            }
        }
    }

    /// A new element takes its place in the list.
    fn place(&mut self, element: Element) -> Place {
        let (words, assignments, redirects) = (self.words.len(), self.assignments.len(), self.redirects.len());
        let list = self.list();
        (list.words, list.assignments, list.redirects) = (words, assignments, redirects);
        list.has_script = false;
        let &mut List { compound, section, last, joint, negated, .. } = list;
        let mut place = Place {
            block: compound,
            section,
            previous: last,
            next: None,
            before: joint,
            after: Connector::None,
            after_span: Span::default(),
            pipeline: self.pipelines,
            position: 0,
            negated,
        };
        if let Some(last) = last {
            let previous = self.out.place_mut(last);
            previous.next = Some(element);
            if joint.is_pipe() {
                place.pipeline = previous.pipeline;
                place.position = previous.position + 1;
                return place;
            }
        }
        self.pipelines += 1;
        place
    }

    /// A simple command begins at `start`, unless one is being read.
    pub(super) fn begin_command(&mut self, start: usize) {
        if self.list().state != State::Start {
            return;
        }
        let index = self.out.commands.len() as u32;
        let place = self.place(Element::Command(index));
        let (words, assignments, redirects) = (Run::default(), Run::default(), Run::default());
        self.out.commands.push(CommandData {
            span: Span::at(start),
            words,
            assignments,
            redirects,
            place,
            program: None,
        });
        self.list().state = State::Command(index);
    }

    /// A compound command begins at `start`; the list then waits for what follows it.
    pub(super) fn begin_compound(&mut self, kind: CompoundKind, start: usize) -> u32 {
        if self.list().state != State::Start {
            self.doubt(start, self.at.max(start), Reason::Unexpected);
            self.connect(Connector::None, start, start);
        }
        let index = self.out.compounds.len() as u32;
        let place = self.place(Element::Compound(index));
        let (words, redirects) = (Run::default(), Run::default());
        self.out.compounds.push(CompoundData { kind, span: Span::at(start), words, redirects, place, owner: None });
        self.list().state = State::After(index);
        index
    }

    /// A compound command that is a list between two words.
    pub(super) fn open(&mut self, kind: CompoundKind, opener: Opener, section: Section, length: usize) -> u32 {
        let compound = self.begin_compound(kind, self.at);
        self.at += length;
        self.push_list(opener, section, Some(compound), None);
        compound
    }

    /// The innermost list ends without a connector.
    pub(super) fn end_chain(&mut self) {
        if self.list().opener == Opener::Function {
            self.finish_element();
            return;
        }
        if self.list().state != State::Start {
            return self.connect(Connector::None, self.at, self.at);
        }
        let &mut List { joint, joint_span, .. } = self.list();
        if matches!(joint, Connector::And | Connector::Or | Connector::Pipe | Connector::PipeAll) {
            self.doubt(joint_span.start as usize, joint_span.end as usize, Reason::MissingCommand);
        }
    }

    /// Another part of the same compound command begins.
    pub(super) fn enter_section(&mut self, section: Section) {
        self.end_chain();
        let list = self.list();
        list.section = section;
        list.last = None;
        list.joint = Connector::None;
        list.negated = false;
    }

    /// The innermost list ends here, and with it what it is the inside of.
    pub(super) fn close_list(&mut self) {
        self.end_chain();
        let list = self.lists.pop().expect("a list is open");
        self.frames.pop();
        self.nesting = list.outer_nesting;
        let end = self.at as u32;
        if let Some(piece) = list.piece {
            self.pieces[piece].span.end = end;
        }
        match (list.opener, list.compound) {
            (Opener::Branch, _) | (_, None) => {}
            (_, Some(compound)) => self.out.compounds[compound as usize].span.end = end,
        }
    }

    /// A function is complete with its body.
    pub(super) fn settle_function(&mut self) {
        while self.list().opener == Opener::Function {
            let Some(body) = self.finish_element() else { return };
            let end = self.out.own_span_of(body).end;
            let list = self.lists.pop().expect("a function stands in a list");
            self.frames.pop();
            if let Some(function) = list.compound {
                self.out.compounds[function as usize].span.end = end;
            }
        }
    }

    /// The text ends, or the part of it that is being read.
    fn end_of_text(&mut self) {
        self.settle_function();
        let &mut List { opener, compound, .. } = self.list();
        let start = compound.map_or(0, |compound| self.out.compounds[compound as usize].span.start as usize);
        match opener {
            Opener::Root => self.close_list(),
            Opener::Backquote { outer_end } => {
                let closed = self.at < outer_end;
                self.end_chain();
                self.leave_region(outer_end, self.at + usize::from(closed));
                self.close_list();
            }
            Opener::Parenthesis if self.list().piece.is_some() => {
                self.doubt(start, self.end, Reason::UnterminatedSubstitution);
                self.close_list();
            }
            Opener::Parenthesis | Opener::Brace | Opener::If | Opener::Loop | Opener::Branch | Opener::Function => {
                self.doubt(start, self.end, Reason::UnterminatedBlock);
                self.close_list();
            }
        }
    }

    /// A word where a command may stand or go on.
    fn word(&mut self) {
        match self.list().state {
            State::Command(_) => self.ordinary_word(),
            State::Start | State::After(_) => {
                let (stop, _, is_plain) = self.scan_word();
                let is_reserved = is_plain && stop - self.at <= 8 && self.reserved_word(stop - self.at);
                if !is_reserved {
                    self.ordinary_word();
                }
            }
        }
    }

    /// Name, argument or assignment of a simple command.
    pub(super) fn ordinary_word(&mut self) {
        let start = self.at;
        if let State::After(_) = self.list().state {
            self.settle_function();
            self.doubt(start, start + 1, Reason::Unexpected);
            self.connect(Connector::None, start, start);
        }
        self.begin_command(start);
        let list_words = self.list().words;
        if self.words.len() == list_words
            && let Some((head, value)) = self.assignment_head()
        {
            self.at = value;
            if self.peek() != Some(b'(') {
                return self.start_word(Role::Assignment(head));
            }
            self.at += 1;
            return self.push(Frame::Array { start, words: self.words.len(), head });
        }
        self.start_word(Role::Argument);
    }

    /// `name=`, `name+=`, `name[…]=` and where the value begins.
    pub(super) fn assignment_head(&self) -> Option<(AssignmentHead, usize)> {
        let rest = self.rest();
        if rest[0].is_ascii_digit() {
            return None;
        }
        let name = rest.iter().position(|&byte| !is_name_byte(byte)).filter(|&length| length > 0)?;
        let mut at = name;
        let mut index = None;
        if rest[at] == b'[' {
            let inside = &rest[at + 1..];
            let length = inside.iter().take(256).position(|byte| matches!(byte, b']' | b' ' | b'\n' | b';'))?;
            index = Some(Span::new(self.at + at + 1, self.at + at + 1 + length));
            at += length + 2;
        }
        let appends = rest.get(at) == Some(&b'+');
        at += usize::from(appends);
        let head = AssignmentHead { start: self.at, name: Span::new(self.at, self.at + name), index, appends };
        (rest.get(at) == Some(&b'=')).then_some((head, self.at + at + 1))
    }
}

/// Whether nothing but a word begins with it, wherever a word may stand.
fn begins_argument(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'/' | b'.' | b'_' | b'+' | b'=' | b':' | b'%' | b',' | b'@')
}
