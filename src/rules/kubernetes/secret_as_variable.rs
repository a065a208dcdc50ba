//! Variables are seen by every child of a program, and by whatever writes its state down.

use crate::{
    model::kubernetes::{KubernetesModel, Setting, chart},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::yaml::{Branch, Branches, Entry, Node, Yaml},
    text::Span,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "secret-as-variable",
        title: "Secret as an environment variable",
        why: "A variable is handed to every program that is started, printed by crash reports and debug pages, and does not change when the Secret does.",
        remedy: "Mount the Secret as a file, and let the program read it; many take the path in a variable of the form `…_FILE`.",
        group: Group::Kubernetes,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.4.1"),
            Reference::new(Scheme::Nist800190, "4.1.4"),
            Reference::new(Scheme::NsaCisa, "Secrets"),
            Reference::new(Scheme::Cwe, "526"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/configuration/secret/"),
        ],
        equivalents: &[
            "checkov:CKV_K8S_35",
            "kics:3d658f8b-d988-41a0-a841-40043121de1e",
            "kube-linter:read-secret-from-env-var",
        ],
        examples: &[
            Example::new(
                "One key",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    env:\n    - name: DB_PASSWORD\n      valueFrom:\n        «secretKeyRef»:\n          name: db\n          key: password\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    volumeMounts:\n    - {name: db, mountPath: /run/secrets/db, readOnly: true}\n",
            ),
            Example::new(
                "All of them",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    envFrom:\n    - «secretRef»: {name: db}\n    - configMapRef: {name: web}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    envFrom:\n    - configMapRef: {name: web}\n",
            ),
            Example::new(
                "The other branch of the template takes a file",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    env:\n    {{- if .Values.files }}\n    - {name: DB_PASSWORD_FILE, value: /run/secrets/db}\n    {{- else }}\n    - name: DB_PASSWORD\n      valueFrom: {secretKeyRef: {name: db, key: password}}\n    {{- end }}\n    - name: PIN\n      valueFrom: {«secretKeyRef»: {name: db, key: pin}}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    env:\n    {{- if .Values.files }}\n    - {name: DB_PASSWORD_FILE, value: /run/secrets/db}\n    {{- else }}\n    - name: DB_PASSWORD\n      valueFrom: {secretKeyRef: {name: db, key: password}}\n    {{- end }}\n",
            ),
            Example::new(
                "A Secret that whoever installs the chart may name",
                "-- chart/templates/pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    envFrom:\n    {{- if .Values.extraSecret }}\n    - secretRef:\n        name: {{ .Values.extraSecret }}\n    {{- end }}\n    {{- if .Values.secret }}\n    - «secretRef»:\n        name: {{ .Values.secret }}\n    {{- end }}\n-- chart/values.yaml --\nextraSecret: ''\nsecret: web\n",
                "-- chart/templates/pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    envFrom:\n    {{- if .Values.extraSecret }}\n    - secretRef:\n        name: {{ .Values.extraSecret }}\n    {{- end }}\n-- chart/values.yaml --\nextraSecret: ''\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let files = FileBranches::of(cx.model.tree);
    for container in cx.model.containers() {
        let single = container.node.get("env").into_iter().flat_map(Node::items);
        let single = single.filter_map(|variable| variable.get("valueFrom")?.entry("secretKeyRef"));
        let whole = container.node.get("envFrom").into_iter().flat_map(Node::items);
        for entry in single.chain(whole.filter_map(|source| source.entry("secretRef"))) {
            if files.has_alternative(entry.key.span().start) || is_left_to_values(cx, &files.branches, entry) {
                continue;
            }
            let secret = Setting::below(entry.value, &["name"]).text().unwrap_or("a Secret");
            let message = format!("the container `{}` has `{secret}` in its environment", container.name());
            out.report(entry.key.span(), message)
                .decline("whether the program can read a file instead is not known here");
        }
    }
}

/// Whether the Secret is one that whoever installs a chart may name: the entry is there only if a value is set, which is
/// its name, and the chart itself sets none.
fn is_left_to_values(cx: &Cx<'_, KubernetesModel<'_>>, branches: &Branches, entry: Entry<'_>) -> bool {
    let text = cx.model.tree.text();
    let words = |span: Span| std::str::from_utf8(span.of(text)).unwrap_or_default();
    let named: Vec<&str> = chart::values_in(words(entry.value.span())).collect();
    let conditions = branches.around(entry.key.span().start).map(|branch| words(branch.condition));
    let mut asked = conditions.flat_map(chart::values_in);
    asked.any(|path| named.contains(&path) && !chart::is_set_by_chart(&cx.context, path))
}

/// Which branches of a template name a file to read a secret from.
struct FileBranches {
    branches: Branches,
    /// Where names of such variables stand.
    names: Vec<u32>,
}

impl FileBranches {
    fn of(tree: &Yaml<'_>) -> Self {
        let names = memchr::memmem::find_iter(tree.text(), b"_FILE").map(|at| at as u32).collect();
        Self { branches: tree.branches(), names }
    }

    /// Whether the place `at` is written only where an earlier branch, which names a file, is not.
    fn has_alternative(&self, at: u32) -> bool {
        let mut around = self.branches.around(at);
        around.any(|branch| self.branches.before(branch).any(|before| self.names_file(before)))
    }

    fn names_file(&self, branch: Branch) -> bool {
        let next = self.names.partition_point(|&name| name < branch.span.start);
        self.names.get(next).is_some_and(|&name| name < branch.span.end)
    }
}
