//! A namespace of the host puts the container beside the host's own processes.

use crate::{
    model::{compose::ComposeModel, kubernetes::KubernetesModel},
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::{Editor, Node},
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "host-namespace",
        title: "Container in a namespace of the host",
        why: "The container sees the host's network, processes or memory: it reaches services that listen on the host only, reads the traffic and the environment of others, and can send them signals.",
        remedy: "Take it out, publish the ports that are needed, and share a network or a volume with the one container that is meant.",
        group: Group::Runtime,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose, FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Manual,
            "Takes the key out; only its author knows what the program reaches through it.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "5.10"),
            Reference::new(Scheme::CisDocker, "5.16"),
            Reference::new(Scheme::CisDocker, "5.17"),
            Reference::new(Scheme::CisDocker, "5.21"),
            Reference::new(Scheme::CisDocker, "5.31"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::PodSecurity, "baseline 1.0"),
            Reference::new(Scheme::NsaCisa, "Pod security enforcement"),
            Reference::new(Scheme::Cwe, "668"),
        ],
        equivalents: &[
            "checkov:ShareHost",
            "kics:071a71ff-f868-47a4-ac0b-3c59e4ab5443",
            "kics:302736f4-b16c-41b8-befe-c0baffa0bd9d",
            "kics:4f31dd9f-2cc3-4751-9b53-67e4af83dac0",
            "kics:6b6bdfb3-c3ae-44cb-88e4-7405c1ba2c8a",
            "kics:8af7162d-6c98-482f-868e-0d33fb675ca8",
            "kics:baa3890f-bed7-46f5-ab8f-1da8fc91c729",
            "kics:cd290efd-6c82-4e9d-a698-be12ae31d536",
            "kube-linter:host-ipc",
            "kube-linter:host-network",
            "kube-linter:host-pid",
            "semgrep:hostipc-pod",
            "semgrep:hostnetwork-pod",
            "semgrep:hostpid-pod",
            "trivy:KSV-0008",
            "trivy:KSV-0009",
            "trivy:KSV-0010",
        ],
        examples: &[
            Example::new(
                "A service that sees the processes of the host",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    «pid: host»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n",
            ),
            Example::new(
                "A pod on the network of its node",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  «hostNetwork: true»\n  containers:\n  - name: web\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Containers { compose, kubernetes },
};

/// Keys of services, and what `host` makes of them.
const COMPOSE: [(&str, &str); 6] = [
    ("network_mode", "is on the network of the host"),
    ("pid", "sees and signals the processes of the host"),
    ("ipc", "shares memory with the processes of the host"),
    ("uts", "may rename the host"),
    ("userns_mode", "has the user numbers of the host"),
    ("cgroup", "sees the control groups of the host"),
];

/// Keys of pods, and what `true` makes of them.
const KUBERNETES: [(&str, &str); 3] = [
    ("hostNetwork", "is on the network of its node"),
    ("hostPID", "sees and signals the processes of its node"),
    ("hostIPC", "shares memory with the processes of its node"),
];

fn compose(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for service in &cx.model.services {
        for (key, means) in COMPOSE {
            if service.text(key).is_some_and(|text| text.known() == Some("host")) {
                let finding = out.report(service.place_of(key), format!("`{}` {means}", service.name()));
                finding.repair(cx, || removed(editor, service.own(), key));
            }
        }
    }
}

fn kubernetes(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for workload in cx.model.workloads() {
        for (key, means) in KUBERNETES {
            let Some(entry) = workload.pod.entry(key).filter(|entry| entry.value.boolean() == Some(true)) else {
                continue;
            };
            let name = workload.object.name().unwrap_or("the pod");
            let finding = out.report(entry.span(), format!("`{name}` {means}"));
            finding.repair(cx, || removed(editor, workload.pod, key));
        }
    }
}

fn removed<'y>(editor: &Editor<'y>, mapping: Node<'y>, key: &str) -> Result<Fix, String> {
    let edit = editor.remove_key(mapping, key).map_err(|refusal| refusal.to_string())?;
    let reason = "the program may need what it reaches through it: publish ports, or share with one container instead";
    Ok(Fix::new("Give it a namespace of its own", Safety::Manual, reason, vec![edit]))
}
