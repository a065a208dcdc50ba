use super::{graph_dot, graph_json, graph_mermaid, graph_svg, graph_text};
use crate::{
    context::NoFiles,
    knowledge::Knowledge,
    model::graph::BuildGraph,
    source::{FileKind, SourceFile},
    text::FileId,
};
use std::io;

fn graph(files: &[(&str, FileKind, &str)]) -> BuildGraph {
    let files: Vec<SourceFile> = files
        .iter()
        .enumerate()
        .map(|(at, (path, kind, text))| SourceFile::new(FileId(at as u32), *path, *kind, text.as_bytes().to_vec()))
        .collect();
    BuildGraph::of(&files, &NoFiles, &Knowledge::builtin())
}

fn printed(print: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    print(&mut out).expect("memory takes everything");
    String::from_utf8(out).expect("the output is UTF-8")
}

const COMPOSE: &str = "services:\n  web:\n    build: {context: web, target: runtime, secrets: [npm]}\n    image: acme/web\n    user: '1000'\n    volumes: ['/var/run/docker.sock:/var/run/docker.sock']\n    ports: ['8080:80']\n  db:\n    image: postgres:17\n";
const DOCKERFILE: &str = "FROM node:22 AS build\nRUN curl -o t.tgz https://example.com/t.tgz && tar -xf t.tgz\nFROM nginx:1.27 AS runtime\nCOPY --from=build /a /b\n";

fn shop() -> BuildGraph {
    graph(&[("compose.yaml", FileKind::Compose, COMPOSE), ("web/Dockerfile", FileKind::Dockerfile, DOCKERFILE)])
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
    let graph =
        graph(&[("compose.yaml", FileKind::Compose, compose), ("Dockerfile", FileKind::Dockerfile, "FROM \"<b>\n")]);
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
