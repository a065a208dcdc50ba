use super::{ComposeModel, Service, ServiceMountKind, Text, Variables};
use crate::syntax::yaml::{Yaml, parse};

fn tree(text: &str) -> Yaml<'_> {
    let parsed = parse(text.as_bytes());
    assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
    parsed.tree
}

fn model<'y>(tree: &'y Yaml<'y>) -> ComposeModel<'y> {
    ComposeModel::new(tree, "app", &Variables::of_text("TAG=1.2\nUSER_ID='33' # x\n"))
}

fn known(text: Option<Text<'_>>) -> Option<String> {
    text.and_then(|text| text.known().map(str::to_owned))
}

#[test]
fn variables_are_replaced_as_compose_does_it() {
    let variables = Variables::of_text("A=1\nE=\n");
    for (text, value) in [
        ("x$A-${A}", Some("x1-1")),
        ("$$A", Some("$A")),
        ("${B:-d}", Some("d")),
        ("${E:-d}${E-d}", Some("d")),
        ("${B:-${A}/x}", Some("1/x")),
        ("${A:?needed}", Some("1")),
        ("$B", None),
        ("${B:+x}", None),
        ("${A", None),
        ("5$", Some("5$")),
    ] {
        let quoted = format!("'{text}'");
        let tree = tree(&quoted);
        let node = tree.documents().next().unwrap();
        assert_eq!(known(Text::of(node, &variables)).as_deref(), value, "{text}");
    }
}

#[test]
fn a_build_names_its_dockerfile() {
    let text = "services:\n  a: {build: .}\n  b: {build: {context: ../x, dockerfile: docker/web.Dockerfile, target: t, args: {K: v, L: }}}\n  c: {build: 'https://example.com/x.git'}\n  d: {build: {dockerfile_inline: FROM a}}\n  e: {build: {context: $DIR}}\n  f: {image: a}\n";
    let tree = tree(text);
    let model = model(&tree);
    let dockerfile = |name| model.service(name).and_then(Service::build).and_then(|build| build.dockerfile);
    assert_eq!(dockerfile("a").as_deref(), Some("app/Dockerfile"));
    assert_eq!(dockerfile("b").as_deref(), Some("x/docker/web.Dockerfile"));
    assert_eq!((dockerfile("c"), dockerfile("d"), dockerfile("e"), dockerfile("f")), (None, None, None, None));
    let build = model.service("b").unwrap().build().unwrap();
    assert_eq!(known(build.target).as_deref(), Some("t"));
    let names: Vec<(&str, bool)> =
        build.arguments.iter().map(|(name, value)| (name.as_str(), value.is_some())).collect();
    assert_eq!(names, [("K", true), ("L", false)]);
}

#[test]
fn a_service_has_what_it_extends_and_what_is_merged_in() {
    let text = "x-common: &common\n  user: root\n  volumes: [data:/data]\nservices:\n  base:\n    <<: *common\n    image: 'b:${TAG}'\n    volumes: ['.:/app']\n  a:\n    extends: base\n    user: '${USER_ID}'\n    volumes:\n      - logs:/app\n      - type: tmpfs\n        target: /tmp\n      - $HIDDEN:/var/x:ro\n";
    let tree = tree(text);
    let model = model(&tree);
    let a = model.service("a").unwrap();
    assert_eq!(known(a.image()).as_deref(), Some("b:1.2"));
    assert_eq!(known(a.user()).as_deref(), Some("33"));
    assert!(a.user().unwrap().is_defaulted);
    assert!(!a.is_open());
    let mounts: Vec<_> =
        a.mounts().into_iter().map(|mount| (mount.kind, mount.target.unwrap(), mount.is_read_only)).collect();
    assert_eq!(
        mounts,
        [
            (ServiceMountKind::Volume, "/app".to_owned(), false),
            (ServiceMountKind::Memory, "/tmp".to_owned(), false),
            (ServiceMountKind::Unknown, "/var/x".to_owned(), true),
        ]
    );
    let base = model.service("base").unwrap();
    assert_eq!(known(base.user()).as_deref(), Some("root"));
    assert_eq!(base.mounts()[0].kind, ServiceMountKind::Bind);
}

#[test]
fn services_that_extend_each_other_come_to_an_end() {
    let tree =
        tree("services:\n  a: {extends: b}\n  b: {extends: {service: a}}\n  c: {extends: {file: d.yml, service: e}}\n");
    let model = model(&tree);
    assert!(model.service("a").unwrap().image().is_none());
    assert_eq!(model.service("c").unwrap().extends_elsewhere(), Some(("app/d.yml".to_owned(), "e".to_owned())));
}

#[test]
fn ports_say_where_the_host_answers() {
    let text = "services:\n  a:\n    ports: ['80', '8080:80', '127.0.0.1:8080:80/tcp', '[::1]:1:2', '${P}:80', {target: 80, published: 81}]\n";
    let tree = tree(text);
    let ports: Vec<_> = model(&tree)
        .service("a")
        .unwrap()
        .ports()
        .into_iter()
        .map(|port| (port.has_address, port.published.unwrap_or_default(), port.target.unwrap_or_default()))
        .collect();
    let expected = [
        (false, "", "80"),
        (false, "8080", "80"),
        (true, "8080", "80"),
        (true, "1", "2"),
        (false, "", "80"),
        (false, "81", "80"),
    ];
    assert_eq!(ports, expected.map(|(address, published, target)| (address, published.to_owned(), target.to_owned())));
}
