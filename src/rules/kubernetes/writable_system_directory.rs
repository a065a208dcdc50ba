//! Who may write over the programs of an image decides what it runs.

use crate::{
    model::{
        host_path,
        kubernetes::{KubernetesModel, Setting, Volume},
    },
    rewrite::manifest::set_below,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::Value,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "writable-system-directory",
        title: "Volume that may be written over a part of the system",
        why: "A volume over `/bin`, `/etc` or `/usr`, or over a file in them, takes the place of what the image has there. Where it may be written, whoever writes to it, in this container or another, decides what runs here next.",
        remedy: "Set `readOnly: true`, or mount it where the program keeps data.",
        group: Group::Kubernetes,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Manual,
            "Mounts it read-only; whether the program writes there is for its author to say.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "5.6"),
            Reference::new(Scheme::Nist800190, "4.4.4"),
            Reference::new(Scheme::Cwe, "732"),
        ],
        equivalents: &["kics:b7652612-de4e-4466-a0bf-1cd81f0c6063"],
        examples: &[
            Example::new(
                "Programs",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    volumeMounts:\n    - name: tools\n      «mountPath: /bin»\n  volumes:\n  - name: tools\n    persistentVolumeClaim: {claimName: tools}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    volumeMounts:\n    - name: tools\n      mountPath: /bin\n      readOnly: true\n  volumes:\n  - name: tools\n    persistentVolumeClaim: {claimName: tools}\n",
            ),
            Example::new(
                "Devices, sockets and what a server shows are not the system",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    volumeMounts:\n    - {name: tun, mountPath: /dev/net/tun}\n    - {name: log, mountPath: /dev/log}\n    - {name: site, mountPath: /usr/share/nginx/html}\n    - {name: dev, «mountPath: /dev»}\n  volumes:\n  - {name: tun, hostPath: {path: /dev/net/tun}}\n  - {name: log, hostPath: {path: /run/systemd/journal/dev-log, type: Socket}}\n  - {name: site, persistentVolumeClaim: {claimName: site}}\n  - {name: dev, hostPath: {path: /dev}}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    volumeMounts:\n    - {name: tun, mountPath: /dev/net/tun}\n    - {name: log, mountPath: /dev/log}\n    - {name: site, mountPath: /usr/share/nginx/html}\n    - {name: dev, mountPath: /dev, readOnly: true}\n  volumes:\n  - {name: tun, hostPath: {path: /dev/net/tun}}\n  - {name: log, hostPath: {path: /run/systemd/journal/dev-log, type: Socket}}\n  - {name: site, persistentVolumeClaim: {claimName: site}}\n  - {name: dev, hostPath: {path: /dev}}\n",
            ),
            Example::new(
                "What only shows is no matter",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    volumeMounts:\n    - {name: etc, «mountPath: /etc»}\n    - {name: conf, mountPath: /etc/nginx}\n    - {name: run, mountPath: /var/run}\n  volumes:\n  - {name: etc, hostPath: {path: /etc}}\n  - {name: conf, configMap: {name: conf}}\n  - {name: run, emptyDir: {}}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    volumeMounts:\n    - {name: etc, mountPath: /etc, readOnly: true}\n    - {name: conf, mountPath: /etc/nginx}\n    - {name: run, mountPath: /var/run}\n  volumes:\n  - {name: etc, hostPath: {path: /etc}}\n  - {name: conf, configMap: {name: conf}}\n  - {name: run, emptyDir: {}}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for container in cx.model.containers() {
        for mount in container.mounts().filter(|mount| !mount.is_read_only && mount.outlives_the_pod()) {
            let is_open = Setting::below(mount.node, &["readOnly"]).is_hidden();
            let is_single = mount.volume.is_some_and(Volume::is_device_or_socket);
            let Some(target) = mount.target.filter(|target| !is_open && !is_single && is_of_system(target)) else {
                continue;
            };
            let message = format!("the container `{}` may write over `{target}`", container.name());
            out.report(mount.place(), message).repair(cx, || {
                let edit = set_below(editor, mount.node, &["readOnly"], Value::Word("true"))?;
                let reason = "whether the program writes there is not known here";
                Ok::<Fix, String>(Fix::new("Mount it read-only", Safety::Manual, reason, vec![edit]))
            });
        }
    }
}

/// Whether the system of the image lies there, and not what a program of it shows or keeps.
fn is_of_system(target: &str) -> bool {
    host_path::is_of_system(target) && !host_path::is_device_or_socket(target) && !host_path::is_data_of_program(target)
}
