//! A user that is named keeps root out only as long as nobody changes it; the cluster can insist.

use crate::{
    model::kubernetes::{Container, KubernetesModel, Runner},
    rewrite::manifest::set_below,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::{Editor, Value},
    text::Span,
};
use std::collections::BTreeSet;

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "unenforced-non-root",
        title: "Root is not refused",
        why: "The containers run as somebody else today. Without `runAsNonRoot: true` the cluster also starts them when an image or an edit makes them root, and the restricted Pod Security Standard refuses them.",
        remedy: "Set `runAsNonRoot: true` where the user is set.",
        group: Group::Kubernetes,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Safe,
            "Adds the rule where every container that it holds for has a user other than root.",
        ),
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.2.7"),
            Reference::new(Scheme::Nist800190, "4.1.2"),
            Reference::new(Scheme::PodSecurity, "restricted 1.0"),
            Reference::new(Scheme::NsaCisa, "Non-root containers and rootless container engines"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/pod-security-standards/"),
        ],
        equivalents: &["semgrep:run-as-non-root-unsafe-value", "trivy:KSV-0012"],
        examples: &[
            Example::new(
                "A user without the rule",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext:\n    «runAsUser: 10001»\n  containers:\n  - name: web\n    image: example/web:1.4\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext:\n    runAsUser: 10001\n    runAsNonRoot: true\n  containers:\n  - name: web\n    image: example/web:1.4\n",
            ),
            Example::new(
                "Of one container",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {«runAsUser: 10001»}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {runAsUser: 10001, runAsNonRoot: true}\n",
            ),
            Example::new(
                "The opposite of the rule",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      runAsUser: 10001\n      «runAsNonRoot: false»\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      runAsUser: 10001\n      runAsNonRoot: true\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for workload in cx.model.workloads().filter(|workload| !workload.is_on_windows() && !workload.has_own_users()) {
        let mut told: BTreeSet<Span> = BTreeSet::new();
        for container in workload.containers().filter(|container| container.is_whole()) {
            let runner = container.runner(cx.knowledge);
            let is_somebody = match runner {
                Runner::Number(number) => number > 0,
                Runner::ImageNumber(_) | Runner::ImageName => true,
                Runner::ImageRoot | Runner::Image | Runner::Hidden => false,
            };
            if !is_somebody || container.is_kept_from_root() != Some(false) {
                continue;
            }
            let is_said = container.security(&["runAsNonRoot"]).node().is_some();
            let place = container.place_of_security(&[if is_said { "runAsNonRoot" } else { "runAsUser" }]);
            if !told.insert(place) {
                continue;
            }
            let message = format!("the cluster would also start the container `{}` as root", container.name());
            out.report(place, message).repair(cx, || refuse_root(editor, container, runner));
        }
    }
}

fn refuse_root<'y>(editor: &Editor<'y>, container: Container<'y>, runner: Runner) -> Result<Fix, String> {
    const TITLE: &str = "Refuse root";
    let path = ["securityContext", "runAsNonRoot"];
    let workload = container.workload;
    let is_own = container.own_security(&["runAsUser"]).node().is_some();
    let is_said_here = container.own_security(&["runAsNonRoot"]).node().is_some();
    match runner {
        Runner::Number(_) if is_own || is_said_here => {
            let edit = set_below(editor, container.node, &path, Value::Word("true"))?;
            Ok(Fix::new(TITLE, Safety::Safe, "the container has a user that is not root", vec![edit]))
        }
        Runner::Number(_) => {
            let is_somebody = |container: Container<'_>| container.user().number().is_some_and(|number| number > 0);
            if !workload.containers().all(is_somebody) {
                return Err("another container of the pod would be refused: it has no other user than root".to_owned());
            }
            let edit = set_below(editor, workload.pod, &path, Value::Word("true"))?;
            Ok(Fix::new(TITLE, Safety::Safe, "every container of the pod has a user that is not root", vec![edit]))
        }
        Runner::ImageNumber(number) => {
            let edit = set_below(editor, container.node, &path, Value::Word("true"))?;
            let reason = format!("the image runs as {number}; a version of it that does not is refused then");
            Ok(Fix::new(TITLE, Safety::Risky, reason, vec![edit]))
        }
        Runner::ImageName => {
            Err("the image has a name for its user, which the cluster cannot tell from root".to_owned())
        }
        Runner::ImageRoot | Runner::Image | Runner::Hidden => Err("who runs it is not known".to_owned()),
    }
}
