//! Dialogues with the language server, as a real process on its standard streams.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "parameters are made where they are handed over; the test runs the program and makes the files it reads"
)]

use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

/// A server that says nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder with files, as an editor has it open.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lsp").join(test);
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join(".git")).unwrap();
        Self(root)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    fn uri(&self, name: &str) -> String {
        format!("file://{}", self.0.join(name).display())
    }
}

/// One end of a conversation.
struct Client {
    server: Child,
    input: Option<ChildStdin>,
    arriving: Receiver<Value>,
    /// What arrived while something else was waited for.
    put_aside: Vec<Value>,
    requests: u64,
}

impl Client {
    /// A client that said nothing yet.
    fn silent() -> Self {
        let mut server = Command::new(env!("CARGO_BIN_EXE_ironhull"))
            .args(["lsp", "--stdio"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(server.stdout.take().unwrap());
        let (sender, arriving) = mpsc::channel();
        thread::spawn(move || {
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let input = server.stdin.take();
        Self { server, input, arriving, put_aside: Vec::new(), requests: 0 }
    }

    /// A client that works in `folder` and can do what `capabilities` say.
    fn of(folder: &Folder, capabilities: &Value) -> Self {
        let mut client = Self::silent();
        let folders = json!([{ "uri": folder.uri(""), "name": "test" }]);
        let params = json!({ "processId": null, "workspaceFolders": folders, "capabilities": capabilities });
        let answer = client.ask("initialize", params);
        assert_eq!(answer["serverInfo"]["name"], "ironhull");
        client.tell("initialized", json!({}));
        client
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).unwrap();
    }

    fn send(&mut self, message: &Value) {
        let content = message.to_string();
        self.raw(format!("Content-Length: {}\r\n\r\n{content}", content.len()).as_bytes());
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    fn request(&mut self, method: &str, params: Value) -> u64 {
        self.requests += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": self.requests, "method": method, "params": params }));
        self.requests
    }

    /// The result that `method` gives.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.request(method, params);
        let mut answer = self.answer(&json!(id));
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].take()
    }

    /// The error that `method` gives.
    fn refused(&mut self, method: &str, params: Value) -> i64 {
        let id = self.request(method, params);
        self.answer(&json!(id))["error"]["code"].as_i64().unwrap()
    }

    fn answer(&mut self, id: &Value) -> Value {
        self.wait(|message| message.get("method").is_none() && message["id"] == *id)
    }

    /// The next message that is `meant`.
    fn wait(&mut self, meant: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.put_aside.iter().position(&meant) {
            return self.put_aside.remove(at);
        }
        loop {
            let message = self.arriving.recv_timeout(PATIENCE).expect("the server answers");
            if meant(&message) {
                return message;
            }
            self.put_aside.push(message);
        }
    }

    fn notification(&mut self, method: &str) -> Value {
        self.wait(|message| message["method"] == method)["params"].take()
    }

    /// The diagnostics that come for `uri` next.
    fn diagnostics(&mut self, uri: &str) -> Value {
        let is_meant =
            |message: &Value| message["method"] == "textDocument/publishDiagnostics" && message["params"]["uri"] == uri;
        self.wait(is_meant)["params"].take()
    }

    /// Opens a document and answers its diagnostics.
    fn open(&mut self, uri: &str, text: &str) -> Value {
        self.open_as(uri, "dockerfile", text);
        self.diagnostics(uri)
    }

    fn open_as(&mut self, uri: &str, language: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": language, "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
    }

    /// Changes a document.
    fn change(&mut self, uri: &str, version: u32, changes: &Value) {
        let document = json!({ "uri": uri, "version": version });
        self.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    }

    fn actions(&mut self, uri: &str, range: &Value, only: Option<&str>) -> Vec<Value> {
        let mut context = json!({ "diagnostics": [] });
        if let Some(kind) = only {
            context["only"] = json!([kind]);
        }
        let params = json!({ "textDocument": { "uri": uri }, "range": range, "context": context });
        self.ask("textDocument/codeAction", params).as_array().unwrap().clone()
    }

    /// Leaves as one should, and answers the exit code.
    fn leave(mut self) -> i32 {
        assert_eq!(self.ask("shutdown", Value::Null), Value::Null);
        self.tell("exit", Value::Null);
        self.exit_code()
    }

    /// Waits for the server to end.
    fn exit_code(&mut self) -> i32 {
        loop {
            match self.arriving.recv_timeout(PATIENCE) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return self.server.wait().unwrap().code().unwrap(),
                Err(RecvTimeoutError::Timeout) => panic!("the server does not end"),
            }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some(("Content-Length", number)) => length = number.parse().unwrap(),
            Some(other) => panic!("an unknown header: {other:?}"),
            None => break,
        }
    }
    let mut content = vec![0; length];
    output.read_exact(&mut content).unwrap();
    Some(serde_json::from_slice(&content).unwrap())
}

fn range(start: (u32, u32), end: (u32, u32)) -> Value {
    let place = |(line, character): (u32, u32)| json!({ "line": line, "character": character });
    json!({ "start": place(start), "end": place(end) })
}

/// The rules of `diagnostics`, with their ranges.
fn found(diagnostics: &Value) -> Vec<(&str, &Value)> {
    let all = diagnostics["diagnostics"].as_array().unwrap();
    all.iter().map(|each| (each["code"].as_str().unwrap_or_default(), &each["range"])).collect()
}

/// `text` with `edits` done, the way an editor does it: columns are bytes.
fn edited(text: &str, edits: &Value) -> String {
    let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let offset = |place: &Value| match starts.get(usize::try_from(place["line"].as_u64().unwrap()).unwrap()) {
        Some(start) => start + usize::try_from(place["character"].as_u64().unwrap()).unwrap(),
        None => text.len(),
    };
    let mut edits: Vec<_> = edits.as_array().unwrap().iter().collect();
    edits.sort_by_key(|edit| std::cmp::Reverse(offset(&edit["range"]["start"])));
    let mut text = text.to_owned();
    for edit in edits {
        let (start, end) = (offset(&edit["range"]["start"]), offset(&edit["range"]["end"]));
        text.replace_range(start..end, edit["newText"].as_str().unwrap());
    }
    text
}

fn utf8() -> Value {
    json!({ "general": { "positionEncodings": ["utf-8", "utf-16"] } })
}

fn versioned() -> Value {
    json!({
        "general": { "positionEncodings": ["utf-8"] },
        "workspace": { "workspaceEdit": { "documentChanges": true } },
        "textDocument": {
            "hover": { "contentFormat": ["markdown", "plaintext"] },
            "publishDiagnostics": { "relatedInformation": true },
        },
    })
}

const TEXT: &str = "FROM alpine:3.22\nADD run.sh /usr/bin/\nUSER 1000\n";

#[test]
fn findings_come_and_go_with_the_text() {
    let folder = Folder::new("findings");
    let uri = folder.uri("Dockerfile");
    let mut client = Client::of(&folder, &json!({}));
    let first = client.open(&uri, TEXT);
    assert_eq!(first["version"], 1);
    assert_eq!(found(&first), [("add-local-file", &range((1, 0), (1, 3)))]);
    let diagnostic = &first["diagnostics"][0];
    assert_eq!(diagnostic["source"], "ironhull");
    assert_eq!(diagnostic["severity"], 3, "a note is information");
    assert_eq!(diagnostic["message"], "`ADD` copies a local file; `COPY` says so");

    client.change(&uri, 2, &json!([{ "range": range((1, 0), (1, 3)), "text": "COPY" }]));
    let second = client.diagnostics(&uri);
    assert_eq!((&second["version"], found(&second)), (&json!(2), Vec::new()));

    client.change(&uri, 3, &json!([{ "range": range((2, 5), (2, 9)), "text": "root" }]));
    let third = client.diagnostics(&uri);
    assert_eq!(found(&third), [("root-user", &range((2, 5), (2, 9)))]);
    assert_eq!(third["diagnostics"][0]["severity"], 1, "an error is an error");

    client.change(&uri, 4, &json!([{ "text": TEXT }]));
    assert_eq!(found(&client.diagnostics(&uri)).len(), 1, "the whole text at once");
    client.tell("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    assert_eq!(found(&client.diagnostics(&uri)), Vec::new());
    assert_eq!(client.leave(), 0);
}

#[test]
fn columns_are_counted_as_agreed() {
    let folder = Folder::new("columns");
    let uri = folder.uri("Dockerfile");
    // What the change inserts stands behind a pair of surrogates, and what is found behind another.
    let before = "FROM alpine:3.22\r\nLABEL a=\"𝓤ö\" \\\r\n  b=x\r\nRUN echo 𝓤 && curl -k https://a.example -o /a\r\nUSER 1000\r\n";
    for (capabilities, name, (insert, start)) in
        [(json!({}), "utf-16", ((9, 11), (20, 22))), (utf8(), "utf-8", ((9, 13), (22, 24)))]
            .map(|(capabilities, name, ((from, to), place))| (capabilities, name, ((from, to), place)))
    {
        let mut client = Client::silent();
        let answer = client.ask("initialize", json!({ "capabilities": capabilities }));
        assert_eq!(answer["capabilities"]["positionEncoding"], name);
        client.tell("initialized", json!({}));
        let at = range((3, start.0), (3, start.1));
        assert_eq!(found(&client.open(&uri, before)), [("tls-verification-off", &at)], "{name}");
        // `𝓤` goes, and so does the finding's distance from the start of the line.
        client.change(&uri, 2, &json!([{ "range": range((3, insert.0), (3, insert.1)), "text": "é" }]));
        let moved = found(&client.diagnostics(&uri))[0].1.clone();
        let by = if name == "utf-8" { 2 } else { 1 };
        assert_eq!(moved, range((3, start.0 - by), (3, start.1 - by)), "{name}");
    }
}

#[test]
fn changes_of_one_message_build_on_each_other() {
    let folder = Folder::new("changes");
    let uri = folder.uri("Dockerfile");
    let mut client = Client::of(&folder, &utf8());
    client.open(&uri, "");
    let typed = ["FROM alpine:3.22\n", "USER 1000\n", "RUN curl -k https://a.example\n"];
    let changes: Vec<Value> =
        typed.iter().map(|text| json!({ "range": range((1, 0), (1, 0)), "text": text })).collect();
    client.change(&uri, 2, &json!(changes));
    // Each but the first lands in front of the one before.
    assert_eq!(found(&client.diagnostics(&uri)), [("tls-verification-off", &range((1, 9), (1, 11)))]);
}

#[test]
fn only_the_last_of_many_changes_is_judged() {
    let folder = Folder::new("many");
    let uri = folder.uri("Dockerfile");
    let mut client = Client::of(&folder, &json!({}));
    client.open(&uri, TEXT);
    let mut burst = Vec::new();
    for version in 2..200 {
        let change = json!({ "range": range((3, 0), (3, 0)), "text": format!("ENV A{version}=1\n") });
        let params = json!({ "textDocument": { "uri": uri, "version": version }, "contentChanges": [change] });
        let content = json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": params }).to_string();
        burst.extend(format!("Content-Length: {}\r\n\r\n{content}", content.len()).into_bytes());
    }
    client.raw(&burst);
    let mut told = Vec::new();
    while told.last() != Some(&199) {
        told.push(client.diagnostics(&uri)["version"].as_u64().unwrap());
    }
    assert!(told.is_sorted() && told.len() < 198, "{told:?}");
}

#[test]
fn a_finding_can_be_repaired_and_allowed() {
    let folder = Folder::new("actions");
    let uri = folder.uri("Dockerfile");
    let mut client = Client::of(&folder, &versioned());
    let text = "FROM alpine:3.22\nUSER 1000\n  ADD run.sh \\\n    /usr/bin/\n";
    client.open(&uri, text);
    let actions = client.actions(&uri, &range((2, 3), (2, 3)), Some("quickfix"));
    let [repair, allow] = actions.as_slice() else { panic!("{actions:?}") };
    assert_eq!((&repair["title"], &repair["kind"]), (&json!("Use `COPY`"), &json!("quickfix")));
    assert_eq!(repair["isPreferred"], true);
    assert_eq!(repair["diagnostics"][0]["code"], "add-local-file");
    let change = &repair["edit"]["documentChanges"][0];
    assert_eq!(change["textDocument"], json!({ "uri": uri, "version": 1 }));
    assert_eq!(change["edits"], json!([{ "range": range((2, 2), (2, 5)), "newText": "COPY" }]));

    assert_eq!(allow["title"], "Allow add-local-file here, with a reason");
    assert_eq!(allow.get("isPreferred"), None);
    let edits = &allow["edit"]["documentChanges"][0]["edits"];
    let allowed = text.replace("  ADD", "  # ironhull: allow(add-local-file) because …\n  ADD");
    assert_eq!(edited(text, edits), allowed);
    client.change(&uri, 2, &json!([{ "text": allowed }]));
    let told = client.diagnostics(&uri);
    let rules: Vec<_> = found(&told).into_iter().map(|(rule, _)| rule).collect();
    assert!(rules.contains(&"add-local-file"), "without a reason nothing is allowed: {rules:?}");
    client.change(&uri, 3, &json!([{ "text": allowed.replace('…', "the base needs it") }]));
    assert_eq!(found(&client.diagnostics(&uri)), []);
    client.change(&uri, 4, &json!([{ "text": text }]));
    client.diagnostics(&uri);

    assert_eq!(client.actions(&uri, &range((0, 0), (1, 0)), Some("quickfix")), Vec::<Value>::new());
    assert_eq!(client.actions(&uri, &range((2, 3), (2, 3)), Some("refactor")), Vec::<Value>::new());
    // Some editors ask with the place of the cursor, and name the findings of its line.
    let named = json!([{ "range": range((2, 2), (2, 5)), "code": "add-local-file", "message": "" }]);
    let params = json!({
        "textDocument": { "uri": uri },
        "range": range((2, 10), (2, 10)),
        "context": { "diagnostics": named, "only": ["quickfix"] },
    });
    assert_eq!(client.ask("textDocument/codeAction", params).as_array().unwrap().len(), 2);
}

#[test]
fn compose_files_manifests_and_scripts_are_judged_and_repaired() {
    let folder = Folder::new("yaml");
    let mut client = Client::of(&folder, &versioned());
    let compose = folder.uri("compose.yaml");
    let text = "services:\n  web:\n    image: nginx:1.29\n    security_opt:\n      - seccomp:unconfined # why\n";
    let told = client.open(&compose, text);
    assert_eq!(found(&told), [("unconfined-container", &range((4, 8), (4, 26)))]);
    let actions = client.actions(&compose, &range((4, 10), (4, 10)), Some("quickfix"));
    let [repair, allow] = actions.as_slice() else { panic!("{actions:?}") };
    let edits = |action: &Value| action["edit"]["documentChanges"][0]["edits"].clone();
    assert_eq!(edited(text, &edits(repair)), "services:\n  web:\n    image: nginx:1.29\n");
    let allowed = text.replace("      -", "      # ironhull: allow(unconfined-container) because …\n      -");
    assert_eq!(edited(text, &edits(allow)), allowed);
    client.change(&compose, 2, &json!([{ "text": allowed.replace('…', "it is a debugger") }]));
    assert_eq!(found(&client.diagnostics(&compose)), []);

    let pod = folder.uri("web.yaml");
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  hostPID: true\n  containers: []\n";
    client.open_as(&pod, "yaml", text);
    assert_eq!(found(&client.diagnostics(&pod)), [("host-namespace", &range((4, 2), (4, 15)))]);
    let script = folder.uri("deploy.sh");
    let text = "#!/bin/sh\nchmod 666 /var/run/docker.sock\n";
    assert_eq!(found(&client.open(&script, text)), [("open-engine-socket", &range((1, 0), (1, 30)))]);
    let actions = client.actions(&script, &range((1, 0), (1, 0)), Some("quickfix"));
    assert_eq!(edited(text, &edits(&actions[0])), text.replace("666", "660"));

    // A manifest shows only once it is written.
    let new = folder.uri("new.yaml");
    client.open_as(&new, "yaml", "");
    client.change(&new, 2, &json!([{ "text": "apiVersion: v1\nkind: Pod\nspec: {hostIPC: true, containers: []}\n" }]));
    assert_eq!(found(&client.diagnostics(&new)), [("host-namespace", &range((2, 7), (2, 20)))]);
    assert_eq!(client.leave(), 0);
}

#[test]
fn a_repair_edits_the_documents_that_depend_on_it() {
    let folder = Folder::new("companions");
    let dockerfile =
        "# syntax=docker/dockerfile:1\nFROM node:22\nARG NPM_TOKEN\nRUN npm ci --token \"$NPM_TOKEN\"\nUSER 1000\n";
    let compose = "services:\n  web:\n    build:\n      context: .\n      args: [NPM_TOKEN]\n";
    folder.write("compose.yaml", compose);
    folder.write("build.sh", "docker build --build-arg NPM_TOKEN .\n");
    let (uri, beside) = (folder.uri("Dockerfile"), folder.uri("compose.yaml"));
    let mut client = Client::of(&folder, &versioned());
    // What was typed and not saved counts.
    let unsaved = format!("# ö\n{compose}");
    client.open_as(&beside, "dockercompose", &unsaved);
    client.open(&uri, dockerfile);
    let actions = client.actions(&uri, &range((2, 4), (2, 4)), Some("quickfix"));
    let mount = actions.iter().find(|action| action["title"].as_str().unwrap().starts_with("Mount")).unwrap();
    let changes = mount["edit"]["documentChanges"].as_array().unwrap();
    let of = |name: &str| {
        let uri = folder.uri(name);
        changes.iter().find(|change| change["textDocument"]["uri"] == uri.as_str()).unwrap()
    };
    assert_eq!(changes.len(), 3);
    assert_eq!(
        (&of("compose.yaml")["textDocument"]["version"], &of("build.sh")["textDocument"]["version"]),
        (&json!(1), &Value::Null)
    );
    let mounted = edited(dockerfile, &of("Dockerfile")["edits"]);
    assert!(mounted.contains("--mount=type=secret,id=npm_token,env=NPM_TOKEN") && !mounted.contains("ARG"));
    let after = edited(&unsaved, &of("compose.yaml")["edits"]);
    let expected = "# ö\nservices:\n  web:\n    build:\n      context: .\n      secrets:\n        - npm_token\nsecrets:\n  npm_token:\n    environment: NPM_TOKEN\n";
    assert_eq!(after, expected);
    let script = edited("docker build --build-arg NPM_TOKEN .\n", &of("build.sh")["edits"]);
    assert_eq!(script, "docker build --secret id=npm_token,env=NPM_TOKEN .\n");
    assert_eq!(client.leave(), 0);
}

#[test]
fn everything_safe_is_repaired_at_once() {
    let folder = Folder::new("fix-all");
    let uri = folder.uri("Dockerfile");
    let text = "FROM alpine:3.22\r\nADD a /a\r\nENV A=ö\r\nENV B=1\r\nADD b \\\r\n  /b\r\nUSER 1000\r\nADD c /c";
    let mut client = Client::of(&folder, &versioned());
    client.open(&uri, text);
    for kind in ["source.fixAll.ironhull", "source.fixAll", "source"] {
        let actions = client.actions(&uri, &range((0, 0), (0, 0)), Some(kind));
        let [all] = actions.as_slice() else { panic!("{kind}: {actions:?}") };
        assert_eq!(all["kind"], "source.fixAll.ironhull");
        let edits = &all["edit"]["documentChanges"][0]["edits"];
        assert_eq!(edited(text, edits), text.replace("ADD", "COPY"));
        assert_eq!(edits.as_array().unwrap().len(), 3, "lines between stay as they are");
    }
    assert_eq!(client.actions(&uri, &range((0, 0), (0, 0)), Some("source.organizeImports")), Vec::<Value>::new());
    client.change(&uri, 2, &json!([{ "text": "FROM alpine:3.22\nUSER 1000\n" }]));
    assert_eq!(client.actions(&uri, &range((0, 0), (0, 0)), Some("source.fixAll")), Vec::<Value>::new());
}

#[test]
fn what_the_editor_makes_of_it_is_what_fix_makes_of_it() {
    let folder = Folder::new("same");
    let uri = folder.uri("Dockerfile");
    let text = "FROM alpine:3.22\nADD a /a\nRUN apk add curl\nADD b c d/\nUSER 1000";
    folder.write("Dockerfile", text);
    let mut client = Client::of(&folder, &utf8());
    client.open(&uri, text);
    let all = client.actions(&uri, &range((0, 0), (0, 0)), Some("source.fixAll")).remove(0);
    let here = edited(text, &all["edit"]["changes"][&uri]);
    let status = Command::new(env!("CARGO_BIN_EXE_ironhull")).arg("fix").arg(folder.0.join("Dockerfile")).output();
    status.unwrap();
    assert_eq!(here, fs::read_to_string(folder.0.join("Dockerfile")).unwrap());
}

#[test]
fn the_page_of_a_rule_shows_under_the_cursor() {
    let folder = Folder::new("hover");
    let uri = folder.uri("Dockerfile");
    let at = |line: u32, character: u32| json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": character } });
    let mut client = Client::of(&folder, &versioned());
    client.open(&uri, TEXT);
    let page = client.ask("textDocument/hover", at(1, 1));
    assert_eq!(page["range"], range((1, 0), (1, 3)));
    assert_eq!(page["contents"]["kind"], "markdown");
    let text = page["contents"]["value"].as_str().unwrap();
    for part in [
        "**note: `ADD` copies",
        "(`add-local-file`)",
        "- Use `COPY` (safe): ",
        "## Why",
        "## What to do",
        "## References",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert_eq!(client.ask("textDocument/hover", at(2, 1)), Value::Null);
    let nowhere = json!({ "textDocument": { "uri": "file:///nowhere" }, "position": { "line": 0, "character": 0 } });
    assert_eq!(client.ask("textDocument/hover", nowhere), Value::Null);
}

#[test]
fn configuration_holds_as_it_is_written_now() {
    let folder = Folder::new("configuration");
    let (uri, toml) = (folder.uri("Dockerfile"), folder.uri("ironhull.toml"));
    folder.write("ironhull.toml", "[rules]\nadd-local-file = \"error\"\n");
    let mut client = Client::of(&folder, &json!({}));
    assert_eq!(client.open(&uri, TEXT)["diagnostics"][0]["severity"], 1);

    // Changed on disk, which the client has seen.
    folder.write("ironhull.toml", "[rules]\nadd-local-file = \"warn\"\n");
    client.tell("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": toml, "type": 2 }] }));
    assert_eq!(client.diagnostics(&uri)["diagnostics"][0]["severity"], 2);

    // A mistake: told once, shown in its place, and what held before goes on.
    folder.write("ironhull.toml", "[rules]\nadd-lokal-file = \"off\"\n");
    client.tell("textDocument/didSave", json!({ "textDocument": { "uri": uri } }));
    assert_eq!(client.diagnostics(&uri)["diagnostics"][0]["severity"], 2);
    let mistake = client.diagnostics(&toml);
    assert_eq!(mistake["diagnostics"][0]["range"], range((1, 0), (1, 14)));
    let message = "there is no rule `add-lokal-file`; did you mean `add-local-file`?";
    assert_eq!(mistake["diagnostics"][0]["message"], message);
    assert!(client.notification("window/showMessage")["message"].as_str().unwrap().ends_with(message));

    // Mended in the editor and not saved yet.
    client.open_as(&toml, "toml", "[rules]\nadd-local-file = \"off\"\n");
    assert_eq!(found(&client.diagnostics(&uri)), Vec::new());
    assert_eq!(client.diagnostics(&toml)["diagnostics"], json!([]));
    client.change(&toml, 2, &json!([{ "text": "exclude = [\"Dockerfile\"]\n[rules]\nadd-local-file = \"error\"\n" }]));
    assert_eq!(found(&client.diagnostics(&uri)), Vec::new(), "what the project leaves out is left out here");
    client.change(&toml, 3, &json!([{ "text": "[rules]\nadd-local-file = \"error\"\n" }]));
    assert_eq!(client.diagnostics(&uri)["diagnostics"][0]["severity"], 1);
    // Closed without saving: the mistake is back.
    client.tell("textDocument/didClose", json!({ "textDocument": { "uri": toml } }));
    assert_eq!(client.diagnostics(&toml)["diagnostics"][0]["message"], message);
    assert_eq!(client.leave(), 0);
}

#[test]
fn a_baseline_of_the_configuration_holds_here_too() {
    let folder = Folder::new("baseline");
    let uri = folder.uri("Dockerfile");
    folder.write("Dockerfile", TEXT);
    let mut program = Command::new(env!("CARGO_BIN_EXE_ironhull"));
    assert!(program.args(["init", "--baseline"]).current_dir(&folder.0).status().unwrap().success());
    let mut client = Client::of(&folder, &json!({}));
    assert_eq!(found(&client.open(&uri, TEXT)), Vec::new());
    client.change(&uri, 2, &json!([{ "text": format!("# moved\n{TEXT}ADD new.sh /\n") }]));
    assert_eq!(client.diagnostics(&uri)["diagnostics"][0]["range"]["start"]["line"], 4);
    assert_eq!(client.leave(), 0);
}

#[test]
fn a_broken_lock_is_shown_and_hinders_nothing() {
    let folder = Folder::new("lock");
    let uri = folder.uri("Dockerfile");
    folder.write("ironhull.lock", "version = 2\n");
    let mut client = Client::of(&folder, &json!({}));
    assert_eq!(found(&client.open(&uri, TEXT)).len(), 1);
    let mistake = client.diagnostics(&folder.uri("ironhull.lock"));
    assert!(mistake["diagnostics"][0]["message"].as_str().unwrap().contains("version 2"), "{mistake}");
}

#[test]
fn a_broken_baseline_is_shown_and_the_last_one_holds() {
    let folder = Folder::new("broken-baseline");
    let uri = folder.uri("Dockerfile");
    folder.write("Dockerfile", TEXT);
    let mut check = Command::new(env!("CARGO_BIN_EXE_ironhull"));
    let written = check.current_dir(&folder.0).args(["check", "--write-baseline", "known.json"]).output().unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    folder.write("ironhull.toml", "baseline = \"known.json\"\n");
    let mut client = Client::of(&folder, &json!({}));
    assert_eq!(found(&client.open(&uri, TEXT)), []);
    client.change(&uri, 2, &json!([{ "range": range((1, 0), (1, 0)), "text": "ADD new /new\n" }]));
    assert_eq!(found(&client.diagnostics(&uri)), [("add-local-file", &range((1, 0), (1, 3)))]);
    folder.write("known.json", "nonsense");
    client.tell("textDocument/didSave", json!({ "textDocument": { "uri": uri } }));
    assert_eq!(found(&client.diagnostics(&uri)).len(), 1, "what held before goes on");
    assert_eq!(client.diagnostics(&folder.uri("known.json"))["diagnostics"].as_array().unwrap().len(), 1);
}

#[test]
fn evidence_is_read_as_it_is_now() {
    let folder = Folder::new("evidence");
    let (uri, script) = (folder.uri("Dockerfile"), folder.uri("entry.sh"));
    let text = "FROM alpine:3.22\nCOPY entry.sh /entry.sh\nENTRYPOINT [\"/entry.sh\"]\n";
    folder.write("entry.sh", "#!/bin/sh\nexec sleep 9\n");
    let mut client = Client::of(&folder, &json!({}));
    let is_root = |diagnostics: &Value| found(diagnostics).iter().any(|(rule, _)| *rule == "root-user");
    assert!(is_root(&client.open(&uri, text)));
    // The script gives root up, in the editor only.
    client.open_as(&script, "shellscript", "#!/bin/sh\nexec su-exec nobody sleep 9\n");
    assert!(!is_root(&client.diagnostics(&uri)));
    client.tell("textDocument/didClose", json!({ "textDocument": { "uri": script } }));
    assert!(is_root(&client.diagnostics(&uri)));
    // And now on disk.
    folder.write("entry.sh", "#!/bin/sh\nexec su-exec nobody sleep 9\n");
    client.tell("textDocument/didSave", json!({ "textDocument": { "uri": uri } }));
    assert!(!is_root(&client.diagnostics(&uri)));
}

#[test]
fn a_client_that_asks_is_not_told_twice() {
    let folder = Folder::new("pull");
    let uri = folder.uri("Dockerfile");
    let can = json!({
        "textDocument": { "diagnostic": {} },
        "workspace": { "diagnostics": { "refreshSupport": true }, "didChangeWatchedFiles": { "dynamicRegistration": true } },
    });
    let mut client = Client::of(&folder, &can);
    let watch = client.wait(|message| message["method"] == "client/registerCapability");
    assert_eq!(watch["params"]["registrations"][0]["method"], "workspace/didChangeWatchedFiles");
    client.send(&json!({ "jsonrpc": "2.0", "id": watch["id"], "result": null }));
    assert_eq!(found(&client.open(&uri, TEXT)).len(), 1, "nobody asked yet");
    let document = json!({ "uri": uri });
    let report = client.ask("textDocument/diagnostic", json!({ "textDocument": document }));
    assert_eq!((&report["kind"], report["items"].as_array().unwrap().len()), (&json!("full"), 1));
    assert_eq!(found(&client.diagnostics(&uri)), Vec::new(), "what was told is taken back");
    let params = json!({ "textDocument": document, "previousResultId": report["resultId"] });
    assert_eq!(client.ask("textDocument/diagnostic", params)["kind"], "unchanged");
    client.tell("workspace/didChangeWatchedFiles", json!({ "changes": [] }));
    let refresh = client.wait(|message| message["method"] == "workspace/diagnostic/refresh");
    assert!(refresh["id"].is_u64());
}

#[test]
fn what_a_document_is_says_its_name_or_else_its_language() {
    let folder = Folder::new("kinds");
    let mut client = Client::of(&folder, &json!({}));
    let templated = "FROM alpine\n{% if a %}\nRUN id\n{% endif %}\n";
    let told = client.open(&folder.uri("image.txt"), templated);
    let remark = told["diagnostics"][0]["message"].as_str().unwrap();
    assert!(remark.starts_with("this file is not judged: it is a template"), "{remark}");
    assert_eq!(found(&client.open("untitled:Untitled-1", TEXT)).len(), 1);
    client.open_as(&folder.uri("web.Dockerfile"), "plaintext", TEXT);
    assert_eq!(found(&client.diagnostics(&folder.uri("web.Dockerfile"))).len(), 1);
    client.open_as(&folder.uri("notes.txt"), "plaintext", TEXT);
    assert_eq!(client.actions(&folder.uri("notes.txt"), &range((1, 0), (1, 0)), None), Vec::<Value>::new());
    let is_about_notes = |message: &Value| message["params"]["uri"] == folder.uri("notes.txt");
    assert!(!client.put_aside.iter().any(is_about_notes), "nobody is told anything about a note");
    assert_eq!(client.leave(), 0);
}

#[test]
fn the_order_of_a_conversation_is_kept() {
    let folder = Folder::new("order");
    let mut client = Client::silent();
    assert_eq!(client.refused("textDocument/hover", json!({})), -32002, "before `initialize`");
    client.tell("textDocument/didOpen", json!({}));
    client.ask("initialize", json!({ "rootUri": folder.uri(""), "capabilities": {} }));
    client.tell("initialized", json!({}));
    assert_eq!(client.refused("initialize", json!({ "capabilities": {} })), -32600);
    assert_eq!(client.refused("textDocument/rename", json!({})), -32601);
    assert_eq!(client.refused("$/unknown", json!({})), -32601);
    assert_eq!(client.refused("textDocument/hover", json!({ "position": 3 })), -32602);
    client.tell("$/unknown", json!({}));
    client.tell("textDocument/didChange", json!({ "textDocument": 3 }));
    assert!(client.notification("window/logMessage")["message"].as_str().unwrap().contains("didChange"));
    assert_eq!(client.ask("shutdown", Value::Null), Value::Null);
    assert_eq!(client.refused("textDocument/hover", json!({})), -32600, "after `shutdown`");
    client.tell("exit", Value::Null);
    assert_eq!(client.exit_code(), 0);
}

#[test]
fn leaving_without_a_word_is_a_failure() {
    let folder = Folder::new("leaving");
    let mut client = Client::of(&folder, &json!({}));
    client.tell("exit", Value::Null);
    assert_eq!(client.exit_code(), 1);
    let mut client = Client::of(&folder, &json!({}));
    client.input = None;
    assert_eq!(client.exit_code(), 1, "the stream ends");
}

#[test]
fn broken_messages_are_answered_and_passed_over() {
    let folder = Folder::new("broken");
    let mut client = Client::of(&folder, &json!({}));
    let framed = |content: &str| format!("Content-Length: {}\r\n\r\n{content}", content.len()).into_bytes();
    let cases: [(Vec<u8>, i64); 8] = [
        (framed("{\"jsonrpc\": \"2.0\", \"method\""), -32700),
        (framed("[]"), -32600),
        (framed("7"), -32600),
        (framed("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"a\"}"), -32600),
        (framed("{\"jsonrpc\":\"2.0\"}"), -32600),
        (framed(&"[".repeat(50_000)), -32700),
        ([framed("{}").as_slice(), b"Content-Length: none\r\n\r\n"].concat(), -32600),
        (b"Content-Type: text\r\n\r\n".to_vec(), -32700),
    ];
    for (bytes, code) in cases {
        client.raw(&bytes);
        let answer = client.answer(&Value::Null);
        assert_eq!(answer["error"]["code"], code, "{:.60}", String::from_utf8_lossy(&bytes));
    }
    let mut invalid = framed("{\"jsonrpc\":\"2.0\",\"method\":\"?\"}");
    let at = invalid.iter().position(|&byte| byte == b'?').unwrap();
    invalid[at] = 0xff;
    client.raw(&invalid);
    // Whatever came before it, a whole message is understood.
    let uri = folder.uri("Dockerfile");
    assert_eq!(found(&client.open(&uri, TEXT)).len(), 1);
    assert_eq!(client.leave(), 0);
}

#[test]
fn a_cancelled_request_is_answered_all_the_same() {
    let folder = Folder::new("cancelled");
    let uri = folder.uri("Dockerfile");
    let mut client = Client::of(&folder, &json!({}));
    client.open(&uri, TEXT);
    // All in one piece, so that the second arrives before the first is looked at, or at once behind it.
    let params = json!({ "textDocument": { "uri": uri }, "position": { "line": 1, "character": 1 } });
    let hover = |id: &str| json!({ "jsonrpc": "2.0", "id": id, "method": "textDocument/hover", "params": params });
    let cancel = json!({ "jsonrpc": "2.0", "method": "$/cancelRequest", "params": { "id": "b" } });
    let framed = |message: Value| {
        let content = message.to_string();
        format!("Content-Length: {}\r\n\r\n{content}", content.len())
    };
    client.raw([hover("a"), hover("b"), cancel, hover("c")].map(framed).concat().as_bytes());
    assert!(client.answer(&json!("a"))["result"].is_object());
    let answer = client.answer(&json!("b"));
    assert!(answer["result"].is_object() || answer["error"]["code"] == -32800, "{answer}");
    assert!(client.answer(&json!("c"))["result"].is_object());
    assert_eq!(client.leave(), 0);
}

#[test]
fn changes_out_of_the_text_and_large_texts_are_borne() {
    let folder = Folder::new("large");
    let uri = folder.uri("Dockerfile");
    let mut client = Client::of(&folder, &json!({}));
    client.open(&uri, TEXT);
    client.change(&uri, 2, &json!([{ "range": range((99, 0), (100, 7)), "text": "ADD b /b" }]));
    assert_eq!(found(&client.diagnostics(&uri)).len(), 2);
    client.change(&uri, 3, &json!([{ "range": range((2, 4), (1, 900)), "text": "\n" }]));
    client.diagnostics(&uri);
    let long = format!("FROM alpine:3.22\nUSER 1000\nRUN {}\n", "curl -k https://a.example/𝓤; ".repeat(20_000));
    client.change(&uri, 4, &json!([{ "text": long }]));
    let told = client.diagnostics(&uri);
    let insecure: Vec<_> = found(&told).into_iter().filter(|(rule, _)| *rule == "tls-verification-off").collect();
    let by = "curl -k https://a.example/𝓤; ".encode_utf16().count() as u32;
    assert_eq!(insecure.len(), 20_000);
    assert_eq!(insecure[19_999].1, &range((2, 9 + 19_999 * by), (2, 11 + 19_999 * by)));
    assert_eq!(client.leave(), 0);
}
