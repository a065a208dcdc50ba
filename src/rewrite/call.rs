//! Calls of a container engine without one of their options.

use crate::{
    model::engine_call::EngineOption,
    rule::{Cx, Fix, Safety},
    text::{Edit, Span},
};

/// The call without `option`, with the lines of the others as they are.
///
/// # Errors
/// Why it is not edited.
pub fn without_option<M>(
    cx: &Cx<'_, M>,
    option: &EngineOption<'_>,
    title: &'static str,
    safety: Safety,
    reason: &'static str,
) -> Result<Fix, &'static str> {
    if !stands_alone(cx.bytes(option.span), &option.name) {
        return Err("it is written in one word with other options");
    }
    Ok(Fix::new(title, safety, reason, vec![Edit::delete(cx.file.id, whole(&cx.file.text, option.span))]))
}

/// Whether a word holds that option and no other: `-itu` holds three.
fn stands_alone(word: &[u8], name: &str) -> bool {
    word.starts_with(b"--") || word.get(1) == name.as_bytes().first()
}

/// The option with the blanks in front of it; with its line where nothing else stands on that.
pub(super) fn whole(text: &[u8], option: Span) -> Span {
    let (start, end) = (option.start as usize, option.end as usize);
    let before = without_blanks(&text[..start]);
    let begins_line = before == 0 || text[before - 1] == b'\n';
    let rest = &text[end..];
    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let joined = match &rest[blanks..] {
        [b'\\', b'\n', ..] => Some(2),
        [b'\\', b'\r', b'\n', ..] => Some(3),
        _ => None,
    };
    match joined {
        Some(length) if begins_line => Span::new(before, end + blanks + length),
        // The first word of a line keeps the indentation of the line.
        None if begins_line => Span::new(start, end + blanks),
        Some(_) | None => Span::new(before, end),
    }
}

/// How long a text is without the blanks at its end.
fn without_blanks(text: &[u8]) -> usize {
    text.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_goes_with_its_blanks_or_its_line() {
        let without = |text: &str| {
            let start = text.find("--x").expect("the option is there");
            let span = whole(text.as_bytes(), Span::new(start, start + 3));
            [&text[..span.start as usize], &text[span.end as usize..]].concat()
        };
        assert_eq!(without("run --rm --x img\n"), "run --rm img\n");
        assert_eq!(without("run --rm \\\n  --x \\\n  img\n"), "run --rm \\\n  img\n");
        assert_eq!(without("run \\\r\n  --x \\\r\n  img\r\n"), "run \\\r\n  img\r\n");
        assert_eq!(without("run --x \\\n  img\n"), "run \\\n  img\n");
        assert_eq!(without("run \\\n  --x img\n"), "run \\\n  img\n");
    }
}
