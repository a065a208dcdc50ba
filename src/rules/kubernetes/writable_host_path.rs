//! What a pod may write on its node, the next one reads.

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
        id: "writable-host-path",
        title: "Directory of the node that the container may write",
        why: "A program that may write to the node fills its disk, plants files for others and leaves what survives it.",
        remedy: "Set `readOnly: true` on the mount, or take a claim for a volume.",
        group: Group::Kubernetes,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Manual,
            "Mounts it read-only; whether the program writes there is for its author to say.",
        ),
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.2.12"),
            Reference::new(Scheme::CisDocker, "5.6"),
            Reference::new(Scheme::Nist800190, "4.5.5"),
            Reference::new(Scheme::NsaCisa, "Pod security enforcement"),
            Reference::new(Scheme::Cwe, "668"),
        ],
        equivalents: &["kube-linter:writable-host-mount"],
        examples: &[
            Example::new(
                "A mount",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    volumeMounts:\n    - name: logs\n      «mountPath: /logs»\n  volumes:\n  - name: logs\n    hostPath: {path: /var/log}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    volumeMounts:\n    - name: logs\n      mountPath: /logs\n      readOnly: true\n  volumes:\n  - name: logs\n    hostPath: {path: /var/log}\n",
            ),
            Example::new(
                "In so many words",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    volumeMounts: [{name: logs, «mountPath: /logs», readOnly: false}]\n  volumes: [{name: logs, hostPath: {path: /var/log}}]\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    volumeMounts: [{name: logs, mountPath: /logs, readOnly: true}]\n  volumes: [{name: logs, hostPath: {path: /var/log}}]\n",
            ),
            Example::new(
                "A device holds no files",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: vpn}\nspec:\n  containers:\n  - name: vpn\n    image: vpn:1.29\n    volumeMounts:\n    - {name: tun, mountPath: /dev/net/tun}\n    - {name: log, mountPath: /dev/log}\n    - {name: logs, «mountPath: /logs»}\n  volumes:\n  - {name: tun, hostPath: {path: /dev/net/tun}}\n  - {name: log, hostPath: {path: /dev/log}}\n  - {name: logs, hostPath: {path: /var/log, type: Directory}}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: vpn}\nspec:\n  containers:\n  - name: vpn\n    image: vpn:1.29\n    volumeMounts:\n    - {name: tun, mountPath: /dev/net/tun}\n    - {name: log, mountPath: /dev/log}\n    - {name: logs, mountPath: /logs, readOnly: true}\n  volumes:\n  - {name: tun, hostPath: {path: /dev/net/tun}}\n  - {name: log, hostPath: {path: /dev/log}}\n  - {name: logs, hostPath: {path: /var/log, type: Directory}}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for container in cx.model.containers() {
        for mount in container.mounts().filter(|mount| !mount.is_read_only) {
            let volume = mount.volume.filter(|volume| !volume.is_device_or_socket());
            let path = volume.and_then(Volume::host_path);
            let is_open = Setting::below(mount.node, &["readOnly"]).is_hidden();
            let Some(path) = path.filter(|_| !is_open) else { continue };
            let message =
                format!("the container `{}` may write to {} of its node", container.name(), host_path::in_words(path));
            out.report(mount.place(), message).repair(cx, || {
                let edit = set_below(editor, mount.node, &["readOnly"], Value::Word("true"))?;
                let reason = "whether the program writes there is not known here";
                Ok::<Fix, String>(Fix::new("Mount it read-only", Safety::Manual, reason, vec![edit]))
            });
        }
    }
}
