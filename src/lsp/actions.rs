//! What the editor can do about findings: repair one, allow one, repair all that is safe.

use super::{client::Client, diagnostics, document::Document, position::Lines, uri, workspace::Workspace};
use crate::{
    disk,
    report::Ranked,
    rewrite::allow,
    rule::{Companion, Fix, Safety},
    source::{FileKind, SourceFile},
    text::{self, Span},
};
use diffy::DiffOptions;
use gen_lsp_types::{
    CodeAction, CodeActionContext, CodeActionKind, CodeActionTriggerKind, DocumentChange, Edit,
    OptionalVersionedTextDocumentIdentifier, Range, TextDocumentEdit, TextDocumentIdentifier, TextEdit, Uri,
    WorkspaceEdit,
};
use std::path::Path;

/// Repairing everything that is safe has a kind of its own below `source.fixAll`, so that a project can ask for it alone.
pub(super) const FIX_ALL: &str = "source.fixAll.ironhull";

const QUICK_FIX: &str = "quickfix";

/// What can be done at `range` of the document at `uri`, which was judged.
pub(super) fn at(
    range: Range,
    context: &CodeActionContext,
    uri: &str,
    workspace: &Workspace,
    client: Client,
) -> Vec<CodeAction> {
    let Some(document) = workspace.documents.get(uri) else { return Vec::new() };
    let Some(kind) = document.kind else { return Vec::new() };
    let offer = Offer { document, workspace, client, file: document.source(kind) };
    let mut actions = Vec::new();
    if is_wanted(context, QUICK_FIX) {
        let bytes = document.lines.bytes(&document.text, range);
        let place = Span::new(bytes.start, bytes.end);
        let meant = document.findings().iter().filter(|ranked| offer.is_meant(ranked, place, context));
        actions.extend(meant.flat_map(|ranked| offer.repairs_of(ranked)));
        let meant = document.findings().iter().filter(|ranked| offer.is_meant(ranked, place, context));
        actions.extend(meant.filter_map(|ranked| offer.allowance_of(ranked)));
    }
    // A light bulb is asked for at every move of the cursor, and has no place for what concerns the whole file.
    let is_light_bulb = context.only.is_none() && context.trigger_kind == Some(CodeActionTriggerKind::Automatic);
    if is_wanted(context, FIX_ALL) && !is_light_bulb && has_safe_fix(document) {
        actions.extend(workspace.repaired(uri).and_then(|after| offer.everything(&after)));
    }
    actions
}

/// Whether the client asked for actions of that kind: by its name, that of a kind above it, or not by kind at all.
fn is_wanted(context: &CodeActionContext, kind: &str) -> bool {
    let Some(only) = &context.only else { return true };
    only.iter().cloned().map(String::from).any(|asked| {
        asked.is_empty() || kind.strip_prefix(&asked).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

fn has_safe_fix(document: &Document) -> bool {
    let default = |ranked: &Ranked| ranked.finding.fixes.first().is_some_and(|fix| fix.safety == Safety::Safe);
    document.findings().iter().any(default)
}

/// A document with what changes in it.
struct Edited {
    uri: Uri,
    /// Which of its versions; none for one that is not open.
    version: Option<i32>,
    edits: Vec<TextEdit>,
}

/// Makes actions for one document.
struct Offer<'a> {
    document: &'a Document,
    workspace: &'a Workspace,
    client: Client,
    file: SourceFile,
}

impl Offer<'_> {
    /// Whether the client asks about this finding: by its place, or because it is one of the diagnostics that it names.
    fn is_meant(&self, ranked: &Ranked, place: Span, context: &CodeActionContext) -> bool {
        let span = ranked.finding.primary.span;
        if span.start <= place.end && place.start <= span.end {
            return true;
        }
        let own = diagnostics::of_finding(ranked, self.document, self.client);
        context.diagnostics.iter().any(|named| (named.range, &named.code) == (own.range, &own.code))
    }

    fn repairs_of(&self, ranked: &Ranked) -> Vec<CodeAction> {
        let offered = |(at, fix): (usize, &Fix)| {
            let title = match fix.safety {
                Safety::Safe => fix.title.to_string(),
                Safety::Risky => format!("{} (risky): {}", fix.title, fix.reason),
                // Somebody has to decide or to fill in something first: the page of the finding says what.
                Safety::Manual => return None,
            };
            let is_own = fix.edits.iter().all(|edit| edit.file == self.file.id);
            if fix.edits.is_empty() && fix.companions.is_empty() || !is_own {
                return None;
            }
            let edits: Vec<TextEdit> = fix.edits.iter().map(|edit| self.text_edit(edit.span, &edit.text)).collect();
            let others: Option<Vec<Edited>> = fix.companions.iter().map(|other| self.edited(other)).collect();
            let is_preferred = at == 0 && fix.safety == Safety::Safe;
            let own = (!edits.is_empty()).then(|| self.own(edits));
            let whole = own.into_iter().chain(others?).collect();
            Some(self.quick_fix(ranked, title, whole, is_preferred))
        };
        ranked.finding.fixes.iter().enumerate().filter_map(offered).collect()
    }

    fn allowance_of(&self, ranked: &Ranked) -> Option<CodeAction> {
        let rule = ranked.rule.id;
        let place = ranked.finding.primary.span;
        let edit = match self.file.kind {
            FileKind::Dockerfile => allow::above_instruction(&self.file, place, rule)?,
            FileKind::Compose | FileKind::Kubernetes | FileKind::Workflow | FileKind::GitlabCi => {
                allow::above_key(&self.file, place, rule)?
            }
            FileKind::Script | FileKind::Makefile => allow::above_command(&self.file, place, rule),
            // JSON has no comments.
            FileKind::Bake | FileKind::Devcontainer | FileKind::Seccomp => return None,
        };
        let edits = vec![self.text_edit(edit.span, &edit.text)];
        Some(self.quick_fix(ranked, format!("Allow {rule} here, with a reason"), vec![self.own(edits)], false))
    }

    /// What a repair changes in another file; `None` where that is no longer what the repair was made for.
    fn edited(&self, other: &Companion) -> Option<Edited> {
        let open = self.workspace.at(&other.path);
        let text = match open {
            Some(document) => document.text.clone(),
            None => String::from_utf8(disk::read(Path::new(&other.path)).ok()?).ok()?,
        };
        if text.as_bytes() != &*other.text {
            return None;
        }
        let lines = Lines::new(&text, self.client.encoding);
        let edit = |edit: &text::Edit| TextEdit { range: lines.range(&text, edit.span), new_text: edit.text.clone() };
        Some(Edited {
            uri: open.map_or_else(|| uri::of_path(&other.path), |document| document.uri.clone()),
            version: open.map(|document| document.version),
            edits: other.edits.iter().map(edit).collect(),
        })
    }

    fn own(&self, edits: Vec<TextEdit>) -> Edited {
        Edited { uri: self.document.uri.clone(), version: Some(self.document.version), edits }
    }

    fn quick_fix(&self, ranked: &Ranked, title: String, edits: Vec<Edited>, is_preferred: bool) -> CodeAction {
        CodeAction {
            title,
            kind: Some(CodeActionKind::QuickFix),
            diagnostics: Some(vec![diagnostics::of_finding(ranked, self.document, self.client)]),
            is_preferred: is_preferred.then_some(true),
            edit: Some(self.workspace_edit(edits)),
            ..CodeAction::default()
        }
    }

    /// Everything at once, `after` being the text that comes out; nothing if that is the text that is there.
    fn everything(&self, after: &[u8]) -> Option<CodeAction> {
        let edits = self.changed_lines(after);
        (!edits.is_empty()).then(|| CodeAction {
            title: "Repair everything that is safe to repair".to_owned(),
            kind: Some(CodeActionKind::from(FIX_ALL)),
            edit: Some(self.workspace_edit(vec![self.own(edits)])),
            ..CodeAction::default()
        })
    }

    /// The edits that make `after` of the text, line by line, so that cursors and marks elsewhere stay where they are.
    fn changed_lines(&self, after: &[u8]) -> Vec<TextEdit> {
        let mut options = DiffOptions::new();
        options.set_context_len(0);
        let patch = options.create_patch_bytes(&self.file.text, after);
        let edit = |hunk: &diffy::Hunk<'_, [u8]>| {
            // A hunk that only inserts names the line before it.
            let old = hunk.old_range();
            let first = if old.is_empty() { old.start() + 1 } else { old.start() };
            let span = Span::new(self.line_start(first), self.line_start(first + old.len()));
            let mut text = Vec::new();
            for line in hunk.lines() {
                match line {
                    diffy::Line::Insert(line) => text.extend_from_slice(line),
                    diffy::Line::Context(_) | diffy::Line::Delete(_) => {}
                }
            }
            self.text_edit(span, &String::from_utf8_lossy(&text))
        };
        patch.hunks().iter().map(edit).collect()
    }

    /// Where `line`, from 1, starts; the end of the text for the line behind the last one.
    fn line_start(&self, line: usize) -> usize {
        let lines = self.file.line_index();
        if line as u32 > lines.lines() { self.file.text.len() } else { lines.line_start(line as u32) as usize }
    }

    fn text_edit(&self, span: Span, text: &str) -> TextEdit {
        TextEdit { range: diagnostics::range(self.document, span), new_text: text.to_owned() }
    }

    /// `edits`, for these versions of the texts if the client can tell versions apart.
    fn workspace_edit(&self, edits: Vec<Edited>) -> WorkspaceEdit {
        if !self.client.takes_versioned_edits {
            let changes = edits.into_iter().map(|Edited { uri, edits, .. }| (uri, edits)).collect();
            return WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() };
        }
        let change = |Edited { uri, version, edits }| {
            let text_document = OptionalVersionedTextDocumentIdentifier {
                version,
                text_document_identifier: TextDocumentIdentifier { uri },
            };
            let edits = edits.into_iter().map(Edit::TextEdit).collect();
            DocumentChange::TextDocumentEdit(TextDocumentEdit { text_document, edits })
        };
        let changes = edits.into_iter().map(change).collect();
        WorkspaceEdit { document_changes: Some(changes), ..WorkspaceEdit::default() }
    }
}
