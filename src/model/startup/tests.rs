//! Start commands of all kinds, and where they lead.

use super::{ShellUse, Startup};
use crate::{
    context::{self, BuildContext, Entry, Files},
    knowledge::Knowledge,
    model::{DockerfileModel, Stage},
    source::{FileKind, SourceFile},
    syntax::dockerfile,
    text::FileId,
};
use std::sync::Arc;

struct Tree<'t>(&'t [(&'t str, &'t str)]);

impl Files for Tree<'_> {
    fn read(&self, path: &str) -> Option<Arc<[u8]>> {
        self.0.iter().find(|(name, _)| *name == path).map(|(_, text)| Arc::from(text.as_bytes()))
    }

    fn list(&self, path: &str) -> Arc<[Entry]> {
        context::entries(self.0.iter().map(|(name, _)| *name), path)
    }
}

fn startup(text: &str, files: &[(&str, &str)]) -> Startup {
    fn startup(stage: Stage<'_>, context: &BuildContext<'_>) -> Startup {
        stage.startup(context)
    }
    ask(text, files, startup)
}

fn health_check(text: &str) -> Option<Startup> {
    fn health_check(stage: Stage<'_>, context: &BuildContext<'_>) -> Option<Startup> {
        stage.health_check(context)
    }
    ask(text, &[], health_check)
}

fn ask<T>(text: &str, files: &[(&str, &str)], ask: impl FnOnce(Stage<'_>, &BuildContext<'_>) -> T) -> T {
    let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text.as_bytes().to_vec());
    let parsed = dockerfile::parse(&file.text);
    let model = DockerfileModel::new(&file, &parsed.tree, &Knowledge::builtin());
    let mut all = vec![("Dockerfile", text)];
    all.extend(files);
    let tree = Tree(&all);
    ask(model.target().expect("there is a stage"), &BuildContext::new(&tree, "Dockerfile"))
}

/// The words of the process, what only a shell knows as it is written.
fn words(startup: &Startup) -> String {
    let Some(process) = &startup.process else { return format!("? {:?}", startup.unknown) };
    process.words.iter().map(super::StartWord::written).collect::<Vec<_>>().join(" ")
}

fn uses(startup: &Startup) -> Vec<ShellUse> {
    let mut uses: Vec<ShellUse> = startup.shell.iter().map(|need| need.kind).collect();
    uses.sort();
    uses.dedup();
    uses
}

#[test]
fn start_commands_lead_to_their_process() {
    for (start, expected, needs) in [
        ("CMD [\"python\", \"app.py\"]", "python app.py", &[][..]),
        ("CMD python app.py", "python app.py", &[]),
        ("CMD exec python app.py", "python app.py", &[]),
        ("CMD [\"sh\", \"-c\", \"exec gunicorn app:app\"]", "gunicorn app:app", &[]),
        ("CMD gunicorn -b :$PORT app:app", "gunicorn -b :$PORT app:app", &[ShellUse::Variable]),
        ("CMD A=1 ./server", "./server", &[ShellUse::Assignment]),
        ("CMD [\"env\", \"A=1\", \"./server\", \"-v\"]", "./server -v", &[]),
        ("CMD migrate && serve", "serve", &[ShellUse::List]),
        ("CMD cd web && exec serve", "serve", &[ShellUse::List, ShellUse::Builtin]),
        ("CMD serve > /log 2>&1", "serve", &[ShellUse::Redirection]),
        ("CMD worker & serve", "serve", &[ShellUse::Pipe]),
        ("ENTRYPOINT [\"java\"]\nCMD [\"-jar\", \"a.jar\"]", "java -jar a.jar", &[]),
        (
            "ENTRYPOINT [\"sh\", \"-c\", \"java -jar build/libs/*.jar\"]",
            "java -jar build/libs/*.jar",
            &[ShellUse::Pattern],
        ),
        ("ENTRYPOINT [\"tini\", \"--\"]\nCMD serve --x", "serve --x", &[]),
        ("ENTRYPOINT serve\nCMD [\"ignored\"]", "serve", &[]),
        ("ENTRYPOINT [\"/usr/bin/dumb-init\", \"--\", \"serve\"]", "serve", &[]),
        ("CMD uv run uvicorn main:app --port 80", "uvicorn main:app --port 80", &[]),
        ("CMD [\"uv\", \"run\", \"--no-sync\", \"main.py\"]", "python main.py", &[]),
        ("CMD [\"poetry\", \"run\", \"gunicorn\", \"a:b\"]", "gunicorn a:b", &[]),
        ("CMD [\"python\", \"-m\", \"flask\", \"run\"]", "python -m flask run", &[]),
    ] {
        let found = startup(&format!("FROM debian:13\nWORKDIR /app\n{start}\n"), &[]);
        assert_eq!((words(&found).as_str(), uses(&found).as_slice()), (expected, needs), "{start}");
    }
}

const PACKAGE: &str = r#"{
  "main": "lib/index.js",
  "scripts": {
    "prestart": "tsc -p .",
    "start": "NODE_ENV=production node dist/server.js",
    "web": "next start -p $PORT",
    "both": "npm run web -- --turbo",
    "again": "npm run again",
    "serve": "cross-env A=1 node server.js"
  },
  "dependencies": { "next": "1", "vite": "2" }
}
"#;

const LOCK: &str = r#"{ "packages": {
  "node_modules/next": { "bin": { "next": "dist/bin/next" } }
} }
"#;

#[test]
fn scripts_of_packages_are_looked_up() {
    let files = [("package.json", PACKAGE), ("package-lock.json", LOCK), ("lib/index.js", "")];
    for (start, expected) in [
        ("CMD npm start", "node dist/server.js"),
        ("CMD [\"npm\", \"run\", \"start\"]", "node dist/server.js"),
        ("CMD [\"npm\", \"start\", \"--\", \"--port\", \"1\"]", "node dist/server.js --port 1"),
        ("CMD yarn web", "node node_modules/next/dist/bin/next start -p $PORT"),
        ("CMD [\"pnpm\", \"run\", \"both\"]", "node node_modules/next/dist/bin/next start -p $PORT --turbo"),
        ("CMD [\"npx\", \"next\", \"start\"]", "node node_modules/next/dist/bin/next start"),
        ("CMD [\"yarn\", \"vite\", \"preview\"]", "node_modules/.bin/vite preview"),
        ("CMD npm run serve", "node server.js"),
        ("CMD [\"node\", \".\"]", "node lib/index.js"),
        ("CMD [\"node\", \"--enable-source-maps\", \"./\"]", "node --enable-source-maps lib/index.js"),
    ] {
        let found = startup(&format!("FROM node:24\nWORKDIR /app\nCOPY . .\n{start}\n"), &files);
        assert_eq!(words(&found), expected, "{start}");
    }
}

#[test]
fn a_hook_of_a_script_runs_before_it() {
    let found = startup("FROM node:24\nWORKDIR /app\nCOPY . .\nCMD npm start\n", &[("package.json", PACKAGE)]);
    assert_eq!(found.before[0].program(), Some("tsc"));
    let process = found.process.expect("it is known");
    assert_eq!((process.evidence.path.as_str(), process.evidence.line), ("package.json", 5));
    assert_eq!(process.environment[0].0, "NODE_ENV");
    assert_eq!(found.launchers, ["npm"]);
}

#[test]
fn npm_without_a_start_script_runs_the_server() {
    let found = startup("FROM node:24\nWORKDIR /app\nCOPY . .\nCMD npm start\n", &[("package.json", "{}")]);
    assert_eq!(words(&found), "node server.js");
}

#[test]
fn a_script_that_calls_itself_comes_to_an_end() {
    let found = startup("FROM node:24\nWORKDIR /app\nCOPY . .\nCMD npm run again\n", &[("package.json", PACKAGE)]);
    assert!(found.process.is_none() && found.unknown.is_some());
}

#[test]
fn an_entry_script_hands_over_to_the_command() {
    let script = "#!/bin/bash\nset -e\nif [ -n \"$DATABASE_URL\" ]; then\n  until pg_isready; do sleep 1; done\nfi\nexec \"$@\"\n";
    let text = "FROM ruby:3.3\nWORKDIR /app\nCOPY . .\nCOPY entrypoint.sh /usr/bin/\nENTRYPOINT [\"entrypoint.sh\"]\nCMD [\"rails\", \"server\"]\n";
    let found = startup(text, &[("entrypoint.sh", script)]);
    assert_eq!(words(&found), "rails server");
    assert_eq!(found.programs(), ["bash", "pg_isready", "sleep", "rails"]);
    assert!(found.before.iter().all(|process| process.is_conditional));
    assert!(uses(&found).contains(&ShellUse::Script));
}

#[test]
fn a_script_of_the_context_is_read_wherever_it_is_copied_to() {
    let script = "#!/bin/sh\npython manage.py migrate\nexec gunicorn --bind 0.0.0.0:${PORT:-8000} app.wsgi\n";
    for (copy, start) in [
        ("COPY . .", "CMD [\"./scripts/start.sh\"]"),
        ("COPY scripts/ /", "CMD /start.sh"),
        ("COPY scripts/*.sh /usr/local/bin/", "CMD [\"start.sh\"]"),
        ("COPY scripts/start.sh /run-it", "ENTRYPOINT [\"/run-it\"]"),
        ("COPY . /app", "CMD sh scripts/start.sh"),
    ] {
        let text = format!("FROM python:3.13\nWORKDIR /app\n{copy}\n{start}\n");
        let found = startup(&text, &[("scripts/start.sh", script)]);
        assert_eq!(words(&found), "gunicorn --bind 0.0.0.0:${PORT:-8000} app.wsgi", "{start}");
        let process = found.process.as_ref().expect("it is known");
        let super::StartWord::Variable { usual, .. } = &process.words[2] else { panic!("a variable is in it") };
        assert_eq!(usual.as_deref(), Some("0.0.0.0:8000"));
        assert_eq!((process.evidence.path.as_str(), process.evidence.line), ("scripts/start.sh", 3));
        assert_eq!(found.before[0].known_words(), Some(vec!["python", "manage.py", "migrate"]));
    }
}

#[test]
fn what_a_build_stage_hands_on_is_read_too() {
    let text = "FROM node:24 AS build\nWORKDIR /src\nCOPY . .\nFROM node:24-slim\nWORKDIR /app\nCOPY --from=build /src /app\nCMD npm start\n";
    let found = startup(text, &[("package.json", PACKAGE)]);
    assert_eq!(words(&found), "node dist/server.js");
}

#[test]
fn a_loop_stays_with_the_shell() {
    let found = startup("FROM debian:13\nCMD while true; do backup; sleep 60; done\n", &[]);
    assert!(found.process.is_none() && found.unknown.is_some());
    assert_eq!(found.programs(), ["backup", "sleep"]);
}

#[test]
fn a_missing_script_is_unknown() {
    let found = startup("FROM debian:13\nCOPY . /\nCMD bash /start.sh\n", &[("x", "")]);
    assert!(found.process.is_none());
    assert_eq!(uses(&found), [ShellUse::Script]);
}

#[test]
fn a_health_check_names_its_programs() {
    for (check, programs, needs) in [
        ("HEALTHCHECK CMD curl -f http://localhost/ || exit 1", "curl", &[ShellUse::List, ShellUse::Builtin][..]),
        ("HEALTHCHECK --interval=5s CMD [\"/app\", \"health\"]", "app", &[]),
        ("HEALTHCHECK CMD wget -qO- localhost", "wget", &[]),
    ] {
        let text = format!("FROM debian:13\n{check}\nCMD [\"/app\"]\n");
        let found = health_check(&text).expect("there is one");
        assert_eq!(found.programs(), [programs], "{check}");
        assert_eq!(uses(&found), needs, "{check}");
    }
    assert!(health_check("FROM debian:13\nHEALTHCHECK NONE\n").is_none());
}

#[test]
fn what_hands_over_in_a_branch_is_called() {
    const SCRIPT: &str = "#!/bin/sh\nset -e\nif [ \"$(id -u)\" = 0 ]; then\n  chown -R node /data\n  exec gosu node \"$0\" \"$@\"\nfi\nexec \"$@\"\n";
    let startup = startup(
        "FROM node:22\nCOPY entry.sh /usr/local/bin/\nENTRYPOINT [\"entry.sh\"]\nCMD [\"node\", \"server.js\"]\n",
        &[("entry.sh", SCRIPT)],
    );
    let programs = startup.programs();
    for name in ["gosu", "chown", "node"] {
        assert!(programs.contains(&name), "{programs:?}");
    }
}
