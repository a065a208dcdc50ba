//! A side program that fetches code runs whatever it is told is `git`.

use crate::{
    model::kubernetes::{KubernetesModel, Setting},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::yaml::Node,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "git-sync-program",
        title: "Program of git-sync replaced",
        why: "`git-sync` starts the program that this names in place of `git`: whoever may edit the pod, or put a file where it points, runs code with the rights of the pod.",
        remedy: "Take it out: the image has `git`.",
        group: Group::Kubernetes,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::Cwe, "94"),
            Reference::new(Scheme::Url, "https://github.com/kubernetes/git-sync"),
        ],
        equivalents: &["checkov:CKV_K8S_159"],
        examples: &[
            Example::new(
                "In a variable",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: registry.k8s.io/git-sync/git-sync:v4.4.0\n    env:\n    - name: GITSYNC_REPO\n      value: https://example.com/site.git\n    - «name: GITSYNC_GIT\n      value: /tmp/payload»\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: registry.k8s.io/git-sync/git-sync:v4.4.0\n    env:\n    - name: GITSYNC_REPO\n      value: https://example.com/site.git\n",
            ),
            Example::new(
                "In an argument",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: registry.k8s.io/git-sync/git-sync:v4.4.0\n    args: [--repo=https://example.com/site.git, «--git=/tmp/payload»]\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: registry.k8s.io/git-sync/git-sync:v4.4.0\n    args: [--repo=https://example.com/site.git]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for container in cx.model.containers() {
        for variable in container.node.get("env").into_iter().flat_map(Node::items) {
            if let Some(name @ ("GITSYNC_GIT" | "GIT_SYNC_GIT")) = Setting::below(variable, &["name"]).text() {
                out.report(variable.span(), format!("`{name}` names another program than `git`"));
            }
        }
        if !container.image().is_some_and(|image| image.basename().starts_with("git-sync")) {
            continue;
        }
        for word in ["command", "args"].into_iter().filter_map(|key| container.node.get(key)).flat_map(Node::items) {
            let is_named = |text: &str| {
                text == "--git" || text == "-git" || text.starts_with("--git=") || text.starts_with("-git=")
            };
            if word.scalar().is_some_and(is_named) {
                out.report(word.span(), "the argument names another program than `git`");
            }
        }
    }
}
