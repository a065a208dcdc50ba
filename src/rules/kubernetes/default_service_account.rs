//! What is given to the default account, every pod of the namespace has.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "default-service-account",
        title: "Pod of the default account",
        why: "Pods that name no account share one. A right that one of them needs is given to all of them, and the cluster's records do not tell which of them did what.",
        remedy: "Make a service account for the program, and name it in `serviceAccountName`; or leave its token out.",
        group: Group::Kubernetes,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.1.5"),
            Reference::new(Scheme::Nist800190, "4.3.2"),
            Reference::new(Scheme::NsaCisa, "Protecting Pod service account tokens"),
            Reference::new(Scheme::Cwe, "266"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/service-accounts/"),
        ],
        equivalents: &["kics:591ade62-d6b0-4580-b1ae-209f80ba1cd9", "kube-linter:default-service-account"],
        examples: &[
            Example::new(
                "No account",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  «containers»:\n  - name: web\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  serviceAccountName: web\n  containers:\n  - name: web\n    image: nginx:1.29\n",
            ),
            Example::new(
                "In so many words",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  «serviceAccountName: default»\n  containers:\n  - name: web\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  serviceAccountName: default\n  automountServiceAccountToken: false\n  containers:\n  - name: web\n    image: nginx:1.29\n",
            ),
            Example::new(
                "Another branch of the template names one",
                "-- chart/templates/pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  {{- if .Values.account }}\n  serviceAccountName: web\n  {{- else }}\n  serviceAccountName: default\n  {{- end }}\n  containers:\n  - name: web\n    image: nginx:1.29\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: log}\nspec:\n  {{- if .Values.account }}\n  «serviceAccountName: default»\n  {{- end }}\n  containers:\n  - name: log\n    image: nginx:1.29\n",
                "-- chart/templates/pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  {{- if .Values.account }}\n  serviceAccountName: web\n  {{- else }}\n  serviceAccountName: default\n  {{- end }}\n  containers:\n  - name: web\n    image: nginx:1.29\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for workload in cx.model.workloads().filter(|workload| workload.is_whole()) {
        let keys = ["serviceAccountName", "serviceAccount"];
        let is_hidden = keys.iter().any(|key| workload.setting(&[key]).is_hidden());
        let token = workload.setting(&["automountServiceAccountToken"]);
        let is_harmless = token.is_hidden() || token.boolean() == Some(false);
        if is_hidden || is_harmless || workload.service_account().is_some_and(|name| name != "default") {
            continue;
        }
        let written = keys.into_iter().find(|key| workload.pod.entry(key).is_some());
        let place = workload.place_of(&[written.unwrap_or("containers")]);
        let message = format!("`{}` has the account of all pods that name none", workload.name());
        out.report(place, message).decline("what its own account may do is for its author to say");
    }
}
