//! Files with credentials that a build has, and that the image made of it does not get.
//!
//! A directory that is copied whole takes them along. What package managers read, only a build needs; what an environment
//! file says, a container is given when it starts. Such a file is removed at the end of the build: no layer of the image
//! has ever held it.

use super::{
    Change, Evidence, Runtime, Subject,
    ignored::Ignored,
    tree::{Tree, below},
};
use crate::{
    model::{HeldSecret, SecretOrigin, file_name},
    rule::Safety,
};

/// Files that managers of packages read while they install.
const OF_MANAGERS: [&str; 7] =
    [".npmrc", ".netrc", ".pypirc", "pip.conf", ".git-credentials", "settings.xml", "nuget.config"];

/// Readers of environment files that fail where there is none: Go's `godotenv`, the bundle of Symfony, Rust's `dotenvy`,
/// Node's own option, shells.
const INSISTING: [&str; 7] =
    ["godotenv", "symfony/dotenv", "dotenv().expect", "dotenvy::", "--env-file", "source .env", ". ./.env"];

/// Removes what of the credentials in the build of `subject` would come into the image of `runtime` and is not needed there.
pub fn keep_back(subject: &Subject<'_>, runtime: &mut Runtime) {
    let secrets = held(subject);
    if secrets.is_empty() || !subject.runs().last().is_none_or(|step| step.runs_as_root()) {
        return;
    }
    let tree = Tree::of(subject);
    let insists = || {
        let texts = tree.iter().flat_map(|tree| &tree.files).filter_map(|file| subject.text_of(file));
        texts.into_iter().any(|text| INSISTING.iter().any(|reader| text.contains(reader)))
    };
    let (mut removed, mut evidence, mut has_environment) = (Vec::new(), Vec::new(), false);
    for secret in secrets {
        let name = file_name(&secret.path);
        let is_environment = name.contains(".env");
        let is_taken = |runtime: &Runtime| runtime.taken.iter().any(|taken| below(&secret.path, &taken.from).is_some());
        let is_plain = secret.path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
        if !is_taken(runtime) || !is_plain || !OF_MANAGERS.contains(&name) && !is_environment {
            continue;
        }
        if is_environment && (starts_with(subject, name) || insists()) {
            continue;
        }
        runtime.taken.retain(|taken| taken.from != secret.path);
        has_environment |= is_environment;
        evidence.push(Evidence { path: secret.place.0.clone(), line: secret.place.1, shows: shows(&secret) });
        if is_taken(runtime) {
            removed.push(secret.path);
        }
    }
    if evidence.is_empty() {
        return;
    }
    if !removed.is_empty() {
        runtime.build_end.push(format!("RUN rm -f {}", removed.join(" ")));
    }
    let reason = if has_environment {
        "only a build needs what managers of packages read, and a container is given what an environment file says when it starts"
    } else {
        "managers of packages read it, and only a build runs them"
    };
    runtime.changes.push(Change {
        title: "Leave files with credentials in the build".into(),
        safety: Safety::Risky,
        reason: reason.into(),
        evidence,
    });
    if has_environment {
        runtime.manual.push(
            "Hand the variables of the environment file in when a container starts (`--env-file`), rotate the \
             credentials in it if an image was pushed, and list it in `.dockerignore` if no build needs it"
                .to_owned(),
        );
    }
}

/// The files with credentials in the image of `subject`.
pub fn held(subject: &Subject<'_>) -> Vec<HeldSecret> {
    let root = subject.target.context_root(&subject.cx.context).unwrap_or_default();
    let ignored = Ignored::of(subject, &root);
    subject.target.held_secrets(&subject.cx.context, &|path| ignored.holds(path))
}

/// What a place proves of a file with credentials.
pub fn shows(secret: &HeldSecret) -> String {
    match secret.origin {
        SecretOrigin::Copied => format!("holds credentials, and comes to `{}`", secret.path),
        SecretOrigin::Written => format!("writes a credential into `{}`", secret.path),
    }
}

/// Whether the start names the file.
fn starts_with(subject: &Subject<'_>, name: &str) -> bool {
    subject.target.start_steps().iter().any(|step| step.scripts_hold(name))
}
