//! A credential in a manifest is in the repository, and in everything that shows the manifest.

use crate::{
    model::{
        address,
        credential::{self, Credential},
        kubernetes::{KubernetesModel, Setting},
    },
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::yaml::{Entry, Node},
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "secret-in-pod-env",
        title: "Credential in the environment of a container",
        why: "The value lies in the repository with its history, in the cluster's store and in the answer to `kubectl get pod`, for everybody who may read any of them.",
        remedy: "Revoke it. Put the new one into a Secret that does not lie in the repository (External Secrets, SOPS, Sealed Secrets), and mount it as a file.",
        group: Group::Kubernetes,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.4.1"),
            Reference::new(Scheme::Nist800190, "4.1.4"),
            Reference::new(Scheme::NsaCisa, "Secrets"),
            Reference::new(Scheme::Cwe, "798"),
            Reference::new(Scheme::Cwe, "522"),
        ],
        equivalents: &["kube-linter:env-var-secret"],
        examples: &[
            Example::new(
                "A password",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    env:\n    - name: DB_PASSWORD\n      «value: kX9vQ2mLp7Wd»\n    - name: DB_HOST\n      value: db\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    env:\n    - name: DB_PASSWORD\n      valueFrom: {secretKeyRef: {name: db, key: password}}\n    - name: DB_HOST\n      value: db\n",
            ),
            Example::new(
                "In an address",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    env: [{name: DATABASE_URL, «value: 'postgres://shop:kX9vQ2mLp7Wd@db/shop'»}]\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    env: [{name: DATABASE_URL, valueFrom: {secretKeyRef: {name: db, key: url}}}]\n",
            ),
            Example::new(
                "A comment says that it is none",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    env:\n    # REQUIRED: replace with your password\n    - name: DB_PASSWORD\n      value: kX9vQ2mLp7Wd\n    - name: MAIL_PASSWORD\n      value: kX9vQ2mLp7We # fill in\n    - name: API_KEY # put your key here\n      value: r7eJvn9HIvMh25CWknMUFoNuW2d2\n    # The account of the shop.\n    - name: SHOP_PASSWORD\n      «value: kX9vQ2mLp7Wf»\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    env:\n    # REQUIRED: replace with your password\n    - name: DB_PASSWORD\n      value: kX9vQ2mLp7Wd\n    - name: MAIL_PASSWORD\n      value: kX9vQ2mLp7We # fill in\n    - name: API_KEY # put your key here\n      value: r7eJvn9HIvMh25CWknMUFoNuW2d2\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for container in cx.model.containers() {
        for variable in container.node.get("env").into_iter().flat_map(Node::items) {
            let Some(entry) = variable.entry("value").filter(|entry| !entry.value.resolved().is_template()) else {
                continue;
            };
            let (Some(name), Some(value)) = (Setting::below(variable, &["name"]).text(), entry.value.scalar()) else {
                continue;
            };
            // `$(NAME)` is another variable's value, `${NAME}` one that is filled in before.
            if value.contains("$(") || value.contains("${") {
                continue;
            }
            let in_address = address::credentials(value.as_bytes()).next().is_some();
            let (what, confidence, severity) = match credential::judge(name, value.as_bytes()) {
                Some(Credential::Known(what)) => (what, Confidence::High, Severity::Critical),
                Some(Credential::Named) => ("credential", Confidence::High, Severity::High),
                Some(Credential::Default) => ("password", Confidence::Medium, Severity::Medium),
                None if in_address => ("password in an address", Confidence::High, Severity::High),
                None => continue,
            };
            if severity != Severity::Critical && is_to_be_replaced(cx.model.tree.text(), variable, entry) {
                continue;
            }
            let finding =
                out.report(entry.span(), format!("`{name}` holds a {what}, for everybody who may read this file"));
            finding.severity(severity).confidence(confidence);
            finding.decline("what is in the history of a repository has to be revoked, and the new one put elsewhere");
        }
    }
}

/// Whether a comment on the lines of the variable, or on the one above, asks to put another value there.
fn is_to_be_replaced(text: &[u8], variable: Node<'_>, entry: Entry<'_>) -> bool {
    let line_start = |at: usize| memchr::memrchr(b'\n', &text[..at]).map_or(0, |end| end + 1);
    let end = entry.span().end as usize;
    let end = memchr::memchr(b'\n', &text[end..]).map_or(text.len(), |length| end + length);
    let own = line_start(variable.span().start as usize);
    let above = text[line_start(text[..own].trim_ascii_end().len())..own].trim_ascii();
    let above = above.starts_with(b"#").then_some(above);
    let lines = text[own.min(end)..end].split(|&byte| byte == b'\n').filter_map(|line| {
        let at = memchr::memmem::find(line, b" #")?;
        Some(&line[at..])
    });
    lines.chain(above).any(|comment| {
        let comment = String::from_utf8_lossy(comment).to_ascii_lowercase();
        ASKS.iter().any(|ask| comment.contains(ask))
    })
}

/// What comments say of values that stand in for others.
const ASKS: [&str; 8] =
    ["fill in", "insert your", "placeholder", "put your", "replace me", "replace this", "replace with", "with your"];
