//! The build graph over all files of a repository: Dockerfiles and their stages, the images that are made of them, and
//! what runs as whom.
//!
//! An image is known by its name. Two that are built by one name and differ are told apart by their tags, or not at all:
//! who runs such an image runs something unknown.

use super::{
    Caller, Crossing, Place, Recipe, Says, System, Who,
    actor::{self, Actor, ImageName, Order},
    evidence, recipe,
    recipe::{Answer, InputSource, Question},
    services::Source,
};
use crate::{
    context::{BuildContext, Files, Found},
    knowledge::Knowledge,
    model::{Reference, UnknownUser, User, reference::DOCKER_HUB},
    source::{FileKind, SourceFile},
    syntax::yaml,
    text::FileId,
};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Who builds what of which Dockerfile, and who runs it as whom. Everything in it is sorted.
#[derive(Clone, Debug, Default)]
pub struct BuildGraph {
    /// The Dockerfiles, by name.
    pub recipes: Vec<Recipe>,
    /// What is made of them.
    pub images: Vec<BuiltImage>,
    /// Images of registries that a stage takes something from, or that are run.
    pub pulled: Vec<PulledImage>,
    /// What is started, by place.
    pub runs: Vec<Run>,
    /// Builds of a Dockerfile that nobody here can name.
    pub hidden_builds: Vec<Builder>,
}

/// An image that is made of a Dockerfile.
#[derive(Clone, Debug)]
pub struct BuiltImage {
    /// What it is called, as it is written; empty where nobody names it.
    pub names: Vec<String>,
    /// The Dockerfile, among those of the graph.
    pub recipe: usize,
    /// The stage of it, if there is such a one.
    pub stage: Option<usize>,
    /// Who builds it; nobody who is seen, where it is empty.
    pub builders: Vec<Builder>,
    /// Who runs it, if nobody says otherwise.
    pub user: Who,
}

/// Somebody who builds an image.
#[derive(Clone, Debug)]
pub struct Builder {
    /// What kind of file says so.
    pub system: System,
    /// What the entry is called.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// The stage that it names.
    pub target: Option<String>,
    /// Build arguments, with their values where these are written.
    pub arguments: Vec<(String, Option<String>)>,
    /// The ids of secrets that steps may read.
    pub secrets: Vec<String>,
}

/// An image of a registry.
#[derive(Clone, Debug)]
pub struct PulledImage {
    /// Its full name: `docker.io/library/node:22`.
    pub name: String,
    /// The short name that people write.
    pub familiar: String,
    /// Where it comes from.
    pub registry: String,
    /// Whether a digest says which one it is.
    pub is_pinned: bool,
    /// Who runs it, if nobody says otherwise.
    pub user: Who,
}

/// A container that is started.
#[derive(Clone, Debug)]
pub struct Run {
    /// What is said of it.
    pub caller: Caller,
    /// What it runs.
    pub image: RunImage,
    /// Who runs it in the end.
    pub user: Who,
    /// Whether it is started only as somebody else than root.
    pub refuses_root: bool,
    /// What it lets across a trust boundary.
    pub crossings: Vec<Crossing>,
}

/// What a container is started from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunImage {
    /// One of the images that are built here.
    Built(usize),
    /// One of those that are pulled.
    Pulled(usize),
    /// Nobody can tell; as it is written.
    Unknown(String),
}

impl BuildGraph {
    /// The graph over `files`; `around` answers for files that these name and that are not among them.
    pub fn of(files: &[SourceFile], around: &dyn Files, knowledge: &Knowledge) -> Self {
        let compose = files.iter().filter(|file| file.kind == FileKind::Compose);
        let compose = compose.map(|file| Found { path: file.path.clone(), text: file.text.as_slice().into() });
        let compose = actor::with_included(compose.collect(), |path| BuildContext::new(around, path).at(path));
        let mut actors = of_compose(&compose, around);
        let others: Vec<Vec<Actor>> = files
            .par_iter()
            .map(|file| actor::of_file(&file.path, file.kind, &file.text, BuildContext::new(around, &file.path)))
            .collect();
        actors.extend(others.into_iter().flatten());
        let manifests = files.par_iter().filter(|file| file.kind == FileKind::Kubernetes);
        let entrances: Vec<Vec<_>> = manifests.map(|file| actor::entrances(&file.path, &file.text)).collect();
        actor::open(&mut actors, entrances.into_iter().flatten().collect());
        actors.sort_by(|a, b| a.caller.place.cmp(&b.caller.place));
        Draft::default().drawn(actors, files, around, knowledge)
    }

    /// The directory that everything in the graph lies in, and the graph with paths as they are seen from there.
    pub fn from_its_directory(&self) -> (String, Self) {
        let mut graph = self.clone();
        let mut common: Option<String> = None;
        graph.each_path(|path| {
            let directory = path.rfind('/').map_or("", |slash| &path[..=slash]);
            let shared =
                common.take().map_or_else(|| directory.to_owned(), |common| shared_directory(&common, directory));
            common = Some(shared);
            None
        });
        let common = common.unwrap_or_default();
        graph.each_path(|path| path.strip_prefix(&common).map(str::to_owned));
        (common, graph)
    }

    /// Hands each path to `change`, and puts what it answers in its place.
    fn each_path(&mut self, mut change: impl FnMut(&str) -> Option<String>) {
        let mut of_place = |place: &mut Place| {
            if let Some(path) = change(&place.path) {
                place.path = path.into();
            }
        };
        let of_who = |who: &mut Who, of_place: &mut dyn FnMut(&mut Place)| {
            if let Says::Place(place) = &mut who.says {
                of_place(place);
            }
        };
        for run in &mut self.runs {
            of_place(&mut run.caller.place);
            of_who(&mut run.user, &mut of_place);
            run.crossings.iter_mut().for_each(|crossing| of_place(&mut crossing.place));
        }
        for image in &mut self.images {
            of_who(&mut image.user, &mut of_place);
            image.builders.iter_mut().for_each(|builder| of_place(&mut builder.place));
        }
        self.hidden_builds.iter_mut().for_each(|builder| of_place(&mut builder.place));
        for stage in self.recipes.iter_mut().flat_map(|recipe| &mut recipe.stages) {
            of_place(&mut stage.place);
            of_who(&mut stage.user, &mut of_place);
            stage.crossings.iter_mut().for_each(|crossing| of_place(&mut crossing.place));
        }
        for recipe in &mut self.recipes {
            if let Some(name) = change(&recipe.name) {
                recipe.name = name;
            }
        }
    }

    /// Everything that crosses a trust boundary.
    pub fn crossings(&self) -> impl Iterator<Item = &Crossing> {
        let of_stages = self.recipes.iter().flat_map(|recipe| &recipe.stages).flat_map(|stage| &stage.crossings);
        of_stages.chain(self.runs.iter().flat_map(|run| &run.crossings))
    }
}

/// The directory that both are in; with a slash at its end, as both have.
fn shared_directory(a: &str, b: &str) -> String {
    let mut shared = String::new();
    for (part, other) in a.split_inclusive('/').zip(b.split_inclusive('/')) {
        if part != other {
            break;
        }
        shared.push_str(part);
    }
    shared
}

fn of_compose(files: &[Found], around: &dyn Files) -> Vec<Actor> {
    let trees: Vec<_> = files.par_iter().map(|file| yaml::parse(&file.text).tree).collect();
    let source = |(tree, file)| Source::new(tree, file, BuildContext::new(around, ""));
    let sources: Vec<Source<'_>> = trees.iter().zip(files).map(source).collect();
    actor::of_compose(&sources)
}

/// A graph that is being drawn.
#[derive(Default)]
struct Draft {
    graph: BuildGraph,
    /// What is asked of each Dockerfile, in the order of its images.
    questions: BTreeMap<String, Vec<Question>>,
    /// Texts of Dockerfiles that other files hold.
    inline: HashMap<String, String>,
    /// The image that answers a question.
    images: HashMap<(String, Question), usize>,
    /// The Dockerfile and the number of the question that each image is the answer to.
    asked: Vec<(String, usize)>,
    /// What the entries call each image that they build.
    names: Vec<Vec<ImageName>>,
    /// Images by full name, and by repository; none where several have it.
    by_name: HashMap<String, Option<usize>>,
    by_repository: HashMap<String, Option<usize>>,
    pulled: BTreeSet<String>,
}

impl Draft {
    fn drawn(
        mut self,
        actors: Vec<Actor>,
        files: &[SourceFile],
        around: &dyn Files,
        knowledge: &Knowledge,
    ) -> BuildGraph {
        let built: Vec<Option<usize>> = actors.iter().map(|actor| self.build(actor)).collect();
        for file in files.iter().filter(|file| file.kind == FileKind::Dockerfile) {
            if !self.questions.contains_key(&file.path) {
                self.image(&file.path, Question { target: None, arguments: Vec::new() });
            }
        }
        self.read_recipes(files, around, knowledge);
        let built = self.merged(built);
        let runs: Vec<(Actor, Target)> = actors
            .into_iter()
            .zip(built)
            .filter(|(actor, _)| actor.is_run)
            .map(|(actor, built)| {
                let target = built.map_or_else(|| self.target(&actor), Target::Built);
                (actor, target)
            })
            .collect();
        self.pull(knowledge);
        for (actor, target) in runs {
            let run = self.run(actor, target);
            self.graph.runs.push(run);
        }
        self.graph
    }

    /// Notes what `actor` builds; answers the image.
    fn build(&mut self, actor: &Actor) -> Option<usize> {
        let name = match &actor.builds {
            Order::Nothing => return None,
            Order::File(path) => path.clone(),
            Order::Inline(text) => {
                let name = format!("{} ({})", actor.caller.place.path, actor.caller.name);
                self.inline.insert(name.clone(), text.clone());
                name
            }
            Order::Hidden => {
                self.graph.hidden_builds.push(Builder::of(&actor.caller));
                return None;
            }
        };
        let build = actor.caller.build.as_ref();
        let target = build.and_then(|build| build.target.as_ref()).map(|target| target.value.clone());
        let question = Question {
            // What a variable hides is no stage that anybody knows.
            target: target.map(|target| target.unwrap_or_else(|| "?".to_owned())),
            arguments: build.map(|build| build.arguments.clone()).unwrap_or_default(),
        };
        let image = self.image(&name, question);
        self.graph.images[image].builders.push(Builder::of(&actor.caller));
        self.names[image].extend(actor.names.iter().cloned());
        Some(image)
    }

    /// The image that answers `question` about the Dockerfile called `name`.
    fn image(&mut self, name: &str, question: Question) -> usize {
        let key = (name.to_owned(), question);
        if let Some(&image) = self.images.get(&key) {
            return image;
        }
        let image = self.graph.images.len();
        let questions = self.questions.entry(name.to_owned()).or_default();
        self.asked.push((name.to_owned(), questions.len()));
        questions.push(key.1.clone());
        self.graph.images.push(BuiltImage {
            names: Vec::new(),
            recipe: 0,
            stage: None,
            builders: Vec::new(),
            user: Answer::unknown().user,
        });
        self.names.push(Vec::new());
        self.images.insert(key, image);
        image
    }

    /// Makes one of images that are the same stage of the same Dockerfile and run as the same user, and names them;
    /// answers which ones the entries build.
    fn merged(&mut self, built: Vec<Option<usize>>) -> Vec<Option<usize>> {
        let mut places = Vec::with_capacity(self.graph.images.len());
        let mut kept: Vec<BuiltImage> = Vec::new();
        let mut known: HashMap<(usize, Option<usize>, String), usize> = HashMap::new();
        for image in std::mem::take(&mut self.graph.images) {
            let key = (image.recipe, image.stage, format!("{:?}", image.user.user));
            let place = *known.entry(key).or_insert(kept.len());
            match kept.get_mut(place) {
                Some(same) => same.builders.extend(image.builders),
                None => kept.push(image),
            }
            places.push(place);
        }
        self.graph.images = kept;
        let names = std::mem::take(&mut self.names);
        // What is known comes first: it is what people call the image.
        for is_known in [true, false] {
            for (names, &place) in names.iter().zip(&places) {
                names.iter().filter(|name| name.whole.is_some() == is_known).for_each(|name| self.name(place, name));
            }
        }
        built.into_iter().map(|image| image.map(|image| places[image])).collect()
    }

    fn name(&mut self, image: usize, name: &ImageName) {
        let names = &mut self.graph.images[image].names;
        if !names.contains(&name.written) && names.len() < MOST_NAMES {
            names.push(name.written.clone());
        }
        let note = |names: &mut HashMap<String, Option<usize>>, name: &Option<String>| {
            let Some(name) = name else { return };
            let known = names.entry(name.clone()).or_insert(Some(image));
            if *known != Some(image) {
                *known = None;
            }
        };
        note(&mut self.by_name, &name.whole);
        note(&mut self.by_repository, &name.repository);
    }

    /// Reads every Dockerfile that is there or asked for.
    fn read_recipes(&mut self, files: &[SourceFile], around: &dyn Files, knowledge: &Knowledge) {
        let by_path: HashMap<&str, &SourceFile> = files.iter().map(|file| (file.path.as_str(), file)).collect();
        let read = |(name, questions): (&String, &Vec<Question>)| {
            let questions: Vec<&Question> = questions.iter().collect();
            let of_text = |text: Vec<u8>| SourceFile::new(FileId(0), name.clone(), FileKind::Dockerfile, text);
            let other = match (self.inline.get(name), by_path.get(name.as_str())) {
                (Some(text), _) => Some(of_text(text.clone().into_bytes())),
                (None, Some(_)) => None,
                (None, None) => BuildContext::new(around, name).at(name).map(|found| of_text(found.text.to_vec())),
            };
            let unread = || Recipe { name: name.clone(), is_read: false, stages: Vec::new() };
            other.as_ref().or(by_path.get(name.as_str()).copied()).map_or_else(
                || (unread(), questions.iter().map(|_| Answer::unknown()).collect()),
                |file| recipe::read(file, knowledge, &questions),
            )
        };
        let read: Vec<(Recipe, Vec<Answer>)> = self.questions.par_iter().map(read).collect();
        let places: HashMap<&String, usize> = self.questions.keys().enumerate().map(|(at, name)| (name, at)).collect();
        for (image, (name, question)) in self.graph.images.iter_mut().zip(&self.asked) {
            image.recipe = places[name];
            let answer = &read[image.recipe].1[*question];
            image.stage = answer.stage;
            image.user = answer.user.clone();
        }
        self.graph.recipes = read.into_iter().map(|(recipe, _)| recipe).collect();
    }

    /// What `actor` runs that does not build it.
    fn target(&mut self, actor: &Actor) -> Target {
        let Some(name) = actor.names.first() else {
            let is_hidden = actor.builds == Order::Hidden;
            return Target::Unknown(if is_hidden { "what it builds" } else { "" }.to_owned());
        };
        let by_name = name.whole.as_ref().and_then(|name| self.by_name.get(name));
        let by_repository = || self.by_repository.get(name.repository.as_ref()?);
        match by_name.or_else(by_repository) {
            Some(Some(image)) => Target::Built(*image),
            Some(None) => Target::Unknown(name.written.clone()),
            None => match &name.whole {
                Some(whole) => {
                    self.pulled.insert(whole.clone());
                    Target::Pulled(whole.clone())
                }
                None => Target::Unknown(name.written.clone()),
            },
        }
    }

    /// Lists what stages and runs take from registries.
    fn pull(&mut self, knowledge: &Knowledge) {
        let inputs = self.graph.recipes.iter().flat_map(|recipe| &recipe.stages).flat_map(|stage| &stage.inputs);
        let names = inputs.filter_map(|input| match &input.source {
            InputSource::Image(name) => Some(name.clone()),
            InputSource::Stage(_) | InputSource::Scratch | InputSource::Unknown(_) => None,
        });
        self.pulled.extend(names);
        self.graph.pulled = self.pulled.par_iter().map(|name| PulledImage::of(name, knowledge)).collect();
    }

    fn run(&self, actor: Actor, target: Target) -> Run {
        let image = match target {
            Target::Built(image) => RunImage::Built(image),
            Target::Pulled(name) => match self.graph.pulled.binary_search_by(|pulled| pulled.name.cmp(&name)) {
                Ok(at) => RunImage::Pulled(at),
                Err(_) => RunImage::Unknown(name),
            },
            Target::Unknown(name) => RunImage::Unknown(name),
        };
        let user = match (&actor.caller.user, &image) {
            (Some(fact), _) => Who {
                user: fact.value.as_deref().map_or(User::Unknown(UnknownUser::Variable), User::parse),
                written: fact.value.clone().unwrap_or_default(),
                says: Says::Place(fact.place.clone()),
            },
            (None, RunImage::Built(image)) => self.graph.images[*image].user.clone(),
            (None, RunImage::Pulled(image)) => self.graph.pulled[*image].user.clone(),
            (None, RunImage::Unknown(_)) => Answer::unknown().user,
        };
        Run { caller: actor.caller, image, user, refuses_root: actor.refuses_root, crossings: actor.crossings }
    }
}

/// So many names of one image are listed.
const MOST_NAMES: usize = 16;

/// What is run, before it is known which images are pulled.
enum Target {
    Built(usize),
    Pulled(String),
    Unknown(String),
}

impl Builder {
    fn of(caller: &Caller) -> Self {
        let build = caller.build.as_ref();
        Self {
            system: caller.system,
            name: caller.name.clone(),
            place: caller.place.clone(),
            target: build.and_then(|build| build.target.as_ref()?.value.clone()),
            arguments: build.map(|build| build.arguments.clone()).unwrap_or_default(),
            secrets: build.map(|build| build.secrets.clone()).unwrap_or_default(),
        }
    }
}

impl PulledImage {
    fn of(name: &str, knowledge: &Knowledge) -> Self {
        let reference = Reference::parse(name).ok();
        let facts = reference.as_ref().and_then(|reference| reference.facts(knowledge));
        Self {
            name: name.to_owned(),
            familiar: reference.as_ref().map_or_else(|| name.to_owned(), Reference::familiar),
            registry: reference.as_ref().map_or(DOCKER_HUB, |reference| reference.registry()).to_owned(),
            is_pinned: reference.as_ref().is_some_and(|reference| reference.digest().is_some()),
            user: Who::of_image(facts.as_deref()),
        }
    }
}

impl<'f> super::services::Sources<'_, 'f> {
    /// The file below `source`, where compose reads that one on top of it.
    pub(super) fn base_below(&self, source: &Source<'f>) -> Option<&Source<'f>> {
        if !evidence::is_override(&source.file.path) {
            return None;
        }
        self.first_at(&evidence::base_of(&source.file.path))
    }
}
