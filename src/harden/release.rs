//! The release of the distribution, written into the tag of an image that moves from one release to the next.
//!
//! A development package stands for libraries that each release calls differently: which of them a program loads is known
//! only where the release is. Facts: Docker's official image of PHP has each of its variants for each release that it is
//! built on, by the release's name at the end of the tag (docker-library/php, `versions.json`): bookworm for PHP 8.1 to 8.4;
//! so has that of GCC (docker-library/gcc).

use super::{
    Change, Subject,
    effect::{self, Kind},
};
use crate::{knowledge::Family, model::Reference, rule::Safety, syntax::dockerfile::Editor, text::Edit};

/// The release that all variants of the image are built for since 2023.
const CODENAME: &str = "bookworm";

/// Images with the versions that have it.
const IMAGES: [(&str, &[&str]); 2] =
    [("docker.io/library/php", &["8.1", "8.2", "8.3", "8.4"]), ("docker.io/library/gcc", &["12", "13", "14"])];

/// The edit that names the release, where development packages of the distribution are installed and the tag does not
/// tell it.
pub fn named(subject: &Subject<'_>) -> Option<(Edit, Change)> {
    let root = subject.target.root();
    let image = subject.target.named_image()?;
    let facts = image.facts.as_deref()?;
    let is_floating = facts.family.known() == Some(&Family::Debian) && facts.release.known().is_none();
    let (_, versions) = IMAGES.iter().find(|(name, _)| *name == image.reference.name())?;
    if !is_floating || image.reference.digest().is_some() {
        return None;
    }
    let tag = image.reference.tag()?;
    let version = tag.split('-').next()?;
    let is_of = |known: &str| version.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let is_plain = root.base_value().depends.is_empty() && versions.iter().copied().any(is_of);
    let effects = effect::effects(subject);
    let develops = effects.iter().find(|effect| match &effect.kind {
        Kind::Packages { names, .. } => names.iter().any(|name| name.ends_with("-dev")),
        _ => false,
    })?;
    let text = format!("{}-{CODENAME}", subject.cx.text(root.base_span()));
    let is_known = Reference::parse(text.as_str())
        .ok()
        .and_then(|reference| reference.facts(subject.cx.knowledge))
        .is_some_and(|facts| facts.release.known().is_some());
    if !is_plain || !is_known {
        return None;
    }
    let edit = Editor::new(subject.cx.file, subject.cx.model.syntax).replace(root.base_span(), text);
    let change = Change {
        title: "Name the release of the distribution".into(),
        safety: Safety::Risky,
        reason: "each release calls the libraries differently that a development package stands for, and the tag \
                 moves from one release to the next"
            .into(),
        evidence: vec![subject.evidence(develops.span, "installs development packages")],
    };
    Some((edit, change))
}
