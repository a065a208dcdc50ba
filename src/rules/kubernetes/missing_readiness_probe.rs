//! A program that cannot answer yet gets requests when nobody asks whether it can.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "missing-readiness-probe",
        title: "Nothing tells when a container can answer",
        why: "A Service sends requests to every container that runs. One that starts, or that is overrun, gets them as well, and loses them.",
        remedy: "Add a `readinessProbe` that asks the program itself: `httpGet`, `grpc`, `tcpSocket`, or a command in the image.",
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
            "kics:a659f3b5-9bf0-438a-bd9a-7d3a6427f1e3",
            "kube-linter:no-readiness-probe",
        ],
        examples: &[
            Example::new(
                "A service",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - «name: web»\n    image: nginx:1.29\n    ports: [{containerPort: 80}]\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    ports: [{containerPort: 80}]\n    readinessProbe:\n      httpGet: {path: /, port: 80}\n",
            ),
            Example::new(
                "Tasks need none",
                "-- jobs.k8s.yaml --\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n      - «name: web»\n        image: nginx:1.29\n---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: task}\nspec:\n  template:\n    spec:\n      containers: [{name: task, image: 'example/task:1'}]\n",
                "-- jobs.k8s.yaml --\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n      - name: web\n        image: nginx:1.29\n        readinessProbe: {tcpSocket: {port: 80}}\n---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: task}\nspec:\n  template:\n    spec:\n      containers: [{name: task, image: 'example/task:1'}]\n",
            ),
            Example::new(
                "What only waits has no answer, and Knative asks by itself",
                "-- pods.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: idle}\nspec:\n  containers:\n  - name: pause\n    image: registry.k8s.io/pause:3.10\n  - name: shell\n    image: debian:13\n    command: [sh, -c, sleep infinity]\n  - «name: web»\n    image: nginx:1.29\n---\napiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: site}\nspec: {template: {spec: {containers: [{image: 'example/site:1'}]}}}\n",
                "-- pods.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: idle}\nspec:\n  containers:\n  - name: pause\n    image: registry.k8s.io/pause:3.10\n  - name: shell\n    image: debian:13\n    command: [sh, -c, sleep infinity]\n  - name: web\n    image: nginx:1.29\n    readinessProbe: {tcpSocket: {port: 80}}\n---\napiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: site}\nspec: {template: {spec: {containers: [{image: 'example/site:1'}]}}}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for container in cx.model.containers().filter(|container| container.is_service() && container.is_whole()) {
        if container.setting(&["readinessProbe"]).is_absent() && !container.is_asked_by_default() {
            let message = format!("nothing tells the cluster whether the container `{}` can answer", container.name());
            out.report(container.place(), message);
        }
    }
}
