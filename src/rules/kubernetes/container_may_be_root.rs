//! A container whose user nobody names runs as whoever its image says, which is mostly root.

use crate::{
    model::{
        Evidence, User,
        graph::{Made, MadeImage},
        kubernetes::{Container, KubernetesModel, Runner},
    },
    rewrite::manifest::set_below,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::Value,
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
        fix: FixNote::Sometimes(
            Safety::Risky,
            "Asks for it where a Dockerfile beside the manifest gives its image a user with a number.",
        ),
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
            Example::new(
                "An image that is built here, with a number for its user",
                "-- k8s/pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: example/web:1.4\n    securityContext:\n      «runAsNonRoot: false»\n-- Makefile --\nIMAGE := example/web:1.4\nimage:\n\tdocker build -t $(IMAGE) web\n-- web/Dockerfile --\nFROM debian:13-slim\nUSER 10001\nCMD [\"web\"]\n",
                "-- k8s/pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: example/web:1.4\n    securityContext:\n      runAsNonRoot: true\n-- Makefile --\nIMAGE := example/web:1.4\nimage:\n\tdocker build -t $(IMAGE) web\n-- web/Dockerfile --\nFROM debian:13-slim\nUSER 10001\nCMD [\"web\"]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let mut made = Made::around(cx.context);
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
            report(cx, workload.place(), message, &open, &mut made, out);
            continue;
        }
        let mut told: BTreeSet<Span> = BTreeSet::new();
        for container in open {
            let place = container.place_of_security(&["runAsNonRoot"]);
            if !told.insert(place) {
                continue;
            }
            let message = format!("nothing keeps the container `{}` from running as root", container.name());
            report(cx, place, message, &[container], &mut made, out);
        }
    }
}

fn report<'y>(
    cx: &Cx<'_, KubernetesModel<'y>>,
    place: Span,
    mut message: String,
    containers: &[Container<'y>],
    made: &mut Made<'_>,
    out: &mut Findings,
) {
    let root = containers.iter().find(|container| container.runner(cx.knowledge) == Runner::ImageRoot);
    if let Some(image) = root.and_then(|container| container.image()) {
        message = format!("{message}, as `{}` does", image.text());
    }
    let confidence = if root.is_some() { Confidence::High } else { Confidence::Medium };
    let finding = out.report(place, message);
    finding.confidence(confidence).repair(cx, || required(cx, containers, made));
}

/// That nobody is root, where Dockerfiles here give all of `containers` a user with a number.
fn required<'y>(
    cx: &Cx<'_, KubernetesModel<'y>>,
    containers: &[Container<'y>],
    made: &mut Made<'_>,
) -> Result<Fix, String> {
    let editor = cx.model.editor(cx.file.id);
    let mut edits = Vec::new();
    let mut evidence = Vec::new();
    for container in containers {
        let image = container.image().and_then(|image| made.image(&image, cx.knowledge));
        let image = image.filter(|image| image.is_same_tag && matches!(image.user, User::Numeric { .. }));
        let MadeImage { dockerfile, user_line, .. } = image.ok_or(UNKNOWN)?;
        let shows = "its user has a number that is not root's".to_owned();
        evidence.push(Evidence { path: dockerfile, line: user_line.unwrap_or(1), shows });
        edits.push(set_below(editor, container.node, &["securityContext", "runAsNonRoot"], Value::Word("true"))?);
    }
    let reason = "the Dockerfiles of its images name a user by a number that is not root's; what was pushed by that name may be older";
    Ok(Fix::new("Let nobody be root", Safety::Risky, reason, edits).shown_by(evidence))
}

const UNKNOWN: &str = "as whom the program can run, and what it writes, is not known here";
