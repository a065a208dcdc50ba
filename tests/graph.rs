//! The build graph over the files of a repository.

#![allow(clippy::disallowed_methods, reason = "the tests read files around them")]

mod support;

use ironhull::{
    discover::kind_of_name,
    emit::{graph_dot, graph_json, graph_mermaid, graph_svg, graph_text},
    knowledge::Knowledge,
    model::graph::{BuildGraph, CrossingKind, RunImage},
    source::{FileKind, SourceFile},
    text::FileId,
};
use std::{io, time::Instant};
use support::Tree;

fn graph(files: &[(&str, &str)]) -> BuildGraph {
    let tree = Tree::of(files);
    let sources: Vec<SourceFile> = files
        .iter()
        .enumerate()
        .filter_map(|(at, (path, text))| {
            let kind = kind_of_name(path).or_else(|| text.contains("apiVersion").then_some(FileKind::Kubernetes))?;
            Some(SourceFile::new(FileId(at as u32), *path, kind, text.as_bytes().to_vec()))
        })
        .collect();
    BuildGraph::of(&sources, &tree, &Knowledge::builtin())
}

/// Who builds each image and who runs it as whom, as `image: builders | runs`.
fn told(graph: &BuildGraph) -> Vec<String> {
    let images = graph.images.iter().enumerate().map(|(at, image)| {
        let builders: Vec<String> =
            image.builders.iter().map(|builder| format!("{}/{}", builder.system.name(), builder.name)).collect();
        let runs: Vec<String> = graph
            .runs
            .iter()
            .filter(|run| run.image == RunImage::Built(at))
            .map(|run| format!("{}={}", run.caller.name, run.user.written))
            .collect();
        let name = image.names.first().map_or("", String::as_str);
        let recipe = &graph.recipes[image.recipe].name;
        format!("{recipe}#{:?} {name}: {} | {}", image.stage, builders.join(" "), runs.join(" "))
    });
    images.collect()
}

#[test]
fn a_script_builds_a_service_with_arguments_of_its_own() {
    let graph = graph(&[
        ("web/Dockerfile", "FROM debian:13\nARG TOKEN\nUSER 10\n"),
        ("api/Dockerfile", "FROM debian:13\nUSER 10\n"),
        ("compose.yaml", "services:\n  web: {build: web}\n  api: {build: api}\n"),
        ("build.sh", "docker compose build --build-arg TOKEN=\"$TOKEN\" web\ndocker compose build\n"),
    ]);
    let told = told(&graph);
    assert!(told.iter().any(|line| line.contains("script/docker compose build") && line.contains("web=")), "{told:?}");
    assert_eq!(told.iter().filter(|line| line.contains("docker compose build")).count(), 1, "{told:?}");
}

#[test]
fn skaffold_builds() {
    let graph = graph(&[
        ("web/Dockerfile", "FROM debian:13\nUSER 10\n"),
        (
            "skaffold.yaml",
            "apiVersion: skaffold/v4beta11\nkind: Config\nbuild:\n  artifacts:\n  - image: acme/web\n    context: web\n  - image: acme/jar\n    jib: {}\n",
        ),
        (
            "k8s/web.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: acme/web}]}\n",
        ),
    ]);
    let told = told(&graph);
    assert!(told[0].contains("skaffold/acme/web | web="), "{told:?}");
    assert_eq!(told.len(), 1);
}

const DOCKERFILE: &str = "FROM debian:13 AS base\nUSER 10\nFROM base AS debug\nUSER 0\nFROM base\n";

#[test]
fn every_kind_of_file_builds() {
    let graph = graph(&[
        ("web/Dockerfile", DOCKERFILE),
        ("compose.yaml", "services:\n  web: {build: {context: web, target: debug}}\n"),
        ("docker-bake.hcl", "target \"bake\" {\n  context = \"web\"\n  tags = [\"acme/web:${TAG}\"]\n}\n"),
        (
            ".github/workflows/ci.yml",
            "jobs:\n  ci:\n    steps:\n    - uses: docker/build-push-action@v6\n      with: {context: ./web}\n    - run: docker build -t acme/web:1 web\n",
        ),
        ("scripts/build.sh", "docker buildx build --build-arg A=1 web\n"),
        ("Makefile", "all:\n\tpodman build -f web/Dockerfile .\n"),
        (
            ".devcontainer/devcontainer.json",
            "{\"build\": {\"dockerfile\": \"../web/Dockerfile\", \"target\": \"debug\"}}",
        ),
    ]);
    assert_eq!(
        told(&graph),
        [
            "web/Dockerfile#Some(1) : devcontainer/devcontainer compose/web | devcontainer=0 web=0",
            "web/Dockerfile#Some(2) acme/web:1: github-workflow/ci github-workflow/docker build makefile/podman build bake/bake script/docker build | ",
        ]
    );
}

#[test]
fn bake_is_called_beside_its_file_or_above_it() {
    let graph = graph(&[
        ("docker/Dockerfile.web", DOCKERFILE),
        ("docker/docker-bake.hcl", "target \"web\" {\n  dockerfile = \"docker/Dockerfile.web\"\n}\n"),
        ("api/Dockerfile", "FROM node:22@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"),
        ("api/docker-bake.hcl", "target \"api\" {\n  context = \".\"\n}\n"),
    ]);
    let paths: Vec<&str> = graph.recipes.iter().map(|recipe| recipe.name.as_str()).collect();
    assert_eq!(paths, ["api/Dockerfile", "docker/Dockerfile.web"]);
    let text = plain(&printed(|out| graph_text(&graph, out)));
    assert!(text.contains("from node:22@sha256:aaaaaaaaaaaa…, as root"), "{text}");
}

#[test]
fn a_loop_builds_what_it_lists() {
    let graph = graph(&[
        ("web/Dockerfile", DOCKERFILE),
        ("api/Dockerfile", DOCKERFILE),
        (
            "build.sh",
            "for name in web api; do\n  docker build -t \"acme/$name:1\" ./${name}\n  docker run acme/$name:1 $names\ndone\nfor name in $ALL; do docker build $name; done\n",
        ),
    ]);
    assert_eq!(
        told(&graph),
        [
            "web/Dockerfile#Some(2) acme/web:1: script/docker build | docker run=10",
            "api/Dockerfile#Some(2) acme/api:1: script/docker build | docker run=10",
        ]
    );
    assert_eq!(graph.hidden_builds.len(), 1);
}

/// Every file of the sample, cut and changed in many places: the graph is drawn all the same, in every format.
#[test]
fn damage_ends_nothing() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/shop");
    let paths = [
        "compose.yaml",
        "k8s/api.yaml",
        "k8s/worker.yaml",
        "scripts/deploy.sh",
        ".github/workflows/images.yml",
        "web/Dockerfile",
        "worker/Dockerfile",
    ];
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect("the sample is there");
    let texts: Vec<(&str, String)> = paths.iter().map(|path| (*path, read(path))).collect();
    for (path, text) in &texts {
        for at in (0..text.len()).step_by(23).filter(|at| text.is_char_boundary(*at)) {
            let (before, after) = text.split_at(at);
            for damaged in [before.to_owned(), format!("{before}\u{1b}\"${{{after}"), format!("{before}\n- {after}")] {
                let files: Vec<(&str, &str)> = texts
                    .iter()
                    .map(|(other, text)| (*other, if other == path { damaged.as_str() } else { text.as_str() }))
                    .collect();
                let graph = graph(&files);
                for text in [
                    printed(|out| graph_mermaid(&graph, out)),
                    printed(|out| graph_dot(&graph, out)),
                    printed(|out| graph_svg(&graph, out)),
                    printed(|out| graph_json(&graph, out)),
                    plain(&printed(|out| graph_text(&graph, out))),
                ] {
                    assert!(!text.contains('\u{1b}'), "{path} at {at}");
                }
            }
        }
    }
}

#[test]
fn a_run_names_what_another_file_builds() {
    let graph = graph(&[
        ("web/Dockerfile", DOCKERFILE),
        (
            "compose.yaml",
            "services:\n  web: {build: web, image: 'acme/web:${TAG}'}\n  job: {image: acme/web, user: '7'}\n",
        ),
        (
            "k8s/web.yaml",
            "apiVersion: v1\nkind: Pod\nspec:\n  securityContext: {runAsNonRoot: true}\n  containers: [{name: pod, image: 'acme/web:3'}]\n",
        ),
        ("run.sh", "docker run -d --name here -u 8 acme/web:$TAG\ndocker run debian:13\ndocker run $IMAGE\n"),
    ]);
    assert_eq!(
        told(&graph),
        ["web/Dockerfile#Some(2) acme/web:${TAG}: compose/web | web=10 job=7 pod=10 docker run here=8"]
    );
    assert_eq!(
        graph.pulled.iter().map(|image| image.name.as_str()).collect::<Vec<_>>(),
        ["docker.io/library/debian:13"]
    );
    assert_eq!(graph.runs.iter().filter(|run| matches!(run.image, RunImage::Unknown(_))).count(), 1);
    assert!(graph.runs.iter().any(|run| run.caller.name == "pod" && run.refuses_root));
}

#[test]
fn what_two_dockerfiles_are_called_alike_is_unknown() {
    let graph = graph(&[
        ("a/Dockerfile", "FROM debian:13\n"),
        ("b/Dockerfile", "FROM debian:13\nUSER 5\n"),
        (
            "compose.yaml",
            "services:\n  a: {build: a, image: 'x/y:a'}\n  b: {build: b, image: 'x/y:b'}\n  c: {image: 'x/y:b'}\n  d: {image: 'x/y'}\n",
        ),
    ]);
    let run = |name: &str| graph.runs.iter().find(|run| run.caller.name == name).expect("it runs");
    assert_eq!(run("c").user.written, "5");
    assert_eq!(run("d").image, RunImage::Unknown("x/y".to_owned()));
}

#[test]
fn a_build_argument_decides_who_runs_it() {
    let graph = graph(&[
        ("Dockerfile", "FROM debian:13\nARG UID=0\nUSER $UID\n"),
        (
            "compose.yaml",
            "services:\n  a: {build: {context: ., args: {UID: 1000}}}\n  b: {build: {context: ., args: [UID]}}\n  c: {build: .}\n",
        ),
    ]);
    let users: Vec<(bool, bool)> =
        graph.runs.iter().map(|run| (run.user.user.is_root(), run.user.user.is_unprivileged())).collect();
    assert_eq!(users, [(false, true), (false, false), (true, false)]);
}

#[test]
fn a_service_of_the_cluster_lets_others_in() {
    let graph = graph(&[(
        "k.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: n}\nspec: {type: NodePort, selector: {a: b}, ports: [{port: 80}]}\n---\napiVersion: v1\nkind: Pod\nmetadata: {namespace: n, labels: {a: b, c: d}}\nspec: {containers: [{name: in, image: x}]}\n---\napiVersion: v1\nkind: Pod\nmetadata: {namespace: m, labels: {a: b}}\nspec: {containers: [{name: out, image: x}]}\n",
    )]);
    let open: Vec<&str> = graph
        .runs
        .iter()
        .filter(|run| run.crossings.iter().any(|crossing| crossing.kind == CrossingKind::Port))
        .map(|run| run.caller.name.as_str())
        .collect();
    assert_eq!(open, ["in"]);
}

#[test]
fn what_is_read_on_top_is_no_service_of_its_own() {
    let graph = graph(&[
        ("compose.yaml", "services:\n  a: {image: x}\n"),
        ("compose.override.yaml", "services:\n  a: {user: '4'}\n  b: {image: y}\n"),
    ]);
    let runs: Vec<(&str, &str)> =
        graph.runs.iter().map(|run| (run.caller.name.as_str(), run.user.written.as_str())).collect();
    assert_eq!(runs, [("b", ""), ("a", "4")]);
}

fn each(size: usize, line: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    (0..size).for_each(|at| text.push_str(&line(at)));
    text
}

#[test]
fn ten_times_as_much_takes_no_hundred_times_as_long() {
    let took = |size: usize| {
        let services: String =
            each(size, |at| format!("  s{at}:\n    build: {{context: ., args: {{A: '{at}'}}}}\n    image: a/b{at}\n"));
        let added: String = each(size, |at| format!("  s{at}: {{extends: s{}, ports: ['80:80']}}\n", (at + 1) % size));
        let pods = "apiVersion: v1\nkind: Service\nspec: {type: NodePort, selector: {a: b}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {labels: {a: b}}\nspec: {containers: [{image: x}]}\n---\n".repeat(size);
        let stages: String =
            each(size, |at| format!("FROM debian AS a{at}\nCOPY --from=a{} / /\n", at.saturating_sub(1)));
        let bake: String =
            each(size, |at| format!("target \"t{at}\" {{\n  inherits = [\"t{}\"]\n  context = \".\"\n}}\n", at + 1));
        let script = "docker build -t a . && docker run --privileged a\n".repeat(size);
        let compose = format!("services:\n{services}");
        let above = format!("services:\n{added}");
        let start = Instant::now();
        graph(&[
            ("compose.yaml", &compose),
            ("compose.override.yaml", &above),
            ("k.yaml", &pods),
            ("Dockerfile", &stages),
            ("docker-bake.hcl", &bake),
            ("x.sh", &script),
            (".devcontainer.json", &"{".repeat(size)),
        ]);
        start.elapsed()
    };
    took(10);
    let (small, large) = (took(200), took(2_000));
    assert!(large.as_secs_f64() < 0.5 + 40.0 * small.as_secs_f64(), "{small:?} for 200, {large:?} for 2000");
}

fn printed(print: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    print(&mut out).expect("memory takes everything");
    String::from_utf8(out).expect("the output is UTF-8")
}

const COMPOSE: &str = "services:\n  web:\n    build: {context: web, target: runtime, secrets: [npm]}\n    image: acme/web\n    user: '1000'\n    volumes: ['/var/run/docker.sock:/var/run/docker.sock']\n    ports: ['8080:80']\n  db:\n    image: postgres:17\n";
const SHOP: &str = "FROM node:22 AS build\nRUN curl -o t.tgz https://example.com/t.tgz && tar -xf t.tgz\nFROM nginx:1.27 AS runtime\nCOPY --from=build /a /b\n";

fn shop() -> BuildGraph {
    graph(&[("compose.yaml", COMPOSE), ("web/Dockerfile", SHOP)])
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn the_tree_says_who_builds_and_who_runs() {
    let text = plain(&printed(|out| graph_text(&shop(), out)));
    for line in [
        "web/Dockerfile",
        "├─ 0 build from node:22, as root",
        "│  └─ ! unverified download https://example.com/t.tgz web/Dockerfile:2",
        "├─ 1 runtime from nginx:1.27, copies from 0 build, as root",
        "└─ acme/web = 1 runtime, as root (as the base image says)",
        "   ├─ built by service web compose.yaml:2, secrets npm",
        "   └─ run by service web compose.yaml:2, as 1000 (compose.yaml:5)",
        "      ├─ ! engine socket /var/run/docker.sock compose.yaml:6",
        "      └─ ! port 8080 to 80 compose.yaml:7",
        "1 Dockerfile, 1 image, 2 runs; across a trust boundary: engine sockets 1, unverified downloads 1, ports 1",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}\n{text}");
    }
}

#[test]
fn a_name_of_a_file_ends_no_label() {
    let compose = "services:\n  \"a\\\"]; end<script>\\u001b[31m\":\n    build: .\n    image: x\n";
    let graph = graph(&[("compose.yaml", compose), ("Dockerfile", "FROM \"<b>\n")]);
    for text in [
        printed(|out| graph_mermaid(&graph, out)),
        printed(|out| graph_dot(&graph, out)),
        printed(|out| graph_svg(&graph, out)),
        plain(&printed(|out| graph_text(&graph, out))),
    ] {
        assert!(!text.contains('\u{1b}'), "{text}");
    }
    let mermaid = printed(|out| graph_mermaid(&graph, out));
    assert!(
        !mermaid.contains("<script>") && mermaid.lines().all(|line| line.matches('"').count() % 2 == 0),
        "{mermaid}"
    );
    let svg = printed(|out| graph_svg(&graph, out));
    assert!(!svg.contains("<script>") && svg.matches("<g>").count() == svg.matches("</g>").count(), "{svg}");
    let dot = printed(|out| graph_dot(&graph, out));
    assert!(dot.contains("a\\\"]"), "{dot}");
}

#[test]
fn json_is_read_again() {
    let json: serde_json::Value = serde_json::from_str(&printed(|out| graph_json(&shop(), out))).expect("it is JSON");
    assert_eq!(json["runs"].as_array().map(Vec::len), Some(2));
    assert_eq!(json["images"][0]["user"]["root"], true);
    assert_eq!(json["images"][0]["builders"][0]["secrets"][0], "npm");
}

#[test]
fn a_picture_needs_nothing_from_elsewhere() {
    let svg = printed(|out| graph_svg(&shop(), out));
    for part in ["href", "url(h", "@import", "<script", "<image", "<foreignObject"] {
        assert!(!svg.contains(part), "{part}");
    }
    assert_eq!(svg.matches("http").count(), 3, "the name of the format, and an address with its tooltip");
}
