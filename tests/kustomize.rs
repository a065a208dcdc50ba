//! Manifests that kustomizations build: a base is judged with the patches that it gets, a patch with what its base says.

use ironhull::{
    context::{self, Entry, Files},
    lock::Lock,
    policy::{Layer, Place, Policy, Profile},
    project::Project,
    rule::Safety,
    source::{FileKind, SourceFile},
    text::FileId,
};
use std::sync::Arc;

/// Files in memory.
struct Tree<'t>(Vec<(&'t str, &'t str)>);

impl Files for Tree<'_> {
    fn read(&self, path: &str) -> Option<Arc<[u8]>> {
        self.0.iter().find(|(name, _)| *name == path).map(|(_, text)| Arc::from(text.as_bytes()))
    }

    fn list(&self, path: &str) -> Arc<[Entry]> {
        context::entries(self.0.iter().map(|(name, _)| *name), path)
    }
}

fn project() -> Project {
    Project::new(
        Policy::new(Layer { profile: Some(Profile::All), ..Layer::default() }, Place::default()),
        Lock::default(),
    )
}

impl Tree<'_> {
    fn file(&self, path: &str) -> SourceFile {
        let text = self.read(path).expect("the file is there").to_vec();
        SourceFile::new(FileId(0), path, FileKind::Kubernetes, text)
    }

    /// Whether `rule` says something about the file at `path`.
    fn says(&self, path: &str, rule: &str) -> bool {
        let verdict = project().check(&self.file(path), self).expect("it is a manifest");
        verdict.findings.iter().any(|ranked| ranked.finding.rule == rule)
    }

    fn fixed(&self, path: &str) -> String {
        let repaired = project().fix(&self.file(path), self, Safety::Risky).expect("it is a manifest");
        assert!(repaired.outcome.quarantined.is_empty() && repaired.outcome.beside.is_empty());
        String::from_utf8(repaired.outcome.sources.files()[0].text.clone()).expect("it stays text")
    }
}

const WEB: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n        - name: web\n          image: nginx:1.29\n        - name: log\n          image: nginx:1.29\n";
const RESOURCES: &str = "resources: [web.yaml]\n";
const OVERLAY: &str = "resources: [../../base]\npatches: [{path: security.yaml}]\n";
const SECURITY: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n        - name: web\n          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true}\n        - name: log\n          securityContext:\n            allowPrivilegeEscalation: false\n";

#[test]
fn what_every_overlay_gives_is_not_missing_in_the_base() {
    let tree = Tree(vec![
        ("base/web.yaml", WEB),
        ("base/kustomization.yaml", RESOURCES),
        ("overlays/prod/kustomization.yaml", OVERLAY),
        ("overlays/prod/security.yaml", SECURITY),
    ]);
    assert!(!tree.says("base/web.yaml", "privilege-escalation"));
    // One of its two containers is left.
    assert!(tree.says("base/web.yaml", "writable-root"));
    assert!(tree.says("base/web.yaml", "default-capabilities"));
    for rule in ["privilege-escalation", "writable-root", "default-capabilities", "missing-memory-limit"] {
        assert!(!tree.says("overlays/prod/security.yaml", rule), "{rule}");
    }
}

#[test]
fn what_one_overlay_leaves_out_is_missing() {
    let tree = Tree(vec![
        ("base/web.yaml", WEB),
        ("base/kustomization.yaml", RESOURCES),
        ("overlays/prod/kustomization.yaml", OVERLAY),
        ("overlays/prod/security.yaml", SECURITY),
        ("overlays/dev/kustomization.yaml", "resources: [../../base]\n"),
    ]);
    assert!(tree.says("base/web.yaml", "privilege-escalation"));
}

#[test]
fn what_is_left_is_set_right_in_the_base() {
    let tree = Tree(vec![
        ("base/web.yaml", WEB),
        ("base/kustomization.yaml", RESOURCES),
        ("overlays/prod/kustomization.yaml", OVERLAY),
        ("overlays/prod/security.yaml", SECURITY),
    ]);
    let after = tree.fixed("base/web.yaml");
    assert!(after.contains("            capabilities:\n              drop:\n                - ALL\n"), "{after}");
    assert!(!after.contains("allowPrivilegeEscalation"), "{after}");
    assert_eq!(tree.fixed("overlays/prod/security.yaml"), SECURITY);
}

#[test]
fn patches_of_every_form_are_read() {
    for kustomization in [
        "resources: [web.yaml]\npatches:\n- path: security.yaml\n",
        "resources: [./web.yaml]\npatchesStrategicMerge:\n- security.yaml\n",
        "resources: [web.yaml]\npatches:\n- target: {kind: Deployment, name: web}\n  path: security.yaml\n",
        "resources: [web.yaml]\npatches:\n- target: {kind: Deployment}\n  patch: |-\n    - op: add\n      path: /spec/template/spec/containers/0/securityContext\n      value: {allowPrivilegeEscalation: false}\n    - op: add\n      path: /spec/template/spec/containers/1/securityContext\n      value: {allowPrivilegeEscalation: false}\n",
    ] {
        let tree = Tree(vec![("web.yaml", WEB), ("kustomization.yaml", kustomization), ("security.yaml", SECURITY)]);
        assert!(!tree.says("web.yaml", "privilege-escalation"), "{kustomization}");
        assert!(tree.says("web.yaml", "missing-memory-limit"), "{kustomization}");
    }
}

#[test]
fn what_is_for_others_or_takes_something_away_gives_nothing() {
    for patch in [
        "resources: [web.yaml]\npatches:\n- target: {kind: StatefulSet}\n  path: security.yaml\n",
        "resources: [web.yaml]\npatches:\n- target: {kind: Deployment, labelSelector: app=web}\n  path: security.yaml\n",
        "resources: [web.yaml]\npatches:\n- target: {kind: Deployment}\n  patch: |-\n    - op: remove\n      path: /spec/template/spec/containers/0\n",
        "resources: [other.yaml]\npatches:\n- path: security.yaml\n",
        "resources: [web.yaml]\npatches:\n- path: gone.yaml\n",
    ] {
        let tree = Tree(vec![("web.yaml", WEB), ("kustomization.yaml", patch), ("security.yaml", SECURITY)]);
        assert!(tree.says("web.yaml", "privilege-escalation"), "{patch}");
    }
}

const WITH: &str = "resources: [../../base]\ncomponents: [../../components/hard]\n";
const COMPONENT: &str =
    "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{path: security.yaml}]\n";

#[test]
fn what_components_give_is_given() {
    let with = |overlay: &'static str, dev: &'static str| {
        Tree(vec![
            ("base/web.yaml", WEB),
            ("base/kustomization.yaml", RESOURCES),
            ("components/hard/kustomization.yaml", COMPONENT),
            ("components/hard/security.yaml", SECURITY),
            ("overlays/prod/kustomization.yaml", overlay),
            ("overlays/dev/kustomization.yaml", dev),
        ])
    };
    assert!(!with(WITH, WITH).says("base/web.yaml", "privilege-escalation"));
    assert!(with(WITH, WITH).says("base/web.yaml", "missing-memory-limit"));
    assert!(!with(WITH, WITH).says("components/hard/security.yaml", "missing-memory-limit"));
    assert!(with(WITH, "resources: [../../base]\n").says("base/web.yaml", "privilege-escalation"));
    // Nobody builds it but through the other.
    assert!(!with(WITH, "resources: [../prod]\n").says("base/web.yaml", "privilege-escalation"));
}

#[test]
fn what_is_taken_away_again_is_not_given() {
    for patch in [
        "- op: remove\n        path: /spec/template/spec/containers/0/securityContext\n",
        "- op: remove\n        path: /spec/template/spec/containers/0/securityContext/allowPrivilegeEscalation\n",
        "- op: replace\n        path: /spec/template/spec/containers/0/securityContext/allowPrivilegeEscalation\n        value: true\n",
        "- op: move\n        from: /spec/a\n        path: /spec/b\n",
        "apiVersion: apps/v1\n      kind: Deployment\n      metadata: {name: web}\n      spec: {template: {spec: {containers: [{name: web, securityContext: null}]}}}\n",
        "apiVersion: apps/v1\n      kind: Deployment\n      metadata: {name: web}\n      spec: {template: {spec: {containers: [{name: web, securityContext: {$patch: delete}}]}}}\n",
        "apiVersion: apps/v1\n      kind: Deployment\n      metadata: {name: web}\n      spec: {template: {spec: {containers: [{name: web, securityContext: {$patch: replace}}]}}}\n",
    ] {
        let dev = format!(
            "resources: [../prod]\npatches:\n  - target: {{kind: Deployment, name: web}}\n    patch: |\n      {patch}"
        );
        let tree = Tree(vec![
            ("base/web.yaml", WEB),
            ("base/kustomization.yaml", RESOURCES),
            ("overlays/prod/kustomization.yaml", OVERLAY),
            ("overlays/prod/security.yaml", SECURITY),
            ("overlays/dev/kustomization.yaml", &dev),
        ]);
        assert!(tree.says("base/web.yaml", "privilege-escalation"), "{patch}");
    }
}

#[test]
fn what_else_is_taken_away_does_not_matter() {
    for patch in [
        "- op: remove\n        path: /spec/replicas\n",
        "- op: test\n        path: /spec/replicas\n        value: 1\n      - op: replace\n        path: /spec/replicas\n        value: 2\n",
        "apiVersion: apps/v1\n      kind: Deployment\n      metadata: {name: web}\n      spec: {template: {spec: {containers: [{name: log, $patch: delete}]}}}\n",
    ] {
        let kustomization = format!(
            "resources: [web.yaml]\npatches:\n  - path: security.yaml\n  - target: {{kind: Deployment}}\n    patch: |\n      {patch}"
        );
        let web = WEB.replace("spec:\n  template:", "spec:\n  replicas: 1\n  template:");
        let tree = Tree(vec![("web.yaml", &web), ("kustomization.yaml", &kustomization), ("security.yaml", SECURITY)]);
        assert!(!tree.says("web.yaml", "privilege-escalation"), "{patch}");
    }
}

#[test]
fn a_target_says_what_a_patch_is_for() {
    let patch = SECURITY.replace("name: web}", "name: any}");
    for (target, is_given) in [
        ("{kind: Deployment}", true),
        ("{kind: Deployment, name: .*}", true),
        ("{group: apps, version: v1, kind: Deployment, name: web}", true),
        ("{kind: Deployment, name: any}", false),
        ("{kind: Deployment, name: we.+}", false),
    ] {
        let kustomization = format!("resources: [web.yaml]\npatches:\n- path: security.yaml\n  target: {target}\n");
        let tree = Tree(vec![("web.yaml", WEB), ("kustomization.yaml", &kustomization), ("security.yaml", &patch)]);
        assert_eq!(!tree.says("web.yaml", "privilege-escalation"), is_given, "{target}");
    }
}

#[test]
fn a_namespace_is_given_to_all() {
    let with = |kustomization| {
        Tree(vec![
            ("base/web.yaml", WEB),
            ("base/kustomization.yaml", RESOURCES),
            ("overlays/prod/kustomization.yaml", kustomization),
        ])
    };
    assert!(!with("namespace: shop\nresources: [../../base]\n").says("base/web.yaml", "default-namespace"));
    assert!(with("namespace: default\nresources: [../../base]\n").says("base/web.yaml", "default-namespace"));
    assert!(with("resources: [../../base]\n").says("base/web.yaml", "default-namespace"));
}
