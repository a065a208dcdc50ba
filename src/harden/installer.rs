//! Installers that a page pipes into a shell, and the package that brings the same tool with a checksum.
//!
//! Facts: uv's documentation, "Installing uv": the standalone installer puts it into `~/.local/bin`; the same program is
//! published on the Python package index.

use super::{Change, Subject};
use crate::{rule::Safety, text::Edit};

/// The tool of a piped installer by the package manager of the base; `None` where there is none.
pub fn by_package(subject: &Subject<'_>) -> Option<(Edit, Change)> {
    let image = subject.target.named_image()?;
    if image.reference.name().rsplit('/').next() != Some("python") {
        return None;
    }
    let step = subject.runs().into_iter().find(|step| {
        let mut commands = step.commands();
        let fetches = commands.next().is_some_and(|command| {
            matches!(command.name(), Some("curl" | "wget"))
                && command.command.words().any(|word| word.text().contains("astral.sh/uv/install.sh"))
        });
        fetches && commands.next().is_some_and(|command| command.name() == Some("sh")) && commands.next().is_none()
    })?;
    let script = step.script()?;
    let first = step.commands().next()?.span();
    let last = step.commands().last()?.span();
    let span = first.to(last);
    if !script.is_verbatim() {
        return None;
    }
    let title = "Install uv as a package";
    let reason = "the package index has it with checksums, and the installer runs what a page sends";
    let edit = Edit::replace(subject.cx.file.id, span, "pip install --no-cache-dir uv");
    let change = Change {
        title: title.into(),
        safety: Safety::Risky,
        reason: reason.into(),
        evidence: vec![subject.evidence(span, "the installer")],
    };
    Some((edit, change))
}
