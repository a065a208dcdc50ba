//! A program that hangs keeps hanging when nobody asks how it is.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "missing-liveness-probe",
        title: "Nothing restarts a container that hangs",
        why: "The cluster restarts a program that ends. One that hangs, be it by an attack, it leaves as it is unless a probe tells.",
        remedy: "Add a `livenessProbe` that asks the program itself: `httpGet`, `grpc`, `tcpSocket`, or a command in the image.",
        group: Group::Kubernetes,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "5.27"),
            Reference::new(Scheme::Cwe, "754"),
            Reference::new(
                Scheme::Url,
                "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",
            ),
        ],
        equivalents: &[
            "checkov:LivenessReadiness",
            "kics:ade74944-a674-4e00-859e-c6eab5bde441",
            "kube-linter:no-liveness-probe",
        ],
        examples: &[
            Example::new(
                "A service",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - «name: web»\n    image: nginx:1.29\n    ports: [{containerPort: 80}]\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    ports: [{containerPort: 80}]\n    livenessProbe:\n      httpGet: {path: /, port: 80}\n",
            ),
            Example::new(
                "Tasks need none",
                "-- jobs.k8s.yaml --\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n      - «name: web»\n        image: nginx:1.29\n---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: task}\nspec:\n  template:\n    spec:\n      containers: [{name: task, image: 'example/task:1'}]\n",
                "-- jobs.k8s.yaml --\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n      - name: web\n        image: nginx:1.29\n        livenessProbe: {tcpSocket: {port: 80}}\n---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: task}\nspec:\n  template:\n    spec:\n      containers: [{name: task, image: 'example/task:1'}]\n",
            ),
            Example::new(
                "What only waits has no answer",
                "-- pods.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: idle}\nspec:\n  containers:\n  - name: pause\n    image: registry.k8s.io/pause:3.10\n  - name: shell\n    image: debian:13\n    command: [sh, -c, sleep infinity]\n  - «name: web»\n    image: nginx:1.29\n",
                "-- pods.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: idle}\nspec:\n  containers:\n  - name: pause\n    image: registry.k8s.io/pause:3.10\n  - name: shell\n    image: debian:13\n    command: [sh, -c, sleep infinity]\n  - name: web\n    image: nginx:1.29\n    livenessProbe: {tcpSocket: {port: 80}}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for container in cx.model.containers().filter(|container| container.is_service() && container.is_whole()) {
        if container.setting(&["livenessProbe"]).is_absent() {
            let message = format!("nothing tells the cluster whether the container `{}` hangs", container.name());
            out.report(container.place(), message);
        }
    }
}
