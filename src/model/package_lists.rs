//! Who installs from the package lists that a step leaves behind.

use super::{
    dockerfile::DockerfileModel,
    package_steps::may_install,
    packages::{Action, Manager, PackageCommand},
    step::Step,
};
use crate::syntax::dockerfile::Keyword;

/// Whether anybody installs from lists before they are fetched again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListUse {
    /// Nobody does.
    #[default]
    Nobody,
    /// A script that is not read may.
    Perhaps,
    /// A command does.
    Certain,
}

/// What happens behind a step, in its stage and in those that start from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaterUse {
    /// Who installs from the lists that the step leaves.
    pub lists: ListUse,
    /// Whether a step of the same stage installs.
    pub installs: bool,
    /// Whether a step of the same stage installs without fetching the lists itself.
    pub relies: bool,
}

/// What one step does with lists.
#[derive(Clone, Copy, Debug, Default)]
struct OwnUse {
    /// Who installs before they are fetched.
    lists: ListUse,
    installs: bool,
    refreshes: bool,
}

impl DockerfileModel<'_> {
    /// What happens behind each step, by its index, as far as `manager` is concerned.
    pub fn later_list_use(&self, manager: Manager) -> Vec<LaterUse> {
        let mut behind = vec![LaterUse::default(); self.steps().len()];
        // What the stages that start from a stage do with what it leaves, by stage; they come behind it.
        let mut of_children = vec![ListUse::Nobody; self.stages().len()];
        for stage in self.stages().rev() {
            let mut later = LaterUse { lists: of_children[stage.index()], ..LaterUse::default() };
            for step in stage.steps().rev() {
                behind[step.index()] = later;
                let own = step.own_list_use(manager);
                later = LaterUse {
                    lists: if own.refreshes { own.lists } else { own.lists.max(later.lists) },
                    installs: own.installs || later.installs,
                    relies: own.installs && !own.refreshes || later.relies,
                };
            }
            if let Some(parent) = stage.parent() {
                let of_parent = &mut of_children[parent.index()];
                *of_parent = later.lists.max(*of_parent);
            }
        }
        behind
    }
}

impl Step<'_> {
    fn own_list_use(self, manager: Manager) -> OwnUse {
        let mut own = OwnUse::default();
        if self.keyword() == Keyword::Onbuild {
            let text = self.instruction().span.of(&self.model().file.text);
            own.lists = if memchr::memmem::find(text, b"install").is_some() { ListUse::Perhaps } else { own.lists };
            return own;
        }
        for command in self.commands() {
            let call = command.invocation().and_then(PackageCommand::read);
            let Some(call) = call.filter(|call| call.manager == manager) else {
                let is_unseen = self.keyword() == Keyword::Run && !own.refreshes && may_install(command);
                own.lists = own.lists.max(if is_unseen { ListUse::Perhaps } else { ListUse::Nobody });
                continue;
            };
            match call.action {
                // One that a condition decides may be left out.
                Action::Refresh => own.refreshes |= !command.is_conditional(),
                Action::Install | Action::Upgrade => {
                    own.installs |= call.action == Action::Install;
                    own.lists = if own.refreshes { own.lists } else { ListUse::Certain };
                }
                Action::Remove | Action::Clean | Action::Other => {}
            }
        }
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        knowledge::Knowledge,
        source::{FileKind, SourceFile},
        syntax::dockerfile,
        text::FileId,
    };

    /// What happens behind the first step.
    fn behind(text: &str) -> LaterUse {
        let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text.as_bytes().to_vec());
        let parsed = dockerfile::parse(&file.text);
        DockerfileModel::new(&file, &parsed.tree, &Knowledge::builtin()).later_list_use(Manager::Apt)[0]
    }

    #[test]
    fn lists_are_used_until_they_are_fetched_again() {
        let first = "FROM debian:13 AS a\nRUN apt-get update\n";
        for (rest, lists, installs, relies) in [
            ("", ListUse::Nobody, false, false),
            ("RUN apt-get install -y curl\n", ListUse::Certain, true, true),
            ("RUN apt-get update && apt-get install -y curl\n", ListUse::Nobody, true, false),
            ("RUN apt-get update\nRUN apt-get install -y curl\n", ListUse::Nobody, true, true),
            ("RUN ./setup.sh\n", ListUse::Perhaps, false, false),
            ("RUN apk add curl\n", ListUse::Nobody, false, false),
            ("CMD apt-get install -y curl\n", ListUse::Certain, true, true),
            ("FROM a\nRUN apt-get install -y curl\n", ListUse::Certain, false, false),
            ("FROM debian:13\nRUN apt-get install -y curl\n", ListUse::Nobody, false, false),
        ] {
            assert_eq!(behind(&format!("{first}{rest}")), LaterUse { lists, installs, relies }, "{rest}");
        }
    }
}
