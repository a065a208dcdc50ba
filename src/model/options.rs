//! Options and operands of a command, as `getopt` tells them apart.

use super::script::StepCommand;
use crate::syntax::shell::{Invocation, Word};
use std::borrow::Cow;

/// Which options of a program take a value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Valued {
    /// Letters.
    pub(crate) short: &'static str,
    /// Names behind two dashes, whose value may be the next word.
    pub(crate) long: &'static [&'static str],
}

/// The words behind the name of a program.
#[derive(Clone, Debug)]
pub(crate) struct Options<'m> {
    command: StepCommand<'m>,
    given: Vec<Given<'m>>,
    /// What is no option.
    pub(crate) operands: Vec<Word<'m>>,
}

/// One option.
#[derive(Clone, Copy, Debug)]
struct Given<'m> {
    name: Name<'m>,
    /// The word that holds its value, and the bytes of that word in front of the value.
    value: Option<(Word<'m>, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name<'m> {
    Short(char),
    Long(&'m str),
}

impl<'m> Options<'m> {
    /// Reads the words behind the program that `command` runs in the end.
    pub(crate) fn read(command: StepCommand<'m>, valued: Valued) -> Self {
        match command.invocation() {
            Some(invocation) => Self::of(command, invocation, valued),
            None => Self { command, given: Vec::new(), operands: Vec::new() },
        }
    }

    /// Reads the words behind the program of `invocation`, one of `command`.
    pub(crate) fn of(command: StepCommand<'m>, invocation: Invocation<'m>, valued: Valued) -> Self {
        let mut options = Self { command, given: Vec::new(), operands: Vec::new() };
        let mut words = invocation.arguments();
        while let Some(word) = words.next() {
            let text = word.bytes();
            match text {
                b"--" => {
                    options.operands.extend(words);
                    break;
                }
                [b'-', b'-', name @ ..] => {
                    let Ok(name) = std::str::from_utf8(name) else { continue };
                    let (name, inline) = match name.split_once('=') {
                        Some((name, _)) => (name, Some((word, name.len() + 3))),
                        None => (name, None),
                    };
                    let takes_next = inline.is_none() && valued.long.contains(&name);
                    let value = if takes_next { words.next().map(|next| (next, 0)) } else { inline };
                    options.given.push(Given { name: Name::Long(name), value });
                }
                [b'-', cluster @ ..] if !cluster.is_empty() => {
                    options.cluster(word, &String::from_utf8_lossy(cluster), valued, &mut words);
                }
                _ => options.operands.push(word),
            }
        }
        options
    }

    /// Reads letters behind one dash; the rest of the word, or the next word, is the value of the first that takes one.
    fn cluster(&mut self, word: Word<'m>, letters: &str, valued: Valued, words: &mut impl Iterator<Item = Word<'m>>) {
        for (at, letter) in letters.char_indices() {
            let name = Name::Short(letter);
            if !valued.short.contains(letter) {
                self.given.push(Given { name, value: None });
                continue;
            }
            let behind = at + letter.len_utf8();
            let value =
                if behind < letters.len() { Some((word, behind + 1)) } else { words.next().map(|next| (next, 0)) };
            self.given.push(Given { name, value });
            return;
        }
    }

    fn find(&self, short: Option<char>, long: &str) -> Option<&Given<'m>> {
        self.given.iter().rfind(|given| match given.name {
            Name::Short(letter) => Some(letter) == short,
            Name::Long(name) => name == long && !long.is_empty(),
        })
    }

    /// Whether it is given; an empty long name stands for none.
    pub(crate) fn has(&self, short: Option<char>, long: &str) -> bool {
        self.find(short, long).is_some()
    }

    /// The word that holds its value, if it is given, and the bytes of that word in front of the value.
    pub(crate) fn value_word(&self, short: Option<char>, long: &str) -> Option<(Word<'m>, usize)> {
        self.find(short, long)?.value
    }

    /// Its value, if it is given and its value is certain.
    pub(crate) fn value(&self, short: Option<char>, long: &str) -> Option<Cow<'m, str>> {
        let (word, skip) = self.find(short, long)?.value?;
        match self.command.value(word)? {
            Cow::Borrowed(text) => text.get(skip..).map(Cow::Borrowed),
            Cow::Owned(text) => text.get(skip..).map(|text| Cow::Owned(text.to_owned())),
        }
    }
}
