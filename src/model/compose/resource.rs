//! How much of the host a service may take.

use super::{Service, Text};
use crate::text::Span;

/// Something of the host that a service uses up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Memory.
    Memory,
    /// Time of the processors.
    Cpu,
    /// Places in the table of processes.
    Processes,
}

impl Resource {
    /// Keys of a service that limit it.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Resource::Memory => &["mem_limit"],
            Resource::Cpu => &["cpus", "cpu_quota", "cpu_count", "cpu_percent"],
            Resource::Processes => &["pids_limit"],
        }
    }

    /// The key below the limits of `deploy`.
    fn deployed(self) -> &'static str {
        match self {
            Resource::Memory => "memory",
            Resource::Cpu => "cpus",
            Resource::Processes => "pids",
        }
    }
}

impl Service<'_> {
    /// Where a limit of `resource` is missing or says that there is none; nothing where there is one, or may be.
    pub fn unlimited(&self, resource: Resource) -> Option<Span> {
        let mut place = None;
        for key in resource.keys() {
            let Some(text) = self.text(key) else { continue };
            if !is_none(&text) {
                return None;
            }
            place = place.or(Some(self.place_of(key)));
        }
        let limits = ["resources", "limits"];
        let path = ["resources", "limits", resource.deployed()];
        if self.hides("deploy", &limits) || self.below("deploy", &path).is_some_and(|text| !is_none(&text)) {
            return None;
        }
        Some(place.unwrap_or_else(|| self.place_below("deploy", &path)))
    }
}

/// Whether a limit is certainly none: engines take zero and less for as much as there is.
fn is_none(text: &Text<'_>) -> bool {
    let number = text.known().map(|text| text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic()));
    number.and_then(|number| number.parse::<f64>().ok()).is_some_and(|number| number <= 0.0)
}
