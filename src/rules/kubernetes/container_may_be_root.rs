//! A container whose user nobody names runs as whoever its image says, which is mostly root.

use crate::{
    model::kubernetes::{Container, KubernetesModel, Runner},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    text::Span,
};
use std::collections::BTreeSet;

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "container-may-be-root",
        title: "Nothing keeps the container from running as root",
        why: "Most images run as root unless they are told otherwise, and the next version of one that does not may. Root in a container is root on its node as soon as anything lets it out.",
        remedy: "Set `runAsNonRoot: true` and a `runAsUser` above 10000, for the pod or for the container.",
        group: Group::Kubernetes,
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.2.7"),
            Reference::new(Scheme::Nist800190, "4.1.2"),
            Reference::new(Scheme::PodSecurity, "restricted 1.0"),
            Reference::new(Scheme::NsaCisa, "Non-root containers and rootless container engines"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/pod-security-standards/"),
        ],
        equivalents: &[
            "checkov:CKV_K8S_23",
            "checkov:CKV_K8S_40",
            "kics:02323c00-cdc3-4fdc-a310-4f2b3e7a1660",
            "kics:cf34805e-3872-4c08-bf92-6ff7bb0cfadb",
            "kube-linter:run-as-non-root",
            "semgrep:run-as-non-root",
            "semgrep:run-as-non-root-unsafe-value",
            "trivy:KSV-0012",
            "trivy:KSV-0020",
        ],
        examples: &[
            Example::new(
                "Nothing is said of a user",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  «containers»:\n  - name: web\n    image: example/web:1.4\n  - name: log\n    image: example/log:2.0\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext:\n    runAsNonRoot: true\n  containers:\n  - name: web\n    image: example/web:1.4\n  - name: log\n    image: example/log:2.0\n",
            ),
            Example::new(
                "One container of two",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - «name: web»\n    image: example/web:1.4\n  - name: log\n    image: example/log:2.0\n    securityContext: {runAsNonRoot: true}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: example/web:1.4\n    securityContext: {runAsUser: 10001}\n  - name: log\n    image: example/log:2.0\n    securityContext: {runAsUser: 10001}\n",
            ),
            Example::new(
                "Root is allowed in so many words",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {«runAsNonRoot: false»}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {runAsNonRoot: true, runAsUser: 101}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for workload in cx.model.workloads().filter(|workload| !workload.is_on_windows()) {
        let containers: Vec<Container<'_>> = workload.containers().filter(|container| container.is_whole()).collect();
        let open: Vec<Container<'_>> =
            containers.iter().copied().filter(|container| container.may_be_root(cx.knowledge)).collect();
        // Where no container says more than another, it is one matter, and one place to set it right.
        let is_mute = |container: &Container<'_>| container.own_security(&["runAsNonRoot"]).is_absent();
        let is_one_matter = workload.setting(&["securityContext"]).is_absent()
            && containers.iter().all(is_mute)
            && open.iter().all(|container| container.setting(&["securityContext"]).is_absent());
        if is_one_matter && !open.is_empty() {
            let message = format!("nothing keeps the containers of `{}` from running as root", workload.name());
            report(cx, workload.place(), message, &open, out);
            continue;
        }
        let mut told: BTreeSet<Span> = BTreeSet::new();
        for container in open {
            let place = container.place_of_security(&["runAsNonRoot"]);
            if !told.insert(place) {
                continue;
            }
            let message = format!("nothing keeps the container `{}` from running as root", container.name());
            report(cx, place, message, &[container], out);
        }
    }
}

fn report(
    cx: &Cx<'_, KubernetesModel<'_>>,
    place: Span,
    mut message: String,
    containers: &[Container<'_>],
    out: &mut Findings,
) {
    let root = containers.iter().find(|container| container.runner(cx.knowledge) == Runner::ImageRoot);
    if let Some(image) = root.and_then(|container| container.image()) {
        message = format!("{message}, as `{}` does", image.text());
    }
    let confidence = if root.is_some() { Confidence::High } else { Confidence::Medium };
    let finding = out.report(place, message);
    finding.confidence(confidence).decline("as whom the program can run, and what it writes, is not known here");
}
