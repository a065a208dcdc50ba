//! In which directory each command of a step runs: `WORKDIR`, then `cd`.

use super::places::{home, path_of};
use crate::{
    model::{Step, StepCommand, StepScript},
    syntax::shell::{Compound, CompoundKind, Connector, Script},
};
use std::{collections::HashMap, ptr};

/// A list of commands in a script: the script, and the compound command that it is the body of.
type Scope = (*const Script, Option<u32>);

/// Lists are followed so deep into each other, and `pushd` as often.
const DEEPEST: usize = 16;

/// Follows `cd` through the commands of one step, which must be asked for in order.
pub(super) struct Directories<'m> {
    step: Step<'m>,
    scopes: HashMap<Scope, Where>,
    /// The directory of the last command: what a script that it hands to a shell starts in.
    last: Option<String>,
    script: Option<*const StepScript>,
    has_moved: bool,
}

/// The directory in force, and those that `cd -` and `popd` lead back to.
#[derive(Clone, Debug, Default)]
struct Where {
    current: Option<String>,
    previous: Option<String>,
    pushed: Vec<Option<String>>,
}

impl<'m> Directories<'m> {
    pub(super) fn new(step: Step<'m>) -> Self {
        let last = super::workdir(step).map(str::to_owned);
        Self { step, scopes: HashMap::new(), last, script: None, has_moved: false }
    }

    /// The directory that `command` runs in; what it changes holds for those behind it.
    pub(super) fn of(&mut self, command: StepCommand<'m>) -> Option<String> {
        self.enter_script(command.script);
        let script = command.command.script();
        let blocks: Vec<Compound<'m>> =
            command.command.blocks().filter(|block| block.kind() != CompoundKind::Group).take(DEEPEST).collect();
        let place = self.enter(script, &blocks).clone();
        self.last.clone_from(&place.current);
        if let Some(moved) = moved(command, &place) {
            self.change(script, &blocks, command, moved);
        }
        place.current
    }

    /// A script of the step behind the first starts where the step does, as far as one can tell.
    fn enter_script(&mut self, script: &'m StepScript) {
        if self.script == Some(ptr::from_ref(script)) {
            return;
        }
        self.script = Some(ptr::from_ref(script));
        self.last = (!self.has_moved).then(|| super::workdir(self.step).map(str::to_owned)).flatten();
    }

    /// Where a list of commands is; it starts where the one around it is.
    fn enter(&mut self, script: &'m Script, blocks: &[Compound<'m>]) -> &Where {
        let script = ptr::from_ref(script);
        let mut block = None;
        let last = Where { current: self.last.clone(), ..Where::default() };
        let mut place = self.scopes.entry((script, block)).or_insert(last).clone();
        for inner in blocks.iter().rev() {
            block = Some(inner.index());
            place = self.scopes.entry((script, block)).or_insert(place).clone();
        }
        &self.scopes[&(script, block)]
    }

    fn change(&mut self, script: &'m Script, blocks: &[Compound<'m>], command: StepCommand<'m>, moved: Where) {
        self.has_moved = true;
        let place = command.command.place();
        // Each part of a pipeline has a shell of its own.
        if place.before.is_pipe() || place.after.is_pipe() {
            return;
        }
        let is_repeated = blocks.iter().any(|block| is_repeated(block.kind()));
        let is_certain = !is_repeated && place.before != Connector::Or;
        let current = moved.current.clone().filter(|_| is_certain);
        let scope = (ptr::from_ref(script), blocks.first().map(|block| block.index()));
        self.scopes.insert(scope, Where { current, ..moved });
        // What is behind a condition or a loop may run here or there.
        for (at, block) in blocks.iter().enumerate() {
            if has_own_shell(block.kind()) {
                return;
            }
            let around = blocks.get(at + 1).map(|block| block.index());
            self.scopes.insert((ptr::from_ref(script), around), Where::default());
        }
    }
}

/// Where a `cd` leads to; `None` for what is none.
fn moved(command: StepCommand<'_>, place: &Where) -> Option<Where> {
    let invocation = command.invocation().filter(|invocation| invocation.is_direct())?;
    let operand = || invocation.arguments().find(|word| !word.bytes().starts_with(b"-") || word.bytes() == b"-");
    let to = |word| path_of(command, place.current.as_deref(), word);
    let mut moved = place.clone();
    moved.previous.clone_from(&place.current);
    match invocation.name()? {
        "cd" => {
            moved.current = match operand() {
                Some(word) if word.bytes() == b"-" => place.previous.clone(),
                Some(word) => to(word),
                None => home(command.step),
            };
        }
        "pushd" => {
            moved.pushed.truncate(DEEPEST);
            moved.pushed.push(place.current.clone());
            moved.current = operand().and_then(to);
        }
        "popd" => moved.current = moved.pushed.pop().flatten(),
        _ => return None,
    }
    Some(moved)
}

/// Whether its commands may run more than once, or later.
fn is_repeated(kind: CompoundKind) -> bool {
    matches!(
        kind,
        CompoundKind::While | CompoundKind::Until | CompoundKind::For | CompoundKind::Select | CompoundKind::Function
    )
}

/// Whether what its commands do to the shell ends with it.
fn has_own_shell(kind: CompoundKind) -> bool {
    matches!(kind, CompoundKind::Subshell | CompoundKind::Substitution | CompoundKind::ProcessSubstitution)
}
