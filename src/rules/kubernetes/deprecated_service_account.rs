//! The account of a pod has had another name for long.

use crate::{
    model::kubernetes::{KubernetesModel, Setting, Workload},
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::Editor,
    text::Edit,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "deprecated-service-account",
        title: "Field `serviceAccount` of old",
        why: "The cluster still reads `serviceAccount`, and copies it to `serviceAccountName`. Where both are written and differ, what is read in a review is not what counts.",
        remedy: "Write `serviceAccountName`.",
        group: Group::Kubernetes,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Safe,
            "Writes the name of today, or takes the old one out where both say the same.",
        ),
        references: &[
            Reference::new(Scheme::Cwe, "477"),
            Reference::new(
                Scheme::Url,
                "https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/",
            ),
        ],
        equivalents: &["kube-linter:deprecated-service-account-field"],
        examples: &[
            Example::new(
                "In block form",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  «serviceAccount: web»\n  containers:\n  - name: web\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  serviceAccountName: web\n  containers:\n  - name: web\n    image: nginx:1.29\n",
            ),
            Example::new(
                "Beside its successor",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  serviceAccountName: web\n  «serviceAccount: web»\n  containers:\n  - name: web\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  serviceAccountName: web\n  containers:\n  - name: web\n    image: nginx:1.29\n",
            ),
            Example::new(
                "What a cluster has printed has both",
                "-- pods.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: live, uid: 4b0d5c1e-8a3f-4c55-9f2b-2f6c1d1f5a10}\nspec:\n  serviceAccount: web\n  serviceAccountName: web\n  containers: [{name: web, image: 'nginx:1.29'}]\nstatus: {phase: Running}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  «serviceAccount: web»\n  containers: [{name: web, image: 'nginx:1.29'}]\n",
                "-- pods.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: live, uid: 4b0d5c1e-8a3f-4c55-9f2b-2f6c1d1f5a10}\nspec:\n  serviceAccount: web\n  serviceAccountName: web\n  containers: [{name: web, image: 'nginx:1.29'}]\nstatus: {phase: Running}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  serviceAccountName: web\n  containers: [{name: web, image: 'nginx:1.29'}]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    // The cluster itself fills in the old name: what it has printed says nothing of how it was written.
    for workload in cx.model.workloads().filter(|workload| !workload.object.is_printed()) {
        let Some(entry) = workload.pod.entry("serviceAccount").filter(|entry| !entry.value.is_null()) else { continue };
        let finding = out.report(entry.span(), "`serviceAccount` is the old name of `serviceAccountName`");
        finding.repair(cx, || renamed(cx, editor, workload));
    }
}

fn renamed<'y>(cx: &Cx<'_, KubernetesModel<'_>>, editor: &Editor<'y>, workload: Workload<'y>) -> Result<Fix, String> {
    const TITLE: &str = "Use `serviceAccountName`";
    let entry = workload.pod.entry("serviceAccount").ok_or("it is not written here")?;
    // That the key can be taken out is proof that nothing else hangs on it.
    let removal = editor.remove_key(workload.pod, "serviceAccount").map_err(|refusal| refusal.to_string())?;
    match workload.setting(&["serviceAccountName"]) {
        Setting::Absent if cx.bytes(entry.key.span()) == b"serviceAccount" => {
            let edit = Edit::replace(cx.file.id, entry.key.span(), "serviceAccountName");
            Ok(Fix::new(TITLE, Safety::Safe, "the cluster copies one to the other itself", vec![edit]))
        }
        Setting::Written(name) if name.scalar() == entry.value.scalar() => {
            Ok(Fix::new(TITLE, Safety::Safe, "both say the same", vec![removal]))
        }
        Setting::Absent | Setting::Written(_) | Setting::Hidden(_) => {
            Err("which of both names is meant is not known".to_owned())
        }
    }
}
