//! The parser bears any bytes, and loses none of them.

#![no_main]

use ironhull::syntax::dockerfile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let parsed = dockerfile::parse(text);
    let mut end = 0;
    for token in &parsed.tree.tokens {
        assert_eq!(token.span.start, end, "tokens follow each other without a gap");
        end = token.span.end;
    }
    assert_eq!(end as usize, text.len(), "tokens reach the end of the file");
    for instruction in &parsed.tree.instructions {
        assert!(instruction.span.end as usize <= text.len());
        instruction.arguments(text);
    }
});
