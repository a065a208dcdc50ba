//! Elixir: a release that is built with the full image runs on its slim variant.
//!
//! Facts: the documentation of `mix release` (a release lies in `_build/ENV/rel/NAME` and has Erlang inside; files of
//! `config` other than `runtime.exs` are read while it is built), the script that starts a release (it writes into
//! `RELEASE_TMP` where there is a `runtime.exs`), the guide "Deploying with releases" of Phoenix (`PHX_SERVER`).

use super::{
    common::{change, place},
    whole::{Places, Whole},
};
use crate::{
    harden::{
        Change, Declined, Evidence, Proposal, Rung, Runtime, Subject, Taken,
        effect::{Ecosystem, Effect, Kind},
        tree::Tree,
    },
    model::Process,
    text::Edit,
};

pub(super) fn propose(subject: &Subject<'_>) -> Option<Proposal> {
    let image = subject.target.named_image()?;
    let startup = subject.startup();
    let words = startup.process.as_ref().and_then(Process::known_words)?;
    if image.reference.name() != "docker.io/library/elixir" || words.first() != Some(&"mix") {
        return None;
    }
    let mut recipe = Recipe { whole: Whole::new(subject, None), dropped: Vec::new() };
    recipe.dropped = recipe.whole.drop_node();
    let reason = "a release compiles nothing, and nothing watches its sources";
    recipe.whole.unneeded.push(("inotify-tools", reason));
    let slim = image.facts.as_deref().and_then(|facts| facts.slim.known()).and_then(|slim| subject.named(slim));
    let climb = || {
        let base = slim.ok_or_else(|| format!("no smaller variant of `{}` is known", image.reference.text()))?;
        let declined =
            Declined { rung: Rung::NoShell, reason: "the script that starts a release needs a shell".into() };
        Ok((vec![recipe.release(base, &words)?], vec![declined]))
    };
    Some(Proposal::of("Elixir", climb().map_err(|reason: String| reason.into())))
}

struct Recipe<'s, 'a> {
    whole: Whole<'s, 'a>,
    dropped: Vec<(Edit, Change)>,
}

impl<'a> Recipe<'_, 'a> {
    fn release(&self, base: String, words: &[&str]) -> Result<Runtime, String> {
        let subject = self.whole.subject;
        let home =
            subject.workdir().ok_or("the working directory is not known, or it is the root of the file system")?;
        let environment = subject.target.variable("MIX_ENV").and_then(|variable| variable.value.as_ref()?.known());
        let environment = environment.ok_or("`MIX_ENV` does not say for what it is built")?;
        let (name, manifest) = self.name()?;
        let is_phoenix = match words {
            ["mix", "phx.server"] => true,
            ["mix", "run", "--no-halt"] => false,
            _ => return Err(format!("`{}` is no start of the whole program", words.join(" "))),
        };
        let server = self.configuration(is_phoenix)?;
        self.files()?;
        let mut runtime = self.whole.on(base, |effect| self.installed(effect))?;
        runtime.build.extend(self.dropped.iter().map(|(edit, _)| edit.clone()));
        runtime.changes.extend(self.dropped.iter().map(|(_, change)| change.clone()));
        runtime.build_end.push("RUN mix release".to_owned());
        runtime.taken.retain(|taken| taken.to != home);
        let from = format!("{home}/_build/{environment}/rel/{name}");
        runtime.taken.insert(0, Taken { from, to: home.to_owned() });
        runtime.environment.push(("RELEASE_TMP".to_owned(), "/tmp".to_owned()));
        if let Some(server) = server {
            runtime.environment.push(("PHX_SERVER".to_owned(), "true".to_owned()));
            runtime.changes.push(change("Let the release serve", "`mix phx.server` did so by itself", server));
        }
        let start = vec![format!("{home}/bin/{name}"), "start".to_owned()];
        runtime.start = Some(subject.started_by(start));
        let reason =
            "it holds the compiled program with its packages and Erlang, and starts without Mix, Hex and Rebar";
        runtime.changes.insert(0, change("Build a release", reason, manifest));
        runtime.changes.insert(
            1,
            change(
                "Run on the slim variant of the same release",
                "it has the same distribution, so what is compiled finds its libraries",
                subject.evidence(subject.target.root().base_span(), "the base that builds"),
            ),
        );
        Ok(runtime)
    }

    fn installed(&self, effect: &Effect<'a>) -> Places {
        match &effect.kind {
            // A release holds packages, and what is made of those of Node.js in `priv`.
            Kind::LanguagePackages { ecosystem: Ecosystem::Elixir | Ecosystem::Node, .. } => Ok(Vec::new()),
            Kind::LanguagePackages { program, .. } => Err(format!(
                "where `{program}` in line {} installs, and whether the program needs it, is not known",
                self.whole.line(effect)
            )),
            _ => Ok(Vec::new()),
        }
    }

    /// The name of the program, and where it says so.
    fn name(&self) -> Result<(String, Evidence), String> {
        let found =
            self.whole.subject.file("mix.exs").ok_or("`mix.exs` is not seen, which says what a release is called")?;
        let text = String::from_utf8_lossy(&found.text).into_owned();
        for word in ["apps_path:", "releases:"] {
            if text.contains(word) {
                return Err(format!("{} has `{word}`, which makes releases of its own", found.path));
            }
        }
        let named = text.lines().zip(1..).find_map(|(line, number)| {
            let rest = line.trim().strip_prefix("app: :")?;
            Some((rest.trim_end_matches(',').to_owned(), number))
        });
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        match named {
            Some((name, line)) if !name.is_empty() && name.bytes().all(is_name) => {
                Ok((name, place(&found.path, line, "the name of the program")))
            }
            _ => Err(format!("{} does not say in words what the program is called", found.path)),
        }
    }

    /// Whether all that only a start knows is read at the start; answers what lets Phoenix serve, if that has to be told.
    fn configuration(&self, is_phoenix: bool) -> Result<Option<Evidence>, String> {
        let subject = self.whole.subject;
        let root = subject.root.as_deref().ok_or("the files of the build context are not seen")?;
        let directory = crate::context::join(root, "config");
        let mut server = None;
        let mut is_serving = false;
        for entry in subject.cx.context.list(&directory).iter().filter(|entry| !entry.is_directory) {
            let is_of_development = matches!(entry.name.as_str(), "dev.exs" | "test.exs");
            if !entry.name.ends_with(".exs") || is_of_development {
                continue;
            }
            let Some(found) = subject.cx.context.at(&crate::context::join(&directory, &entry.name)) else { continue };
            let text = String::from_utf8_lossy(&found.text).into_owned();
            let lines = || text.lines().zip(1u32..).filter(|(line, _)| !line.trim_start().starts_with('#'));
            is_serving |= lines().any(|(line, _)| line.contains("server: true") && !line.contains("PHX_SERVER"));
            if entry.name == "runtime.exs" {
                let told = lines().find(|(line, _)| line.contains("PHX_SERVER"));
                server = told.map(|(_, number)| place(&found.path, number, "asks for `PHX_SERVER`"));
                continue;
            }
            if let Some((_, number)) = lines().find(|(line, _)| line.contains("System.") && line.contains("env")) {
                return Err(format!(
                    "{}:{number} reads the environment while a release is built: move that to `config/runtime.exs`",
                    found.path
                ));
            }
        }
        match (is_phoenix, server) {
            (true, Some(server)) => Ok(Some(server)),
            (true, None) if !is_serving => {
                Err("`config/runtime.exs` lets no release serve: ask for `PHX_SERVER` there".to_owned())
            }
            (true, None) | (false, _) => Ok(None),
        }
    }

    /// Whether the program finds its files: a release starts with other ones around it.
    fn files(&self) -> Result<(), String> {
        let subject = self.whole.subject;
        let tree = Tree::of(subject).ok_or("the files of the build context are not seen")?;
        for file in tree.files.iter().filter(|file| file.path.starts_with("lib/") && file.extension() == "ex") {
            let text = subject.text_of(file).unwrap_or_default();
            let reads = |line: &str| {
                let names_priv = line.contains("\"priv/") && !line.contains("app_dir") && !line.contains("priv_dir");
                let is_relative =
                    ["File.read", "File.stream", "File.open", "File.ls", "Path.expand"].iter().any(|call| {
                        let behind = line.find(call).and_then(|at| line[at..].split_once('(')).map(|(_, rest)| rest);
                        behind.is_some_and(|rest| {
                            rest.starts_with('"') && !rest.starts_with("\"/") && !rest.starts_with("\"#{")
                        })
                    });
                names_priv || is_relative
            };
            let is_code = |line: &str| !line.trim_start().starts_with('#');
            if let Some((_, number)) = text.lines().zip(1..).find(|(line, _)| is_code(line) && reads(line)) {
                return Err(format!(
                    "{}:{number} reads a file beside its sources, which a release has elsewhere",
                    file.found_at
                ));
            }
        }
        Ok(())
    }
}
