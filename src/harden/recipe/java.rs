//! Java: a jar that is built with a JDK runs on a JRE, or on a base without a shell that has the same Java.
//!
//! Facts: java(1) (`-jar`), Spring Boot's Gradle plugin and Maven's naming of what they build
//! (`build/libs/NAME-VERSION.jar`, `target/NAME-VERSION.jar`), the README of distroless (`/usr/bin/java`).

use super::common::{change, climbing, needs_more, outside, place};
use crate::{
    harden::{
        Declined, Proposal, Rebase, Rung, Runtime, Subject, Taken,
        effect::{self, Effect, Kind},
        health::{self, Health},
        packages,
        tree::below,
    },
    model::{CopySource, Process, ScriptForm, ShellUse, StartWord},
    syntax::dockerfile::Keyword,
};

/// The interpreter in distroless images.
const DISTROLESS_JAVA: &str = "/usr/bin/java";

pub(super) fn propose(subject: &Subject<'_>) -> Option<Proposal> {
    let startup = subject.startup();
    let process = startup.process.as_ref()?;
    let has_jdk = subject.target.named_image().is_some_and(|image| {
        let name = image.reference.name();
        let last = name.rsplit('/').next().unwrap_or(&name).to_owned();
        ["eclipse-temurin", "openjdk", "maven", "gradle", "amazoncorretto", "java"].contains(&last.as_str())
    });
    if process.program() != Some("java") || !has_jdk {
        return None;
    }
    let facts = subject.target.image_facts();
    let Some(runtime) = facts.and_then(|facts| facts.runtime.known()) else {
        let reason = "no runtime-only image of the same Java is known for the base".into();
        let declined = Declined { rung: Rung::RuntimeOnly, reason };
        return Some(Proposal::of("Java", Ok((Vec::new(), vec![declined]))));
    };
    let (repository, tag) = runtime.rsplit_once(':').unwrap_or((runtime, "latest"));
    let facts = subject.cx.knowledge.image(repository, Some(tag));
    let shell_less = facts.as_ref().and_then(|facts| facts.shell_less.known());
    let shell_less = shell_less.ok_or_else(|| format!("no base without a shell has the Java of `{runtime}`"));
    let recipe = Recipe { subject, effects: effect::effects(subject), process };
    if recipe.is_finished() {
        return Some(recipe.on_runtime(runtime, shell_less.map(String::as_str)));
    }
    let climb = || {
        let jre = recipe.jre(runtime)?;
        Ok(climbing(shell_less.and_then(|base| without_shell(subject, base, &jre)), jre))
    };
    Some(Proposal::of("Java", climb().map_err(|reason: String| reason.into())))
}

struct Recipe<'s, 'a> {
    subject: &'s Subject<'a>,
    effects: Vec<Effect<'a>>,
    process: &'s Process,
}

impl Recipe<'_, '_> {
    /// Whether the image only holds what was built elsewhere, so that another base does.
    fn is_finished(&self) -> bool {
        self.effects.iter().all(|effect| {
            matches!(
                effect.kind,
                Kind::Copied { .. }
                    | Kind::Directories(_)
                    | Kind::Modes(_)
                    | Kind::Accounts
                    | Kind::Removes(_)
                    | Kind::Transient
            )
        })
    }

    /// The same image on a Java without a compiler, or without a shell where nothing needs one.
    fn on_runtime(&self, runtime: &str, shell_less: Result<&str, String>) -> Proposal {
        let subject = self.subject;
        let stack = "Java".to_owned();
        let Some(jre) = subject.named(runtime) else {
            let reason = "a variable decides which Java the base has".into();
            let declined = vec![Declined { rung: Rung::RuntimeOnly, reason }];
            return Proposal { stack, declined, ..Proposal::default() };
        };
        let place = subject.evidence(subject.target.root().base_span(), "the base");
        let (base, declined, change) = match shell_less.and_then(|base| self.needs_no_shell().map(|()| base)) {
            Ok(base) => {
                let reason = "nothing that is started needs one, and the base has the same Java";
                (format!("{base}:nonroot"), Vec::new(), change("Run on a base without a shell", reason, place))
            }
            Err(reason) => {
                let declined = vec![Declined { rung: Rung::NoShell, reason: reason.into() }];
                let reason = "what is finished needs no more";
                (jre, declined, change("Run on a Java without compiler", reason, place))
            }
        };
        Proposal { stack, rebase: Some(Rebase { base, change, edits: Vec::new() }), declined, ..Proposal::default() }
    }

    /// Whether an image of finished files needs nothing but Java.
    ///
    /// # Errors
    /// What it needs.
    fn needs_no_shell(&self) -> Result<(), String> {
        let subject = self.subject;
        if let Some(effect) = self.effects.iter().find(|effect| effect.step.keyword() == Keyword::Run) {
            let line = subject.cx.file.locate(effect.span.start).line;
            return Err(format!("line {line} runs a command, which a base without a shell does not"));
        }
        let startup = subject.startup();
        if let Some(need) = startup.shell.first() {
            let place = &need.evidence;
            return Err(format!("the start needs a shell: {}:{} {}", place.path, place.line, place.shows));
        }
        let is_plain = startup.before.is_empty()
            && self.process.environment.is_empty()
            && self.process.words.first().and_then(StartWord::known) == Some("java")
            && subject
                .target
                .start_steps()
                .iter()
                .all(|step| step.script().is_some_and(|script| script.form == ScriptForm::Exec));
        if !is_plain {
            return Err("the start is not `java` itself in JSON form".to_owned());
        }
        subject.starts_nothing_else()?;
        match health::health(subject) {
            Health::None => Ok(()),
            Health::Probe(step, _) | Health::Other(step) => Err(needs_more(step)),
        }
    }

    fn jre(&self, runtime: &str) -> Result<Runtime, String> {
        let base = self.subject.named(runtime).ok_or("a variable decides which Java the base has")?;
        let home =
            self.subject.workdir().ok_or("the working directory is not known, or it is the root of the file system")?;
        let is_option = |word: &StartWord| word.known() == Some("-jar");
        let at = self.process.words.iter().position(is_option).ok_or("the start names no jar")?;
        let mut words = Vec::new();
        // What a shell puts into the start stays as it is written: `$JAVA_OPTS`.
        let mut needs_shell = None;
        for (index, word) in self.process.words.iter().enumerate() {
            words.push(match word {
                StartWord::Known(text) => text.clone(),
                StartWord::Pattern(pattern) => self.jar_of(pattern)?,
                StartWord::Variable { written, .. } | StartWord::Unknown(written) if index > at + 1 || index < at => {
                    needs_shell.get_or_insert_with(|| written.clone());
                    written.clone()
                }
                StartWord::Variable { written, .. } | StartWord::Unknown(written) => {
                    return Err(format!("only a run knows what `{written}` of the start command is"));
                }
            });
        }
        let jar = words.get(at + 1).ok_or("the start names no jar")?;
        let jar = if jar.starts_with('/') { jar.clone() } else { format!("{home}/{jar}") };
        let mut new = Runtime { base, taken: vec![Taken::at(jar)], ..Runtime::default() };
        self.files_beside(home, &mut new)?;
        // Tools that are fetched for the build lie elsewhere, and a jar loads nothing of them.
        let lasting: Vec<Effect<'_>> = self.effects.iter().filter(|effect| !is_of_tools(effect)).cloned().collect();
        outside(self.subject, &lasting, home, &mut new)?;
        let kept = packages::kept(self.subject, &self.effects, self.subject.programs());
        new.packages = kept.install;
        new.changes.push(change(
            "Run on a Java without compiler",
            "a finished jar needs no more",
            place(&self.process.evidence.path, self.process.evidence.line, "what is started"),
        ));
        new.changes.extend(kept.changes);
        if !matches!(self.process.environment.as_slice(), []) {
            return Err("the start sets variables, which takes a shell".to_owned());
        }
        if needs_shell.is_some() {
            return Ok(new);
        }
        new.start = Some(self.subject.started_by(words));
        Ok(new)
    }

    /// The one jar that a pattern of the start means, by what the build files call it.
    fn jar_of(&self, pattern: &str) -> Result<String, String> {
        let directory = pattern.rsplit_once('/').map_or("", |(directory, _)| directory);
        let inside = |end: &str| {
            let home = self.subject.workdir().unwrap_or("/");
            let directory = below(directory, home).filter(|_| directory.starts_with('/')).unwrap_or(directory);
            let module = directory.trim_start_matches("./").strip_suffix(end)?;
            Some(module.trim_end_matches('/').to_owned()).filter(|module| !module.starts_with('/'))
        };
        let name = match (inside("build/libs"), inside("target")) {
            // What Gradle calls the jar of a project inside another one is decided in more than one file.
            (Some(module), _) if module.is_empty() => self.gradle_jar(),
            (_, Some(module)) => self.maven_jar(&module),
            _ => None,
        };
        let name = name.ok_or_else(|| format!("which jar `{pattern}` means is not told by the build files"))?;
        Ok(format!("{directory}/{name}"))
    }

    /// `NAME-VERSION.jar`: the name of the project and its version, where only the bootable jar is made.
    fn gradle_jar(&self) -> Option<String> {
        let text = |name: &str| Some(String::from_utf8_lossy(&self.subject.file(name)?.text).into_owned());
        let runs_boot = self.subject.runs().iter().any(|step| step.scripts_hold("bootJar"));
        let settings = text("settings.gradle").or_else(|| text("settings.gradle.kts"))?;
        let build = text("build.gradle").or_else(|| text("build.gradle.kts"))?;
        let name = assigned(&settings, "rootProject.name")?;
        let version = assigned(&build, "version")?;
        runs_boot.then(|| format!("{name}-{version}.jar"))
    }

    /// `ARTIFACT-VERSION.jar` of the module in that directory, or the final name.
    fn maven_jar(&self, module: &str) -> Option<String> {
        let manifest = crate::context::join(module, "pom.xml");
        let text = String::from_utf8_lossy(&self.subject.file(&manifest)?.text).into_owned();
        if let Some(name) = element(&text, "finalName") {
            return (!name.contains('$')).then(|| format!("{name}.jar"));
        }
        // The parent has an artifact and a version of its own.
        let (own, parent) = match (text.find("<parent>"), text.find("</parent>")) {
            (Some(start), Some(end)) if start < end => {
                (format!("{}{}", &text[..start], &text[end..]), text[start..end].to_owned())
            }
            _ => (text, String::new()),
        };
        // A version of its own stands before everything that it depends on; without one it is the parent's.
        let ahead = own.split("<dependenc").next()?.split("<build").next()?.split("<profile").next()?;
        let version = element(ahead, "version").or_else(|| element(&parent, "version"))?;
        let name = format!("{}-{version}.jar", element(ahead, "artifactId")?);
        (!name.contains('$')).then_some(name)
    }

    /// What of the context is no source and may be read when the program runs.
    fn files_beside(&self, home: &str, runtime: &mut Runtime) -> Result<(), String> {
        for effect in &self.effects {
            let Kind::Copied { sources, from: None, to } = &effect.kind else { continue };
            let is_home = to.known.iter().any(|path| path.trim_end_matches('/') == home);
            if !is_home || !sources.iter().any(|source| matches!(source.as_str(), "." | "./")) {
                continue;
            }
            let root = self.subject.root.as_deref().ok_or("the files of the build context are not seen")?;
            for entry in self.subject.cx.context.list(root).iter() {
                let is_module = || {
                    let manifests = ["pom.xml", "build.gradle", "build.gradle.kts"];
                    let directory = crate::context::join(root, &entry.name);
                    let is_there = |name: &str| self.subject.cx.context.at(&format!("{directory}/{name}")).is_some();
                    entry.is_directory && manifests.iter().any(|name| is_there(name))
                };
                if !is_of_build(&entry.name) && !is_module() {
                    runtime.taken.push(Taken::at(format!("{home}/{}", entry.name)));
                }
            }
        }
        Ok(())
    }
}

/// The image on a base without a shell, given the one on the JRE.
fn without_shell(subject: &Subject<'_>, base: &str, jre: &Runtime) -> Result<Runtime, String> {
    if let [package, ..] = jre.packages.as_slice() {
        return Err(format!("it needs the package `{package}`, and a base without a shell takes no packages"));
    }
    subject.starts_nothing_else()?;
    match health::health(subject) {
        Health::None => {}
        Health::Probe(step, _) | Health::Other(step) => return Err(needs_more(step)),
    }
    let mut runtime = jre.clone();
    runtime.base = format!("{base}:nonroot");
    if let Some(need) = subject.startup().shell.iter().find(|need| need.kind == ShellUse::Variable) {
        return Err(format!(
            "the start needs a shell: {}:{} {}",
            need.evidence.path, need.evidence.line, need.evidence.shows
        ));
    }
    let start = runtime.start.as_mut().ok_or("what it starts is not known")?;
    // The base has an entry point of its own, behind which a `CMD` would stand.
    if start.entrypoint.is_none() {
        start.entrypoint = start.command.take();
    }
    let first = start.entrypoint.as_mut().and_then(|words| words.first_mut()).ok_or("what it starts is not known")?;
    DISTROLESS_JAVA.clone_into(first);
    runtime.changes.push(change(
        "Run on a base without a shell",
        "nothing that is started needs one",
        subject.evidence(subject.target.root().base_span(), "the Java that builds"),
    ));
    Ok(runtime)
}

/// Whether a step fetches, unpacks or builds: what a build needs of it is in the jar.
fn is_of_tools(effect: &Effect<'_>) -> bool {
    match &effect.kind {
        Kind::Download { .. } | Kind::Files(_) | Kind::Build { .. } | Kind::LanguagePackages { .. } => true,
        // Settings of the tools, and what they keep.
        Kind::Copied { from: None, to, .. } => {
            let is_of_tool =
                |path: &String| ["/root/.m2", "/root/.gradle"].iter().any(|home| below(path, home).is_some());
            !to.is_hidden && !to.known.is_empty() && to.known.iter().all(is_of_tool)
        }
        Kind::Copied { from: Some(CopySource::Image(image)), .. } => {
            matches!(image.name().rsplit('/').next(), Some("gradle" | "maven"))
        }
        _ => false,
    }
}

/// Names in the context of a build that only the build reads.
fn is_of_build(name: &str) -> bool {
    name.starts_with('.')
        || name.starts_with("Dockerfile")
        || name.contains("compose")
        || matches!(
            name.rsplit_once('.').map_or("", |(_, extension)| extension),
            "gradle" | "kts" | "md" | "bat" | "cmd" | "java" | "adoc"
        )
        || matches!(
            name,
            "src"
                | "pom.xml"
                | "settings.xml"
                | "gradlew"
                | "gradle"
                | "gradle.properties"
                | "mvnw"
                | "build"
                | "target"
                | "test"
                | "tests"
                | "docs"
                | "LICENSE"
                | "Makefile"
        )
}

/// The text between quotes behind `name =` at the start of a line.
fn assigned(text: &str, name: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix('='))?;
    let value = line.trim().trim_end_matches(';').trim();
    let quote = value.chars().next().filter(|quote| *quote == '\'' || *quote == '"')?;
    let inner = value[1..].strip_suffix(quote)?;
    (!inner.contains(['$', quote])).then(|| inner.to_owned())
}

/// The text of the first element of that name.
fn element(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    Some(inner.trim().to_owned())
}
