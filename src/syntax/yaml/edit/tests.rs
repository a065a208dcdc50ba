use super::{Editor, Refusal, Value};
use crate::{
    syntax::yaml::{Node, Yaml, parse},
    text::{Edit, FileId},
};

/// The node at `path`: keys, and numbers of items.
fn at<'y>(tree: &'y Yaml<'y>, path: &str) -> Node<'y> {
    let root = tree.documents().next().unwrap();
    path.split('.').filter(|part| !part.is_empty()).fold(root, |node, part| match part.parse() {
        Ok(index) => node.items().nth(index).unwrap(),
        Err(_) => node.get(part).unwrap(),
    })
}

fn edited(
    text: &str,
    path: &str,
    edit: impl for<'y> Fn(&Editor<'y>, Node<'y>) -> Result<Edit, Refusal>,
) -> Result<String, Refusal> {
    let parsed = parse(text.as_bytes());
    let editor = Editor::new(FileId(0), &parsed.tree);
    let edit = edit(&editor, at(&parsed.tree, path))?;
    let mut after = text.to_owned();
    after.replace_range(edit.span.range(), &edit.text);
    Ok(after)
}

fn remove_item<'y>(editor: &Editor<'y>, node: Node<'y>) -> Result<Edit, Refusal> {
    editor.remove_item(node)
}

fn inserted(text: &str, path: &str, key: &str, value: &Value) -> Result<String, Refusal> {
    edited(text, path, |editor, node| editor.insert(node, key, value))
}

fn removed(text: &str, path: &str, key: &str) -> Result<String, Refusal> {
    edited(text, path, |editor, node| editor.remove_key(node, key))
}

#[test]
fn a_key_is_added_in_the_manner_of_the_file() {
    let drop = Value::texts(["ALL"]);
    let text = "services:\n    web:\n        image: a # why\n        ports:\n        - 80\n# end\n";
    let after = inserted(text, "services.web", "cap_drop", &drop);
    let expected = "services:\n    web:\n        image: a # why\n        ports:\n        - 80\n        cap_drop:\n        - ALL\n# end\n";
    assert_eq!(after.as_deref(), Ok(expected));
    let text = "a:\r\n  b: |\r\n    x\r\n";
    assert_eq!(inserted(text, "a", "c", &Value::Word("true")).as_deref(), Ok("a:\r\n  b: |\r\n    x\r\n  c: true\r\n"));
    assert_eq!(inserted("a:\n  b: c", "a", "d", &drop).as_deref(), Ok("a:\n  b: c\n  d:\n    - ALL"));
    assert_eq!(
        inserted("a:\n  - b: c\n", "a.0", "d", &Value::map([("e", Value::Word("1"))])).as_deref(),
        Ok("a:\n  - b: c\n    d:\n      e: 1\n")
    );
}

#[test]
fn a_list_is_indented_like_those_beside_it() {
    let drop = Value::texts(["ALL"]);
    let text =
        "services:\n  a:\n    ports:\n    - 80\n  b:\n    ports:\n      - 81\n  c:\n    image: d\n  e:\n    image: f\n";
    for (service, list) in [("a", "    - ALL"), ("b", "      - ALL"), ("c", "      - ALL"), ("e", "      - ALL")] {
        let after = inserted(text, &format!("services.{service}"), "cap_drop", &drop).unwrap();
        assert!(after.contains(&format!("    cap_drop:\n{list}\n")), "{service}: {after}");
    }
    let nested = Value::map([("f", Value::map([("g", Value::Word("1"))]))]);
    let text = "a:\n    b:\n        c: d\ne:\n  h:\n    i: j\n";
    assert!(inserted(text, "a", "k", &nested).unwrap().contains("    k:\n        f:\n            g: 1\n"));
    assert!(inserted(text, "e", "k", &nested).unwrap().contains("  k:\n    f:\n      g: 1\n"));
}

#[test]
fn a_key_goes_into_brackets() {
    let on = Value::Word("true");
    assert_eq!(inserted("a: {b: c}\n", "a", "d", &on).as_deref(), Ok("a: {b: c, d: true}\n"));
    assert_eq!(inserted("a: {}\n", "a", "d", &on).as_deref(), Ok("a: {d: true}\n"));
    assert_eq!(inserted("a: {\n  b: c\n}\n", "a", "d", &on).as_deref(), Ok("a: {\n  b: c,\n  d: true\n}\n"));
}

#[test]
fn a_text_is_quoted_where_it_would_read_as_something_else() {
    for (text, written) in
        [("no-new-privileges:true", "no-new-privileges:true"), ("22:22", "\"22:22\""), ("no", "\"no\"")]
    {
        let after = inserted("a: b\n", "", "c", &Value::text(text));
        assert_eq!(after, Ok(format!("a: b\nc: {written}\n")));
    }
}

#[test]
fn a_scalar_keeps_its_quotes_and_its_comment() {
    let replace = |text: &str, with| edited(text, "a", |editor, node| editor.replace(node, &Value::text(with)));
    assert_eq!(replace("a: 'b' # c\n", "it's").as_deref(), Ok("a: 'it''s' # c\n"));
    assert_eq!(replace("a: \"b\"\n", "c").as_deref(), Ok("a: \"c\"\n"));
    assert_eq!(replace("a: # c\nb: d\n", "x").as_deref(), Ok("a: x # c\nb: d\n"));
    assert_eq!(replace("a: {{ x }}\n", "c"), Err(Refusal::Template));
}

#[test]
fn nothing_becomes_a_mapping() {
    let value = Value::map([("b", Value::Word("1"))]);
    let after = edited("a: # c\nd: e\n", "a", |editor, node| editor.replace(node, &value));
    assert_eq!(after.as_deref(), Ok("a: # c\n  b: 1\nd: e\n"));
}

#[test]
fn a_key_goes_with_its_lines() {
    assert_eq!(
        removed("a:\n  b: c\n  # d\n  e: [1,\n    2] # f\n  g: h\n", "a", "e").as_deref(),
        Ok("a:\n  b: c\n  # d\n  g: h\n")
    );
    assert_eq!(removed("a: b\nc: d", "", "c").as_deref(), Ok("a: b"));
    assert_eq!(removed("- a: b\n  c: d\n", "0", "a").as_deref(), Ok("- c: d\n"));
    assert_eq!(removed("a: {b: c, d: e}\n", "a", "b").as_deref(), Ok("a: {d: e}\n"));
    assert_eq!(removed("a: {b: c, d: e}\n", "a", "d").as_deref(), Ok("a: {b: c}\n"));
}

#[test]
fn what_would_be_empty_goes_as_a_whole() {
    assert_eq!(removed("a:\n  b:\n    c: d\ne: f\n", "a.b", "c").as_deref(), Ok("e: f\n"));
    let after = edited("a:\n  b:\n    - c\n  d: e\n", "a.b.0", remove_item);
    assert_eq!(after.as_deref(), Ok("a:\n  d: e\n"));
    assert_eq!(removed("a: b\n", "", "a"), Err(Refusal::Form));
}

#[test]
fn a_document_comes_last() {
    let value = Value::map([("a", Value::Map(Vec::new())), ("b", Value::texts(["c"]))]);
    let append = |text: &str| edited(text, "", |editor, _| editor.append_document(&value));
    assert_eq!(append("x: y # z\n").as_deref(), Ok("x: y # z\n---\na: {}\nb:\n  - c\n"));
    assert_eq!(append("x: y\r\n---\r\nz: 1").as_deref(), Ok("x: y\r\n---\r\nz: 1\r\n---\r\na: {}\r\nb:\r\n  - c\r\n"));
    assert_eq!(append("a: |+\n  x\n...\n").as_deref(), Ok("a: |+\n  x\n...\n---\na: {}\nb:\n  - c\n"));
}

#[test]
fn an_item_goes_or_comes() {
    let remove = |text: &str, path: &str| edited(text, path, remove_item);
    assert_eq!(remove("a:\n- b\n- c: d\n  e: f\n- g\n", "a.1").as_deref(), Ok("a:\n- b\n- g\n"));
    assert_eq!(remove("a: [b, c]\n", "a.0").as_deref(), Ok("a: [c]\n"));
    let append = |text: &str| edited(text, "a", |editor, node| editor.append(node, &Value::text("x")));
    assert_eq!(append("a:\n- b # c\nd: e\n").as_deref(), Ok("a:\n- b # c\n- x\nd: e\n"));
    assert_eq!(append("a: []\n").as_deref(), Ok("a: [x]\n"));
}

#[test]
fn what_has_a_say_elsewhere_is_left_alone() {
    let on = Value::Word("true");
    let text = "x: &x {a: b}\ny:\n  <<: *x\n  c: d\nz:\n  e: 1\n  e: 2\n";
    assert_eq!(inserted(text, "x", "k", &on), Err(Refusal::Alias));
    assert_eq!(inserted(text, "y", "k", &on), Err(Refusal::Merged));
    assert_eq!(inserted(text, "z", "k", &on), Err(Refusal::Repeated));
    assert_eq!(inserted("a: *b\n", "", "k", &on), Err(Refusal::Elsewhere));
    assert_eq!(inserted("a: {{ b }}\nc: d\n", "", "k", &on), Err(Refusal::Template));
}

#[test]
fn a_change_that_reaches_further_is_refused() {
    // The blank lines belong to the text of `b`.
    assert_eq!(inserted("a:\n  b: |+\n    x\n\n\n", "a", "c", &Value::Word("1")), Err(Refusal::Elsewhere));
}

#[test]
fn a_large_file_is_not_read_again_for_each_edit() {
    let service = "  a:\n    image: b # c\n    x: |\n      y\n\n";
    let text =
        format!("services:\n{}", (0..9_000).map(|at| service.replace(" a:", &format!(" a{at}:"))).collect::<String>());
    let parsed = parse(text.as_bytes());
    let editor = Editor::new(FileId(0), &parsed.tree);
    let services = at(&parsed.tree, "services");
    for entry in services.entries() {
        let edit = editor.insert(entry.value, "init", &Value::Word("true")).unwrap();
        assert_eq!(edit.text, "\n    init: true");
    }
}
