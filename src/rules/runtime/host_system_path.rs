//! What lies in a directory of the system decides what the host does.

use crate::{
    model::{compose::ComposeModel, host_path},
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::{Editor, Node},
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "host-system-path",
        title: "Part of the host's system mounted",
        why: "Whoever writes to `/etc`, `/usr` or `/var` of the host changes its users, programs and jobs; whoever reads them has its keys.",
        remedy: "Mount the one file that is needed, read-only, or a directory of your own.",
        group: Group::Runtime,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose],
        fix: FixNote::Sometimes(Safety::Manual, "Takes the mount out; the program may need what lies there."),
        references: &[
            Reference::new(Scheme::CisDocker, "5.6"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::Cwe, "552"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/compose-file/services/"),
        ],
        equivalents: &["kics:1c1325ff-831d-43a1-973e-839ae57dfcc0"],
        examples: &[
            Example::new(
                "Configuration of the host",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    volumes:\n      - ./site:/srv\n      - «/etc:/host/etc»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    volumes:\n      - ./site:/srv\n",
            ),
            Example::new(
                "A record to be read is no part of it",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    volumes:\n      - «/var/log/nginx.log:/log»\n      - «/etc/shadow:/shadow:ro»\n      - /etc/os-release:/os-release:ro\n      - /run/user/1000/pulse:/pulse\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    volumes:\n      - /var/log/nginx.log:/log:ro\n      - /etc/os-release:/os-release:ro\n      - /run/user/1000/pulse:/pulse\n",
            ),
            Example::new(
                "By a named volume",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    volumes: [\"data:/data\"]\nvolumes:\n  data:\n    driver_opts:\n      «device: /usr/share»\n      o: bind\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    volumes: [\"data:/data\"]\nvolumes:\n  data:\n    driver_opts:\n      device: /srv/share\n      o: bind\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Compose(check),
};

fn check(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for service in &cx.model.services {
        for mount in service.mounts() {
            let Some(path) = mount.source.as_deref().filter(|path| host_path::is_sensitive(path)) else { continue };
            // One file to be read is what the rule asks for.
            if mount.is_read_only && host_path::is_record(path) {
                continue;
            }
            let access = if mount.is_read_only { "read" } else { "write to" };
            let message = format!("`{}` may {access} `{path}` of the host", service.name());
            let severity = if mount.is_read_only { Severity::Medium } else { Severity::High };
            let finding = out.report(service.place_of_item(mount.node), message);
            finding.severity(severity).repair(cx, || without(editor, mount.node));
        }
    }
    for device in cx.model.volume_devices() {
        let Some(path) = device.value.scalar().filter(|path| host_path::is_sensitive(path)) else { continue };
        let finding = out.report(device.span(), format!("the volume is `{path}` of the host"));
        finding.decline("the services that mount the volume have to be written for another one first");
    }
}

fn without<'y>(editor: &Editor<'y>, item: Node<'y>) -> Result<Fix, String> {
    let edit = editor.remove_item(item).map_err(|refusal| refusal.to_string())?;
    let reason = "the program may need what lies there: mount the one file that it reads instead";
    Ok(Fix::new("Take the mount out", Safety::Manual, reason, vec![edit]))
}
