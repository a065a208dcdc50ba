//! What the client can, as far as it changes what it is sent.

use super::position::Encoding;
use serde_json::Value;

/// What the client said of itself. Only what is asked for here is read: a slip elsewhere in its capabilities is no
/// reason to refuse it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is one answer of the client, and they do not exclude each other"
)]
pub(super) struct Client {
    /// How columns are counted from now on.
    pub(super) encoding: Encoding,
    /// Whether it shows places that belong to a finding.
    pub(super) shows_related: bool,
    /// Whether it takes edits that name the version of the text that they are for.
    pub(super) takes_versioned_edits: bool,
    /// Whether it renders Markdown.
    pub(super) renders_markdown: bool,
    /// Whether it watches files for us.
    pub(super) watches_files: bool,
    /// Whether it can be told to ask for diagnostics again.
    pub(super) refreshes_diagnostics: bool,
}

impl Client {
    /// Reads the parameters of `initialize`.
    pub(super) fn of(params: &Value) -> Self {
        let capability = |path: &str| params.pointer("/capabilities").and_then(|all| all.pointer(path));
        let can = |path: &str| capability(path).and_then(Value::as_bool) == Some(true);
        let lists = |path: &str, name: &str| {
            let list = capability(path).and_then(Value::as_array);
            list.is_some_and(|list| list.iter().any(|entry| entry == name))
        };
        Self {
            encoding: if lists("/general/positionEncodings", "utf-8") { Encoding::Utf8 } else { Encoding::Utf16 },
            shows_related: can("/textDocument/publishDiagnostics/relatedInformation"),
            takes_versioned_edits: can("/workspace/workspaceEdit/documentChanges"),
            renders_markdown: lists("/textDocument/hover/contentFormat", "markdown"),
            watches_files: can("/workspace/didChangeWatchedFiles/dynamicRegistration"),
            refreshes_diagnostics: can("/workspace/diagnostics/refreshSupport"),
        }
    }
}
