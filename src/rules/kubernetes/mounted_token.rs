//! A token that nobody uses is one that anybody may find.

use crate::{
    model::kubernetes::{Container, KubernetesModel, Object, Setting, Workload},
    rewrite::manifest::set_below,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::{Editor, Node, Value},
};
use std::collections::{HashMap, HashSet};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "mounted-token",
        title: "Token of the cluster in the pod",
        why: "Unless it is told not to, the cluster puts a token into every container. Whoever reads a file of the container asks the cluster as this pod, and may do what its account may.",
        remedy: "Set `automountServiceAccountToken: false` for the pod, and a projected token in the one container that talks to the cluster.",
        group: Group::Kubernetes,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Sometimes(Safety::Risky, "Leaves the token out of pods of the default account."),
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.1.6"),
            Reference::new(Scheme::Nist800190, "4.3.2"),
            Reference::new(Scheme::NsaCisa, "Protecting Pod service account tokens"),
            Reference::new(Scheme::Cwe, "522"),
            Reference::new(
                Scheme::Url,
                "https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/",
            ),
        ],
        equivalents: &["checkov:CKV_K8S_38", "kics:48471392-d4d0-47c0-b135-cdec95eb3eef"],
        examples: &[
            Example::new(
                "Nothing is said of it",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  «containers»:\n  - name: web\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n  automountServiceAccountToken: false\n",
            ),
            Example::new(
                "Asked for",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  «automountServiceAccountToken: true»\n  containers:\n  - name: web\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  automountServiceAccountToken: false\n  containers:\n  - name: web\n    image: nginx:1.29\n",
            ),
            Example::new(
                "The account may say so too",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  serviceAccountName: web\n  «containers»: [{name: web, image: 'nginx:1.29'}]\n  automountServiceAccountToken:\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}\nautomountServiceAccountToken: false\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  serviceAccountName: web\n  containers: [{name: web, image: 'nginx:1.29'}]\n  automountServiceAccountToken:\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    let (accounts, bound) = (accounts(cx.model), bound(cx.model));
    for workload in cx.model.workloads().filter(|workload| workload.is_whole()) {
        let own = workload.setting(&["automountServiceAccountToken"]);
        let name = workload.service_account();
        let of_account = accounts
            .get(name.unwrap_or("default"))
            .map_or(Setting::Absent, |object| Setting::below(object.node, &["automountServiceAccountToken"]));
        let setting = own.or_else(|| of_account);
        if setting.is_hidden() || setting.boolean() == Some(false) {
            continue;
        }
        // What the file gives rights to talks to the cluster.
        if name.is_some_and(|name| bound.contains(name)) {
            continue;
        }
        let place = workload.place_of(&[if own.is_absent() { "containers" } else { "automountServiceAccountToken" }]);
        let finding = out.report(place, format!("the containers of `{}` have a token of the cluster", workload.name()));
        if setting.is_absent() {
            finding.repair(cx, || without_token(editor, workload));
        } else {
            finding.decline("it is asked for: who wrote it knows which program talks to the cluster");
        }
    }
}

/// The accounts that the file makes.
fn accounts<'y>(model: &KubernetesModel<'y>) -> HashMap<&'y str, Object<'y>> {
    let accounts = model.objects.iter().filter(|object| object.kind == "ServiceAccount");
    accounts.filter_map(|object| Some((object.name()?, *object))).collect()
}

/// The names to which the file gives rights.
fn bound<'y>(model: &KubernetesModel<'y>) -> HashSet<&'y str> {
    let bindings = model.objects.iter().filter(|object| matches!(object.kind, "RoleBinding" | "ClusterRoleBinding"));
    let subjects = bindings.filter_map(|binding| binding.at(&["subjects"])).flat_map(Node::items);
    subjects.filter_map(|subject| Setting::below(subject, &["name"]).text()).collect()
}

/// Words in the names of images that talk to the cluster.
const CLIENTS: [&str; 24] = [
    "agent",
    "argo",
    "autoscaler",
    "cert-manager",
    "cloud-controller",
    "consul",
    "controller",
    "csi",
    "dashboard",
    "datadog",
    "external-dns",
    "fluent",
    "flux",
    "ingress",
    "istio",
    "kube",
    "linkerd",
    "metrics",
    "newrelic",
    "operator",
    "prometheus",
    "tekton",
    "traefik",
    "vault",
];

fn without_token<'y>(editor: &Editor<'y>, workload: Workload<'y>) -> Result<Fix, String> {
    if workload.service_account().is_some_and(|name| name != "default") {
        return Err("it has an account of its own, and so perhaps talks to the cluster".to_owned());
    }
    let image = workload.containers().filter_map(Container::image).find(|image| {
        let repository = image.written_repository();
        CLIENTS.iter().any(|word| repository.contains(word))
    });
    if let Some(image) = image {
        return Err(format!("`{}` looks like a program that talks to the cluster", image.text()));
    }
    let edit = set_below(editor, workload.pod, &["automountServiceAccountToken"], Value::Word("false"))?;
    let reason = "a program that asks the cluster, or a sidecar that does, finds no token then";
    Ok(Fix::new("Leave the token out", Safety::Risky, reason, vec![edit]))
}
