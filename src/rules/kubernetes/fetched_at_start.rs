//! Code that is fetched when a container starts is in no image that anybody checked.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "fetched-at-start",
        title: "Code fetched when the container starts",
        why: "What is installed or cloned at start is whatever its server has then: two pods of one deployment run different programs, a scan of the image shows none of it, and a pod that moves does not start while the server is away.",
        remedy: "Build it into the image, with the version pinned.",
        group: Group::Kubernetes,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::Nist800190, "4.1.5"),
            Reference::new(Scheme::Cwe, "829"),
            Reference::new(Scheme::Cwe, "494"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "Packages",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    command: [sh, -c, \"«apk add» curl && exec nginx -g 'daemon off;'\"]\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    command: [nginx, -g, daemon off;]\n",
            ),
            Example::new(
                "A script that is run as it comes",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    command:\n    - /bin/sh\n    args:\n    - -c\n    - |\n      set -e\n      «curl» -fsSL https://example.com/setup.sh | bash\n      exec nginx\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    args:\n    - -c\n    - |\n      set -e\n      until curl -fsS http://db:8080/ready; do sleep 1; done\n      exec nginx\n",
            ),
            Example::new(
                "A hook, and a list of words",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  initContainers:\n  - name: site\n    image: alpine/git:2.49\n    «command»: [git, clone, 'https://example.com/site.git', /site]\n  containers:\n  - name: web\n    image: nginx:1.29\n    lifecycle: {postStart: {exec: {command: [sh, -c, «pip install» requests]}}}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    lifecycle: {postStart: {exec: {command: [sh, -c, echo started]}}}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for container in cx.model.containers() {
        for fetched in container.fetched_at_start() {
            let message =
                format!("the container `{}` fetches code when it starts: `{}`", container.name(), fetched.words);
            out.report(fetched.place, message).decline("it belongs into the image, which is built elsewhere");
        }
    }
}
