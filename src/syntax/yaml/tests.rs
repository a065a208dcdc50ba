use super::{Kind, Node, Style, Yaml, parse};
use crate::text::Parsed;

fn tree(text: &str) -> Yaml<'_> {
    let Parsed { tree, errors } = parse(text.as_bytes());
    assert!(errors.is_empty(), "{errors:?}");
    tree
}

fn first<'y>(tree: &'y Yaml<'y>) -> Node<'y> {
    tree.documents().next().expect("there is a document")
}

fn written(node: Node<'_>) -> &str {
    std::str::from_utf8(node.span().of(node.yaml.text())).unwrap()
}

#[test]
fn nodes_know_their_bytes() {
    let tree =
        tree("\u{feff}a: 1\r\nb:\r\n- 'x'\r\n-\r\n- k: |  # why\r\n    u\r\n    v\r\n\r\nc: {p: [1, 2,], q}\r\n");
    let root = first(&tree);
    let list = root.get("b").unwrap();
    assert_eq!(written(list), "- 'x'\r\n-\r\n- k: |  # why\r\n    u\r\n    v");
    let items: Vec<&str> = list.items().map(written).collect();
    assert_eq!(items, ["'x'", "", "k: |  # why\r\n    u\r\n    v"]);
    assert_eq!(list.items().map(|item| tree.text()[item.lead() as usize]).collect::<Vec<_>>(), *b"---");
    assert_eq!(list.items().nth(2).unwrap().get("k").unwrap().scalar(), Some("u\nv\n"));
    assert_eq!(written(root.get("c").unwrap()), "{p: [1, 2,], q}");
    assert!(root.get("c").unwrap().get("q").unwrap().is_null());
}

#[test]
fn a_merged_key_is_found_behind_its_aliases() {
    let text = "x: &x {a: 1, b: 1}\ny: &y\n  <<: *x\n  b: 2\nz:\n  <<: [*y, *x]\n  c: 3\n";
    let tree = tree(text);
    let z = first(&tree).get("z").unwrap();
    let value = |key| z.get(key).and_then(Node::scalar);
    assert_eq!((value("a"), value("b"), value("c"), value("d")), (Some("1"), Some("2"), Some("3"), None));
    assert!(z.entry("a").is_none());
}

#[test]
fn of_a_repeated_key_the_last_counts() {
    let tree = tree("a: 1\nb: 2\na: 3\n");
    assert_eq!(first(&tree).get("a").and_then(Node::scalar), Some("3"));
    assert!(first(&tree).repeats_a_key());
}

#[test]
fn a_damaged_document_keeps_what_came_before_and_the_next_is_read() {
    let Parsed { tree, errors } = parse(b"a: 1\nb:\n  c: [\nd: e: f\n---\ng: 2\n");
    assert_eq!(errors.len(), 1);
    let documents: Vec<Node<'_>> = tree.documents().collect();
    assert_eq!(documents[0].get("a").and_then(Node::scalar), Some("1"));
    assert_eq!(documents[1].get("g").and_then(Node::scalar), Some("2"));
}

#[test]
fn an_alias_of_nothing_is_damage_in_its_place() {
    let Parsed { tree, errors } = parse(b"a: *b\nc: d\n");
    assert_eq!((errors.len(), errors[0].span.start), (1, 3));
    assert_eq!(first(&tree).get("c").and_then(Node::scalar), Some("d"));
    assert_eq!(first(&tree).get("a").map(Node::kind), Some(Kind::Alias));
}

#[test]
fn bytes_that_are_no_text_hide_only_themselves() {
    let Parsed { tree, errors } = parse(b"a: \xff\xfe\nb: c\n");
    assert!(!errors.is_empty());
    assert_eq!(first(&tree).get("b").and_then(Node::scalar), Some("c"));
}

#[test]
fn a_template_is_known_to_hide_what_it_writes() {
    let text = "metadata:\n  {{- include \"labels\" . | nindent 2 }}\nspec:\n  {{- if .Values.x }}\n  a: {{ .Values.a }}\n  {{- end }}\n  b: c\n  d: {{- toYaml .Values.d | nindent 4 }}\n";
    let tree = tree(text);
    assert!(tree.is_rendered_elsewhere());
    let root = first(&tree);
    let spec = root.get("spec").unwrap();
    assert!(root.get("metadata").unwrap().is_template());
    assert!(!spec.is_open(), "an `if` writes nothing by itself");
    assert!(spec.get("a").unwrap().is_template());
    assert!(!spec.get("b").unwrap().is_template());
    assert!(spec.get("d").unwrap().is_template());
}

#[test]
fn a_template_opens_the_mapping_that_it_is_indented_as() {
    let tree = tree("spec:\n  a:\n    b: c\n  {{- include \"x\" . | nindent 2 }}\n  d: e\nf: g\n");
    let root = first(&tree);
    let spec = root.get("spec").unwrap();
    assert_eq!((root.is_open(), spec.is_open(), spec.get("a").unwrap().is_open()), (false, true, false));
}

#[test]
fn braces_in_quotes_leave_the_rest_as_it_is() {
    let tree = tree("a: '{{ x }}'\nb: {c: {d: 1}}\n");
    assert!(!tree.is_rendered_elsewhere());
    assert!(first(&tree).get("a").unwrap().is_template());
    assert_eq!(first(&tree).get("b").unwrap().get("c").unwrap().get("d").and_then(Node::scalar), Some("1"));
}

#[test]
fn hostile_texts_are_read_in_linear_time() {
    let aliases = |count: usize| {
        let level = |at: usize| format!("a{at}: &a{at} [{}]\n", vec![format!("*a{}", at - 1); 10].join(", "));
        format!("a0: &a0 x\n{}", (1..count).map(level).collect::<String>())
    };
    let texts = [
        "[".repeat(100_000),
        "? ".repeat(50_000),
        "- ".repeat(50_000),
        "{".repeat(100_000),
        "{{".repeat(50_000),
        "{{a}}".repeat(50_000),
        "{{a}}\n".repeat(50_000),
        "a: {{\"\n".repeat(50_000),
        "---\n[\n".repeat(50_000),
        "a: [\n".repeat(50_000),
        "#\n".repeat(100_000),
        "a:\n".repeat(50_000),
        "- &a\n#".repeat(50_000),
        "<<: *a\n".repeat(20_000),
        (0..1000).fold(String::new(), |text, depth| text + &" ".repeat(depth) + "a:\n"),
        aliases(12),
    ];
    for text in &texts {
        let parsed = parse(text.as_bytes());
        let missing = parsed.tree.documents().filter_map(|document| document.get("missing")).count();
        assert_eq!(missing, 0);
    }
}

#[test]
fn an_empty_text_holds_nothing() {
    assert_eq!(parse(b"").tree.documents().count(), 0);
    assert_eq!(parse(b"# only\n").tree.documents().count(), 0);
    assert_eq!(first(&tree("---\n")).kind(), Kind::Scalar(Style::Plain));
}
