//! A probe with a host of its own makes the node ask others.

use crate::{
    model::kubernetes::{KubernetesModel, Workload},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "probe-of-host",
        title: "Probe of another host",
        why: "The node asks what the probe names, with its own address: a pod can make it reach services that the pod itself may not. The Pod Security Standards refuse it since Kubernetes 1.34.",
        remedy: "Leave `host` out: the node asks the pod itself.",
        group: Group::Kubernetes,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::Nist800190, "4.4.2"),
            Reference::new(Scheme::PodSecurity, "baseline 1.34"),
            Reference::new(Scheme::Cwe, "918"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/pod-security-standards/"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "A probe",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    livenessProbe:\n      httpGet:\n        path: /\n        port: 80\n        «host: 169.254.169.254»\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    livenessProbe:\n      httpGet:\n        path: /\n        port: 80\n",
            ),
            Example::new(
                "A hook",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    lifecycle: {preStop: {tcpSocket: {port: 80, «host: db»}}}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    lifecycle: {preStop: {tcpSocket: {port: 80}}}\n",
            ),
            Example::new(
                "On the network of the node `localhost` is the pod itself",
                "-- pods.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: node}\nspec:\n  hostNetwork: true\n  containers:\n  - name: node\n    image: node-agent:4.1\n    livenessProbe: {httpGet: {host: localhost, path: /live, port: 9099}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    livenessProbe: {httpGet: {«host: localhost», path: /live, port: 80}}\n",
                "-- pods.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: node}\nspec:\n  hostNetwork: true\n  containers:\n  - name: node\n    image: node-agent:4.1\n    livenessProbe: {httpGet: {host: localhost, path: /live, port: 9099}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    livenessProbe: {httpGet: {path: /live, port: 80}}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

/// What of a container makes the node ask, and how.
const ASKING: [&[&str]; 5] = [
    &["livenessProbe"],
    &["readinessProbe"],
    &["startupProbe"],
    &["lifecycle", "preStop"],
    &["lifecycle", "postStart"],
];

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for container in cx.model.containers() {
        for asked in ASKING.iter().filter_map(|path| container.setting(path).node()) {
            let ways = ["httpGet", "tcpSocket"].into_iter().filter_map(|way| asked.get(way)?.entry("host"));
            for entry in ways.filter(|entry| !entry.value.resolved().is_template()) {
                let host = entry.value.scalar().filter(|host| !host.is_empty());
                if let Some(host) = host.filter(|host| !asks_itself(container.workload, host)) {
                    out.report(entry.span(), format!("the node of the container `{}` asks `{host}`", container.name()));
                }
            }
        }
    }
}

/// Whether the pod is asked all the same: on the network of its node that one's own address is the pod's.
fn asks_itself(workload: Workload<'_>, host: &str) -> bool {
    let is_own = host == "localhost" || host == "::1" || host.starts_with("127.");
    let network = workload.setting(&["hostNetwork"]);
    is_own && (network.is_hidden() || network.boolean() == Some(true))
}
