//! Words, and the pieces they are made of.

use super::{
    Script,
    tree::{Features, WordData},
};
use crate::text::Span;
use std::borrow::Cow;

/// What a part of a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What.
    pub kind: PieceKind,
    /// All of it; for text in quotes, without the quotes.
    pub span: Span,
    /// Whether it stands in quotes, so that its value is neither split nor globbed.
    pub quoted: bool,
    /// Whether it is part of another piece (`${a:-$b}`); such pieces follow the one they are part of.
    pub nested: bool,
}

impl Piece {
    /// With the spans that leave this module.
    pub(super) fn placed(self, script: &Script) -> Self {
        if !script.is_inline() {
            return self;
        }
        let whole = script.placed(self.span);
        // An empty operand has no place of its own where quotes lie beside it.
        let operand_in = |operand: Span| {
            if operand.is_empty() { Span::at(whole.end as usize) } else { script.placed(operand) }
        };
        let kind = match self.kind {
            PieceKind::Variable { name, operator, operand } => {
                PieceKind::Variable { name: script.placed(name), operator, operand: operand_in(operand) }
            }
            kind
            @ (PieceKind::Text(_) | PieceKind::Substitution(_) | PieceKind::Process(_) | PieceKind::Arithmetic) => kind,
        };
        Self { kind, span: whole, ..self }
    }
}

/// Kinds of piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceKind {
    /// Text, under this kind of quotes.
    Text(Quoting),
    /// `$name`, `${name}`, `${name:-operand}`.
    Variable {
        /// The name without `$` and braces: an identifier, a number or a special character.
        name: Span,
        /// What is done with its value.
        operator: Operator,
        /// What stands behind the operator, up to the closing brace.
        operand: Span,
    },
    /// `$( … )` or backquotes: the compound command of that index.
    Substitution(u32),
    /// `<( … )` or `>( … )`: the compound command of that index.
    Process(u32),
    /// `$(( … ))` or `$[ … ]`.
    Arithmetic,
}

/// Kinds of quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quoting {
    /// None; a backslash protects the next byte.
    Bare,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `$'…'`
    Ansi,
}

/// What `${…}` does with the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// Nothing.
    None,
    /// `-`, `:-`: the operand if it is unset (or empty).
    Default,
    /// `=`, `:=`: likewise, and assigns it.
    Assign,
    /// `?`, `:?`: fails with the operand as message if it is unset (or empty).
    Require,
    /// `+`, `:+`: the operand if it is set (and not empty).
    Alternative,
    /// `#`, `##`, `%`, `%%`: without a prefix or suffix.
    Trim,
    /// `/`, `//`: with a pattern replaced.
    Replace,
    /// `:`: a part of it.
    Slice,
    /// `^`, `,`, `@`: in another case or form.
    Transform,
    /// `#` before the name: its length.
    Length,
    /// `!` before the name: the variable that it names.
    Indirect,
    /// `[…]`: an element of an array, whatever follows.
    Element,
}

/// Words of a command, in order.
#[derive(Clone, Debug)]
pub struct Words<'s> {
    script: &'s Script,
    words: std::slice::Iter<'s, WordData>,
}

impl<'s> Words<'s> {
    pub(super) fn new(script: &'s Script, words: &'s [WordData]) -> Self {
        Self { script, words: words.iter() }
    }
}

impl<'s> Iterator for Words<'s> {
    type Item = Word<'s>;

    fn next(&mut self) -> Option<Word<'s>> {
        self.words.next().map(|data| Word { script: self.script, data })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.words.size_hint()
    }
}

impl DoubleEndedIterator for Words<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.words.next_back().map(|data| Word { script: self.script, data })
    }
}

impl ExactSizeIterator for Words<'_> {}

/// A word.
#[derive(Clone, Copy, Debug)]
pub struct Word<'s> {
    pub(super) script: &'s Script,
    pub(super) data: &'s WordData,
}

impl<'s> Word<'s> {
    /// The script that it is part of.
    pub fn script(self) -> &'s Script {
        self.script
    }

    /// All of it, quotes included.
    pub fn span(self) -> Span {
        self.script.placed(self.data.span)
    }

    /// Its bytes after quote removal; variables, substitutions, globs, tildes and braces stay as written.
    pub fn bytes(self) -> &'s [u8] {
        self.data.text.of(if self.data.is_decoded { &self.script.decoded } else { &self.script.own })
    }

    /// [`Word::bytes`] as text; bytes that are not UTF-8 become replacement characters.
    pub fn text(self) -> Cow<'s, str> {
        self.utf8().map_or_else(|| String::from_utf8_lossy(self.bytes()), Cow::Borrowed)
    }

    /// Its value, if that is certain: nothing in it is expanded, and it is UTF-8.
    pub fn literal(self) -> Option<&'s str> {
        if !self.data.features.is_literal() {
            return None;
        }
        self.utf8()
    }

    /// [`Word::bytes`], if they are UTF-8.
    fn utf8(self) -> Option<&'s str> {
        if self.data.is_decoded {
            return std::str::from_utf8(self.bytes()).ok();
        }
        self.script.own.part(self.data.text)
    }

    /// Its bytes as written.
    pub fn source(self) -> &'s [u8] {
        self.script.bytes(self.span())
    }

    /// Whether any part of it is quoted or protected by a backslash.
    pub fn is_quoted(self) -> bool {
        self.data.features.any(Features::QUOTES)
    }

    /// Whether the shell changes it beyond quote removal, so that its value is not certain.
    pub fn is_expanded(self) -> bool {
        !self.data.features.is_literal()
    }

    /// Whether variables, substitutions or arithmetic decide its value.
    pub fn is_dynamic(self) -> bool {
        self.data.features.any(Features::DYNAMIC)
    }

    /// Whether it holds a variable.
    pub fn has_variable(self) -> bool {
        self.data.features.any(Features::VARIABLE)
    }

    /// Whether it holds a command or process substitution.
    pub fn has_substitution(self) -> bool {
        self.data.features.any(Features::SUBSTITUTION)
    }

    /// Whether it holds `*`, `?` or `[…]` outside quotes.
    pub fn has_glob(self) -> bool {
        self.data.features.any(Features::GLOB)
    }

    /// Whether it holds `{a,b}` or `{1..3}` outside quotes, which bash expands and `dash` does not.
    pub fn has_braces(self) -> bool {
        self.data.features.any(Features::BRACES)
    }

    /// Whether it starts with a `~` that the shell expands.
    pub fn has_tilde(self) -> bool {
        self.data.features.any(Features::TILDE)
    }

    /// Its pieces, nested ones included. Quotes themselves are in no piece.
    pub fn pieces(self) -> impl Iterator<Item = Piece> + Clone + 's {
        self.own_pieces().map(move |piece| piece.placed(self.script))
    }

    pub(super) fn own_pieces(self) -> impl Iterator<Item = Piece> + Clone + 's {
        let pieces = self.data.pieces.of(&self.script.pieces);
        let bare = Piece { kind: PieceKind::Text(Quoting::Bare), span: self.data.span, quoted: false, nested: false };
        let whole = (pieces.is_empty() && !self.data.span.is_empty()).then_some(bare);
        whole.into_iter().chain(pieces.iter().copied())
    }

    /// Names of the variables in it, with their spans; not those inside command substitutions.
    pub fn variables(self) -> impl Iterator<Item = (&'s [u8], Span)> + Clone + 's {
        self.own_pieces().filter_map(move |piece| match piece.kind {
            PieceKind::Variable { name, .. } => Some((name.of(&self.script.own), self.script.placed(piece.span))),
            PieceKind::Text(_) | PieceKind::Substitution(_) | PieceKind::Process(_) | PieceKind::Arithmetic => None,
        })
    }

    /// The name if it has the form `NAME=value`, as `export` and `env` take it.
    pub fn assigned_name(self) -> Option<&'s str> {
        let source = self.data.span.of(&self.script.own);
        let end = source.iter().position(|&byte| !is_name_byte(byte))?;
        let is_name = end > 0 && !source[0].is_ascii_digit() && source[end] == b'=';
        is_name.then(|| std::str::from_utf8(&source[..end]).ok()).flatten()
    }
}

/// Whether `byte` may be part of a variable's name.
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
