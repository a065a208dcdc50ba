//! The socket of a container engine in a container is root on the host.

use crate::{
    model::{
        compose::{ComposeModel, Service},
        host_path::{self, Reach},
        kubernetes::KubernetesModel,
    },
    rewrite::behind_proxy,
    rule::{
        Builtin, Check, Confidence, Cx, Detail, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety,
        Scheme, Severity,
    },
    source::FileKind,
    syntax::yaml::{Editor, Node},
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "mounted-engine-socket",
        title: "Socket of the container engine mounted",
        why: "Whoever can write to the socket starts containers with any mount and any privilege, and so is root on the host. Mounting it read-only changes nothing: requests still go through.",
        remedy: "Do without. Where a program must see containers, put a socket proxy in between that lets only reading requests through, or give it the socket of a rootless engine.",
        group: Group::Runtime,
        severity: Severity::Critical,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose, FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Manual,
            "Takes the mount out, so that a program that needs the engine stops working; or puts a proxy in between that lets through what the program asks for.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "5.32"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::PodSecurity, "baseline 1.0"),
            Reference::new(Scheme::NsaCisa, "Pod security enforcement"),
            Reference::new(Scheme::Cwe, "668"),
        ],
        equivalents: &[
            "checkov:CKV_K8S_27",
            "kics:a6f34658-fdfb-4154-9536-56d516f65828",
            "kics:d6355c88-1e8d-49e9-b2f2-f8a1ca12c75b",
            "kube-linter:docker-sock",
            "semgrep:exposing-docker-socket-hostpath",
            "semgrep:exposing-docker-socket-volume",
            "trivy:KSV-0006",
            "trivy:KSV-0023",
        ],
        examples: &[
            Example::new(
                "Read-only is no protection",
                "-- compose.yaml --\nservices:\n  web:\n    image: traefik:3.5\n    volumes:\n      - «/var/run/docker.sock:/var/run/docker.sock:ro»\n      - certs:/certs\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: traefik:3.5\n    volumes:\n      - certs:/certs\n",
            ),
            Example::new(
                "A volume of a pod",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{name: web, image: 'nginx:1.29'}]\n  volumes:\n  - name: engine\n    «hostPath:\n      path: /run/containerd/containerd.sock»\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{name: web, image: 'nginx:1.29'}]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Containers { compose, kubernetes },
};

fn is_socket(path: &str) -> bool {
    host_path::reach(path) == Reach::Socket
}

/// So many proxies are offered in a file: all of its services are read again for each.
const MOST_PROXIES: usize = 8;

fn compose(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    let mut left = MOST_PROXIES;
    let services = cx.model.tree.documents().find_map(|document| document.entry("services"));
    for service in &cx.model.services {
        for mount in service.mounts() {
            let known = mount.source.as_deref().or(mount.target.as_deref());
            let Some(path) = known.filter(|path| is_socket(path)) else { continue };
            let message = format!("`{}` may tell the engine of the host what to do, through `{path}`", service.name());
            let finding = out.report(service.place_of_item(mount.node), message);
            if is_proxy(service) {
                finding.severity(Severity::Medium).decline("it is a proxy: what it lets through is what counts");
                continue;
            }
            finding.repair(cx, || without(editor, mount.node));
            if let (Detail::Repairs, Some(services)) = (cx.detail, services)
                && left > 0
                && let Ok(fix) = behind_proxy(editor, services.value, service, &mount, path)
            {
                finding.fix(fix);
                left -= 1;
            }
        }
    }
}

/// Whether the service is one that lets only some requests through to the engine.
fn is_proxy(service: &Service<'_>) -> bool {
    service.image().is_some_and(|image| image.known().is_some_and(|name| name.contains("socket-proxy")))
}

fn kubernetes(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for workload in cx.model.workloads() {
        for volume in workload.volumes() {
            let Some(path) = volume.host_path().filter(|path| is_socket(path)) else { continue };
            let message = format!("a container may tell the engine of its node what to do, through `{path}`");
            let finding = out.report(volume.place_of_source(), message);
            finding.decline("the containers that mount the volume have to be written for another way first");
        }
    }
}

fn without<'y>(editor: &Editor<'y>, item: Node<'y>) -> Result<Fix, String> {
    let edit = editor.remove_item(item).map_err(|refusal| refusal.to_string())?;
    let reason = "a program that asks the engine stops working: let it ask a proxy that only answers what it needs";
    Ok(Fix::new("Take the socket away", Safety::Manual, reason, vec![edit]))
}
