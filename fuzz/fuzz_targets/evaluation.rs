//! Expansion and image references bear any word, and what is expanded stays within its budget.

#![no_main]

use ironhull::model::{
    expand::{Budget, Cause, Expander, Lookup, Scope, Value},
    reference::Reference,
};
use libfuzzer_sys::fuzz_target;

/// `A` and `B` are set, `C` is an argument without a default, and the rest is not there.
struct Variables<'a> {
    a: Value<'a>,
    b: Value<'a>,
}

impl Scope for Variables<'_> {
    fn lookup(&self, name: &str) -> Lookup<'_> {
        match name {
            "A" => Lookup::Set(&self.a),
            "B" => Lookup::Set(&self.b),
            "C" => Lookup::Unset(Cause::Missing),
            _ => Lookup::Unset(Cause::Undefined),
        }
    }
}

fuzz_target!(|input: (&str, &str, &str, bool)| {
    let (word, a, b, windows) = input;
    let scope = Variables { a: Value::literal(a), b: Value::literal(b) };
    let budget = Budget::new(1 << 20);
    let expander = Expander::new(&scope, if windows { b'`' } else { b'\\' }, &budget);
    if let Ok(value) = expander.word(word) {
        assert!(value.text.len() <= 1 << 20, "no more is written than the budget allows");
        name(&value.text);
    }
    drop(expander.words(word));
    drop(Expander::of_heredoc(&scope, &budget).word(word));
    name(word);
});

fn name(text: &str) {
    let Ok(reference) = Reference::parse(text) else { return };
    let again = Reference::parse(reference.normalized()).expect("a normalized name is a name");
    assert_eq!(again.normalized(), reference.normalized(), "a normalized name stays as it is");
    assert_eq!(again.name(), reference.name());
    reference.familiar();
}
