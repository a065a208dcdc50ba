//! A rule that the image breaks stops the pod before it starts.

use crate::{
    model::{
        User,
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
        fix: FixNote::Sometimes(
            Safety::Risky,
            "Gives the number of the user that a Dockerfile beside the manifest names.",
        ),
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
            Example::new(
                "An image that is built here, and has a name for its user",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: example/web:1.4\n    securityContext:\n      «runAsNonRoot: true»\n-- compose.yaml --\nservices:\n  web:\n    build: .\n    image: example/web:1.4\n-- Dockerfile --\nFROM debian:13-slim\nRUN useradd --system --uid 10001 web\nUSER web\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: example/web:1.4\n    securityContext:\n      runAsNonRoot: true\n      runAsUser: 10001\n-- compose.yaml --\nservices:\n  web:\n    build: .\n    image: example/web:1.4\n-- Dockerfile --\nFROM debian:13-slim\nRUN useradd --system --uid 10001 web\nUSER web\n",
            ),
            Example::new(
                "An image that is built here, and runs as root",
                "-- k8s/pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: example/web:1.4\n    securityContext: {«runAsNonRoot: true»}\n-- Makefile --\nimage:\n\tdocker build -t example/web:1.4 web\n-- web/Dockerfile --\nFROM debian:13-slim\nCMD [\"web\"]\n",
                "-- k8s/pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: example/web:1.4\n    securityContext: {runAsNonRoot: true}\n-- Makefile --\nimage:\n\tdocker build -t example/web:1.4 web\n-- web/Dockerfile --\nFROM debian:13-slim\nUSER 10001\nCMD [\"web\"]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let mut made = Made::around(cx.context);
    for container in cx.model.linux_containers() {
        if container.is_kept_from_root() != Some(true) {
            continue;
        }
        let who = match container.runner(cx.knowledge) {
            Runner::Number(0) => "`runAsUser` is root",
            Runner::ImageRoot => "its image runs as root",
            Runner::ImageName => "its image has a name for its user, which does not prove that it is not root",
            Runner::Image => {
                check_made(cx, container, &mut made, out);
                continue;
            }
            Runner::Number(_) | Runner::ImageNumber(_) | Runner::Hidden => continue,
        };
        let message = format!("the cluster refuses to start the container `{}`: {who}", container.name());
        out.report(container.place_of_security(&["runAsNonRoot"]), message).decline(UNKNOWN_USER);
    }
}

const UNKNOWN_USER: &str = "as whom the program can run, and what it writes, is not known here";

/// Looks at an image that a Dockerfile beside the manifest makes.
fn check_made<'y>(cx: &Cx<'_, KubernetesModel<'y>>, container: Container<'y>, made: &mut Made<'_>, out: &mut Findings) {
    let Some(image) = container.image().and_then(|image| made.image(&image, cx.knowledge)) else { return };
    let dockerfile = &image.dockerfile;
    let who = match &image.user {
        User::Root => format!("its image runs as root, as `{dockerfile}` makes it"),
        User::Named { name, .. } => {
            format!("`{dockerfile}` names the user `{name}`, and a name does not prove that it is not root")
        }
        User::Numeric { .. } | User::Unknown(_) => return,
    };
    let message = format!("the cluster refuses to start the container `{}`: {who}", container.name());
    let finding = out.report(container.place_of_security(&["runAsNonRoot"]), message);
    if !image.is_same_tag {
        finding.confidence(Confidence::Medium);
    }
    finding.repair(cx, || numbered(cx, container, &image));
}

/// The number of the user that the image has by name.
fn numbered<'y>(cx: &Cx<'_, KubernetesModel<'y>>, container: Container<'y>, image: &MadeImage) -> Result<Fix, String> {
    let Some(uid) = image.uid.filter(|uid| *uid != 0 && image.is_same_tag) else { return Err(UNKNOWN_USER.to_owned()) };
    let editor = cx.model.editor(cx.file.id);
    let edit = set_below(editor, container.node, &["securityContext", "runAsUser"], Value::number(uid))?;
    let reason = format!(
        "`{}` gives its user that number; the group is that of the user's entry in the image, or root's, as the engine of the node decides",
        image.dockerfile
    );
    Ok(Fix::new("Name the user by its number", Safety::Risky, reason, vec![edit]))
}
