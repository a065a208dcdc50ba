//! What a container gains while it runs, and would not with `no-new-privileges`.

use super::Program;
use crate::{
    knowledge::{Knowledge, Start},
    model::{StartPower, compose::Service, graph::Made, kubernetes::Container},
};

/// What `service` certainly gains while it runs.
pub fn gained(knowledge: &Knowledge, made: &mut Made<'_>, service: &Service<'_>) -> Option<String> {
    Program::of_service(knowledge, made, service).gains()
}

/// The same for a container of a pod.
pub fn gained_in_pod(knowledge: &Knowledge, made: &mut Made<'_>, container: Container<'_>) -> Option<String> {
    Program::of_container(knowledge, made, container).gains()
}

impl Program {
    fn gains(&self) -> Option<String> {
        let is_root = self.start == Ok(Start::Root);
        let needed = self.known().ok().and_then(|facts| facts.needed_capabilities(self.start.clone().ok()?));
        if needed.is_some_and(|names| names.iter().any(|name| name == "SETFCAP")) {
            return Some("its start gives the program capabilities of its own, which it would not get then".to_owned());
        }
        // Root has nothing to gain: `sudo` and `su` go on with what it has.
        if is_root {
            return None;
        }
        let words: Vec<&str> = self.called.words.iter().map(String::as_str).collect();
        let called =
            StartPower::gained_by(&words).map(|program| format!("it calls `{program}`, which would be refused"));
        called.or_else(|| self.made.as_ref()?.power.gains.clone())
    }
}
