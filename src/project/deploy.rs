//! The last rung: the compose files and manifests that run what hardened Dockerfiles make say so too.
//!
//! Every Dockerfile is hardened by then. Its callers are looked up among the files as they would be, each answers what
//! it still has to say, and each answer that can be given is edited into its file and asked for once more.

use super::Project;
use crate::{
    context::{BuildContext, Entry, Files},
    fix,
    harden::{
        Change, Declined, Dependent, Evidence, Hardened, Rung, Wishes,
        definition::{Demand, Needs, Setting, of_container, of_service},
    },
    model::{
        DockerfileModel,
        compose::{ComposeModel, ServiceMountKind, Variables},
        graph::{Caller, Callers, System, with_service},
        kubernetes::{Container, KubernetesModel},
    },
    rule::{Cx, Detail, Safety},
    source::{FileKind, SourceFile},
    syntax::{
        dockerfile,
        yaml::{self, Node},
    },
    text::FileId,
};
use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

/// A hardened Dockerfile.
#[derive(Debug)]
pub struct Deployed<'h> {
    /// Its path.
    pub path: &'h str,
    /// Its bytes as they were.
    pub before: &'h [u8],
    /// What became of it; here is said what becomes of those that run it.
    pub result: &'h mut Hardened,
}

/// So many services and containers of one image are edited.
const MOST_CALLERS: usize = 64;

/// The files around as they would be.
struct Overlay<'a> {
    around: &'a dyn Files,
    changed: BTreeMap<String, Vec<u8>>,
}

impl Files for Overlay<'_> {
    fn read(&self, path: &str) -> Option<Arc<[u8]>> {
        match self.changed.get(path) {
            Some(text) => Some(Arc::from(text.as_slice())),
            None => self.around.read(path),
        }
    }

    fn original(&self, path: &str) -> Option<Arc<[u8]>> {
        self.around.original(path)
    }

    fn list(&self, path: &str) -> Arc<[Entry]> {
        self.around.list(path)
    }

    fn is_executable(&self, path: &str) -> bool {
        self.around.is_executable(path)
    }

    fn are_seen(&self) -> bool {
        self.around.are_seen()
    }
}

impl Project {
    /// The files that change with `files`, as they would be, sorted by path: those that build them, and the compose files
    /// and manifests that run what they make. Where an image and all that runs it is proved to do with the least, it is on
    /// the last rung.
    pub fn deploy(&self, files: &mut [Deployed<'_>], around: &dyn Files, wishes: &Wishes) -> Vec<Dependent> {
        let own = files.iter().map(|file| (file.path.to_owned(), file.result.text.clone()));
        let beside = files.iter().enumerate().flat_map(|(at, file)| file.result.beside.iter().map(move |it| (at, it)));
        let mut first = BTreeMap::new();
        for (at, other) in beside.clone() {
            first.entry(other.path.clone()).or_insert(at);
        }
        let changed = own.chain(beside.map(|(_, other)| (other.path.clone(), other.text.clone()))).collect();
        let mut deployment = Deployment { project: self, files: Overlay { around, changed }, first };
        if wishes.highest == Rung::Deployed && around.are_seen() {
            for (at, file) in files.iter_mut().enumerate() {
                deployment.take_along(at, file);
            }
        }
        let Deployment { files: Overlay { mut changed, .. }, first, .. } = deployment;
        let dependent = |(path, first): (String, usize)| {
            let before = around.read(&path)?.to_vec();
            let after = changed.remove(&path).filter(|after| *after != before)?;
            Some(Dependent { path, before, after, first })
        };
        first.into_iter().filter_map(dependent).collect()
    }
}

struct Deployment<'p> {
    project: &'p Project,
    files: Overlay<'p>,
    /// By path, which Dockerfile it is changed for first.
    first: BTreeMap<String, usize>,
}

/// One that runs an image: where it is found again once its file is edited.
struct Runner {
    name: String,
    path: String,
    line: u32,
    which: Which,
    mounts: Vec<(String, String)>,
}

enum Which {
    /// The service of that name.
    Service(String),
    /// The container that is the so-manieth of its file.
    Container(usize),
}

impl Deployment<'_> {
    /// Takes along what runs the image of `file`.
    fn take_along(&mut self, at: usize, file: &mut Deployed<'_>) {
        let was_root = self.is_root(file.path, file.before);
        let text = file.result.text.clone();
        let asked = self.ask(file.path, &text, |cx| {
            let target = cx.model.target()?;
            let needs = Needs::of(cx, target, was_root && text != file.before)?;
            let callers = Callers::of(cx.context);
            let of_target: Vec<Caller> = callers.of_target(target.name()).take(MOST_CALLERS + 1).cloned().collect();
            Some((needs, of_target, callers.may_be_more))
        });
        let Some((needs, callers, may_be_more)) = asked.filter(|(_, callers, _)| !callers.is_empty()) else { return };
        let climbs = file.result.after == Rung::NoShell;
        let is_met_before = climbs && file.result.before == Rung::NoShell;
        let mut declined = Vec::new();
        if callers.len() > MOST_CALLERS {
            declined.push(format!("more than {MOST_CALLERS} services and containers run it"));
        }
        if may_be_more {
            declined
                .push("a compose file builds something that only its variables name, and that may be this".to_owned());
        }
        let mut is_changed = false;
        // All are looked up before the first of them moves the others.
        let mut runners: Vec<Runner> =
            callers.iter().take(MOST_CALLERS).filter_map(|caller| self.runner(caller)).collect();
        // What a file says need not be said again in those that are read on top of it.
        runners.sort_by_key(|runner| !is_read_first(&runner.path));
        for runner in runners {
            for demand in self.demands(&runner, file.path, &needs) {
                if !climbs && !demand.follows {
                    continue;
                }
                let answer = self.answer(&runner, &demand, file.path, &needs);
                match answer {
                    Ok(change) => {
                        is_changed = true;
                        if let Which::Container(_) = runner.which {
                            note(file.result, push_first(&runner.path));
                        }
                        self.first.entry(runner.path.clone()).or_insert(at);
                        file.result.changes.push(change);
                    }
                    Err(reason) if declined.iter().any(|known: &String| known.ends_with(&*reason)) => {}
                    Err(reason) if climbs => declined.push(format!("{}: {reason}", runner.path)),
                    Err(reason) => note(file.result, format!("{}: {reason}", runner.path)),
                }
            }
            if needs.was_root && text != file.before {
                for (volume, target) in &runner.mounts {
                    note(file.result, give_away(&runner.path, volume, target, &needs));
                }
            }
        }
        if !climbs {
            return;
        }
        if declined.is_empty() {
            file.result.after = Rung::Deployed;
            file.result.declined.retain(|declined| declined.rung > Rung::Deployed);
            if is_met_before && !is_changed {
                file.result.before = Rung::Deployed;
            }
        }
        let reasons = declined.into_iter().map(|reason| Declined { rung: Rung::Deployed, reason: reason.into() });
        file.result.declined.extend(reasons);
        file.result.declined.sort();
        file.result.declined.dedup();
    }

    /// Where the one that `caller` is will be found again.
    fn runner(&self, caller: &Caller) -> Option<Runner> {
        let path = caller.place.path.to_string();
        let which = match caller.system {
            System::Compose => Which::Service(caller.name.clone()),
            System::Kubernetes => {
                let text = self.files.read(&path)?;
                let tree = yaml::parse(&text).tree;
                let model = KubernetesModel::new(&tree);
                Which::Container(model.containers().position(|it| it.node.span() == caller.place.span)?)
            }
            System::Script
            | System::Makefile
            | System::Workflow
            | System::GitlabCi
            | System::Bake
            | System::Skaffold
            | System::Devcontainer => return None,
        };
        let is_kept = |kind| matches!(kind, ServiceMountKind::Volume);
        let volumes = caller.mounts.iter().filter(|mount| is_kept(mount.kind) && !mount.is_read_only);
        let mounts = match caller.system {
            System::Compose => volumes.filter_map(|it| Some((it.source.clone()?, it.target.clone()?))).collect(),
            _ => Vec::new(),
        };
        Some(Runner { name: caller.name.clone(), path, line: caller.place.line, which, mounts })
    }

    /// What `runner` still has to say of an image with `needs`, which the Dockerfile at `dockerfile` makes.
    fn demands(&self, runner: &Runner, dockerfile: &str, needs: &Needs) -> Vec<Demand> {
        match &runner.which {
            Which::Service(name) => {
                let context = BuildContext::new(&self.files, dockerfile);
                let demands = with_service(context, &runner.path, name, |service| of_service(service, needs));
                demands.unwrap_or_default()
            }
            Which::Container(at) => {
                let Some(text) = self.files.read(&runner.path) else { return Vec::new() };
                let tree = yaml::parse(&text).tree;
                let model = KubernetesModel::new(&tree);
                let container = model.containers().nth(*at);
                container.map(|container| of_container(container, needs)).unwrap_or_default()
            }
        }
    }

    /// Says what `demand` asks for in the file of `runner`.
    ///
    /// # Errors
    /// Why that cannot be said; then nothing is.
    fn answer(
        &mut self,
        runner: &Runner,
        demand: &Demand,
        dockerfile: &str,
        needs: &Needs,
    ) -> Result<Change, Cow<'static, str>> {
        if demand.settings.is_empty() {
            return Err(demand.reason.clone());
        }
        if self.project.policy.excludes(&runner.path, false) {
            return Err("it is excluded, and so not changed".into());
        }
        let before = self.files.changed.get(&runner.path).cloned();
        let edited = demand.settings.iter().try_for_each(|setting| self.edit(runner, setting));
        let is_met =
            edited.is_ok() && !self.demands(runner, dockerfile, needs).iter().any(|it| it.title == demand.title);
        if !is_met {
            match before {
                Some(text) => self.files.changed.insert(runner.path.clone(), text),
                None => self.files.changed.remove(&runner.path),
            };
            edited.map_err(|why| format!("`{}` is not edited: {why}", runner.name))?;
            return Err(format!("{} is overruled by what another file says", demand.title).into());
        }
        let shows = "runs the image".to_owned();
        Ok(Change {
            title: demand.title.clone(),
            safety: Safety::Risky,
            reason: demand.reason.clone(),
            evidence: vec![Evidence { path: runner.path.clone(), line: runner.line, shows }],
        })
    }

    fn edit(&mut self, runner: &Runner, setting: &Setting) -> Result<(), String> {
        let gone = || "it is not there any more".to_owned();
        let text = self.files.read(&runner.path).ok_or_else(gone)?;
        let tree = yaml::parse(&text).tree;
        let edit = match &runner.which {
            Which::Service(name) => {
                let model = ComposeModel::new(&tree, "", &Variables::default());
                let service = model.service(name).ok_or_else(gone)?;
                setting.edit(model.editor(FileId(0)), service.own())?
            }
            Which::Container(at) => {
                let model = KubernetesModel::new(&tree);
                let container = model.containers().nth(*at).ok_or_else(gone)?;
                setting.edit(model.editor(FileId(0)), place_of(container, setting))?
            }
        };
        self.files.changed.insert(runner.path.clone(), fix::splice(&text, &[edit]));
        Ok(())
    }

    /// Whether the image that `text` makes certainly runs as root.
    fn is_root(&self, path: &str, text: &[u8]) -> bool {
        self.ask(path, text, |cx| cx.model.target().is_some_and(|target| target.user().is_root()))
    }

    fn ask<T>(&self, path: &str, text: &[u8], question: impl FnOnce(&Cx<'_, DockerfileModel<'_>>) -> T) -> T {
        let file = SourceFile::new(FileId(0), path, FileKind::Dockerfile, text.to_vec());
        let parsed = dockerfile::parse(&file.text);
        let model = DockerfileModel::new(&file, &parsed.tree, &self.project.knowledge);
        question(&Cx {
            file: &file,
            model: &model,
            knowledge: &self.project.knowledge,
            context: BuildContext::new(&self.files, path),
            lock: &self.project.lock,
            detail: Detail::Repairs,
        })
    }
}

/// Whether compose reads the file at `path` before others of its directory.
fn is_read_first(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(name, "compose.yaml" | "compose.yml" | "docker-compose.yaml" | "docker-compose.yml")
}

fn place_of<'y>(container: Container<'y>, setting: &Setting) -> Node<'y> {
    if setting.of_pod { container.workload.pod } else { container.node }
}

fn note(result: &mut Hardened, note: String) {
    if !result.manual.contains(&note) {
        result.manual.push(note);
    }
}

/// What comes before a manifest is applied.
fn push_first(manifest: &str) -> String {
    format!("Push the new image before `{manifest}` is applied: the cluster refuses an old one that still runs as root")
}

/// What gives an old volume to the user of the image.
fn give_away(compose: &str, volume: &str, target: &str, needs: &Needs) -> String {
    let owner = format!("{}:{}", needs.ids.uid, needs.group());
    format!(
        "The volume `{volume}` of {compose}, if containers of root have written it, once, in the directory of that \
         file: `docker run --rm -v \"$(basename \"$PWD\")_{volume}:{target}\" busybox chown -R {owner} {target}`"
    )
}
