//! What an image runs when it is started, and whether two images run the same.

use super::{
    image::Image,
    verdict::{Difference, Standing, Subject},
};

/// A command: a text for a shell, or words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// A shell reads it.
    Shell(String),
    /// It is run as it is.
    Words(Vec<String>),
}

/// The difference between what two images run.
pub(super) fn compare(before: &Image, after: &Image) -> Option<Difference> {
    let shown = |image: &Image| [image.entrypoint.as_slice(), &image.command].concat().join(" ");
    if (&before.entrypoint, &before.command) == (&after.entrypoint, &after.command) {
        return None;
    }
    let (old, new) = (of(before), of(after));
    let (standing, why) = if old == new {
        (Standing::Allowed, "`ENTRYPOINT` and `CMD` share the same words in another way")
    } else if are_the_same_words(&old, &new) {
        (Standing::Allowed, "the same words without a shell")
    } else if run_the_same_program(&old, &new) {
        (Standing::Allowed, "the same program with the same arguments")
    } else {
        (Standing::Noted, "another command; what it does is compared below")
    };
    Some(Difference::new(Subject::Start, standing, (shown(before), shown(after)), why))
}

/// What an image runs.
fn of(image: &Image) -> Start {
    // The arguments of an entry point in shell form are lost.
    if let Some(text) = shell_text(&image.entrypoint) {
        return Start::Shell(text);
    }
    match shell_text(&image.command) {
        Some(text) if image.entrypoint.is_empty() => Start::Shell(text),
        Some(_) | None => Start::Words([image.entrypoint.as_slice(), &image.command].concat()),
    }
}

/// What a health check runs: `CMD-SHELL` and a text, or `CMD` and words.
pub(super) fn health_command(check: &[String]) -> Start {
    match check {
        [kind, text] if kind == "CMD-SHELL" => Start::Shell(text.clone()),
        [kind, words @ ..] if kind == "CMD" => {
            shell_text(words).map_or_else(|| Start::Words(words.to_vec()), Start::Shell)
        }
        words => Start::Words(words.to_vec()),
    }
}

fn shell_text(words: &[String]) -> Option<String> {
    let [shell, option, text] = words else { return None };
    let name = shell.rsplit('/').next().unwrap_or(shell);
    (matches!(name, "sh" | "bash" | "ash" | "dash") && option == "-c").then(|| text.clone())
}

/// Whether a shell would run the text of one as the words of the other.
pub(super) fn are_the_same_words(before: &Start, after: &Start) -> bool {
    match (before, after) {
        (Start::Shell(text), Start::Words(words)) | (Start::Words(words), Start::Shell(text)) => {
            plain_words(text).as_ref() == Some(words)
        }
        (Start::Shell(before), Start::Shell(after)) => before.trim() == after.trim(),
        (Start::Words(before), Start::Words(after)) => before == after,
    }
}

/// Whether only the way to the program differs: `python app.py` and `/usr/bin/python3.11 app.py`.
fn run_the_same_program(before: &Start, after: &Start) -> bool {
    let words = |start: &Start| match start {
        Start::Shell(text) => plain_words(text),
        Start::Words(words) => Some(words.clone()),
    };
    let (Some(before), Some(after)) = (words(before), words(after)) else { return false };
    let (Some(old), Some(new)) = (before.first(), after.first()) else { return false };
    program(old) == program(new) && before[1..] == after[1..]
}

/// The name of a program without its directory and version.
fn program(word: &str) -> &str {
    let name = word.rsplit('/').next().unwrap_or(word);
    name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.')
}

/// What a shell does something with outside of quotes.
const MEANINGFUL: &str = "$`\\|&;<>()*?[{~#";

/// The words of a text that a shell does nothing with but split and unquote it, an `exec` in front left out.
fn plain_words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in text.trim().chars() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (Some('"'), '$' | '`' | '\\') => return None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t' | '\n') => words.extend(word.take()),
            (None, _) if MEANINGFUL.contains(character) => return None,
            (Some(_) | None, _) => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    if words.first().is_some_and(|first| first == "exec") {
        words.remove(0);
    }
    let is_assignment = words.first().is_some_and(|first| first.contains('='));
    (quote.is_none() && !words.is_empty() && !is_assignment).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(entrypoint: &[&str], command: &[&str]) -> Image {
        let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        Image { entrypoint: owned(entrypoint), command: owned(command), ..Image::default() }
    }

    fn standing(before: &Image, after: &Image) -> Option<Standing> {
        compare(before, after).map(|difference| difference.standing)
    }

    #[test]
    fn exec_form_of_the_same_words_is_allowed() {
        let before = image(&[], &["/bin/sh", "-c", "exec python app.py 'a b'"]);
        assert_eq!(standing(&before, &image(&[], &["python", "app.py", "a b"])), Some(Standing::Allowed));
        assert_eq!(standing(&before, &image(&["/usr/bin/python3.11"], &["app.py", "a b"])), Some(Standing::Allowed));
        assert_eq!(standing(&before, &image(&[], &["python", "other.py"])), Some(Standing::Noted));
    }

    #[test]
    fn what_a_shell_would_change_is_not_the_same() {
        let before = image(&[], &["/bin/sh", "-c", "python $APP"]);
        assert_eq!(standing(&before, &image(&[], &["python", "$APP"])), Some(Standing::Noted));
        assert_eq!(plain_words("A=1 run"), None);
        assert_eq!(plain_words("run 'open"), None);
        assert_eq!(plain_words("cd /x && run"), None);
    }

    #[test]
    fn words_may_move_between_entry_point_and_command() {
        assert_eq!(standing(&image(&["a", "b"], &[]), &image(&["a"], &["b"])), Some(Standing::Allowed));
        assert_eq!(standing(&image(&["a"], &["b"]), &image(&["a"], &["b"])), None);
    }
}
