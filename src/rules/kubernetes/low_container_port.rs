//! A port below 1024 asks for a capability, or for an engine that asks for none.

use crate::{
    model::kubernetes::{KubernetesModel, Setting},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::yaml::Node,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "low-container-port",
        title: "Port below 1024",
        why: "Where the engine does not open low ports to everybody, a program needs root or `NET_BIND_SERVICE` to listen there, and keeps it.",
        remedy: "Let the program listen above 1024; a Service can still offer the low port.",
        group: Group::Kubernetes,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/"),
        ],
        equivalents: &["kube-linter:privileged-ports", "trivy:KSV-0117"],
        examples: &[
            Example::new(
                "A web server",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    ports:\n    - «containerPort: 80»\n    - containerPort: 8443\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    ports:\n    - containerPort: 8080\n    - containerPort: 8443\n",
            ),
            Example::new(
                "In brackets",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    ports: [{name: dns, «containerPort: 53», protocol: UDP}]\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    ports: [{name: dns, containerPort: 5353, protocol: UDP}]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for container in cx.model.containers() {
        for item in container.node.get("ports").into_iter().flat_map(Node::items) {
            // The port of SSH has a rule of its own.
            let port = Setting::below(item, &["containerPort"]).number();
            let Some(port) = port.filter(|port| (1..1024).contains(port) && *port != 22) else { continue };
            let place = item.entry("containerPort").map_or(item.span(), |entry| entry.span());
            out.report(place, format!("the container `{}` listens on the port {port}", container.name()));
        }
    }
}
