//! The shell reader bears any bytes, and everything that it answers lies in the script.

#![no_main]

use ironhull::{
    syntax::shell::{self, Dialect, Script},
    text::Span,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    for dialect in [Dialect::Posix, Dialect::Bash] {
        check(&shell::parse(text, dialect), text);
    }
});

fn check(script: &Script, text: &[u8]) {
    let whole = Span::new(0, text.len());
    let inside = |span: Span| assert!(whole.covers(span), "{span:?} lies outside of {whole:?}");
    assert_eq!(script.text(), text);
    for command in script.commands() {
        inside(command.span());
        for word in command.words() {
            inside(word.span());
            assert!(command.span().covers(word.span()), "a word lies in its command");
            word.literal();
        }
        command.redirects().for_each(drop);
        command.assignments().for_each(drop);
        assert!(command.blocks().count() <= text.len(), "blocks end");
        assert!(command.piped_into().is_none_or(|next| whole.covers(script.span_of(next))));
        if let Some(invocation) = command.invocation() {
            invocation.arguments().for_each(|word| inside(word.span()));
            invocation.inline_script();
        }
    }
    script.compounds().for_each(|compound| inside(compound.span()));
    script.comments().for_each(inside);
    script.doubts().for_each(|doubt| inside(doubt.span));
}
