//! A capability that engines give anyway is added for nothing, or in place of being dropped.

use crate::{
    model::{
        capability,
        kubernetes::{Dropped, KubernetesModel},
    },
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::yaml::Node,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "added-capability",
        title: "Capability added",
        why: "The restricted Pod Security Standard lets a container have `NET_BIND_SERVICE` and nothing else, and that only beside `drop: [ALL]`: without it most engines give the container what is added here anyway, and all the rest.",
        remedy: "Drop `ALL`, and add what the program is seen to need.",
        group: Group::Kubernetes,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.2.9"),
            Reference::new(Scheme::CisDocker, "5.4"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::PodSecurity, "restricted 1.22"),
            Reference::new(Scheme::NsaCisa, "Pod security enforcement"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/pod-security-standards/"),
        ],
        equivalents: &[
            "checkov:CKV_K8S_25",
            "kics:19ebaa28-fc86-4a58-bcfa-015c9e22fe40",
            "trivy:KSV-0022",
            "trivy:KSV-0106",
        ],
        examples: &[
            Example::new(
                "A usual capability",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      capabilities:\n        drop: [ALL]\n        add:\n        - «CHOWN»\n        - NET_BIND_SERVICE\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      capabilities:\n        drop: [ALL]\n        add:\n        - NET_BIND_SERVICE\n",
            ),
            Example::new(
                "Added to all that it has",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      capabilities:\n        add: [«NET_BIND_SERVICE»]\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      capabilities:\n        drop: [ALL]\n        add: [NET_BIND_SERVICE]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for container in cx.model.linux_containers() {
        let dropped = container.dropped();
        let has_all = matches!(dropped, Dropped::Nothing | Dropped::Some { .. });
        for item in container.own_security(&["capabilities", "add"]).node().into_iter().flat_map(Node::items) {
            let is_known = !item.resolved().is_template();
            let Some(name) = item.scalar().filter(|name| is_known && capability::is_usual(name)) else { continue };
            if capability::canonical(name) == "NET_BIND_SERVICE" && !has_all {
                continue;
            }
            let message = if has_all {
                format!(
                    "`{name}` is added to the container `{}`, which drops no others: most engines give it anyway",
                    container.name()
                )
            } else {
                format!("the container `{}` is given the capability `{name}`", container.name())
            };
            out.report(item.span(), message).decline("whether the program needs it is not known here");
        }
    }
}
