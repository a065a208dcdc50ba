//! A port below 1024 asks for a capability, or for an engine that asks for none.

use crate::{
    model::{
        compose::ComposeModel,
        kubernetes::{KubernetesModel, Setting},
    },
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::yaml::Node,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "low-container-port",
        title: "Program that listens below 1024",
        why: "Engines of today let every program in a container listen there: Docker since 20.10, containerd since 2.0, Podman. Others, such as CRI-O, keep these ports for root and for who has `NET_BIND_SERVICE`, and a program that needs one is started with more than it needs.",
        remedy: "Let the program listen above 1024; a Service, or the port that is published, can still be the low one.",
        group: Group::Runtime,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose, FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/compose-file/services/"),
        ],
        equivalents: &["kics:bc2908f3-f73c-40a9-8793-c1b7d5544f79", "kube-linter:privileged-ports", "trivy:KSV-0117"],
        examples: &[
            Example::new(
                "A web server",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    ports:\n    - «containerPort: 80»\n    - containerPort: 8443\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    ports:\n    - containerPort: 8080\n    - containerPort: 8443\n",
            ),
            Example::new(
                "In brackets",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    ports: [{name: dns, «containerPort: 53», protocol: UDP}]\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    ports: [{name: dns, containerPort: 5353, protocol: UDP}]\n",
            ),
            Example::new(
                "A service of a compose file",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    ports:\n      - «8080:80»\n      - 443:8443\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    ports:\n      - 8080:8080\n      - 443:8443\n",
            ),
            Example::new(
                "Where the kernel is told that everybody may, and on Windows, it is no matter",
                "-- pods.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: old}\nspec:\n  containers: [{name: old, image: 'nginx:1.29', ports: [{«containerPort: 80»}]}]\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext:\n    sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: '0'}]\n  containers: [{name: web, image: 'nginx:1.29', ports: [{containerPort: 80}]}]\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: win}\nspec:\n  nodeSelector: {kubernetes.io/os: windows}\n  containers: [{name: win, image: 'porter:1', ports: [{containerPort: 80}]}]\n",
                "-- pods.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: old}\nspec:\n  containers: [{name: old, image: 'nginx:1.29', ports: [{containerPort: 8080}]}]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Containers { compose, kubernetes },
};

fn compose(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let services = cx.model.linux_services().filter(|service| !service.may_lack_low_ports());
    // On the network of the host its ports are taken, which is another matter.
    for service in services.filter(|service| !service.is_on_host_network()) {
        let start = service.start_for_all();
        for port in service.ports() {
            let Some(low) = port.low_in_container().filter(|low| start.may_keep(*low)) else { continue };
            let message = format!("`{}` listens on port {low} in its container", service.name());
            let finding = out.report(service.place_of_item(port.node), message);
            finding.decline("on which other port the program can listen is for its author to say");
        }
    }
}

fn kubernetes(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for container in cx.model.linux_containers() {
        let start = container.workload.start_for_all();
        for item in container.node.get("ports").into_iter().flat_map(Node::items) {
            // The port of SSH has a rule of its own.
            let port = Setting::below(item, &["containerPort"]).number().and_then(|port| u16::try_from(port).ok());
            let is_low = |port: &u16| (1..1024).contains(port) && *port != 22 && start.may_keep(*port);
            let Some(port) = port.filter(is_low) else { continue };
            let place = item.entry("containerPort").map_or(item.span(), |entry| entry.span());
            out.report(place, format!("the container `{}` listens on the port {port}", container.name()));
        }
    }
}
