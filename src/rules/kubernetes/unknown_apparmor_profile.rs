//! A profile that the node does not know confines nothing.

use crate::{
    model::kubernetes::{KubernetesModel, Setting},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::yaml::Node,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "unknown-apparmor-profile",
        title: "AppArmor profile that no node knows",
        why: "AppArmor takes `runtime/default` or a profile that was loaded on the node. With any other name the pod is refused, or, where AppArmor is off, not confined; the Pod Security Standards refuse it everywhere.",
        remedy: "Leave it out: the default profile of the engine applies then. Or write `appArmorProfile: {type: RuntimeDefault}`, or `Localhost` with the name of a profile.",
        group: Group::Kubernetes,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "5.2"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::PodSecurity, "baseline 1.0"),
            Reference::new(Scheme::NsaCisa, "Hardening container environments"),
            Reference::new(Scheme::Cwe, "693"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/pod-security-standards/"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/tutorials/security/apparmor/"),
        ],
        equivalents: &["kics:8b36775e-183d-4d46-b0f7-96a6f34a723f", "trivy:KSV-0002"],
        examples: &[
            Example::new(
                "In an annotation",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations:\n    «container.apparmor.security.beta.kubernetes.io/web: custom»\nspec:\n  containers: [{name: web, image: 'nginx:1.29'}]\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations:\n    container.apparmor.security.beta.kubernetes.io/web: runtime/default\nspec:\n  containers: [{name: web, image: 'nginx:1.29'}]\n",
            ),
            Example::new(
                "In the field",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      appArmorProfile: {«type: Default»}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      appArmorProfile: {type: RuntimeDefault}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for workload in cx.model.workloads().filter(|workload| !workload.is_on_windows()) {
        for entry in workload.annotations().filter(|entry| !entry.value.resolved().is_template()) {
            let names_profile = entry.key.scalar().is_some_and(|key| key.starts_with(ANNOTATION));
            let Some(profile) = entry.value.scalar().filter(|profile| names_profile && !is_profile(profile)) else {
                continue;
            };
            out.report(entry.span(), format!("`{profile}` is no AppArmor profile that a node has"));
        }
        let contexts = workload.containers().map(|container| container.node).chain([workload.pod]);
        for context in contexts {
            let kind = Setting::below(context, &["securityContext", "appArmorProfile", "type"]);
            let Some(kind) = kind.node().filter(|kind| !is_kind(*kind)) else { continue };
            let profile = context.get("securityContext").and_then(|context| context.get("appArmorProfile"));
            let place = profile.and_then(|profile| profile.entry("type")).map_or(kind.span(), |entry| entry.span());
            out.report(place, format!("`{}` is no type of an AppArmor profile", kind.scalar().unwrap_or_default()));
        }
    }
}

const ANNOTATION: &str = "container.apparmor.security.beta.kubernetes.io/";

fn is_profile(name: &str) -> bool {
    // That it is turned off is told as what it is.
    matches!(name, "" | "runtime/default" | "unconfined") || name.starts_with("localhost/")
}

fn is_kind(node: Node<'_>) -> bool {
    matches!(node.scalar(), Some("RuntimeDefault" | "Localhost" | "Unconfined"))
}
