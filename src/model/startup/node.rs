//! `npm start`, `yarn x`, `pnpm run x`, `npx x`, `node .`: what the manifest of the package makes of them.

use super::{
    Evidence, Process, ShellNeed, ShellUse, StartWord,
    hop::{Call, Hop, Resolver},
    script::Lines,
};
use crate::{
    model::{
        manifest::{PackageJson, program_in_lock},
        path,
        shipped::extension,
    },
    syntax::shell::{self, Dialect},
};

/// What a package manager is asked to run.
struct Asked<'c> {
    /// The script, or the program of a package.
    name: &'c str,
    arguments: &'c [StartWord],
    /// Where the package lies below the directory that it is called in.
    below: Option<&'c str>,
    /// Whether only a program of a package can be meant: `npx`.
    is_program: bool,
}

impl Resolver<'_, '_> {
    /// A call of a package manager, of a program of a package, or of `node` itself; `None` for other programs.
    pub(super) fn node(&mut self, name: &str, call: &Call) -> Option<Hop> {
        match name {
            "npm" | "yarn" | "yarnpkg" | "pnpm" | "bun" => {
                let asked = asked(name, &call.words)?;
                Some(self.package_script(name, &asked, call))
            }
            "npx" | "bunx" | "pnpx" => {
                let at = call.words.iter().skip(1).position(|word| !word.written().starts_with('-'))? + 1;
                let name_of = call.words[at].known()?;
                let asked = Asked { name: name_of, arguments: &call.words[at + 1..], below: None, is_program: true };
                Some(self.package_script(name, &asked, call))
            }
            "cross-env" | "cross-env-shell" if call.is_of_package => Some(Hop::To(self.cross_env(name, call))),
            "node" | "nodejs" => self.node_main(call),
            _ if call.is_of_package && !call.words[0].written().contains('/') => {
                let asked = Asked { name, arguments: &call.words[1..], below: None, is_program: true };
                self.package_program(&asked, call)
            }
            _ => None,
        }
    }

    /// A file of the package, if the build context has it.
    fn package_file(&self, directory: &str, name: &str) -> Option<crate::context::Found> {
        let in_image = self.stage.context_file(self.context, &path::join(directory, name));
        // A stage that takes over what another one built has the manifest where that one had it.
        in_image.or_else(|| {
            let root = self.stage.context_root(self.context)?;
            self.context.at(&crate::context::join(&root, name))
        })
    }

    fn package_script(&mut self, manager: &str, asked: &Asked<'_>, call: &Call) -> Hop {
        let directory = path::join(call.directory.as_deref().unwrap_or("/"), asked.below.unwrap_or("."));
        let Some(package) = self.package_file(&directory, "package.json").as_ref().and_then(PackageJson::read) else {
            let shows = "`package.json` could not be read".to_owned();
            self.startup.unknown = Some(Evidence { shows, ..call.place.clone() });
            self.launched_by(manager);
            return Hop::Told;
        };
        self.launched_by(manager);
        let call = Call { directory: Some(directory), is_of_package: true, ..call.clone() };
        let Some(command) = package.script(asked.name).filter(|_| !asked.is_program) else {
            if manager == "npm" && asked.name == "start" {
                let shows = "it has no script `start`, so that npm runs `node server.js`";
                self.startup.hops.push(package.evidence("", "scripts", shows));
                let mut words: Vec<StartWord> =
                    ["node", "server.js"].map(|word| StartWord::Known(word.to_owned())).into();
                words.extend(asked.arguments.iter().cloned());
                return Hop::To(Call { words, ..call });
            }
            let hop = self.package_program(asked, &call);
            return hop.unwrap_or_else(|| {
                let shows = format!("neither a script nor a program of a package is called `{}`", asked.name);
                self.startup.unknown = Some(package.evidence("", "scripts", shows));
                Hop::Told
            });
        };
        for hook in ["pre", "post"].map(|when| format!("{when}{}", asked.name)) {
            let Some(command) = package.script(&hook) else { continue };
            let evidence = package.evidence("scripts", &hook, format!("`{hook}`: `{command}`"));
            self.startup.shell.push(ShellNeed { kind: ShellUse::List, evidence: evidence.clone() });
            let parsed = shell::parse(command.as_bytes(), Dialect::Posix);
            for called in parsed.commands().filter(|_| hook.starts_with("pre")) {
                let words = called.words().map(|word| StartWord::Known(word.text().into_owned())).collect();
                let (environment, directory) = (Vec::new(), call.directory.clone());
                let process =
                    Process { words, environment, directory, is_conditional: false, evidence: evidence.clone() };
                self.startup.before.push(process);
            }
        }
        let place = package.evidence("scripts", asked.name, format!("`{}`: `{command}`", asked.name));
        self.startup.hops.push(place.clone());
        let script = shell::parse(command.as_bytes(), Dialect::Posix);
        let (path, line) = (place.path.clone(), place.line);
        let lines = Lines { path: &path, line: &|_| line };
        self.script(&script, &lines, &Call { words: asked.arguments.to_vec(), place, ..call });
        Hop::Told
    }

    /// A program of a package: the file that `node` runs, where the lock file says which.
    fn package_program(&mut self, asked: &Asked<'_>, call: &Call) -> Option<Hop> {
        let directory = call.directory.clone().unwrap_or_else(|| "/".to_owned());
        let lock = self.package_file(&directory, "package-lock.json");
        if let Some((file, package)) = lock.as_ref().and_then(|lock| program_in_lock(lock, asked.name)) {
            let lock = lock.expect("a program was found in it");
            let text = String::from_utf8_lossy(&lock.text);
            let key = format!("\"node_modules/{package}\"");
            let line = text.lines().zip(1..).find(|(line, _)| line.contains(&key)).map_or(1, |(_, line)| line);
            let shows = format!("`{}` is `{file}`", asked.name);
            self.startup.hops.push(Evidence { path: lock.path, line, shows });
            let mut words = vec![StartWord::Known("node".to_owned()), StartWord::Known(file)];
            words.extend(asked.arguments.iter().cloned());
            return Some(Hop::End(Call { words, ..call.clone() }));
        }
        let package = self.package_file(&directory, "package.json").as_ref().and_then(PackageJson::read)?;
        // `ng` comes with `@angular/cli`: only packages that are called like their program are found without a lock.
        if !package.depends_on(asked.name) {
            return None;
        }
        let file = format!("node_modules/.bin/{}", asked.name);
        let shows = format!("`{}` comes with the package of that name", asked.name);
        self.startup.hops.push(package.evidence("", asked.name, shows));
        let mut words = vec![StartWord::Known(file)];
        words.extend(asked.arguments.iter().cloned());
        Some(Hop::End(Call { words, ..call.clone() }))
    }

    /// `cross-env NAME=value program`.
    fn cross_env(&mut self, name: &str, call: &Call) -> Call {
        self.launched_by(name);
        let mut call = call.clone();
        call.words.remove(0);
        while let Some((name, value)) =
            call.words.first().and_then(StartWord::known).and_then(|word| word.split_once('='))
        {
            let set = (name.to_owned(), StartWord::Known(value.to_owned()));
            call.environment.push(set);
            call.words.remove(0);
        }
        call
    }

    /// `node .` runs the file that `main` names.
    fn node_main(&mut self, call: &Call) -> Option<Hop> {
        let at = call.words.iter().skip(1).position(|word| !word.written().starts_with('-'))? + 1;
        let word = call.words[at].known()?;
        if !matches!(word, "." | "./" | "..") && !extension(word).is_empty() {
            return None;
        }
        let directory = path::join(call.directory.as_deref()?, word);
        let file = self.stage.context_file(self.context, &path::join(&directory, "package.json"))?;
        let package = PackageJson::read(&file)?;
        let main = package.main().unwrap_or("index.js");
        let shows = format!("`node {word}` runs `main`: `{main}`");
        self.startup.hops.push(package.evidence("", "main", shows));
        let main = if matches!(word, "." | "./") {
            main.trim_start_matches("./").to_owned()
        } else {
            format!("{}/{}", word.trim_end_matches('/'), main.trim_start_matches("./"))
        };
        let mut call = call.clone();
        call.words[at] = StartWord::Known(main);
        Some(Hop::End(call))
    }
}

/// What a package manager is asked to run; `None` where it does something else (`npm ci`), or for another package.
fn asked<'c>(manager: &str, words: &'c [StartWord]) -> Option<Asked<'c>> {
    let mut below = None;
    let mut at = 1;
    let mut runs = false;
    loop {
        let word = words.get(at)?.known()?;
        at += 1;
        match word {
            "--prefix" | "-C" | "--cwd" | "--dir" => {
                below = words.get(at)?.known();
                at += 1;
            }
            "-w" | "--workspace" | "--filter" | "-F" | "workspace" | "workspaces" | "-r" | "--recursive" => {
                return None;
            }
            word if word.starts_with("--workspace") || word.starts_with("--filter") => return None,
            word if word.starts_with("--prefix=") || word.starts_with("--cwd=") || word.starts_with("--dir=") => {
                below = word.split_once('=').map(|(_, path)| path);
            }
            word if word.starts_with('-') => {}
            "run" | "run-script" | "rum" if !runs => runs = true,
            "exec" | "x" | "dlx" if !runs => {
                let rest = &words[at..];
                let skipped = rest.iter().take_while(|word| word.written().starts_with('-')).count();
                let name = rest.get(skipped)?.known()?;
                return Some(Asked { name, arguments: &rest[skipped + 1..], below, is_program: true });
            }
            name => {
                let is_short = matches!(name, "start" | "test" | "stop" | "restart");
                let is_named = runs || is_short || matches!(manager, "yarn" | "yarnpkg" | "pnpm");
                let is_other =
                    !runs && matches!(name, "install" | "add" | "ci" | "build" | "audit" | "cache" | "global");
                if !is_named || is_other && name != "build" {
                    return None;
                }
                // A file is no script, for `bun run index.ts`.
                if manager == "bun" && !extension(name).is_empty() {
                    return None;
                }
                let rest = &words[at..];
                let separator = usize::from(rest.first().and_then(StartWord::known) == Some("--"));
                return Some(Asked { name, arguments: &rest[separator..], below, is_program: false });
            }
        }
    }
}
