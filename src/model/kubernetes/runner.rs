//! Who runs a container.

use super::{Container, Setting};
use crate::{
    knowledge::Knowledge,
    model::{nesting, reference::Reference},
};

/// Who runs a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    /// The user of this number, which the manifest says.
    Number(u64),
    /// The user of the image, which is root.
    ImageRoot,
    /// The user of the image, which has this number and is not root.
    ImageNumber(u32),
    /// The user of the image, which has a name and is not root.
    ImageName,
    /// The user of the image, of whom nothing is known.
    Image,
    /// Only whoever renders the file knows.
    Hidden,
}

impl<'y> Container<'y> {
    /// Who runs it.
    pub fn runner(self, knowledge: &Knowledge) -> Runner {
        match self.user() {
            Setting::Hidden(_) => Runner::Hidden,
            Setting::Written(node) => {
                node.scalar().and_then(|text| text.parse().ok()).map_or(Runner::Hidden, Runner::Number)
            }
            Setting::Absent => self.image_user(knowledge),
        }
    }

    /// What it runs, if that is an image that the file names.
    pub fn image(self) -> Option<Reference<'y>> {
        Reference::parse(self.text("image")?).ok()
    }

    /// What it runs as it is written, if that is the name of an image once its variables are replaced.
    pub fn image_as_written(self) -> Option<&'y str> {
        let written = self.text("image")?;
        let mut replaced = String::with_capacity(written.len());
        let mut parts = written.split('$');
        replaced.push_str(parts.next()?);
        for part in parts {
            let rest = match part.strip_prefix(['{', '(']) {
                Some(inner) => inner.split_once(['}', ')'])?.1,
                None => part.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_'),
            };
            replaced.push('v');
            replaced.push_str(rest);
        }
        Reference::parse(replaced).is_ok().then_some(written)
    }

    /// Whether it builds images or starts containers itself, which the usual limits forbid: its image is there for it, or
    /// what is written of it says so.
    pub fn runs_containers(self) -> bool {
        let text = || self.node.span().of(self.node.tree().text());
        self.image().is_some_and(|image| nesting::is_for_containers(&image)) || nesting::speaks_of_it(text())
    }

    fn image_user(self, knowledge: &Knowledge) -> Runner {
        let Some(image) = self.image() else { return Runner::Image };
        let facts = image.facts(knowledge);
        let user = facts.as_deref().and_then(|facts| facts.user.known());
        match user {
            None => Runner::Image,
            Some(user) if user.is_root() => Runner::ImageRoot,
            Some(user) => {
                let written = user.written.split(':').next().and_then(|user| user.parse().ok());
                written.map_or(Runner::ImageName, Runner::ImageNumber)
            }
        }
    }

    /// Whether the cluster starts it only as somebody else than root; none where only whoever renders the file knows.
    pub fn is_kept_from_root(self) -> Option<bool> {
        match self.security(&["runAsNonRoot"]) {
            Setting::Hidden(_) => None,
            Setting::Absent => Some(false),
            Setting::Written(node) => node.boolean(),
        }
    }

    /// Whether it may be root on its node for all that the file says of it.
    pub fn may_be_root(self, knowledge: &Knowledge) -> bool {
        let is_open = matches!(self.runner(knowledge), Runner::Image | Runner::ImageRoot);
        is_open && self.is_kept_from_root() == Some(false) && !self.workload.has_own_users()
    }
}
