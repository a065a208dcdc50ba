//! The scripts and commands that a step runs, with the way back to the file.
//!
//! A `RUN` in shell form is one script; the body of a heredoc, the script behind `sh -c` and what a shell is fed by a
//! heredoc are scripts of their own. The JSON form is read as a script of one command.

use super::{dockerfile::Step, evaluate::text_of, healthcheck::is_exec};
use crate::{
    syntax::{
        dockerfile::{Arg, Arguments, Heredoc, Joined, Keyword},
        shell::{self, Command, Dialect, Invocation, PieceKind, Quoting, Script, Word, dialect_of, dialect_of_shebang},
    },
    text::Span,
};

/// `sh -c "sh -c …"` deeper than this is not looked into.
const DEEPEST: u32 = 3;

/// A script that a step runs.
#[derive(Debug)]
pub struct StepScript {
    /// What it says. Its spans are offsets into its own text: [`StepScript::file_span`] leads back to the file.
    pub script: Script,
    /// How it is run.
    pub form: ScriptForm,
    /// The script, by index among those of the step, and the command in it that runs this one.
    pub run_by: Option<(usize, u32)>,
    map: Map,
    depth: u32,
}

/// How a script is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScriptForm {
    /// By the shell in force.
    Shell,
    /// As the body of a heredoc, by the shell in force or by what its first line names.
    Heredoc,
    /// Without a shell: one command in JSON form. Nothing in it is expanded.
    Exec,
    /// By a shell that a command of another script starts.
    Inline,
}

/// How offsets of a script lead to the file.
#[derive(Debug)]
enum Map {
    Joined(Joined),
    /// Words of the JSON form: where each starts in the script, and where it is in the file.
    Words(Vec<(u32, Span)>),
    /// Text that was decoded: only all of it has a place.
    Whole(Span),
}

impl StepScript {
    /// Where `span` of the script lies in the file; a whole word where the file writes it in another way.
    pub fn file_span(&self, span: Span) -> Span {
        match &self.map {
            Map::Joined(joined) => joined.file_span(span.start..span.end),
            Map::Whole(place) => *place,
            Map::Words(words) => {
                let first = words.partition_point(|&(start, _)| start <= span.start).saturating_sub(1);
                let last = words.partition_point(|&(start, _)| start < span.end.max(span.start + 1)).saturating_sub(1);
                match (words.get(first), words.get(last)) {
                    (Some(&(_, first)), Some(&(_, last))) => first.to(last),
                    _ => Span::default(),
                }
            }
        }
    }

    /// Whether the bytes of the script are those of the file, so that a part of it can be edited on its own.
    pub fn is_verbatim(&self) -> bool {
        match self.map {
            Map::Joined(_) => true,
            Map::Words(_) | Map::Whole(_) => false,
        }
    }

    /// Its commands in source order.
    pub fn commands(&self) -> impl DoubleEndedIterator<Item = Command<'_>> + ExactSizeIterator {
        self.script.commands()
    }
}

/// A command that a step runs.
#[derive(Clone, Copy, Debug)]
pub struct StepCommand<'m> {
    /// The step.
    pub step: Step<'m>,
    /// The script that holds it.
    pub script: &'m StepScript,
    /// The command.
    pub command: Command<'m>,
}

impl<'m> StepCommand<'m> {
    /// Where it lies in the file.
    pub fn span(self) -> Span {
        self.script.file_span(self.command.span())
    }

    /// Where a word of it lies in the file.
    pub fn word_span(self, word: Word<'_>) -> Span {
        self.script.file_span(word.span())
    }

    /// What it runs in the end, wrappers such as `sudo` looked through.
    pub fn invocation(self) -> Option<Invocation<'m>> {
        self.command.invocation()
    }

    /// The name of what it runs in the end, if that is literal.
    pub fn name(self) -> Option<&'m str> {
        self.command.invocation()?.name()
    }
}

impl<'m> Step<'m> {
    /// The scripts that a `RUN`, `CMD`, `ENTRYPOINT` or `HEALTHCHECK` runs, each behind the one that runs it.
    pub fn scripts(self) -> &'m [StepScript] {
        self.script_cell().get_or_init(|| scripts_of(self))
    }

    /// The script of the step itself, be it in shell form, a heredoc or the JSON form.
    pub fn script(self) -> Option<&'m StepScript> {
        self.scripts().first()
    }

    /// Every command of every script of the step.
    pub fn commands(self) -> impl Iterator<Item = StepCommand<'m>> {
        self.scripts().iter().flat_map(move |script| {
            script.script.commands().map(move |command| StepCommand { step: self, script, command })
        })
    }

    /// The language of the shell in force.
    pub fn dialect(self) -> Dialect {
        dialect_of(&self.shell().words)
    }
}

fn scripts_of(step: Step<'_>) -> Vec<StepScript> {
    if !matches!(step.keyword(), Keyword::Run | Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck) {
        return Vec::new();
    }
    let mut scripts = Vec::new();
    match step.arguments() {
        Arguments::Json(words) => scripts.extend(exec(words)),
        Arguments::Text(text) => own(step, text, &mut scripts),
        Arguments::Words(words) if step.keyword() == Keyword::Healthcheck => match words.as_slice() {
            [_, command @ ..] if is_exec(command) => scripts.extend(exec(command)),
            [_, text] => own(step, text, &mut scripts),
            [..] => {}
        },
        Arguments::Words(_) | Arguments::Assignments(_) | Arguments::None => {}
    }
    let mut next = 0;
    while next < scripts.len() {
        let inner = inline(step, &scripts[next], next);
        scripts.extend(inner);
        next += 1;
    }
    scripts
}

/// The script in shell form, or the heredoc that stands for it.
fn own(step: Step<'_>, text: &Arg<'_>, scripts: &mut Vec<StepScript>) {
    let source = step.model().file.text.as_slice();
    let instruction = step.instruction();
    if let [heredoc] = instruction.heredocs.as_slice()
        && text.span == heredoc.marker
    {
        let body = heredoc.body.of(source);
        let dialect = dialect_of_shebang(body).unwrap_or_else(|| step.dialect());
        scripts.push(StepScript {
            script: shell::parse(body, dialect),
            form: ScriptForm::Heredoc,
            run_by: None,
            map: Map::Joined(Joined::slice(heredoc.body)),
            depth: 0,
        });
        return;
    }
    let all = instruction.body.text(source);
    // The text of the arguments is a tail of the body, also behind `HEALTHCHECK CMD`.
    let end = instruction.args.end;
    let start = end.saturating_sub(text.text.len() as u32);
    let range =
        if all.get(start as usize..end as usize) == Some(&*text.text) { start..end } else { instruction.args.clone() };
    let joined = instruction.body.part(source, range);
    scripts.push(StepScript {
        script: shell::parse(joined.text(source), step.dialect()),
        form: ScriptForm::Shell,
        run_by: None,
        map: Map::Joined(joined),
        depth: 0,
    });
}

/// A script of one command with these words, each quoted.
fn exec(words: &[Arg<'_>]) -> Option<StepScript> {
    let first = words.first()?;
    let mut text = String::new();
    let mut places = Vec::with_capacity(words.len());
    for word in words {
        if !text.is_empty() {
            text.push(' ');
        }
        places.push((text.len() as u32, word.span));
        let word = text_of(word);
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/' | b'.' | b':');
        if !word.is_empty() && word.bytes().all(is_plain) {
            text.push_str(&word);
            continue;
        }
        text.push('\'');
        text.push_str(&word.replace('\'', "'\\''"));
        text.push('\'');
    }
    debug_assert!(!first.span.is_empty(), "a word of the JSON form has quotes");
    Some(StepScript {
        script: shell::parse(text.as_bytes(), Dialect::Posix),
        form: ScriptForm::Exec,
        run_by: None,
        map: Map::Words(places),
        depth: 0,
    })
}

/// The scripts that the commands of `outer` give to shells.
fn inline(step: Step<'_>, outer: &StepScript, index: usize) -> Vec<StepScript> {
    if outer.depth == DEEPEST {
        return Vec::new();
    }
    let mut inner = Vec::new();
    for command in outer.script.commands() {
        let Some(invocation) = command.invocation() else { continue };
        let Some(dialect) = invocation.name().and_then(Dialect::of_program) else { continue };
        let run_by = Some((index, command.index()));
        if let Some((word, dialect)) = invocation.inline_script() {
            inner.extend(inline_word(step, outer, word, dialect, run_by));
        } else if let Some(heredoc) = fed_heredoc(step, outer, command) {
            inner.push(StepScript {
                script: shell::parse(heredoc.body.of(&step.model().file.text), dialect),
                form: ScriptForm::Inline,
                run_by,
                map: Map::Joined(Joined::slice(heredoc.body)),
                depth: outer.depth + 1,
            });
        }
    }
    inner
}

/// The script that a word is, if its text is certain.
fn inline_word(
    step: Step<'_>,
    outer: &StepScript,
    word: Word<'_>,
    dialect: Dialect,
    run_by: Option<(usize, u32)>,
) -> Option<StepScript> {
    let text = match word.literal() {
        Some(text) => text.as_bytes(),
        // Variables of the outer shell stand for what nobody knows; the commands around them are still told.
        None if !word.has_substitution() => word.bytes(),
        None => return None,
    };
    let map = match (&outer.map, verbatim(word)) {
        (Map::Joined(joined), Some(span)) => Map::Joined(joined.part(&step.model().file.text, span.start..span.end)),
        (Map::Joined(_) | Map::Words(_) | Map::Whole(_), _) => Map::Whole(outer.file_span(word.span())),
    };
    let script = shell::parse(text, dialect);
    Some(StepScript { script, form: ScriptForm::Inline, run_by, map, depth: outer.depth + 1 })
}

/// The span of a word that is one quoted text without escapes: its value is its bytes.
fn verbatim(word: Word<'_>) -> Option<Span> {
    let mut pieces = word.pieces();
    let piece = pieces.next()?;
    let is_text = matches!(piece.kind, PieceKind::Text(Quoting::Single | Quoting::Double));
    (pieces.next().is_none() && is_text && piece.span.len() == word.bytes().len()).then_some(piece.span)
}

/// The heredoc of the instruction that a command reads as its input.
fn fed_heredoc<'m>(step: Step<'m>, outer: &StepScript, command: Command<'_>) -> Option<&'m Heredoc> {
    let heredocs = &step.instruction().heredocs;
    if heredocs.is_empty() || outer.depth > 0 {
        return None;
    }
    let marker = command.redirects().filter(|redirect| redirect.heredoc().is_some()).last()?;
    let marker = outer.file_span(marker.span());
    heredocs.iter().find(|heredoc| heredoc.marker.start == marker.start || marker.covers(heredoc.marker))
}
