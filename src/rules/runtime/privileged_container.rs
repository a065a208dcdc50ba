//! A privileged container is the host with another file system.

use crate::{
    model::{
        compose::ComposeModel,
        kubernetes::{KubernetesModel, chart},
    },
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::{Branches, Editor, Node},
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "privileged-container",
        title: "Privileged container",
        why: "The container has every capability, every device of the host and no profile that confines it: whoever breaks into its program owns the machine.",
        remedy: "Take it out, and give the container the one device or capability that it needs.",
        group: Group::Runtime,
        severity: Severity::Critical,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose, FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Manual,
            "Takes the key out; which devices and capabilities the program needs instead is for its author to say.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "5.5"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::PodSecurity, "baseline 1.0"),
            Reference::new(Scheme::NsaCisa, "Pod security enforcement"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/pod-security-standards/"),
        ],
        equivalents: &[
            "checkov:CKV_K8S_16",
            "kics:ae5b6871-7f45-42e0-bb4c-ab300c4d2026",
            "kics:dd29336b-fe57-445b-a26e-e6aa867ae609",
            "kube-linter:privileged-container",
            "semgrep:privileged-container",
            "semgrep:privileged-service",
            "trivy:KSV-0017",
        ],
        examples: &[
            Example::new(
                "A service with every privilege",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    «privileged: true»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n",
            ),
            Example::new(
                "A container of a pod",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      «privileged: true»\n      runAsNonRoot: true\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      runAsNonRoot: true\n",
            ),
            Example::new(
                "A chart leaves it to whoever installs it",
                "-- chart/templates/pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      {{- if .Values.web.privileged }}\n      privileged: true\n      {{- end }}\n  - name: log\n    image: nginx:1.29\n    securityContext:\n      runAsUser: 10001\n      {{- if .Values.log.privileged }}\n      «privileged: true»\n      {{- end }}\n-- chart/values.yaml --\nweb: {privileged: false}\nlog: {privileged: true}\n",
                "-- chart/templates/pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      {{- if .Values.web.privileged }}\n      privileged: true\n      {{- end }}\n  - name: log\n    image: nginx:1.29\n    securityContext:\n      runAsUser: 10001\n-- chart/values.yaml --\nweb: {privileged: false}\nlog: {privileged: true}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Containers { compose, kubernetes },
};

const REASON: &str = "the program may need what it asks for: start it without, and see what is refused";

fn compose(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for service in cx.model.linux_services() {
        let Some((Some(true), _)) = service.switch("privileged") else { continue };
        let message = format!("`{}` has every privilege of the host", service.name());
        let finding = out.report(service.place_of("privileged"), message);
        finding.repair(cx, || removed(editor, service.own(), "privileged"));
    }
}

fn kubernetes(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    let branches = cx.model.tree.branches();
    for container in cx.model.linux_containers() {
        let Some(security) = container.node.get("securityContext") else { continue };
        let Some(entry) = security.entry("privileged") else { continue };
        if entry.value.boolean() != Some(true) || is_left_to_values(cx, &branches, entry.span().start) {
            continue;
        }
        let name = container.name();
        // With users of its own root in the pod is nobody on the node; devices and profiles are still given away.
        let finding = if container.workload.has_own_users() {
            let message = format!("the container `{name}` has every privilege within the users of its pod");
            out.report(entry.span(), message).severity(Severity::Medium)
        } else {
            out.report(entry.span(), format!("the container `{name}` has every privilege of its node"))
        };
        finding.repair(cx, || removed(editor, security, "privileged"));
    }
}

/// Whether the place `at` is written only where a value of a chart says so that is called like the key, and the chart
/// itself does not: whoever installs it decides.
fn is_left_to_values(cx: &Cx<'_, KubernetesModel<'_>>, branches: &Branches, at: u32) -> bool {
    let text = cx.model.tree.text();
    let conditions = branches.around(at).filter_map(|branch| std::str::from_utf8(branch.condition.of(text)).ok());
    let values = conditions.flat_map(chart::values_in);
    let mut of_privileges = values.filter(|path| path.rsplit('.').next() == Some("privileged"));
    of_privileges.any(|path| !chart::is_set_by_chart(&cx.context, path))
}

fn removed<'y>(editor: &Editor<'y>, mapping: Node<'y>, key: &str) -> Result<Fix, String> {
    let edit = editor.remove_key(mapping, key).map_err(|refusal| refusal.to_string())?;
    Ok(Fix::new("Take the privileges away", Safety::Manual, REASON, vec![edit]))
}
