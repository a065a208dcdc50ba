use super::*;
use crate::{
    knowledge::Knowledge,
    model::DockerfileModel,
    source::{FileKind, SourceFile},
    syntax::dockerfile,
};

/// `text` after the edit that `make` gives for the first command named `name` of its last `RUN`.
fn edited(text: &str, name: &str, make: impl Fn(ShellEditor<'_>, StepCommand<'_>) -> Option<Edit>) -> Option<String> {
    let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text.as_bytes().to_vec());
    let parsed = dockerfile::parse(&file.text);
    let model = DockerfileModel::new(&file, &parsed.tree, &Knowledge::builtin());
    let step = model.steps().rfind(|step| step.keyword() == Keyword::Run).expect("there is a RUN");
    let command = step.commands().find(|command| command.name() == Some(name)).expect("the command is there");
    let edit = make(ShellEditor::of(command)?, command)?;
    let mut bytes = file.text.clone();
    bytes.splice(edit.span.range(), edit.text.into_bytes());
    Some(String::from_utf8(bytes).expect("the texts are UTF-8"))
}

fn removed(text: &str) -> Option<String> {
    edited(text, "x", |editor, at| editor.remove_command(at.command))
}

fn without_option(text: &str) -> Option<String> {
    edited(text, "x", |editor, at| {
        let word = at.command.words().find(|word| word.bytes() == b"-o")?;
        editor.remove(word, word)
    })
}

fn appended(text: &str) -> Option<String> {
    edited(text, "x", |editor, at| ShellEditor::of_step(at.step).and(editor.append("y")))
}

fn prepended(text: &str) -> Option<String> {
    edited(text, "x", |editor, at| editor.prepend(at, "w"))
}

#[test]
fn a_command_goes_with_its_operator() {
    for (before, after) in [
        ("RUN a && x b && c\n", Some("RUN a && c\n")),
        ("RUN x && c\n", Some("RUN c\n")),
        ("RUN a && x\n", Some("RUN a\n")),
        ("RUN a; x; c\n", Some("RUN a; c\n")),
        ("RUN a && x; c\n", Some("RUN a; c\n")),
        ("RUN x && \\\n    c\n", Some("RUN c\n")),
        ("RUN a \\\r\n && x b \\\r\n && c\r\n", Some("RUN a \\\r\n && c\r\n")),
        ("RUN a && \\\n    x && \\\n    c\n", Some("RUN a && \\\n    c\n")),
        ("RUN <<EOF\na\nx\nc\nEOF\n", Some("RUN <<EOF\na\nc\nEOF\n")),
        ("RUN sh -c 'a && x'\n", Some("RUN sh -c 'a'\n")),
        ("RUN if a; then x; b; fi\n", Some("RUN if a; then b; fi\n")),
        ("RUN x\n", None),
        ("RUN a || x && b\n", None),
        ("RUN x || true\n", None),
        ("RUN x | b && c\n", None),
        ("RUN if x; then b; fi && c\n", None),
        ("RUN if a; then x; fi && c\n", None),
        ("RUN a && \\\n# why\n    x && c\n", None),
        ("RUN [\"sh\", \"-c\", \"a && x\"]\n", None),
        ("RUN ! x && c\n", None),
        ("RUN x & c\n", None),
    ] {
        let file = |text: &str| format!("FROM scratch\n{text}");
        assert_eq!(removed(&file(before)), after.map(file), "{before}");
    }
}

#[test]
fn an_option_goes_with_its_blank() {
    for (before, after) in [
        ("RUN x -o b\n", Some("RUN x b\n")),
        ("RUN x b -o\n", Some("RUN x b\n")),
        ("RUN x \\\n    -o \\\n    b\n", Some("RUN x \\\n    b\n")),
        ("RUN x \\\n    -o b\n", Some("RUN x \\\n    b\n")),
        ("RUN x b \\\r\n    -o\r\n", Some("RUN x b\r\n")),
        ("RUN x b \\\n# why\n    -o\n", None),
        ("RUN sh -c \"x -o b\"\n", Some("RUN sh -c \"x b\"\n")),
    ] {
        let file = |text: &str| format!("FROM scratch\n{text}");
        assert_eq!(without_option(&file(before)), after.map(file), "{before}");
    }
}

#[test]
fn a_command_more_joins_the_list_in_its_style() {
    for (before, after) in [
        ("RUN x b\n", Some("RUN x b && y\n")),
        ("RUN x b # c\n", Some("RUN x b && y # c\n")),
        ("RUN x;\n", Some("RUN x && y;\n")),
        ("RUN a && x | b\n", Some("RUN a && x | b && y\n")),
        ("RUN a \\\n    && x b\n", Some("RUN a \\\n    && x b \\\n    && y\n")),
        ("RUN a && \\\r\n\tx b\r\n", Some("RUN a && \\\r\n\tx b && \\\r\n\ty\r\n")),
        ("RUN a && x \\\n      b \\\n      c\n", Some("RUN a && x \\\n      b \\\n      c \\\n      && y\n")),
        ("RUN set -eux; \\\n\tx; \\\n\tb\n", Some("RUN set -eux; \\\n\tx; \\\n\tb; \\\n\ty\n")),
        ("RUN x; \\\n\tb\n", Some("RUN x; \\\n\tb && y\n")),
        ("RUN if x; then b; fi\n", Some("RUN if x; then b; fi && y\n")),
        ("RUN <<EOF\nx\nb\nEOF\n", Some("RUN <<EOF\nx\nb && y\nEOF\n")),
        ("RUN <<EOF\nset -e\nx\n\nb\nEOF\n", Some("RUN <<EOF\nset -e\nx\n\nb\n\ny\nEOF\n")),
        ("RUN x || true\n", Some("RUN x || true && y\n")),
        ("RUN sh -c 'x b'\n", Some("RUN sh -c 'x b' && y\n")),
        ("RUN x &\n", None),
        ("RUN x && exit 0\n", None),
        ("RUN x && eval \"$Y\"\n", None),
        ("RUN [\"x\", \"b\"]\n", None),
    ] {
        let file = |text: &str| format!("FROM scratch\n{text}");
        assert_eq!(appended(&file(before)), after.map(file), "{before}");
    }
}

#[test]
fn a_command_before_is_run_wherever_the_other_one_is() {
    for (before, after) in [
        ("RUN x b\n", "RUN w && x b\n"),
        ("RUN A=1 x b\n", "RUN w && A=1 x b\n"),
        ("RUN set -e; x\n", "RUN set -e; w && x\n"),
        ("RUN yes | x\n", "RUN w && yes | x\n"),
        ("RUN a || x\n", "RUN w && a || x\n"),
        ("RUN if a; then x; fi\n", "RUN w && if a; then x; fi\n"),
        ("RUN sh -c 'x b'\n", "RUN w && sh -c 'x b'\n"),
    ] {
        let file = |text: &str| format!("FROM scratch\n{text}");
        assert_eq!(prepended(&file(before)), Some(file(after)), "{before}");
    }
}

#[test]
fn a_word_takes_the_place_that_the_order_of_a_list_gives_it() {
    let added = |text: &str| {
        edited(&format!("FROM a\n{text}"), "x", |editor, at| {
            let words: Vec<_> = at.command.arguments().collect();
            editor.add_to_list(&words, &["d", "e"]).into_iter().next()
        })
    };
    for (before, after) in [
        ("RUN x a b\n", "RUN x a b d e\n"),
        ("RUN x f g\n", "RUN x d e f g\n"),
        ("RUN x \\\n  c \\\n  f\n", "RUN x \\\n  c \\\n  d \\\n  e \\\n  f\n"),
        ("RUN x \\\n  f \\\n  g\n", "RUN x \\\n  d \\\n  e \\\n  f \\\n  g\n"),
        ("RUN x g a\n", "RUN x g a d e\n"),
        ("RUN x \\\n  a c f \\\n  g h\n", "RUN x \\\n  a c d e f \\\n  g h\n"),
        ("RUN x \\\n  f g \\\n  h\n", "RUN x \\\n  d e f g \\\n  h\n"),
    ] {
        assert_eq!(added(before), Some(format!("FROM a\n{after}")), "{before}");
    }
}
