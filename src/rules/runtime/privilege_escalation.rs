//! A program that may gain privileges makes every set-uid file a way to root.

use crate::{
    model::{
        compose::ComposeModel,
        graph::Made,
        kubernetes::{Container, KubernetesModel},
    },
    rewrite::{
        confine::{gained, gained_in_pod},
        manifest::set_below,
    },
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::{Editor, Node, Value},
    text::Edit,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "privilege-escalation",
        title: "Container may gain privileges",
        why: "A set-uid program or a file with capabilities gives the one who runs it more than the container was started with; attackers look for them first.",
        remedy: "Set `no-new-privileges:true` among the `security_opt` of the service, `allowPrivilegeEscalation: false` in the container of a pod.",
        group: Group::Runtime,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose, FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "Adds the setting; what calls `sudo`, `su` or `ping` with file capabilities is refused then.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "5.26"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::PodSecurity, "restricted 1.8"),
            Reference::new(Scheme::NsaCisa, "Pod security enforcement"),
            Reference::new(Scheme::Cwe, "269"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/pod-security-standards/"),
        ],
        equivalents: &[
            "checkov:CKV_K8S_20",
            "kics:27fcc7d6-c49b-46e0-98f1-6c082a6a2750",
            "kics:5572cc5e-1e4c-4113-92a6-7a8a3bd25e6d",
            "kube-linter:privilege-escalation-container",
            "semgrep:allow-privilege-escalation",
            "semgrep:allow-privilege-escalation-no-securitycontext",
            "semgrep:allow-privilege-escalation-true",
            "semgrep:no-new-privileges",
            "trivy:KSV-0001",
        ],
        examples: &[
            Example::new(
                "A service that says nothing of it",
                "-- compose.yaml --\nservices:\n  «web»:\n    image: nginx:1.29\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    security_opt:\n      - no-new-privileges:true\n",
            ),
            Example::new(
                "A container of a pod",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - «name: web»\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      allowPrivilegeEscalation: false\n",
            ),
            Example::new(
                "A privileged container, which may whatever is said",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: node}\nspec:\n  containers:\n  - name: node\n    image: node-agent:4.1\n    «securityContext»: {privileged: true}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: node}\nspec:\n  containers:\n  - name: node\n    image: node-agent:4.1\n    securityContext: {allowPrivilegeEscalation: false}\n",
            ),
            Example::new(
                "What patches of Kustomize do not say, their base does",
                "-- base.k8s.yaml --\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n      - «name: web»\n        image: nginx:1.29\n-- patch.k8s.yaml --\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: web, image: 'nginx:1.30'}]}}}\n-- kustomization.yaml --\nresources: [base.k8s.yaml]\npatches: [{path: patch.k8s.yaml}]\n",
                "-- base.k8s.yaml --\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n      - name: web\n        image: nginx:1.29\n        securityContext:\n          allowPrivilegeEscalation: false\n-- patch.k8s.yaml --\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: web, image: 'nginx:1.30'}]}}}\n-- kustomization.yaml --\nresources: [base.k8s.yaml]\npatches: [{path: patch.k8s.yaml}]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Containers { compose, kubernetes },
};

fn compose(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    let mut made = Made::around(cx.context);
    for service in cx.model.linux_services().filter(|service| service.is_whole()) {
        let options = service.list("security_opt");
        let is_set = |option: &str| {
            let option = option.replace('=', ":");
            option == "no-new-privileges" || option == "no-new-privileges:true"
        };
        // What nobody can read may be it.
        if options.iter().any(|option| option.known().is_none_or(is_set)) {
            continue;
        }
        let message = format!("`{}` may gain privileges that it was not started with", service.name());
        let place = service.own_entry("security_opt").map_or(service.key.span(), |entry| entry.key.span());
        let finding = out.report(place, message);
        finding.repair(cx, || {
            if let Some(gained) = gained(cx.knowledge, &mut made, service) {
                return Err(gained);
            }
            let own = service.own();
            let option = Value::text("no-new-privileges:true");
            let edit = match service.own_entry("security_opt") {
                Some(entry) => editor.append(entry.value, &option),
                None if options.is_empty() => editor.insert(own, "security_opt", &Value::List(vec![option])),
                None => return Err("what it extends has options of its own".to_owned()),
            };
            Ok(fix(edit.map_err(|refusal| refusal.to_string())?))
        });
    }
}

fn kubernetes(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    let mut made = Made::around(cx.context);
    for container in cx.model.linux_containers().filter(|container| container.is_whole()) {
        let setting = container.own_security(&["allowPrivilegeEscalation"]);
        if setting.is_hidden() || setting.boolean() == Some(false) {
            continue;
        }
        let place = container.place_of(&["securityContext", "allowPrivilegeEscalation"]);
        let name = container.name();
        let message = if container.is_privileged() {
            format!("the container `{name}` is privileged, and so may gain every privilege, whatever is said of it")
        } else {
            format!("the container `{name}` may gain privileges that it was not started with")
        };
        out.report(place, message).repair(cx, || match gained_in_pod(cx.knowledge, &mut made, container) {
            Some(gained) => Err(gained),
            None => denied(editor, container),
        });
    }
}

fn denied<'y>(editor: &Editor<'y>, container: Container<'y>) -> Result<Fix, String> {
    let is_admin = |item: Node<'_>| item.scalar().is_some_and(|name| name.ends_with("SYS_ADMIN"));
    let added = container.own_security(&["capabilities", "add"]).node();
    if container.is_privileged() || added.into_iter().flat_map(Node::items).any(is_admin) {
        return Err("the cluster refuses it together with `privileged` and `SYS_ADMIN`: these go first".to_owned());
    }
    if container.runs_containers() {
        return Err("what starts containers itself calls set-uid programs to map users".to_owned());
    }
    let path = ["securityContext", "allowPrivilegeEscalation"];
    let edit = set_below(editor, container.node, &path, Value::Word("false"))?;
    Ok(fix(edit))
}

fn fix(edit: Edit) -> Fix {
    let reason = "a program that calls `sudo`, `su` or another set-uid program is refused then";
    Fix::new("Deny it more privileges", Safety::Risky, reason, vec![edit])
}
