//! Where an image stands on the ladder, and what keeps it from the next rung.

use super::{Declined, Rung};
use crate::{
    model::{DockerfileModel, Stage},
    rule::{Cx, Finding},
};

/// Where an image stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The highest rung that is proved.
    pub rung: Rung,
    /// What keeps it from the ones above.
    pub missing: Vec<Declined>,
}

/// Where the image of `target` stands.
pub fn standing(_cx: &Cx<'_, DockerfileModel<'_>>, target: Stage<'_>, _findings: &[Finding]) -> Standing {
    let rung = if target.user().is_root() { Rung::Root } else { Rung::NonRoot };
    Standing { rung, missing: Vec::new() }
}
