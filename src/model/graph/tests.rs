use super::{Callers, System};
use crate::{
    context::{BuildContext, Entry, Files, entries},
    model::compose::ServiceMountKind,
};
use std::sync::Arc;

struct Tree(&'static [(&'static str, &'static str)]);

impl Files for Tree {
    fn read(&self, path: &str) -> Option<Arc<[u8]>> {
        self.0.iter().find(|(name, _)| *name == path).map(|(_, text)| Arc::from(text.as_bytes()))
    }

    fn list(&self, path: &str) -> Arc<[Entry]> {
        entries(self.0.iter().map(|(name, _)| *name), path)
    }
}

fn callers(files: &'static [(&'static str, &'static str)], dockerfile: &str) -> Callers {
    Callers::of(BuildContext::new(&Tree(files), dockerfile))
}

const COMPOSE: &str = "services:\n  web:\n    build: ./web\n    image: acme/web:${TAG:-1}\n    user: '1000:1000'\n    volumes:\n      - data:/var/lib/web\n    ports: ['8080:80']\n    command: [serve, --all]\n  job:\n    image: acme/web\n    read_only: true\n  db:\n    image: postgres:17\n";

#[test]
fn a_service_is_found_by_what_it_builds_and_by_what_another_one_builds() {
    let callers = callers(&[("compose.yaml", COMPOSE), ("web/Dockerfile", "")], "web/Dockerfile");
    let names: Vec<(&str, bool)> =
        callers.services.iter().map(|caller| (caller.name.as_str(), caller.build.is_some())).collect();
    assert_eq!(names, [("web", true), ("job", false)]);
    let web = &callers.services[0];
    assert_eq!(web.user.as_ref().unwrap().value.as_deref(), Some("1000:1000"));
    let mount = &web.mounts[0];
    assert_eq!((mount.kind, mount.target.as_deref()), (ServiceMountKind::Volume, Some("/var/lib/web")));
    assert_eq!((&*mount.place.path, mount.place.line), ("compose.yaml", 7));
    assert_eq!(web.ports[0].value.as_deref(), Some("80"));
    assert_eq!(web.command.as_ref().unwrap().value.as_deref(), Some(&["serve".to_owned(), "--all".to_owned()][..]));
    assert_eq!(callers.services[1].read_only.as_ref().unwrap().value, Some(true));
    assert!(!callers.may_be_more);
}

#[test]
fn another_dockerfile_has_no_part_in_it() {
    assert!(callers(&[("compose.yaml", COMPOSE), ("api/Dockerfile", "")], "api/Dockerfile").services.is_empty());
}

#[test]
fn what_compose_reads_on_top_counts() {
    let above = "services:\n  web:\n    user: root\n    volumes: ['./src:/app']\n";
    let files: &[_] = Box::leak(Box::new([("compose.yaml", COMPOSE), ("compose.override.yaml", above)]));
    let callers = callers(files, "web/Dockerfile");
    let web = callers.services.iter().find(|caller| &*caller.place.path == "compose.yaml" && caller.build.is_some());
    let web = web.unwrap();
    assert_eq!(web.user.as_ref().unwrap().value.as_deref(), Some("root"));
    assert_eq!(&*web.user.as_ref().unwrap().place.path, "compose.override.yaml");
    assert_eq!(web.mounts.len(), 2);
}

#[test]
fn a_pod_is_found_by_the_image_that_a_service_builds() {
    let pod = "apiVersion: v1\nkind: Pod\nspec:\n  securityContext: {runAsUser: 33}\n  containers:\n  - name: w\n    image: acme/web:2\n    ports: [{containerPort: 80}]\n    volumeMounts: [{name: v, mountPath: /v}]\n  volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]\n";
    let files: &[_] = Box::leak(Box::new([("compose.yaml", COMPOSE), ("k8s/web.yaml", pod)]));
    let callers = callers(files, "web/Dockerfile");
    let pod = callers.services.iter().find(|caller| caller.system == System::Kubernetes).unwrap();
    assert_eq!((pod.user.as_ref().unwrap().value.as_deref(), pod.user.as_ref().unwrap().place.line), (Some("33"), 4));
    assert_eq!((pod.mounts[0].kind, pod.mounts[0].target.as_deref()), (ServiceMountKind::Volume, Some("/v")));
}

#[test]
fn a_service_extends_one_of_another_file() {
    let files: &[_] = Box::leak(Box::new([
        (
            "docker-compose.yml",
            "services:\n  web:\n    extends: {file: common/base.yml, service: base}\n    user: '5'\n",
        ),
        ("common/base.yml", "services:\n  base:\n    build: ..\n    volumes: ['v:/data']\n"),
    ]));
    let callers = callers(files, "Dockerfile");
    let web = callers.services.iter().find(|caller| caller.name == "web").unwrap();
    assert_eq!(web.mounts[0].target.as_deref(), Some("/data"));
    assert_eq!(&*web.mounts[0].place.path, "common/base.yml");
}

#[test]
fn a_hidden_build_is_said() {
    let files = &[("compose.yaml", "services:\n  web:\n    build: $WHERE\n")];
    assert!(callers(files, "Dockerfile").may_be_more);
}

#[test]
fn nobody_around_is_nobody() {
    let callers = callers(&[("Dockerfile", "FROM a\n"), ("app.yaml", "a: b\n")], "Dockerfile");
    assert!(callers.services.is_empty() && !callers.may_be_more);
}

#[test]
fn skaffold_names_the_image_that_a_manifest_runs() {
    let callers = callers(
        &[
            (
                "skaffold.yaml",
                "apiVersion: skaffold/v4beta11\nkind: Config\nbuild:\n  artifacts:\n  - image: acme/web\n    context: web\n    docker: {dockerfile: Dockerfile.prod}\n  - image: acme/api\n    context: api\n",
            ),
            (
                "k8s/web.yaml",
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec: {template: {spec: {containers: [{name: web, image: acme/web}, {name: api, image: acme/api}]}}}\n",
            ),
            ("web/Dockerfile.prod", ""),
        ],
        "web/Dockerfile.prod",
    );
    let names: Vec<_> = callers.services.iter().map(|caller| (caller.system, caller.name.as_str())).collect();
    assert_eq!(names, [(System::Kubernetes, "web")]);
    assert_eq!(callers.services[0].container.as_deref(), Some("shop"));
}

#[test]
fn a_script_that_starts_a_program_in_a_pod_is_seen() {
    let manifest = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec: {template: {spec: {containers: [{name: web, image: acme/web}]}}}\n";
    let skaffold = "apiVersion: skaffold/v4beta11\nkind: Config\nbuild: {artifacts: [{image: acme/web}]}\n";
    let started = |script: &'static str| {
        let files: &[_] = Box::leak(Box::new([
            ("Dockerfile", ""),
            ("skaffold.yaml", skaffold),
            ("k8s/web.yaml", manifest),
            ("scripts/do.sh", script),
        ]));
        let tree = Tree(files);
        let context = BuildContext::new(&tree, "Dockerfile");
        let found = super::executed(context, &Callers::of(context));
        found.into_iter().map(|each| each.words.join(" ")).collect::<Vec<_>>()
    };
    assert_eq!(started("kubectl exec deploy/shop -- sh -c ls\n"), ["sh -c ls"]);
    assert_eq!(started("kubectl exec shop-0 -c web -- psql\n"), ["psql"]);
    assert!(started("kubectl exec deploy/other -- sh\n").is_empty());
    assert!(started("kubectl exec shop-0 -c proxy -- sh\n").is_empty());
}
