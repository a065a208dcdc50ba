//! PHP: extensions and packages of Composer are built with what they need, and run without it.
//!
//! Facts: the Dockerfiles and scripts of the official `php` image (`docker-php-ext-install` and `pecl` put extensions
//! below `/usr/local/lib/php/extensions` and turn them on in `/usr/local/etc/php/conf.d`; the variants with a server
//! start in `/var/www/html`), Composer's documentation (the options of its installer; 2.2 is the last series for PHP
//! before 7.2.5; the program is `/usr/bin/composer` in the official `composer` image).

use super::{
    common::change,
    whole::{PHP_EXTENSIONS, Places, Whole},
};
use crate::{
    harden::{
        Change, Declined, Proposal, Rung, Runtime, Subject,
        effect::{Ecosystem, Effect, Kind},
    },
    model::{Step, StepCommand, file_name, join_path},
    syntax::dockerfile::Editor,
    text::Edit,
};

/// Where the variants of the image with a server start.
const DOCUMENT_ROOT: &str = "/var/www/html";

pub(super) fn propose(subject: &Subject<'_>) -> Option<Proposal> {
    let image = subject.target.named_image()?;
    if image.reference.name() != "docker.io/library/php" {
        return None;
    }
    let tag = image.reference.tag().unwrap_or_default();
    let has_server = ["apache", "fpm"].iter().any(|server| tag.split('-').any(|part| part == *server));
    let mut recipe = Recipe { whole: Whole::new(subject, has_server.then_some(DOCUMENT_ROOT)), tools: Vec::new() };
    if !recipe.whole.has_to_part() {
        return None;
    }
    recipe.take_composer();
    let node = recipe.whole.node_from_image();
    recipe.tools.extend(node);
    let mut proposal = Proposal { stack: "PHP".to_owned(), ..Proposal::default() };
    match recipe.apart() {
        Ok(runtime) => proposal.runtimes.push(runtime),
        Err(reason) => proposal.declined.push(Declined { rung: Rung::Clean, reason: reason.into() }),
    }
    Some(proposal)
}

struct Recipe<'s, 'a> {
    whole: Whole<'s, 'a>,
    /// What takes Composer, and Node.js where only the build calls it, out of their own images.
    tools: Vec<(Edit, Change)>,
}

impl<'a> Recipe<'_, 'a> {
    fn apart(&self) -> Result<Runtime, String> {
        let subject = self.whole.subject;
        let mut runtime = self.whole.on(self.whole.own_base(), |effect| self.installed(effect))?;
        let reason = "the same image starts once more, with the extensions and the program, without what built them";
        let evidence = subject.evidence(subject.target.root().base_span(), "the base that builds");
        runtime.changes.insert(0, change("Build in a stage of its own", reason, evidence));
        runtime.build.extend(self.tools.iter().map(|(edit, _)| edit.clone()));
        runtime.changes.extend(self.tools.iter().map(|(_, change)| change.clone()));
        Ok(runtime)
    }

    /// Finds the steps that only install Composer: the build gets it otherwise, and the program does not call it.
    fn take_composer(&mut self) {
        let calls = self.whole.subject.programs().names.contains("composer");
        for step in self.whole.subject.runs().into_iter().filter(|_| !calls) {
            let Some(replaced) = self.composer(step) else { continue };
            self.tools.push(replaced);
            self.whole.effects.retain(|effect| effect.step.index() != step.index());
        }
    }

    fn installed(&self, effect: &Effect<'a>) -> Places {
        let line = self.whole.line(effect);
        let Kind::LanguagePackages { ecosystem, program, .. } = &effect.kind else { return Ok(Vec::new()) };
        let is_global = effect.command.is_some_and(|command| {
            command.command.words().any(|word| matches!(word.bytes(), b"global" | b"-g" | b"--global"))
        });
        match (ecosystem, *program) {
            (_, _) if is_global => {
                Err(format!("`{program}` in line {line} installs for all programs, and where is not known"))
            }
            (Ecosystem::Php, "docker-php-ext-install" | "docker-php-ext-configure" | "docker-php-source" | "pecl") => {
                Ok(PHP_EXTENSIONS.iter().map(|path| (*path).to_owned()).collect())
            }
            (Ecosystem::Php, "composer" | "php") | (Ecosystem::Node, "npm" | "yarn" | "pnpm") => {
                let directory = effect.directory.clone().filter(|directory| directory != "/");
                let directory = directory.or_else(|| self.whole.home.clone());
                let known = directory.ok_or_else(|| format!("in which directory line {line} installs is not known"))?;
                Ok(vec![known])
            }
            _ => Err(format!("where `{program}` in line {line} installs, and what that needs, is not known")),
        }
    }

    /// The program of the official image in the place of a step that only runs Composer's installer.
    fn composer(&self, step: Step<'a>) -> Option<(Edit, Change)> {
        let subject = self.whole.subject;
        if !step.scripts_hold("composer") {
            return None;
        }
        let commands: Vec<StepCommand<'a>> = step.commands().collect();
        let mut installer = Installer::default();
        let belongs = commands.iter().all(|command| installer.reads(*command));
        let path = installer.path(self.whole.home.as_deref()).filter(|_| belongs && installer.is_fetched)?;
        let series = installer.series.unwrap_or_else(|| if self.is_old() { "2.2" } else { "2" });
        let editor = Editor::new(subject.cx.file, subject.cx.model.syntax);
        let line = format!("COPY --from=composer:{series} /usr/bin/composer {path}");
        let span = step.instruction().span;
        let reason = "the installer is a program that a page sends; the image has the program itself";
        let evidence = subject.evidence(span, "runs the installer");
        Some((editor.replace(span, line), change("Take Composer out of its own image", reason, evidence)))
    }

    /// Whether the PHP of the image is too old for Composer's newest series.
    fn is_old(&self) -> bool {
        let tag = self.whole.subject.target.named_image().and_then(|image| image.reference.tag().map(str::to_owned));
        let tag = tag.unwrap_or_default();
        let mut parts = tag.split(['.', '-']).map(str::parse::<u32>);
        match (parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < (7, 3),
            (Some(Ok(major)), _) => major < 7,
            _ => false,
        }
    }
}

/// What the commands of a step make of Composer's installer.
#[derive(Default)]
struct Installer {
    /// Something of it comes from Composer's pages.
    is_fetched: bool,
    directory: Option<String>,
    name: Option<String>,
    moved_to: Option<String>,
    series: Option<&'static str>,
}

impl Installer {
    /// Reads a command; whether it does nothing but install Composer.
    fn reads(&mut self, command: StepCommand<'_>) -> bool {
        let words: Option<Vec<String>> =
            command.command.words().map(|word| command.value(word).map(std::borrow::Cow::into_owned)).collect();
        let texts: Vec<String> =
            words.unwrap_or_else(|| command.command.words().map(|word| word.text().into_owned()).collect());
        let Some((name, arguments)) = texts.split_first() else { return false };
        let of_composer = |word: &String| file_name(word).contains("composer");
        let is_installer =
            |word: &str| matches!(file_name(word), "composer-setup.php" | "composer-installer" | "installer");
        match (file_name(name), arguments) {
            ("curl" | "wget", _) => {
                let fetches = arguments.iter().any(|word| word.contains("getcomposer.org"));
                self.is_fetched |= fetches;
                fetches
            }
            ("php", [flag, text, ..]) if flag == "-r" => {
                self.is_fetched |= text.contains("getcomposer.org");
                text.contains("composer")
            }
            ("php", [first, rest @ ..]) if is_installer(first) || first == "--" => self.options(rest),
            ("mv" | "cp", [from, to]) if of_composer(from) => {
                self.moved_to = Some(to.clone());
                true
            }
            ("chmod", [_, path]) | ("rm" | "unlink", [path]) => of_composer(path),
            ("rm", [flag, path]) if flag.starts_with('-') => of_composer(path),
            ("composer", [verb]) => matches!(verb.as_str(), "self-update" | "--version" | "-V" | "clear-cache"),
            ("php", []) | ("set", _) => true,
            _ => false,
        }
    }

    /// Reads what the installer is told.
    fn options(&mut self, words: &[String]) -> bool {
        let mut is_known = true;
        for word in words {
            match word.split_once('=').unwrap_or((word, "")) {
                ("--install-dir", directory) => self.directory = Some(directory.to_owned()),
                ("--filename", name) => self.name = Some(name.to_owned()),
                ("--version", version) if version.starts_with("1.") => self.series = Some("1"),
                ("--version", version) if version.starts_with("2.2") => self.series = Some("2.2"),
                ("--1", _) => self.series = Some("1"),
                ("--2.2", _) => self.series = Some("2.2"),
                ("--version", version) if version.starts_with("2.") => self.series = Some("2"),
                ("--2" | "--quiet" | "--no-ansi" | "--ansi" | "--stable" | "--force" | "--", _) => {}
                _ => is_known = false,
            }
        }
        is_known
    }

    /// Where the program is in the end.
    fn path(&self, home: Option<&str>) -> Option<String> {
        let made = join_path(
            self.directory.as_deref().filter(|path| path.starts_with('/')).or(home)?,
            self.name.as_deref().unwrap_or("composer.phar"),
        );
        match self.moved_to.as_deref() {
            None => Some(made),
            Some(path) if !path.starts_with('/') => None,
            Some(path) if path.ends_with('/') || path.ends_with("/bin") => Some(join_path(path, file_name(&made))),
            Some(path) => Some(path.to_owned()),
        }
    }
}
