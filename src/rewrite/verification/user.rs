//! The command that uses a download which it reads from a pipe, written to use a file.

use crate::{
    model::{
        StepCommand,
        downloads::{Download, is_interpreter},
    },
    syntax::shell::Word,
    text::{Edit, FileId, Span},
};

/// Whether what is downloaded is run as a script.
pub(super) fn is_run(download: &Download<'_>) -> bool {
    let consumer = download.consumer().and_then(|command| command.invocation()?.name());
    consumer.is_some_and(is_interpreter)
}

/// Makes `user`, which reads its standard input, read `path` in its place.
///
/// # Errors
/// Why that cannot be written: one clause.
pub(super) fn read_file(user: StepCommand<'_>, file: FileId, path: &str) -> Result<Edit, String> {
    let invocation = user.invocation().ok_or("what uses the download is unclear")?;
    let name = invocation.name().ok_or("what uses the download is unclear")?;
    let words: Vec<Word<'_>> = invocation.arguments().collect();
    let place = |word: Word<'_>| user.word_span(word);
    let name_end = place(invocation.name_word()).end;
    let edit = match name {
        "tar" | "bsdtar" => tar(&words, name_end, path, &place),
        "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh" => shell(&words, name_end, path, &place),
        name if is_interpreter(name) && name != "eval" => interpreter(&words, name_end, path, &place),
        _ => None,
    };
    let (span, text) = edit.ok_or_else(|| format!("how `{name}` would be given a file is unclear"))?;
    Ok(Edit::replace(file, span, text))
}

type Written = Option<(Span, String)>;

/// `tar xz`, `tar -xz -C /opt`, `tar -xzf -`, `tar xfz - -C /opt`.
fn tar(words: &[Word<'_>], name_end: u32, path: &str, place: &impl Fn(Word<'_>) -> Span) -> Written {
    // Letters without a value.
    let is_plain = |letters: &str| letters.bytes().all(|letter| b"xvzjJamphkwoUtrSPB".contains(&letter));
    let is_input = |word: &Word<'_>| matches!(&*word.text(), "-" | "/dev/stdin");
    let first = words.first()?;
    let bundle = first.text();
    if !bundle.starts_with('-') {
        // Values of the letters follow in their order.
        if bundle.contains('f') {
            let value = words.get(1).filter(|word| is_plain(&bundle.replacen('f', "", 1)) && is_input(word))?;
            return Some((place(*value), path.to_owned()));
        }
        if let Some(rest) = bundle.strip_suffix('C').filter(|rest| is_plain(rest)) {
            return Some((place(*first), format!("{rest}fC {path}")));
        }
        let end = place(*first).end;
        return is_plain(&bundle).then(|| (Span { start: end, end }, format!("f {path}")));
    }
    for (at, word) in words.iter().enumerate() {
        let text = word.text();
        let is_cluster = text.starts_with('-') && !text.starts_with("--");
        if is_cluster && text.ends_with('f') || text == "--file" {
            let value = words.get(at + 1).filter(|word| is_input(word))?;
            return Some((place(*value), path.to_owned()));
        }
        if let Some(cluster) = text.strip_suffix("f-").filter(|_| is_cluster) {
            return Some((place(*word), format!("{cluster}f {path}")));
        }
        if text.starts_with("--file=") {
            return matches!(&*text, "--file=-" | "--file=/dev/stdin")
                .then(|| (place(*word), format!("--file={path}")));
        }
        if is_cluster && text.contains('f') {
            return None;
        }
    }
    Some((Span { start: name_end, end: name_end }, format!(" -f {path}")))
}

/// `sh`, `bash -`, `bash -s -- arguments`, `sh -ex`.
fn shell(words: &[Word<'_>], name_end: u32, path: &str, place: &impl Fn(Word<'_>) -> Span) -> Written {
    let is_option = |text: &str| {
        let letters = text.strip_prefix('-').filter(|rest| !rest.is_empty() && !rest.starts_with('-'));
        letters.is_some_and(|letters| letters.bytes().all(|letter| b"exuvlip".contains(&letter))) || text == "--login"
    };
    let options = words.iter().take_while(|word| is_option(&word.text())).count();
    let rest = &words[options..];
    let marks = match rest {
        [] => 0,
        [first, second, ..] if &*first.text() == "-s" && matches!(&*second.text(), "-" | "--") => 2,
        [first, ..] if &*first.text() == "-s" => 1,
        [first, ..] if &*first.text() == "/dev/stdin" => 1,
        [first] if matches!(&*first.text(), "-" | "--") => 1,
        _ => return None,
    };
    // `bash -s - --flag`: what follows the marks is the script's.
    Some(written(&words[..options], &rest[..marks], name_end, path, place))
}

/// `python3 -`, `php -- arguments`, `perl - arguments`.
fn interpreter(words: &[Word<'_>], name_end: u32, path: &str, place: &impl Fn(Word<'_>) -> Span) -> Written {
    let Some(at) = words.iter().position(|word| matches!(&*word.text(), "-" | "--")) else {
        return words.is_empty().then(|| written(&[], &[], name_end, path, place));
    };
    let is_flag = |word: &Word<'_>| word.text().starts_with('-') && word.literal().is_some();
    if !words[..at].iter().all(is_flag) {
        return None;
    }
    Some(written(&words[..at], &words[at..=at], name_end, path, place))
}

/// `path` in place of `marks`, or behind the options.
fn written(
    options: &[Word<'_>],
    marks: &[Word<'_>],
    name_end: u32,
    path: &str,
    place: &impl Fn(Word<'_>) -> Span,
) -> (Span, String) {
    if let ([first, ..], [.., last]) = (marks, marks) {
        return (place(*first).to(place(*last)), path.to_owned());
    }
    let end = options.last().map_or(name_end, |word| place(*word).end);
    (Span { start: end, end }, format!(" {path}"))
}
