//! Whom the files belong to that `chown` gives away.
//!
//! Source: chown(1).

use super::{script::StepCommand, step::Step};
use crate::syntax::{dockerfile::Keyword, shell::Word};

/// One `chown`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerChange {
    /// Where the command starts in the file.
    pub at: u32,
    /// The new owner, a name or a number.
    pub owner: String,
    /// The files that it gets, as they are written.
    pub targets: Vec<String>,
    /// Whether everything below them is given away too.
    pub is_recursive: bool,
}

impl OwnerChange {
    /// Whether the owner is certainly not root.
    pub fn is_to_another(&self) -> bool {
        !matches!(self.owner.as_str(), "root" | "0")
    }

    /// Whether `path` is given away.
    pub fn covers(&self, path: &str) -> bool {
        self.targets.iter().any(|target| {
            let target = target.trim_end_matches('/');
            let below = path.strip_prefix(target);
            below.is_some_and(|rest| rest.is_empty() || rest == "/" || self.is_recursive && rest.starts_with('/'))
        })
    }
}

impl Step<'_> {
    /// What the `chown`s of a `RUN` that name an owner do, in order.
    pub fn owner_changes(self) -> Vec<OwnerChange> {
        if self.keyword() != Keyword::Run || !self.scripts_hold("chown") {
            return Vec::new();
        }
        self.commands().filter_map(owner_change).collect()
    }
}

fn owner_change(command: StepCommand<'_>) -> Option<OwnerChange> {
    let invocation = command.invocation().filter(|invocation| invocation.name() == Some("chown"))?;
    let mut operands = invocation.arguments().filter(|word| !word.bytes().starts_with(b"-"));
    let owner = operands.next()?.literal()?.split([':', '.']).next().filter(|owner| !owner.is_empty())?.to_owned();
    let targets = operands.filter_map(Word::literal).map(str::to_owned).collect();
    let is_recursive = invocation.has_option(Some('R'), "recursive", "");
    Some(OwnerChange { at: command.span().start, owner, targets, is_recursive })
}
