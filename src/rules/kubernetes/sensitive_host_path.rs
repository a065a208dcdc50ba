//! With the files of the system a pod has the node.

use crate::{
    model::{
        host_path::{self, Reach},
        kubernetes::{KubernetesModel, Volume},
    },
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "sensitive-host-path",
        title: "Files of the node's system mounted",
        why: "Under these paths lie the node's configuration, devices, programs, keys and the state of its engine: reading them gives away secrets of all pods, writing them is root on the node.",
        remedy: "Take it out. What an agent has to see, mount as the single file or directory, with `readOnly: true`.",
        group: Group::Kubernetes,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.2.12"),
            Reference::new(Scheme::CisDocker, "5.6"),
            Reference::new(Scheme::Nist800190, "4.5.5"),
            Reference::new(Scheme::PodSecurity, "baseline 1.0"),
            Reference::new(Scheme::NsaCisa, "Pod security enforcement"),
            Reference::new(Scheme::Cwe, "668"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/pod-security-standards/"),
        ],
        equivalents: &[
            "kics:5308a7a8-06f8-45ac-bf10-791fe21de46e",
            "kube-linter:sensitive-host-mounts",
            "trivy:KSV-0023",
            "trivy:KSV-0121",
        ],
        examples: &[
            Example::new(
                "All of it",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n  volumes:\n  - name: host\n    hostPath:\n      «path: /»\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n",
            ),
            Example::new(
                "The configuration, and the time zone",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n  volumes:\n  - {name: etc, hostPath: {«path: /etc»}}\n  - {name: zone, hostPath: {path: /etc/localtime}}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n  volumes:\n  - {name: zone, hostPath: {path: /etc/localtime}}\n",
            ),
            Example::new(
                "A volume that pods may claim",
                "-- volume.k8s.yaml --\napiVersion: v1\nkind: PersistentVolume\nmetadata: {name: boot}\nspec:\n  hostPath:\n    «path: /boot»\n",
                "-- volume.k8s.yaml --\napiVersion: v1\nkind: PersistentVolume\nmetadata: {name: data}\nspec:\n  hostPath:\n    path: /srv/data\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let of_pods =
        cx.model.workloads().flat_map(|workload| workload.volumes().map(move |volume| (volume, workload.name())));
    let claimed = cx.model.objects.iter().filter(|object| object.kind == "PersistentVolume");
    let claimable = claimed.filter_map(|object| Some((Volume { node: object.at(&["spec"])? }, "whoever claims it")));
    for (volume, name) in of_pods.chain(claimable) {
        let Some(path) = volume.host_path() else { continue };
        let severity = match host_path::reach(path) {
            Reach::Node => Severity::Critical,
            Reach::System => Severity::High,
            Reach::Data | Reach::Harmless | Reach::Socket => continue,
        };
        let message = format!("`{path}` of the node's system is given to `{name}`");
        let finding = out.report(volume.place_of_path(), message);
        finding.severity(severity).decline("what the program needs of it is for its author to say");
    }
}
