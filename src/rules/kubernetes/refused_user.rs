//! A rule that the image breaks stops the pod before it starts.

use crate::{
    model::kubernetes::{KubernetesModel, Runner},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "refused-user",
        title: "Image that the pod's own rule refuses",
        why: "`runAsNonRoot: true` lets the cluster start the container only with a user number that is not 0. The image runs as root, or has a name for its user, which proves nothing: the pod stays in `CreateContainerConfigError`, and the rule is what people then take out.",
        remedy: "Set `runAsUser` to the number of a user that the image can run as.",
        group: Group::Kubernetes,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.2.7"),
            Reference::new(Scheme::Nist800190, "4.1.2"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "An image that runs as root",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {«runAsNonRoot: true»}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {runAsNonRoot: true, runAsUser: 101}\n",
            ),
            Example::new(
                "A user that is root",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext:\n    «runAsNonRoot: true»\n  containers:\n  - name: web\n    image: example/web:1.4\n    securityContext: {runAsUser: 0}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext:\n    runAsNonRoot: true\n  containers:\n  - name: web\n    image: example/web:1.4\n    securityContext: {runAsUser: 10001}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for container in cx.model.linux_containers() {
        if container.is_kept_from_root() != Some(true) {
            continue;
        }
        let who = match container.runner(cx.knowledge) {
            Runner::Number(0) => "`runAsUser` is root",
            Runner::ImageRoot => "its image runs as root",
            Runner::ImageName => "its image has a name for its user, which does not prove that it is not root",
            Runner::Number(_) | Runner::ImageNumber(_) | Runner::Image | Runner::Hidden => continue,
        };
        let place = container.place_of_security(&["runAsNonRoot"]);
        let message = format!("the cluster refuses to start the container `{}`: {who}", container.name());
        out.report(place, message).decline("as whom the program can run, and what it writes, is not known here");
    }
}
