//! Which variables are visible where: every assignment of a file, by name and time.
//!
//! Stages are evaluated along the tree that `FROM <stage>` makes, and time counts the steps of that walk. An assignment
//! is visible from its step to the end of the last stage that inherits it, so one ordered list per name answers any
//! question about any step, and no environment is ever copied.

use super::{
    expand::{Cause, Lookup, Scope, Value},
    platform::Platform,
};
use crate::text::Span;
use foldhash::fast::RandomState;
use std::{borrow::Cow, collections::HashMap, sync::OnceLock};

/// A variable as one instruction sets it.
#[derive(Clone, Debug)]
pub struct Variable<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its value; `None` for an `ARG` that has neither a default nor an earlier value.
    pub value: Option<Value<'a>>,
    /// What sets it.
    pub kind: VariableKind,
    /// Where its name is written; empty for what no instruction sets.
    pub name_span: Span,
    /// Where its value is written, if it is.
    pub value_span: Option<Span>,
}

/// What sets a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VariableKind {
    /// `ENV`: part of the image.
    Env,
    /// `ARG`: visible while the stage is built.
    Arg,
    /// The base image, or the default that every build has.
    Base,
}

/// A point of the walk over all stages.
pub(super) type Time = u32;

/// All assignments of a file.
#[derive(Debug, Default)]
pub(super) struct Timeline<'a> {
    names: HashMap<Cow<'a, str>, u32, RandomState>,
    /// By name: what is visible behind each point in time, in order of time.
    history: Vec<Vec<Entry>>,
    variables: Vec<Variable<'a>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    time: Time,
    /// `None`: from here on nothing of that name is visible.
    variable: Option<u32>,
}

/// What an assignment hid, to be visible again where its stage ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hidden {
    name: u32,
    variable: Option<u32>,
}

impl<'a> Timeline<'a> {
    /// Makes `variable` visible behind `time`, which must not be before any earlier one.
    pub(super) fn assign(&mut self, time: Time, variable: Variable<'a>) -> Hidden {
        let next = self.history.len() as u32;
        let name = *self.names.entry(variable.name.clone()).or_insert(next);
        if name == next {
            self.history.push(Vec::new());
        }
        let history = &mut self.history[name as usize];
        let hidden = Hidden { name, variable: history.last().and_then(|entry| entry.variable) };
        history.push(Entry { time, variable: Some(self.variables.len() as u32) });
        self.variables.push(variable);
        hidden
    }

    /// Makes visible again what a stage hid, at its end.
    pub(super) fn restore(&mut self, time: Time, hidden: impl DoubleEndedIterator<Item = Hidden>) {
        for hidden in hidden.rev() {
            self.history[hidden.name as usize].push(Entry { time, variable: hidden.variable });
        }
    }

    /// What `name` is for the step at `time`.
    pub(super) fn at(&self, name: &str, time: Time) -> Option<&Variable<'a>> {
        let history = &self.history[*self.names.get(name)? as usize];
        let behind = history.partition_point(|entry| entry.time < time);
        let variable = history[behind.checked_sub(1)?].variable?;
        Some(&self.variables[variable as usize])
    }

    /// How many assignments there are so far.
    pub(super) fn len(&self) -> u32 {
        self.variables.len() as u32
    }

    /// Assignments by number, in the order of the walk.
    pub(super) fn slice(&self, range: std::ops::Range<u32>) -> &[Variable<'a>] {
        &self.variables[range.start as usize..range.end as usize]
    }
}

/// The variables of one step.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScopeAt<'m> {
    pub(super) timeline: &'m Timeline<'m>,
    pub(super) time: Time,
    /// What it means that a name is set nowhere.
    pub(super) unset: Cause,
}

impl Scope for ScopeAt<'_> {
    fn lookup(&self, name: &str) -> Lookup<'_> {
        match self.timeline.at(name, self.time) {
            None => Lookup::Unset(self.unset),
            Some(Variable { value: Some(value), .. }) => Lookup::Set(value),
            Some(Variable { value: None, .. }) => Lookup::Unset(Cause::Missing),
        }
    }
}

/// The `ARG`s in front of the first `FROM`, and those that every build has.
#[derive(Debug, Default)]
pub(super) struct Globals<'a> {
    pub(super) arguments: Vec<Variable<'a>>,
    /// What the arguments that every build has are made of, and themselves once one is asked for: few files do.
    platform: Option<Platform>,
    target: String,
    automatic: OnceLock<Vec<Variable<'static>>>,
    names: HashMap<Cow<'a, str>, u32, RandomState>,
}

impl<'a> Globals<'a> {
    /// A scope with the arguments that every build has.
    pub(super) fn new(platform: Platform, target: String) -> Self {
        Self { platform: Some(platform), target, ..Self::default() }
    }

    fn automatic(&self, name: &str) -> Option<&Variable<'a>> {
        let platform = self.platform.as_ref()?;
        if !Platform::may_be_argument(name) {
            return None;
        }
        let variable = |(name, text): (&'static str, String)| Variable {
            name: Cow::Borrowed(name),
            value: Some(Value::literal(text).depending(name, Cause::Platform)),
            kind: VariableKind::Base,
            name_span: Span::default(),
            value_span: None,
        };
        let automatic = self.automatic.get_or_init(|| platform.arguments(&self.target).map(variable).into());
        automatic.iter().find(|variable| variable.name == name)
    }

    /// Declares an argument; one without a value leaves an earlier value in force.
    pub(super) fn declare(&mut self, variable: Variable<'a>) {
        if variable.value.is_some() || self.get(&variable.name).is_none() {
            self.names.insert(variable.name.clone(), self.arguments.len() as u32);
        }
        self.arguments.push(variable);
    }

    /// The argument of that name.
    pub(super) fn get(&self, name: &str) -> Option<&Variable<'a>> {
        match self.names.get(name) {
            Some(&index) => Some(&self.arguments[index as usize]),
            None => self.automatic(name),
        }
    }
}

impl Scope for Globals<'_> {
    fn lookup(&self, name: &str) -> Lookup<'_> {
        match self.get(name) {
            None => Lookup::Unset(Cause::Undefined),
            Some(Variable { value: Some(value), .. }) => Lookup::Set(value),
            Some(Variable { value: None, .. }) => Lookup::Unset(Cause::Missing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &'static str, text: &'static str) -> Variable<'static> {
        Variable {
            name: name.into(),
            value: Some(Value::literal(text)),
            kind: VariableKind::Env,
            name_span: Span::default(),
            value_span: None,
        }
    }

    #[test]
    fn an_assignment_is_visible_behind_its_step_until_its_stage_ends() {
        let mut timeline = Timeline::default();
        let outer = timeline.assign(1, variable("A", "outer"));
        let inner = [timeline.assign(3, variable("A", "inner")), timeline.assign(4, variable("B", "b"))];
        timeline.restore(5, inner.into_iter());
        timeline.restore(9, [outer].into_iter());
        let at = |name, time| timeline.at(name, time).and_then(|found| found.value.as_ref()).map(|value| &*value.text);
        assert_eq!(at("A", 1), None);
        assert_eq!(at("A", 2), Some("outer"));
        assert_eq!(at("A", 4), Some("inner"));
        assert_eq!((at("B", 5), at("B", 6)), (Some("b"), None));
        assert_eq!((at("A", 6), at("A", 10)), (Some("outer"), None));
    }
}
