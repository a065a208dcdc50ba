//! Who runs an image, a service or a container, and what either has to say in the same words.

use super::{Demand, Needs, Setting, needs::Place};
use std::fmt::Display;

/// A service or container by the name that people read, with what its image needs.
pub(super) struct Runner<'a> {
    pub(super) needs: &'a Needs,
    pub(super) name: String,
}

impl<'a> Runner<'a> {
    pub(super) fn new(name: &str, needs: &'a Needs) -> Self {
        Self { needs, name: format!("`{name}`") }
    }

    /// That `what` keeps it from being asked.
    pub(super) fn refuse(&self, what: impl Display) -> Demand {
        Demand::refused(format!("{} {what}", self.name))
    }

    /// What is called in it that the image may not have.
    pub(super) fn called(&self) -> Option<Demand> {
        self.needs.called.clone().map(Demand::refused)
    }

    /// That it is given the capability `more`.
    pub(super) fn is_given(&self, more: &str) -> Demand {
        self.refuse(format_args!("is given `{more}`: what it needs that for is not known"))
    }

    /// That it has the socket of an engine.
    pub(super) fn has_socket(&self) -> Demand {
        self.refuse("has the socket of a container engine")
    }

    /// That nothing in it gains what it was not started with.
    pub(super) fn deny_more(&self, setting: Setting) -> Demand {
        let why = "the image runs as somebody else than root, and has nothing in it that becomes another user";
        Demand::set(format!("Deny {} more privileges", self.name), why, vec![setting])
    }

    /// That it has no capability, for which there is `more` to say.
    pub(super) fn drop_all(&self, more: &str, setting: Setting) -> Demand {
        let why = format!("who is not root has none of them in force{more}");
        Demand::set(format!("Drop all capabilities of {}", self.name), why, vec![setting])
    }

    /// The places that it writes and nothing is mounted at.
    ///
    /// # Errors
    /// Why it cannot be kept from writing anywhere else: what it writes is not known, or is lost with the container.
    pub(super) fn unmounted(&self, is_mounted: impl Fn(&str) -> bool) -> Result<Vec<&'a Place>, Demand> {
        let places = self.needs.writes.as_ref().map_err(|reason| Demand::refused(reason.clone()))?;
        let open: Vec<&Place> = places.iter().filter(|place| !is_mounted(&place.path)).collect();
        match open.iter().find(|place| !place.is_passing) {
            None => Ok(open),
            Some(Place { path, shown_by, .. }) => {
                Err(self
                    .refuse(format_args!("has no volume at `{path}`, which it writes ({shown_by}): mount one there")))
            }
        }
    }

    /// That it writes its volumes and `open`, which are listed behind `before`, and nothing else.
    pub(super) fn write_only(&self, open: &[&Place], before: &str, settings: Vec<Setting>) -> Demand {
        let listed: Vec<String> = open.iter().map(|place| format!("`{}` ({})", place.path, place.shown_by)).collect();
        let before = if listed.is_empty() { "" } else { before };
        Demand::set(
            format!("Let {} write only where it must", self.name),
            format!("it is not root, and is known to write its volumes{before}{}", listed.join(", ")),
            settings,
        )
    }
}
