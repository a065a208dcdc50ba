//! Haskell: one program, linked to the C library and to what GHC's own runtime is linked to.
//!
//! Facts: Stack's user guide (`--copy-bins`, `install`, `--local-bin-path`; `~/.local/bin` without it), Cabal's
//! (`install --installdir`; `~/.cabal/bin` without it), the official image (`PATH` has both), the GHC user's guide (`libgmp`
//! and `libnuma` of the runtime system). Both libraries are called alike in every release of Debian since 10.

use super::compiled::{Build, Obstacle, Own};
use crate::{
    harden::{
        Declined, Proposal, Rung, Runtime, Start, Subject,
        effect::{self, Ecosystem, Effect, Kind},
        outputs::{Made, Output},
        program::Language,
    },
    model::{Process, StepCommand},
    syntax::shell::Word,
};

static LANGUAGE: Language = Language {
    extensions: &["hs", "lhs", "hsc", "chs", "cabal"],
    manifests: &["stack.yaml", "stack.yaml.lock", "package.yaml", "cabal.project", "cabal.project.freeze", "Setup.hs"],
    calls: &["readProcess", "callProcess", "callCommand", "system "],
    callers: &["System.Process", "System.Posix.Process", "Shelly", "Turtle"],
    embeds: &["embedFile", "embedDir", "hamletFile", "widgetFile", "persistFileWith", "juliusFile", "luciusFile"],
};

const VARIABLES: [&str; 4] = ["STACK_ROOT", "CABAL_DIR", "STACK_YAML", "GHC_VERSION"];

/// What GHC's runtime system loads.
const LIBRARIES: [&str; 2] = ["libgmp10", "libnuma1"];

/// Where a program goes that only `stack` or `cabal` starts.
const PLACE: &str = "/usr/local/bin";

pub(super) fn propose(subject: &Subject<'_>) -> Option<Proposal> {
    let runs = subject.runs();
    let mut commands = runs.iter().flat_map(|step| step.commands());
    commands.find(|command| verb(*command).is_some())?;
    let build = Build::new(subject, &LANGUAGE, |effect, _| made(effect));
    Some(Proposal::of("Haskell", proposed(&build)))
}

fn proposed(build: &Build<'_, '_>) -> Result<(Vec<Runtime>, Vec<Declined>), Obstacle> {
    let exec = Exec::of(build.subject);
    let program = match &exec {
        Some(exec) => {
            let span = build.subject.target.instruction().span;
            Output { path: format!("{PLACE}/{}", exec.program), links_to: None, span }
        }
        None => build.program()?,
    };
    let is_building = |effect: &Effect<'_>| match &effect.kind {
        Kind::Build { tool, .. } => ["stack", "cabal", "ghc"].iter().any(|name| tool.starts_with(name)),
        _ => false,
    };
    let own = Own { ecosystem: Some(Ecosystem::Haskell), is_building: &is_building, variables: &VARIABLES };
    let account = build.account(&program, exec.as_ref().map(|exec| &exec.start), &own)?;
    let mut runtime = build.slim(&account, &[], None, &|_| true)?;
    runtime.packages.extend(LIBRARIES.map(str::to_owned));
    runtime.packages.sort();
    runtime.packages.dedup();
    runtime.build_end.extend(exec.map(|exec| exec.build_end));
    let reason = "GHC's runtime loads `libgmp`, which images without a shell do not have".into();
    Ok((vec![runtime], vec![Declined { rung: Rung::NoShell, reason }]))
}

/// A start by the tool that builds.
struct Exec {
    program: String,
    start: Start,
    /// What puts the program where the image finds it.
    build_end: String,
}

impl Exec {
    fn of(subject: &Subject<'_>) -> Option<Self> {
        let words = subject.startup().process.as_ref().and_then(Process::known_words)?;
        let (program, arguments, install) = match words.as_slice() {
            ["stack", "exec", program, rest @ ..] => (program, rest, "RUN stack install --local-bin-path"),
            ["cabal", "exec" | "run", program, rest @ ..] => {
                (program, rest, "RUN cabal install --install-method=copy --installdir")
            }
            _ => return None,
        };
        if program.starts_with('-') || program.contains(['/', ':']) {
            return None;
        }
        let arguments = arguments.iter().skip_while(|word| **word == "--").map(|word| (*word).to_owned());
        let command = std::iter::once(format!("{PLACE}/{program}")).chain(arguments).collect();
        Some(Self {
            program: (*program).to_owned(),
            start: subject.started_by(command),
            build_end: format!("{install} {PLACE}"),
        })
    }
}

/// `build` or `install` of Stack or Cabal.
fn verb(command: StepCommand<'_>) -> Option<(&'static str, bool)> {
    let invocation = command.invocation()?;
    let tool = match invocation.name()? {
        "stack" => "stack",
        "cabal" => "cabal",
        _ => return None,
    };
    let words: Vec<_> = invocation.arguments().filter_map(Word::literal).collect();
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    let installs = has(&["install", "new-install", "v2-install", "--copy-bins"]);
    (installs || has(&["build", "new-build", "v2-build"])).then_some((tool, installs))
}

/// Where a command puts programs that only the sources name.
fn made(effect: &Effect<'_>) -> Made {
    let Some(command) = effect.command else { return Made::default() };
    let Some((tool, true)) = verb(command) else { return Made::default() };
    let (option, usual) =
        if tool == "stack" { ("--local-bin-path", "/root/.local/bin") } else { ("--installdir", "/root/.cabal/bin") };
    let words: Vec<String> = command.command.words().map(|word| word.text().into_owned()).collect();
    let behind = words.iter().position(|word| word == option).and_then(|at| words.get(at + 1)).cloned();
    let told = behind
        .or_else(|| words.iter().find_map(|word| word.strip_prefix(option)?.strip_prefix('=').map(str::to_owned)));
    let path = told.unwrap_or_else(|| usual.to_owned());
    match effect::absolute(effect.directory.as_deref(), &path) {
        Some(path) => Made::area(path, effect.span),
        None => Made::default(),
    }
}
