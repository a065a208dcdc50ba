//! A port of the node is one that network policies do not guard.

use crate::{
    model::kubernetes::{KubernetesModel, Setting},
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::Node,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "host-port",
        title: "Port of the node",
        why: "The port is open on every address of the node, past Services and mostly past network policies, and only one pod of a node can have it.",
        remedy: "Leave it out, and put a Service in front.",
        group: Group::Kubernetes,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Manual,
            "Takes the port of the node out; who comes through it needs a Service first.",
        ),
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.2.13"),
            Reference::new(Scheme::Nist800190, "4.4.2"),
            Reference::new(Scheme::PodSecurity, "baseline 1.0"),
            Reference::new(Scheme::NsaCisa, "Pod security enforcement"),
            Reference::new(Scheme::Cwe, "668"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/pod-security-standards/"),
        ],
        equivalents: &["checkov:CKV_K8S_26", "kics:2b1836f1-dcce-416e-8e16-da8c71920633", "trivy:KSV-0024"],
        examples: &[
            Example::new(
                "In block form",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    ports:\n    - «containerPort: 80\n      hostPort: 8080»\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    ports:\n    - containerPort: 80\n",
            ),
            Example::new(
                "In brackets",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    ports: [«{containerPort: 80, hostPort: 80}», {containerPort: 81}]\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    ports: [{containerPort: 80}, {containerPort: 81}]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for container in cx.model.containers() {
        for item in container.node.get("ports").into_iter().flat_map(Node::items) {
            let Some(port) = Setting::below(item, &["hostPort"]).number().filter(|port| *port > 0) else { continue };
            let message = format!("the container `{}` takes the port {port} of its node", container.name());
            out.report(item.span(), message).repair(cx, || {
                let edit = editor.remove_key(item, "hostPort").map_err(|refusal| refusal.to_string())?;
                let reason = "who comes through the port of the node has to come through a Service first";
                Ok::<Fix, String>(Fix::new("Leave the node's port", Safety::Manual, reason, vec![edit]))
            });
        }
    }
}
