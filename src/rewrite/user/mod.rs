//! Another user for an image: which one, what it must own, and where `USER` goes.
//!
//! One engine for rules and `harden`. It answers a fix, which is always risky because only a start proves that nothing
//! else is written, or a sentence that says what stands in the way.

mod identity;
mod obstacle;
mod place;
mod server;

use crate::{
    knowledge::ImageFacts,
    model::{Base, DockerfileModel, Stage, Step, UserOrigin, Writes},
    rule::{Cx, Fix, Safety},
    syntax::dockerfile::Keyword,
    text::Edit,
};
use identity::{Identity, Making};
use place::{Handed, Owned};
use std::borrow::Cow;

/// Why nobody else can run an image: a sentence.
pub type Obstacle = Cow<'static, str>;

/// Makes the image of `target`, which starts as root, start as somebody else who owns what it writes.
///
/// # Errors
/// What stands in the way, or what nobody can tell.
pub fn unprivileged(cx: &Cx<'_, DockerfileModel<'_>>, target: Stage<'_>) -> Result<Fix, Obstacle> {
    if let Some(obstacle) = obstacle::obstacle(target) {
        return Err(obstacle);
    }
    obstacle::entry_script_obstacle(&cx.context, target)?;
    let server = server::server(cx, target)?;
    let identity = identity::identity(target)?;
    let writes = target.writes(&cx.context);
    let mut owned: Vec<Owned> =
        writes.places.iter().filter(|place| !place::is_owned(target, &identity, place)).map(Owned::of).collect();
    owned.extend(server.owns.iter().map(|path| Owned { path: path.clone(), is_file: false, is_deep: true }));
    owned.extend(server.files.iter().map(|path| Owned { path: path.clone(), is_file: true, is_deep: false }));
    if let (Some(first), true) = (owned.first(), has_no_shell(target)) {
        let place = writes.places.iter().find(|place| place.path == first.path);
        let by = place.map_or(String::new(), |place| format!(" ({}:{})", place.file, place.line));
        return Err(format!(
            "it writes `{}`{by}, and the image has no shell to make that directory for another user",
            first.path
        )
        .into());
    }
    let handed = Handed { owned, readable: place::unreadable(target) };
    let edits = place::edits(cx, target, &identity, &handed)?;
    let title = match &identity.name {
        Some(name) => format!("Run as `{name}` ({})", identity.written()),
        None => format!("Run as {}", identity.written()),
    };
    Ok(Fix::new(title, Safety::Risky, reason(target, &identity, &writes, &handed.owned), edits))
}

/// Gives the user `name`, whom the file makes without a number, one; and names it by that in the last `USER`.
///
/// `None` where the file does not make the user, or makes another one too.
pub fn number(target: Stage<'_>, name: &str) -> Option<Fix> {
    let identity = identity::own_user(target).ok()??;
    let UserOrigin::Instruction { span, .. } = target.user().origin else { return None };
    let (Making::Number(edit), Some(made)) = (&identity.making, &identity.name) else { return None };
    if made != name {
        return None;
    }
    let edits = vec![edit.clone(), Edit::replace(target.model().file.id, span, identity.written())];
    let reason = format!(
        "the user had a number that the system chose: volumes made before need `chown -R {}` once",
        identity.written()
    );
    Some(Fix::new(format!("Number `{name}` {}", identity.written()), Safety::Risky, reason, edits))
}

fn has_no_shell(target: Stage<'_>) -> bool {
    matches!(target.root_base(), Base::Scratch) || target.image_facts().is_some_and(ImageFacts::has_no_shell)
}

/// What was found, what was not, and what is left to do.
fn reason(target: Stage<'_>, identity: &Identity, writes: &Writes, owned: &[Owned]) -> String {
    let mut parts = Vec::new();
    if writes.places.is_empty() {
        parts.push(match writes.files {
            0 => "no program of the build context could be read, so what it writes is not known: start it and look"
                .to_owned(),
            files => format!(
                "no write was found in {files} files of the build context, which proves nothing: start it and look"
            ),
        });
    } else {
        let evidence: Vec<String> =
            writes.places.iter().map(|place| format!("`{}` ({}:{})", place.path, place.file, place.line)).collect();
        parts.push(format!("it writes {}; what else it writes would fail", evidence.join(", ")));
    }
    let is_low = |step: &Step<'_>| {
        step.keyword() == Keyword::Expose
            && step
                .expand_words(&String::from_utf8_lossy(step.instruction().args_text(&target.model().file.text)))
                .is_ok_and(|ports| {
                    ports.iter().any(|port| {
                        port.text
                            .split('/')
                            .next()
                            .and_then(|port| port.parse::<u16>().ok())
                            .is_some_and(|port| port < 1024)
                    })
                })
    };
    if target.chain_steps().any(|step| is_low(&step)) {
        parts.push(
            "the port below 1024 stays, which Docker 20.10 and containerd 2 let everybody bind, and CRI-O does not"
                .to_owned(),
        );
    }
    if !owned.is_empty() {
        parts.push(format!("volumes made before need `chown -R {}` once", identity.written()));
    }
    parts.join("; ")
}
