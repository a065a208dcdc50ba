//! A command that begins with a shell, for an image that has none.

use crate::{
    model::{
        Reference as ImageReference,
        compose::{ComposeModel, Service},
        graph::{Made, MadeImage, is_shell, may_hold_shell},
        kubernetes::{Container, KubernetesModel},
    },
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::yaml::Node,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "missing-shell",
        title: "Command that needs a shell the image does not have",
        why: "An image from `scratch` or without a distribution has no shell, which is its strength. A probe or a health check that begins with one fails every time: the cluster restarts what is well, or nobody learns that it is not. The shell that is then put back is what an intruder needs.",
        remedy: "Ask the program itself, over HTTP, gRPC or TCP, or by a mode of its own that reports its health; call programs without a shell.",
        group: Group::Runtime,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose, FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::Cwe, "754"),
            Reference::new(
                Scheme::Url,
                "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/",
            ),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/compose-file/services/"),
            Reference::new(Scheme::Url, "https://github.com/GoogleContainerTools/distroless"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "A probe, of an image that is built here",
                "-- k8s/worker.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: worker}\nspec:\n  containers:\n  - name: worker\n    image: example/worker:1.4\n    livenessProbe:\n      exec:\n        command: «[sh, -c, test -f /tmp/alive]»\n-- compose.yaml --\nservices:\n  worker:\n    build: worker\n    image: example/worker:1.4\n-- worker/Dockerfile --\nFROM scratch\nCOPY worker /worker\nUSER 10001\nENTRYPOINT [\"/worker\"]\n",
                "-- k8s/worker.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: worker}\nspec:\n  containers:\n  - name: worker\n    image: example/worker:1.4\n    livenessProbe:\n      exec:\n        command: [/worker, --is-alive]\n-- compose.yaml --\nservices:\n  worker:\n    build: worker\n    image: example/worker:1.4\n-- worker/Dockerfile --\nFROM scratch\nCOPY worker /worker\nUSER 10001\nENTRYPOINT [\"/worker\"]\n",
            ),
            Example::new(
                "A health check of a service",
                "-- compose.yaml --\nservices:\n  worker:\n    build: .\n    healthcheck:\n      «test: [CMD-SHELL, test -f /tmp/alive]»\n-- Dockerfile --\nFROM gcr.io/distroless/static-debian12:nonroot\nCOPY worker /worker\nENTRYPOINT [\"/worker\"]\n",
                "-- compose.yaml --\nservices:\n  worker:\n    build: .\n    healthcheck:\n      test: [CMD, /worker, --is-alive]\n-- Dockerfile --\nFROM gcr.io/distroless/static-debian12:nonroot\nCOPY worker /worker\nENTRYPOINT [\"/worker\"]\n",
            ),
            Example::new(
                "An image that is known to have none",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: wait}\nspec:\n  containers:\n  - name: wait\n    image: gcr.io/distroless/static-debian12\n    command: «[/bin/sh, -c, sleep 1]»\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: wait}\nspec:\n  containers:\n  - name: wait\n    image: gcr.io/distroless/static-debian12:debug\n    command: [/busybox/sh, -c, sleep 1]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Containers { compose: check_services, kubernetes: check_containers },
};

/// Where a container of a pod has commands, and what each is.
const COMMANDS: [(&[&str], &str); 6] = [
    (&["command"], "its command"),
    (&["livenessProbe", "exec", "command"], "its liveness probe"),
    (&["readinessProbe", "exec", "command"], "its readiness probe"),
    (&["startupProbe", "exec", "command"], "its startup probe"),
    (&["lifecycle", "postStart", "exec", "command"], "what runs behind its start"),
    (&["lifecycle", "preStop", "exec", "command"], "what runs before its end"),
];

fn check_containers(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let mut made = Made::around(cx.context);
    for container in cx.model.linux_containers() {
        let shells = COMMANDS.iter().filter_map(|(path, what)| {
            let command = container.setting(path).node()?;
            begins_with_shell(command).then_some((command, what))
        });
        let shells: Vec<(Node<'_>, &&str)> = shells.collect();
        if shells.is_empty() || brings_shell(container) {
            continue;
        }
        let Some(image) = container.image() else { continue };
        let Some(bare) = bare_image(cx, &image, &mut made) else { continue };
        for (command, what) in shells {
            let message = format!("{what} of `{}` begins with a shell, and {}", container.name(), bare.note);
            out.report(command.span(), message).confidence(bare.confidence).decline(UNKNOWN_PROGRAM);
        }
    }
}

const UNKNOWN_PROGRAM: &str = "what else the program can be asked is not known here";

fn begins_with_shell(command: Node<'_>) -> bool {
    command.items().next().filter(|word| !word.resolved().is_template()).and_then(Node::scalar).is_some_and(is_shell)
}

/// Whether a volume may bring programs along.
fn brings_shell(container: Container<'_>) -> bool {
    let sets_path = |variable: Node<'_>| variable.get("name").and_then(Node::scalar) == Some("PATH");
    container.mounts().any(|mount| mount.target.is_none_or(may_hold_shell))
        || container.node.get("env").into_iter().flat_map(Node::items).any(sets_path)
        || !container.is_whole()
}

/// An image that has no shell.
struct Bare {
    note: String,
    confidence: Confidence,
}

impl Bare {
    fn of(image: &MadeImage) -> Option<Self> {
        let confidence = if image.is_same_tag { Confidence::High } else { Confidence::Medium };
        let note = format!("the image that `{}` makes has none", image.dockerfile);
        image.has_no_shell.then_some(Self { note, confidence })
    }
}

fn bare_image<M>(cx: &Cx<'_, M>, image: &ImageReference<'_>, made: &mut Made<'_>) -> Option<Bare> {
    if let Some(facts) = image.facts(cx.knowledge) {
        let note = format!("`{}` has none", image.text());
        return facts.has_no_shell().then_some(Bare { note, confidence: Confidence::High });
    }
    made.image(image, cx.knowledge).as_ref().and_then(Bare::of)
}

fn check_services(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let mut made = Made::around(cx.context);
    for service in cx.model.services.iter().filter(|service| service.is_whole()) {
        let brings_shell = service.mounts().iter().any(|mount| mount.target.as_deref().is_none_or(may_hold_shell))
            || service.environment().iter().any(|(name, _)| name == "PATH");
        let shells: Vec<(&str, &[&str], &str)> = [
            checks_with_shell(service).then_some(("healthcheck", &["test"][..], "the health check")),
            starts_with_shell(service).then_some(("entrypoint", &[][..], "the entry point")),
        ]
        .into_iter()
        .flatten()
        .collect();
        if brings_shell || shells.is_empty() {
            continue;
        }
        let bare = match service.build() {
            Some(build) => made.build(&build, cx.knowledge).as_ref().and_then(Bare::of),
            None => service_image(cx, service, &mut made),
        };
        let Some(bare) = bare else { continue };
        for (key, path, what) in shells {
            let message = format!("{what} of `{}` begins with a shell, and {}", service.name(), bare.note);
            let finding = out.report(service.place_below(key, path), message);
            finding.confidence(bare.confidence).decline(UNKNOWN_PROGRAM);
        }
    }
}

fn service_image(cx: &Cx<'_, ComposeModel<'_>>, service: &Service<'_>, made: &mut Made<'_>) -> Option<Bare> {
    let image = service.image()?;
    bare_image(cx, &ImageReference::parse(image.known()?).ok()?, made)
}

/// A text, and what follows `CMD-SHELL`, are handed to a shell; what follows `CMD` is run as it is.
fn checks_with_shell(service: &Service<'_>) -> bool {
    let Some(words) = service.healthcheck() else { return false };
    match words.first().and_then(|word| word.known()) {
        Some("CMD-SHELL") => true,
        Some("CMD") => words.get(1).and_then(|word| word.known()).is_some_and(is_shell),
        Some("NONE") | None => false,
        Some(_) => words.len() == 1,
    }
}

fn starts_with_shell(service: &Service<'_>) -> bool {
    let words = service.words("entrypoint").unwrap_or_default();
    let first = words.first().and_then(|word| word.known()?.split_ascii_whitespace().next());
    first.is_some_and(is_shell)
}
