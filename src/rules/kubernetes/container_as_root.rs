//! A container that is started as root has half of the way out behind it.

use crate::{
    model::kubernetes::{Container, KubernetesModel, Workload},
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
        id: "container-as-root",
        title: "Root as the user of a container",
        why: "Root in a container is root on its node as soon as anything lets it out: a hole in the kernel, a mounted path, a capability too many.",
        remedy: "Name a user above 10000 that owns what the program writes, and set `runAsNonRoot: true`. Where an image has to start as root, `hostUsers: false` makes its root nobody on the node.",
        group: Group::Kubernetes,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Manual,
            "Gives the pod users of its own; which user the program can run as is for its author to say.",
        ),
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.2.7"),
            Reference::new(Scheme::Nist800190, "4.1.2"),
            Reference::new(Scheme::PodSecurity, "restricted 1.23"),
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
            "semgrep:run-as-non-root-unsafe-value",
            "trivy:KSV-0012",
            "trivy:KSV-0020",
            "trivy:KSV-0105",
        ],
        examples: &[
            Example::new(
                "A container",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      «runAsUser: 0»\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      runAsUser: 10001\n",
            ),
            Example::new(
                "All containers of a pod, of which one has another user",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext:\n    «runAsUser: 0»\n  containers:\n  - name: web\n    image: nginx:1.29\n  - name: log\n    image: fluent-bit:4.1\n    securityContext: {runAsUser: 10001}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  hostUsers: false\n  securityContext:\n    runAsUser: 0\n  containers:\n  - name: web\n    image: nginx:1.29\n  - name: log\n    image: fluent-bit:4.1\n    securityContext: {runAsUser: 10001}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let workloads = cx.model.workloads().filter(|workload| !workload.is_on_windows() && !workload.has_own_users());
    for workload in workloads {
        let is_named_root = |container: &Container<'_>| container.own_security(&["runAsUser"]).number() == Some(0);
        for container in workload.containers().filter(is_named_root) {
            let who = format!("the container `{}`", container.name());
            let place = container.place_of(&["securityContext", "runAsUser"]);
            if is_refused(&container) {
                out.report(place, format!("{who} names root, which its own `runAsNonRoot` refuses"))
                    .severity(Severity::Info)
                    .decline(UNKNOWN);
            } else {
                out.report(place, format!("{who} is started as root")).repair(cx, || own_users(cx, workload));
            }
        }
        let is_heeding = |container: &Container<'_>| container.own_security(&["runAsUser"]).is_absent();
        let heeding: Vec<Container<'_>> = workload.containers().filter(is_heeding).collect();
        if heeding.is_empty() || workload.security(&["runAsUser"]).number() != Some(0) {
            continue;
        }
        let place = workload.place_of(&["securityContext", "runAsUser"]);
        if heeding.iter().all(is_refused) {
            out.report(place, format!("`{}` names root, which its own `runAsNonRoot` refuses", workload.name()))
                .severity(Severity::Info)
                .decline(UNKNOWN);
        } else {
            out.report(place, format!("the containers of `{}` are started as root", workload.name()))
                .repair(cx, || own_users(cx, workload));
        }
    }
}

const UNKNOWN: &str = "as whom the program can run is not known here";

/// Whether the cluster does not start it at all: `runAsNonRoot` keeps it from starting as root. The standards for pods
/// object to the number all the same.
fn is_refused(container: &Container<'_>) -> bool {
    container.is_kept_from_root() == Some(true)
}

/// Users of the pod's own, where it shares nothing else with its node.
fn own_users<'y>(cx: &Cx<'_, KubernetesModel<'y>>, workload: Workload<'y>) -> Result<Fix, String> {
    let shared = ["hostNetwork", "hostPID", "hostIPC"].into_iter().find(|key| !workload.setting(&[key]).is_absent());
    if let Some(key) = shared {
        return Err(format!("as whom the program can run is not known, and `{key}` does not go with users of its own"));
    }
    if let Some(reason) = workload.object.is_older_than("hostUsers") {
        return Err(format!("as whom the program can run is not known; {reason}"));
    }
    let editor = cx.model.editor(cx.file.id);
    let edit = set_below(editor, workload.pod, &["hostUsers"], Value::Word("false"))?;
    let reason = "as whom the program can run is not known: name a user that owns what it writes; or let root be nobody on the node, which kernel, engine and file systems of the node have to know";
    Ok(Fix::new("Give the pod users of its own", Safety::Manual, reason, vec![edit]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml::parse;

    #[test]
    fn a_container_that_may_not_be_root_is_refused() {
        let text = "apiVersion: v1\nkind: Pod\nspec:\n  securityContext: {runAsUser: 0, runAsNonRoot: true}\n  containers:\n  - {name: a}\n  - {name: b, securityContext: {runAsNonRoot: false}}\n  - {name: c, securityContext: {runAsNonRoot: '{{ .x }}'}}\n";
        let parsed = parse(text.as_bytes());
        let model = KubernetesModel::new(&parsed.tree);
        let refused: Vec<bool> = model.containers().map(|container| is_refused(&container)).collect();
        assert_eq!(refused, [true, false, false]);
    }
}
