//! A remote shell in a container is a second way in.

use crate::{
    model::kubernetes::{Container, KubernetesModel, Setting},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::yaml::Node,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "ssh-port",
        title: "Remote shell in a container",
        why: "Who guesses a key or password of the SSH server is in the container, past the cluster's own access control and its records.",
        remedy: "Take the server out. `kubectl exec` and `kubectl debug` open a shell for those who may.",
        group: Group::Kubernetes,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "5.7"),
            Reference::new(Scheme::Nist800190, "4.1.2"),
            Reference::new(Scheme::Cwe, "1327"),
        ],
        equivalents: &["kube-linter:privileged-ports", "kube-linter:ssh-port", "trivy:KSV-0117"],
        examples: &[
            Example::new(
                "Beside another port",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    ports:\n    - «containerPort: 22»\n    - containerPort: 8080\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    ports:\n    - containerPort: 8080\n",
            ),
            Example::new(
                "With a name",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    ports: [{name: ssh, «containerPort: 22»}]\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n",
            ),
            Example::new(
                "A server of repositories gives no shell",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: git}\nspec:\n  containers:\n  - name: git\n    image: gitea/gitea:1.24\n    ports: [{containerPort: 22}]\n  - name: \"{{ template \"gitlab-ce.name\" . }}\"\n    image: \"{{ .Values.image }}\"\n    ports: [{containerPort: 22}]\n  - name: jump\n    image: example/jump:2\n    ports: [{«containerPort: 22»}]\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: git}\nspec:\n  containers:\n  - name: git\n    image: gitea/gitea:1.24\n    ports: [{containerPort: 22}]\n  - name: \"{{ template \"gitlab-ce.name\" . }}\"\n    image: \"{{ .Values.image }}\"\n    ports: [{containerPort: 22}]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

/// Programs that speak SSH to hand out repositories or files, and no shell.
const WITHOUT_SHELL: [&str; 8] = ["bitbucket", "forgejo", "gerrit", "gitea", "gitlab", "gogs", "sftp", "sftpgo"];

/// Whether the name of the container or of its image says that its server gives no shell.
fn gives_no_shell(container: Container<'_>) -> bool {
    let image = container.node.get("image").and_then(Node::scalar).unwrap_or_default().to_ascii_lowercase();
    let name = container.name().to_ascii_lowercase();
    let mut words = [&image, &name].into_iter().flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric()));
    words.any(|word| WITHOUT_SHELL.contains(&word))
}

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for container in cx.model.containers().filter(|container| !gives_no_shell(*container)) {
        for item in container.node.get("ports").into_iter().flat_map(Node::items) {
            let is_tcp = Setting::below(item, &["protocol"]).text().is_none_or(|protocol| protocol == "TCP");
            if is_tcp && Setting::below(item, &["containerPort"]).number() == Some(22) {
                let place = item.entry("containerPort").map_or(item.span(), |entry| entry.span());
                out.report(
                    place,
                    format!("the container `{}` lets in whoever has a key to its shell", container.name()),
                );
            }
        }
    }
}
