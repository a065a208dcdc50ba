//! Which commands a build without arguments comes to: tests of an `ARG` in front of them.
//!
//! Only what decides for certain is read: one `[`, `test` or `[[` that asks whether a variable is empty, or is a word.

use super::{VariableKind, platform::is_automatic, script::StepCommand};
use crate::syntax::shell::{
    Command, Compound, CompoundKind, Connector, Element, Operator, PieceKind, Place, Section, Word, Words,
};

/// Tests around one command are looked at up to this depth.
const DEEPEST: usize = 4;

/// The condition of an `if` is looked for among so many commands.
const FARTHEST: u32 = 128;

impl<'m> StepCommand<'m> {
    /// The `ARG` that a build must set to come to this command: it stands behind a test that the value in the file fails.
    pub fn needs_argument(self) -> Option<&'m str> {
        let script = self.command.script();
        let mut place = self.command.place();
        for _ in 0..DEEPEST {
            if let Some(argument) = self.fails_before(place) {
                return Some(argument);
            }
            let block = script.compound(place.block?);
            if block.kind() == CompoundKind::If
                && let Some(argument) = self.fails_in(block, place.section)
            {
                return Some(argument);
            }
            place = block.place();
        }
        None
    }

    /// Whether an `if` around it asks who runs the step: `[ "$(id -u)" -ne 0 ]`.
    pub fn is_behind_user_check(self) -> bool {
        let asks = |word: Word<'m>| {
            let text = word.text();
            ["id -u", "whoami", "$EUID", "${EUID", "$UID", "${UID"].iter().any(|question| text.contains(question))
        };
        let blocks = self.command.blocks().take(DEEPEST).filter(|block| block.kind() == CompoundKind::If);
        blocks.filter_map(|block| self.condition(block)).any(|test| test.words().any(asks))
    }

    /// The `ARG` that a test in front of it, joined by `&&` or `||`, asks for.
    fn fails_before(self, place: &Place) -> Option<&'m str> {
        let wanted = match place.before {
            Connector::And => true,
            Connector::Or => false,
            Connector::None
            | Connector::Semicolon
            | Connector::Background
            | Connector::Newline
            | Connector::Pipe
            | Connector::PipeAll => return None,
        };
        let script = self.command.script();
        let previous = place.previous?;
        // `a && b || c` needs more than one test to be understood.
        if script.place_of(previous).before != Connector::None && script.place_of(previous).before != Connector::Newline
        {
            return None;
        }
        let test = match previous {
            Element::Command(index) => Test::Command(script.command(index)),
            Element::Compound(index) => Test::Compound(script.compound(index)),
        };
        self.fails(test, wanted)
    }

    /// The `ARG` that the condition of `block` asks for, for a command in that part of it.
    fn fails_in(self, block: Compound<'m>, section: Section) -> Option<&'m str> {
        let wanted = match section {
            Section::Then => true,
            Section::Else => false,
            Section::Body | Section::Condition | Section::Branch | Section::Header => return None,
        };
        self.fails(self.condition(block)?, wanted)
    }

    /// The condition of an `if` without `elif`, if it is one command.
    fn condition(self, block: Compound<'m>) -> Option<Test<'m>> {
        let script = self.command.script();
        let is_condition = |place: &Place| place.block == Some(block.index()) && place.section == Section::Condition;
        let first = self.command.index().saturating_sub(FARTHEST);
        let commands = (first..self.command.index()).map(|index| script.command(index));
        let commands = commands.filter(|command| is_condition(command.place())).map(Test::Command);
        let next = block.index() + 1;
        let last = next.saturating_add(FARTHEST).min(script.compounds().len() as u32);
        let compounds = (next..last).map(|index| script.compound(index));
        let compounds = compounds.filter(|compound| is_condition(compound.place()) && compound.owner().is_none());
        let mut tests = commands.chain(compounds.map(Test::Compound));
        tests.next().filter(|_| tests.next().is_none())
    }

    /// The `ARG` whose value in the file gives a test the other result than `wanted`.
    fn fails(self, test: Test<'m>, wanted: bool) -> Option<&'m str> {
        let mut words: Vec<Word<'m>> = test.words().collect();
        let negated = match test {
            Test::Command(command) => {
                match command.name()? {
                    "[" => words.truncate(words.len() - 1),
                    "test" => {}
                    _ => return None,
                }
                words.drain(..1.min(words.len()));
                command.place().negated
            }
            Test::Compound(compound) if compound.kind() == CompoundKind::Test => compound.place().negated,
            Test::Compound(_) => return None,
        };
        let (argument, holds) = self.outcome(&words)?;
        ((holds != negated) != wanted).then_some(argument)
    }

    /// The `ARG` that a test asks for, and whether its value in the file passes.
    fn outcome(self, words: &[Word<'m>]) -> Option<(&'m str, bool)> {
        let operator = |word: &Word<'m>| word.literal();
        match words {
            [not, rest @ ..] if operator(not) == Some("!") && !rest.is_empty() => {
                self.outcome(rest).map(|(argument, holds)| (argument, !holds))
            }
            [word] => self.argument(*word).map(|(argument, value)| (argument, !value.is_empty())),
            [ask, word] => {
                let (argument, value) = self.argument(*word)?;
                match operator(ask)? {
                    "-z" => Some((argument, value.is_empty())),
                    // `[ -n $A ]` of an empty variable is `[ -n ]`, which holds.
                    "-n" if word.is_quoted() || !value.is_empty() => Some((argument, !value.is_empty())),
                    _ => None,
                }
            }
            [one, compare, other] => {
                let equal = match operator(compare)? {
                    "=" | "==" => true,
                    "!=" => false,
                    _ => return None,
                };
                let (word, wanted) = if other.is_expanded() { (other, one) } else { (one, other) };
                let (argument, value) = self.argument(*word)?;
                Some((argument, (value == wanted.literal()?) == equal))
            }
            _ => None,
        }
    }

    /// The `ARG` that a word stands for, and its value in a build without arguments.
    fn argument(self, word: Word<'m>) -> Option<(&'m str, &'m str)> {
        let mut pieces = word.pieces();
        let piece = pieces.next()?;
        let PieceKind::Variable { name, operator: Operator::None, .. } = piece.kind else { return None };
        let name = std::str::from_utf8(self.script.script.bytes(name)).ok()?;
        if pieces.next().is_some() || self.script.assigns(name) {
            return None;
        }
        let variable = self.step.variable(name).filter(|variable| variable.kind == VariableKind::Arg)?;
        if is_automatic(name) {
            return None;
        }
        let value = match &variable.value {
            None => "",
            Some(value) if value.depends.iter().any(|on| is_automatic(&on.name)) => return None,
            Some(value) => value.known()?,
        };
        Some((&variable.name, value))
    }
}

/// What decides whether a command is run.
#[derive(Clone, Copy)]
enum Test<'m> {
    Command(Command<'m>),
    Compound(Compound<'m>),
}

impl<'m> Test<'m> {
    fn words(self) -> Words<'m> {
        match self {
            Test::Command(command) => command.words(),
            Test::Compound(compound) => compound.words(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        knowledge::Knowledge,
        model::DockerfileModel,
        source::{FileKind, SourceSet},
        syntax::dockerfile,
    };

    /// The argument that the command `x` of a `RUN` needs, where `NONE` has no default and `OFF` is `false`.
    fn needed(run: &str) -> Option<String> {
        let mut sources = SourceSet::new();
        let text = format!("FROM a\nARG NONE\nARG OFF=false\nARG TARGETARCH\nENV SET=1\nRUN {run}\n");
        sources.add("Dockerfile".to_owned(), FileKind::Dockerfile, text.into_bytes());
        let file = &sources.files()[0];
        let parsed = dockerfile::parse(&file.text);
        let model = DockerfileModel::new(file, &parsed.tree, &Knowledge::builtin());
        let step = model.steps().last().expect("the file ends with a `RUN`");
        let command = step.commands().find(|command| command.name() == Some("x")).expect("there is a command `x`");
        command.needs_argument().map(str::to_owned)
    }

    #[test]
    fn a_test_that_the_file_fails_asks_for_its_argument() {
        for (run, argument) in [
            ("if [ -z $NONE ]; then y; else x; fi", Some("NONE")),
            ("if [ -n \"$NONE\" ]; then y && x | z; fi", Some("NONE")),
            ("if [[ \"$OFF\" = \"true\" ]]; then x; fi", Some("OFF")),
            ("if [ \"${OFF}\" != false ]; then if y; then x; fi; fi", Some("OFF")),
            ("if ! test \"$OFF\" = false; then x; fi", Some("OFF")),
            ("[ -n \"$NONE\" ] && x", Some("NONE")),
            ("[ -z \"$NONE\" ] || x", Some("NONE")),
            ("sh -c 'x'", None),
            ("if [ -z $NONE ]; then x; fi", None),
            ("if [ -n $NONE ]; then x; fi", None),
            ("if [ \"$TARGETARCH\" = arm64 ]; then x; fi", None),
            ("if [ \"$SET\" = 2 ]; then x; fi", None),
            ("if [ \"$UNKNOWN\" = 2 ]; then x; fi", None),
            ("NONE=1; if [ -n \"$NONE\" ]; then x; fi", None),
            ("if y || [ -n \"$NONE\" ]; then x; fi", None),
            ("if [ -n \"$NONE\" ]; then y; elif z; then x; fi", None),
            ("y && [ -n \"$NONE\" ] || x", None),
            ("for i in 1 2; do x; done", None),
        ] {
            assert_eq!(needed(run).as_deref(), argument, "{run}");
        }
    }
}
