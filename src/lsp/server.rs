//! What the server knows and how it answers. Takes events and gives messages; streams and threads are elsewhere.

use super::{
    actions,
    client::Client,
    diagnostics,
    document::Document,
    home,
    inbox::Event,
    transport::{Incoming, Refusal},
    uri,
    workspace::Workspace,
};
use crate::lock;
use gen_lsp_types::{
    ChangeNotifications, CodeActionKind, CodeActionOptions, CodeActionParams, CodeActionProvider, Diagnostic,
    DiagnosticOptions, DiagnosticProvider, DidChangeTextDocumentParams, DidChangeWorkspaceFoldersParams,
    DidCloseTextDocumentParams, DidOpenTextDocumentParams, DidSaveTextDocumentParams, DocumentDiagnosticParams,
    ErrorCodes, HoverParams, HoverProvider, MessageType, PublishDiagnosticsParams, Save, SaveOptions,
    ServerCapabilities, ServerInfo, TextDocumentSync, TextDocumentSyncKind, TextDocumentSyncOptions, Uri,
    WorkspaceFolder, WorkspaceFoldersServerCapabilities, WorkspaceOptions, json_rpc::Id,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// How far the conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The client did not say who it is.
    Opening,
    /// The client works.
    Running,
    /// The client is about to leave.
    Closing,
    /// The client left; whether it said so before.
    Gone { was_announced: bool },
}

/// One client's language server.
pub(super) struct Server {
    phase: Phase,
    client: Client,
    workspace: Workspace,
    /// Whether the client asks for diagnostics, so that it is not told unasked.
    is_asked: bool,
    /// Configuration files with something wrong in them, as the client was told.
    told_troubles: BTreeMap<String, Vec<Diagnostic>>,
    requests: u64,
    outgoing: Vec<Value>,
}

/// Why there is no result.
type Problem = (ErrorCodes, String);

impl Server {
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Opening,
            client: Client::of(&Value::Null),
            workspace: Workspace::default(),
            is_asked: false,
            told_troubles: BTreeMap::new(),
            requests: 0,
            outgoing: Vec::new(),
        }
    }

    /// Whether something was put off until nothing else waits.
    pub(super) fn has_put_off(&self) -> bool {
        self.phase == Phase::Running && self.workspace.documents.values().any(|document| !document.is_told)
    }

    /// Whether the conversation is over, and if so, whether it ended as it should.
    pub(super) fn ending(&self) -> Option<bool> {
        match self.phase {
            Phase::Opening | Phase::Running | Phase::Closing => None,
            Phase::Gone { was_announced } => Some(was_announced),
        }
    }

    /// Handles `event` and answers what is to be sent.
    pub(super) fn react(&mut self, event: Event) -> Vec<Value> {
        match event {
            Event::Message(Incoming::Request { id, method, params }) => self.request(id, &method, params),
            Event::Message(Incoming::Notification { method, params }) => self.notification(&method, params),
            Event::Message(Incoming::Broken(refusal)) => self.refuse(refusal),
            Event::Message(Incoming::Response) => {}
            Event::Idle => self.unless_it_panics(Self::tell_one),
            Event::Closed => self.phase = Phase::Gone { was_announced: self.phase == Phase::Closing },
        }
        std::mem::take(&mut self.outgoing)
    }

    fn request(&mut self, id: Id, method: &str, params: Value) {
        // What a handler leaves behind when it panics is whole: texts are replaced at once, and judgements made anew.
        let answer = catch_unwind(AssertUnwindSafe(|| self.answer(method, params)));
        match answer {
            Ok(Ok(result)) => self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": result })),
            Ok(Err((code, message))) => self.refuse(Refusal::new(id, code, message)),
            Err(_) => self.refuse(Refusal::new(id, ErrorCodes::InternalError, "this is a bug of ironhull")),
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.send(&refusal.into_response());
    }

    fn answer(&mut self, method: &str, params: Value) -> Result<Value, Problem> {
        match (self.phase, method) {
            (Phase::Opening, "initialize") => Ok(self.initialize(&params)),
            (Phase::Opening, _) => {
                Err((ErrorCodes::ServerNotInitialized, "the first request is `initialize`".to_owned()))
            }
            (Phase::Running, "initialize") => {
                Err((ErrorCodes::InvalidRequest, "`initialize` is sent only once".to_owned()))
            }
            (Phase::Running, "shutdown") => {
                self.phase = Phase::Closing;
                Ok(Value::Null)
            }
            (Phase::Running, "textDocument/codeAction") => Ok(value(&self.code_actions(&understood(params)?))),
            (Phase::Running, "textDocument/hover") => Ok(self.hover(&understood(params)?)),
            (Phase::Running, "textDocument/diagnostic") => Ok(self.diagnostics(&understood(params)?)),
            (Phase::Running, _) => Err((ErrorCodes::MethodNotFound, format!("`{method}` is not known here"))),
            (Phase::Closing | Phase::Gone { .. }, _) => {
                Err((ErrorCodes::InvalidRequest, "`shutdown` was requested".to_owned()))
            }
        }
    }

    fn notification(&mut self, method: &str, params: Value) {
        match (self.phase, method) {
            (phase, "exit") => self.phase = Phase::Gone { was_announced: phase == Phase::Closing },
            (Phase::Running, _) => self.unless_it_panics(|server| server.note(method, params)),
            (Phase::Opening | Phase::Closing | Phase::Gone { .. }, _) => {}
        }
    }

    fn unless_it_panics(&mut self, handle: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| handle(self))).is_err() {
            self.log("this is a bug of ironhull; standard error says where");
        }
    }

    fn note(&mut self, method: &str, params: Value) {
        if let Err((_, message)) = self.take_note(method, params) {
            self.log(&format!("`{method}` was passed over: {message}"));
        }
    }

    fn take_note(&mut self, method: &str, params: Value) -> Result<(), Problem> {
        match method {
            "initialized" => self.watch_configuration(),
            "textDocument/didOpen" => self.open(understood(params)?),
            "textDocument/didChange" => self.change(understood(params)?),
            "textDocument/didSave" => self.saved(&understood(params)?),
            "textDocument/didClose" => self.close(&understood(params)?),
            "workspace/didChangeWatchedFiles" => self.forget_judgements(),
            "workspace/didChangeWorkspaceFolders" => self.change_folders(&understood(params)?),
            _ => {}
        }
        Ok(())
    }

    fn initialize(&mut self, params: &Value) -> Value {
        self.phase = Phase::Running;
        self.client = Client::of(params);
        self.workspace.folders = folders(params);
        let save = Save::SaveOptions(SaveOptions { include_text: Some(false) });
        let capabilities = ServerCapabilities {
            position_encoding: Some(self.client.encoding.name()),
            text_document_sync: Some(TextDocumentSync::Options(TextDocumentSyncOptions {
                open_close: Some(true),
                change: Some(TextDocumentSyncKind::Incremental),
                save: Some(save),
                ..TextDocumentSyncOptions::default()
            })),
            code_action_provider: Some(CodeActionProvider::CodeActionOptions(CodeActionOptions {
                code_action_kinds: Some(vec![CodeActionKind::QuickFix, CodeActionKind::from(actions::FIX_ALL)]),
                ..CodeActionOptions::default()
            })),
            hover_provider: Some(HoverProvider::Bool(true)),
            diagnostic_provider: Some(DiagnosticProvider::DiagnosticOptions(DiagnosticOptions {
                identifier: Some("ironhull".to_owned()),
                inter_file_dependencies: true,
                workspace_diagnostics: false,
                ..DiagnosticOptions::default()
            })),
            workspace: Some(WorkspaceOptions {
                workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                    supported: Some(true),
                    change_notifications: Some(ChangeNotifications::Bool(true)),
                }),
                ..WorkspaceOptions::default()
            }),
            ..ServerCapabilities::default()
        };
        let server = ServerInfo { name: "ironhull".to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) };
        json!({ "capabilities": capabilities, "serverInfo": server })
    }

    /// Asks the client to say when a configuration file changes on disk.
    fn watch_configuration(&mut self) {
        if !self.client.watches_files {
            return;
        }
        let watchers =
            [home::CONFIGURATION, lock::FILE_NAME].map(|name| json!({ "globPattern": format!("**/{name}") }));
        let registration = json!({
            "id": "configuration",
            "method": "workspace/didChangeWatchedFiles",
            "registerOptions": { "watchers": watchers },
        });
        self.ask("client/registerCapability", &json!({ "registrations": [registration] }));
    }

    fn open(&mut self, params: DidOpenTextDocumentParams) {
        let document = Document::new(params.text_document, self.client.encoding);
        let key = document.uri.as_ref().to_owned();
        let is_evidence = document.is_evidence();
        self.workspace.documents.insert(key, document);
        if is_evidence {
            self.forget_judgements();
        }
    }

    fn change(&mut self, params: DidChangeTextDocumentParams) {
        let uri = params.text_document.text_document_identifier.uri;
        let Some(document) = self.workspace.documents.get_mut(uri.as_ref()) else {
            self.log(&format!("{uri} was changed and is not open"));
            return;
        };
        document.change(params.text_document.version, params.content_changes, self.client.encoding);
        if document.is_evidence() {
            self.forget_judgements();
        }
    }

    /// What lies on disk is read again: for the document itself, and for all if it is what they are judged by.
    fn saved(&mut self, params: &DidSaveTextDocumentParams) {
        match self.workspace.documents.get_mut(params.text_document.uri.as_ref()) {
            Some(document) if !document.is_evidence() => document.forget_judgement(),
            Some(_) | None => self.forget_judgements(),
        }
    }

    fn close(&mut self, params: &DidCloseTextDocumentParams) {
        let uri = &params.text_document.uri;
        let Some(document) = self.workspace.documents.remove(uri.as_ref()) else { return };
        if document.kind.is_some() {
            self.publish(uri.clone(), None, Vec::new());
        }
        // From now on the disk says what was said here.
        if document.is_evidence() {
            self.forget_judgements();
        }
        self.tell_troubles();
    }

    fn change_folders(&mut self, params: &DidChangeWorkspaceFoldersParams) {
        let paths =
            |folders: &[WorkspaceFolder]| folders.iter().filter_map(|folder| folder_path(&folder.uri)).collect();
        let [added, removed]: [Vec<String>; 2] = [paths(&params.event.added), paths(&params.event.removed)];
        self.workspace.folders.retain(|folder| !removed.contains(folder));
        self.workspace.folders.extend(added);
        self.forget_judgements();
    }

    /// Says that every judgement may be another one now.
    fn forget_judgements(&mut self) {
        self.workspace.forget_judgements();
        if self.is_asked && self.client.refreshes_diagnostics {
            self.ask("workspace/diagnostic/refresh", &Value::Null);
        }
    }

    /// Tells the client what there is to say about one document that it was not told about.
    fn tell_one(&mut self) {
        let untold = self.workspace.documents.values_mut().find(|document| !document.is_told);
        let Some(document) = untold else { return };
        // First of all, so that a document that cannot be judged is not tried for ever.
        document.is_told = true;
        let is_judged = document.kind.is_some();
        let (uri, version) = (document.uri.clone(), document.version);
        if is_judged && !self.is_asked {
            let document = self.workspace.judge(uri.as_ref());
            let found = document.map(|document| diagnostics::of_document(document, self.client));
            self.publish(uri, Some(version), found.unwrap_or_default());
        }
        if !self.has_put_off() {
            self.tell_troubles();
        }
    }

    /// Tells the client what is wrong with configuration files, as far as that is news.
    fn tell_troubles(&mut self) {
        self.workspace.refresh_homes();
        let mut troubles: BTreeMap<String, Vec<Diagnostic>> = BTreeMap::new();
        let mut news = Vec::new();
        for trouble in self.workspace.homes().flat_map(|home| &home.troubles) {
            let diagnostic = diagnostics::of_trouble(trouble, self.client.encoding);
            let of_file = troubles.entry(trouble.path.clone()).or_default();
            if !of_file.contains(&diagnostic) {
                of_file.push(diagnostic);
            }
            // Who has the file open sees it there, and does not want to be told at every key.
            if !self.told_troubles.contains_key(&trouble.path) && self.workspace.at(&trouble.path).is_none() {
                news.push(format!("{}: {}", trouble.path, trouble.message));
            }
        }
        let before = std::mem::replace(&mut self.told_troubles, troubles.clone());
        for path in before.keys().filter(|path| !troubles.contains_key(*path)) {
            self.publish(uri::of_path(path), None, Vec::new());
        }
        for (path, diagnostics) in troubles {
            if before.get(&path) != Some(&diagnostics) {
                let uri = self.workspace.at(&path).map_or_else(|| uri::of_path(&path), |open| open.uri.clone());
                self.publish(uri, None, diagnostics);
            }
        }
        for message in news {
            self.notify("window/showMessage", &json!({ "type": MessageType::Error, "message": message }));
        }
    }

    fn code_actions(&mut self, params: &CodeActionParams) -> Vec<gen_lsp_types::CodeAction> {
        let uri = params.text_document.uri.as_ref();
        self.workspace.judge(uri);
        actions::at(params.range, &params.context, uri, &self.workspace, self.client)
    }

    fn hover(&mut self, params: &HoverParams) -> Value {
        let place = &params.text_document_position_params;
        let document = self.workspace.judge(place.text_document.uri.as_ref());
        value(&document.and_then(|document| super::hover::at(place.position, document, self.client)))
    }

    fn diagnostics(&mut self, params: &DocumentDiagnosticParams) -> Value {
        self.stop_telling_unasked();
        let document = self.workspace.judge(params.text_document.uri.as_ref());
        let found = document.map(|document| diagnostics::of_document(document, self.client)).unwrap_or_default();
        let name = diagnostics::fingerprint(&found);
        if params.previous_result_id.as_ref() == Some(&name) {
            return json!({ "kind": "unchanged", "resultId": name });
        }
        json!({ "kind": "full", "resultId": name, "items": found })
    }

    /// A client that asks would show everything twice. Only asking proves that it does: some say they can and never do.
    fn stop_telling_unasked(&mut self) {
        if std::mem::replace(&mut self.is_asked, true) {
            return;
        }
        let judged = self.workspace.documents.values().filter(|document| document.kind.is_some());
        let told: Vec<Uri> = judged.filter(|document| document.is_told).map(|document| document.uri.clone()).collect();
        for uri in told {
            self.publish(uri, None, Vec::new());
        }
    }

    fn publish(&mut self, uri: Uri, version: Option<i32>, diagnostics: Vec<Diagnostic>) {
        self.notify("textDocument/publishDiagnostics", &PublishDiagnosticsParams { uri, version, diagnostics });
    }

    fn log(&mut self, message: &str) {
        self.notify("window/logMessage", &json!({ "type": MessageType::Warning, "message": message }));
    }

    fn notify(&mut self, method: &str, params: &impl Serialize) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Asks the client for something; whatever it answers changes nothing here.
    fn ask(&mut self, method: &str, params: &Value) {
        self.requests += 1;
        let mut request = json!({ "jsonrpc": "2.0", "id": self.requests, "method": method });
        if !params.is_null() {
            request["params"] = params.clone();
        }
        self.send(&request);
    }

    fn send(&mut self, message: &impl Serialize) {
        self.outgoing.push(value(message));
    }
}

fn value(result: &impl Serialize) -> Value {
    serde_json::to_value(result).expect("types of the protocol have names for keys")
}

fn understood<P: DeserializeOwned>(params: Value) -> Result<P, Problem> {
    serde_json::from_value(params).map_err(|error| (ErrorCodes::InvalidParams, error.to_string()))
}

/// The folders that `initialize` names, in the three ways that the protocol has had for it.
fn folders(params: &Value) -> Vec<String> {
    let listed = params["workspaceFolders"].as_array();
    let listed = listed.into_iter().flatten().filter_map(|folder| folder["uri"].as_str());
    let mut folders: Vec<String> = listed.filter_map(|uri| folder_path(&Uri::from(uri))).collect();
    if folders.is_empty() {
        let root = params["rootUri"].as_str().and_then(|uri| folder_path(&Uri::from(uri)));
        folders.extend(root.or_else(|| params["rootPath"].as_str().map(str::to_owned)));
    }
    folders
}

fn folder_path(uri: &Uri) -> Option<String> {
    let path = uri::path(uri)?;
    Some(path.strip_suffix('/').map_or(path.clone(), str::to_owned))
}
