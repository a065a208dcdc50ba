//! A volume that belongs to root, for a program that is somebody else.

use crate::{
    model::{
        User,
        compose::{ComposeModel, Service, ServiceMount, ServiceMountKind},
        graph::{Made, MadeImage},
    },
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};
use std::collections::HashMap;

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "unwritable-volume",
        title: "Volume that belongs to root, for a program that does not run as root",
        why: "A new volume takes over the owner of the directory that it is mounted on. Where the image has no such directory, the engine makes one for root, and a program that runs as somebody else cannot write there. That it then runs as root is the usual repair, and the wrong one.",
        remedy: "Make the directory in the image, owned by the user that the program runs as: `COPY --from=build --chown=65532:65532 /out/data /data`.",
        group: Group::Runtime,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::Cwe, "732"),
            Reference::new(Scheme::Url, "https://docs.docker.com/engine/storage/volumes/"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "An image from nothing",
                "-- compose.yaml --\nservices:\n  worker:\n    build: .\n    volumes:\n      - «data:/data»\nvolumes:\n  data:\n-- Dockerfile --\nFROM scratch\nCOPY worker /worker\nUSER 65532:65532\nENTRYPOINT [\"/worker\"]\n",
                "-- compose.yaml --\nservices:\n  worker:\n    build: .\n    volumes:\n      - data:/data\nvolumes:\n  data:\n-- Dockerfile --\nFROM scratch\nCOPY worker /worker\nCOPY --chown=65532:65532 data /data\nUSER 65532:65532\nENTRYPOINT [\"/worker\"]\n",
            ),
            Example::new(
                "A user that the service names",
                "-- compose.yaml --\nservices:\n  worker:\n    build: .\n    user: \"1000:1000\"\n    volumes:\n      - «data:/srv/state»\nvolumes:\n  data:\n-- Dockerfile --\nFROM gcr.io/distroless/static-debian12\nCOPY worker /worker\nENTRYPOINT [\"/worker\"]\n",
                "-- compose.yaml --\nservices:\n  worker:\n    build: .\n    user: \"1000:1000\"\n    tmpfs:\n      - /srv/state:uid=1000\nvolumes:\n  data:\n-- Dockerfile --\nFROM gcr.io/distroless/static-debian12\nCOPY worker /worker\nENTRYPOINT [\"/worker\"]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Compose(check),
};

fn check(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let mut made = Made::around(cx.context);
    let users = users_of_volumes(cx.model);
    for service in cx.model.services.iter().filter(|service| service.is_whole()) {
        let Some(build) = service.build() else { continue };
        // Another service may give a volume to somebody before this one starts.
        let is_own = |mount: &ServiceMount<'_>| match mount.kind {
            ServiceMountKind::Volume => mount.source.as_ref().is_some_and(|name| users.get(name) == Some(&1)),
            ServiceMountKind::Anonymous => true,
            ServiceMountKind::Bind | ServiceMountKind::Memory | ServiceMountKind::Unknown => false,
        };
        let mounts: Vec<ServiceMount<'_>> =
            service.mounts().into_iter().filter(|mount| is_own(mount) && !mount.is_read_only).collect();
        if mounts.is_empty() {
            continue;
        }
        let Some(image) = made.build(&build, cx.knowledge) else { continue };
        let Some(uid) = uid(service, &image).filter(|uid| *uid != 0) else { continue };
        for mount in mounts {
            let Some(target) = mount.target.as_deref().filter(|target| image.leaves_to_root(target)) else { continue };
            let message = format!(
                "`{}` runs as {uid}, and `{}` makes no `{target}` for it: the volume belongs to root",
                service.name(),
                image.dockerfile,
            );
            out.report(service.place_of_item(mount.node), message).decline(NOT_MADE);
        }
    }
}

const NOT_MADE: &str = "the directory has to be made where the image is built, with what belongs into it";

/// How many services mount each volume that the file itself makes and says nothing more of.
fn users_of_volumes(model: &ComposeModel<'_>) -> HashMap<String, usize> {
    let volumes = model.tree.documents().next().and_then(|document| document.get("volumes"));
    let entries = volumes.into_iter().flat_map(crate::syntax::yaml::Node::entries);
    let plain = entries.filter(|entry| entry.value.is_null()).filter_map(|entry| entry.key.scalar());
    let mut users: HashMap<String, usize> = plain.map(|name| (name.to_owned(), 0)).collect();
    for mount in model.services.iter().flat_map(Service::mounts) {
        if let Some(count) = mount.source.as_ref().and_then(|name| users.get_mut(name)) {
            *count += 1;
        }
    }
    users
}

/// Who runs the service, by number.
fn uid(service: &Service<'_>, image: &MadeImage) -> Option<u32> {
    let Some(text) = service.user() else { return image.uid };
    match User::parse(text.known()?) {
        User::Root => Some(0),
        User::Numeric { uid, .. } => Some(uid),
        User::Named { .. } | User::Unknown(_) => None,
    }
}
