//! What one service writes, the other one reads, or runs.

use crate::{
    model::compose::{ComposeModel, ServiceMount, ServiceMountKind},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};
use std::collections::BTreeMap;

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "shared-volume",
        title: "Volume shared by services",
        why: "Whoever breaks into one service can leave files for the others: programs, configuration, uploads that they trust.",
        remedy: "Give each its own, or mount it read-only where it is only read.",
        group: Group::Runtime,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::Cwe, "668"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/compose-file/services/"),
        ],
        equivalents: &["kics:8c978947-0ff6-485c-b0c2-0bfca6026466"],
        examples: &[
            Example::new(
                "A volume with a name",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    volumes: [«\"data:/data\"»]\n  job:\n    image: nginx:1.29\n    volumes: [«\"data:/in\"»]\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    volumes: [\"data:/data\"]\n  job:\n    image: nginx:1.29\n    volumes: [\"own:/in\"]\n",
            ),
            Example::new(
                "Only read",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    volumes: [«./site:/srv»]\n  job:\n    image: nginx:1.29\n    volumes: [«./site:/srv»]\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    volumes: [\"./site:/srv:ro\"]\n  job:\n    image: nginx:1.29\n    volumes: [\"./site:/srv:ro\"]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Compose(check),
};

fn check(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let mut users: BTreeMap<String, Vec<(usize, ServiceMount<'_>)>> = BTreeMap::new();
    for (at, service) in cx.model.services.iter().enumerate() {
        for mount in service.mounts() {
            let shares = matches!(mount.kind, ServiceMountKind::Bind | ServiceMountKind::Volume);
            if let Some(source) = mount.source.clone().filter(|source| shares && !source.ends_with(".sock")) {
                users.entry(source).or_default().push((at, mount));
            }
        }
    }
    for (source, mounts) in users {
        let is_shared = mounts.iter().any(|(at, _)| *at != mounts[0].0);
        if !is_shared || mounts.iter().all(|(_, mount)| mount.is_read_only) {
            continue;
        }
        let mut told = None;
        for (at, mount) in mounts {
            let service = &cx.model.services[at];
            // What an alias or another service brings has no place of its own.
            let place = service.place_of_item(mount.node);
            if told.replace(place) == Some(place) {
                continue;
            }
            let message = format!("`{}` shares `{source}` with another service", service.name());
            let finding = out.report(place, message);
            finding.decline("which of the services needs to write is not known");
        }
    }
}
