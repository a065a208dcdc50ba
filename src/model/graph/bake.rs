//! What bake files build: blocks `target "name" { … }` in HCL, or the same as JSON.

use super::{
    Caller, CallerBuild, Fact, Lines, System,
    actor::{Actor, ImageName, Order, id_of, is_plain_path},
};
use crate::{
    context::{self, BuildContext, Found},
    syntax::hcl::{self, Block, Pair, Piece, Token},
    text::Span,
};
use std::collections::{HashMap, HashSet};

/// So many targets may inherit from each other in a row, and so many parents a target may have.
const DEEPEST: usize = 8;

/// A target, as it is written.
#[derive(Clone, Debug, Default)]
struct Target {
    name: String,
    /// Its keyword; in JSON, its name.
    head: Span,
    /// All of it.
    span: Span,
    texts: HashMap<String, String>,
    lists: HashMap<String, Vec<String>>,
    arguments: Vec<(String, Option<String>)>,
}

/// What the targets of a bake file build.
pub(super) fn actors(text: &[u8], lines: &Lines, around: BuildContext<'_>) -> Vec<Actor> {
    let targets = targets(text);
    let by_name = by_name(&targets);
    targets.iter().filter_map(|target| actor(target, &targets, &by_name, lines, around)).collect()
}

fn actor(
    target: &Target,
    all: &[Target],
    by_name: &HashMap<&str, usize>,
    lines: &Lines,
    around: BuildContext<'_>,
) -> Option<Actor> {
    let chain = chain(target, all, by_name);
    let text = |key: &str| chain.iter().find_map(|target| target.texts.get(key)).map(String::as_str);
    let list = |key: &str| chain.iter().find_map(|target| target.lists.get(key)).map(Vec::as_slice).unwrap_or_default();
    // Targets that only others inherit from are built by nobody.
    let is_shared = target.name.starts_with('_') || !chain.iter().any(|target| !target.texts.is_empty());
    if is_shared || text("dockerfile-inline").is_some() {
        return None;
    }
    let builds = builds(&chain, &lines.path, around);
    let place = lines.place(target.head);
    let mut arguments: Vec<(String, Option<String>)> = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    for (name, value) in chain.iter().flat_map(|target| &target.arguments) {
        if seen.insert(name) {
            arguments.push((name.clone(), value.clone().filter(|value| !value.contains("${"))));
        }
    }
    let build = CallerBuild {
        place: place.clone(),
        target: text("target").map(|name| Fact {
            value: (!name.contains("${")).then(|| name.to_owned()),
            is_defaulted: false,
            place: place.clone(),
        }),
        arguments,
        secrets: list("secret").iter().filter_map(|secret| id_of(secret)).map(str::to_owned).collect(),
    };
    let caller = Caller { build: Some(build), ..Caller::new(target.name.clone(), place, System::Bake) };
    Some(Actor {
        caller,
        builds,
        names: list("tags").iter().map(|tag| ImageName::with_variables(tag)).collect(),
        is_run: false,
        refuses_root: false,
        crossings: Vec::new(),
        labels: Vec::new(),
    })
}

/// What a target with that chain builds.
fn builds(chain: &[&Target], bake: &str, around: BuildContext<'_>) -> Order {
    let text = |key: &str| chain.iter().find_map(|target| target.texts.get(key)).map(String::as_str);
    let context = text("context").unwrap_or(".");
    let file = text("dockerfile").unwrap_or("Dockerfile");
    if !is_plain_path(context) || !is_plain_path(file) {
        return Order::Hidden;
    }
    let path = context::join(context, file);
    // Bake starts where it is called: beside the file, or above it with `--file`.
    let mut places = around.directories().map(|directory| context::resolve(directory, &path));
    let beside = context::resolve(context::directory(bake), &path);
    Order::File(places.find(|path| around.at(path).is_some()).unwrap_or(beside))
}

/// The first target of each name.
fn by_name(targets: &[Target]) -> HashMap<&str, usize> {
    let mut by_name = HashMap::new();
    for (at, target) in targets.iter().enumerate() {
        by_name.entry(target.name.as_str()).or_insert(at);
    }
    by_name
}

/// Who gives a build argument in a bake file.
#[derive(Clone, Debug, Default)]
pub struct Baked {
    /// The targets that give it.
    pub givers: Vec<Giver>,
    /// Whether a target builds the Dockerfile without it.
    pub is_built_without: bool,
}

/// A target of a bake file that gives a build argument.
#[derive(Clone, Debug)]
pub struct Giver {
    /// Its name.
    pub name: String,
    /// All of it.
    pub span: Span,
    /// The Dockerfiles that it, and those that inherit from it, build with it; none where nobody can name one.
    pub builds: Vec<Option<String>>,
    /// Whether other targets have a say in its arguments or its secrets, or may have.
    pub is_shared: bool,
}

/// Who gives the build argument `name` in the bake file `found`, and whether the Dockerfile is built without it there.
pub fn baked(found: &Found, name: &str, dockerfile: &str, around: BuildContext<'_>) -> Baked {
    let targets = targets(&found.text);
    let by_name = by_name(&targets);
    let chains: Vec<Vec<&Target>> = targets.iter().map(|target| chain(target, &targets, &by_name)).collect();
    let mut families: HashMap<*const Target, Vec<&Vec<&Target>>> = HashMap::new();
    for chain in &chains {
        for target in chain {
            families.entry(&raw const **target).or_default().push(chain);
        }
    }
    let parents: HashSet<&str> =
        targets.iter().filter_map(|target| target.lists.get("inherits")).flatten().map(String::as_str).collect();
    let is_base = |target: &Target| {
        target.name.starts_with('_') || target.texts.is_empty() && parents.contains(target.name.as_str())
    };
    let gives = |target: &Target| target.arguments.iter().any(|(given, _)| given == name);
    let built = |chain: &[&Target]| match builds(chain, &found.path, around) {
        // It reads the argument, and is no file.
        _ if chain.iter().any(|target| target.texts.contains_key("dockerfile-inline")) => Some(String::new()),
        Order::File(path) => Some(path),
        Order::Nothing | Order::Inline(_) | Order::Hidden => None,
    };
    let builds_ours = |chain: &&Vec<&Target>| !is_base(chain[0]) && built(chain).as_deref() == Some(dockerfile);
    let is_built_without = chains.iter().filter(builds_ours).any(|chain| !chain.iter().any(|target| gives(target)));
    let read = |target: &Target| {
        let family = &families[&std::ptr::from_ref(target)];
        let has_a_say = |other: &Target| !std::ptr::eq(other, target) && (gives(other) || other.has("secret"));
        let is_unseen = |chain: &[&Target]| {
            let is_unknown = |parent: &String| !by_name.contains_key(parent.as_str());
            let names_unknown = |it: &&Target| it.lists.get("inherits").is_some_and(|it| it.iter().any(is_unknown));
            chain.len() >= DEEPEST || chain.iter().any(|it| it.texts.contains_key("inherits") || names_unknown(it))
        };
        let is_first =
            by_name.get(target.name.as_str()).is_some_and(|&at| std::ptr::eq(&raw const targets[at], target));
        let is_shared = family.iter().any(|chain| is_unseen(chain) || chain.iter().any(|other| has_a_say(other)));
        // What others inherit from may be built by its own name too.
        let may_be_ours =
            |chain: &[&Target]| !chain[0].name.starts_with('_') && built(chain).as_deref() == Some(dockerfile);
        let is_built = |chain: &&&Vec<&Target>| !is_base(chain[0]) || may_be_ours(chain);
        let builds = family.iter().filter(is_built).map(|chain| built(chain)).collect();
        Giver { name: target.name.clone(), span: target.span, builds, is_shared: is_shared || !is_first }
    };
    Baked { givers: targets.iter().filter(|target| gives(target)).map(read).collect(), is_built_without }
}

impl Target {
    fn has(&self, key: &str) -> bool {
        self.lists.contains_key(key) || self.texts.contains_key(key)
    }
}

/// The target and what it inherits from, what wins first.
fn chain<'t>(target: &'t Target, all: &'t [Target], by_name: &HashMap<&str, usize>) -> Vec<&'t Target> {
    let mut chain = vec![target];
    let mut at = 0;
    while at < chain.len() && chain.len() < DEEPEST {
        // Of several parents the last one wins.
        for parent in chain[at].lists.get("inherits").into_iter().flatten().rev().take(DEEPEST) {
            let Some(&parent) = by_name.get(parent.as_str()) else { continue };
            if !chain.iter().any(|known| std::ptr::eq(*known, &raw const all[parent])) {
                chain.push(&all[parent]);
            }
        }
        at += 1;
    }
    chain
}

/// The targets of a bake file, in order.
fn targets(text: &[u8]) -> Vec<Target> {
    let pieces = hcl::pieces(text);
    let read = |block: Block<'_>| {
        let mut target =
            Target { name: block.label.to_owned(), head: block.head, span: block.span, ..Target::default() };
        for pair in hcl::pairs(&pieces, block.body) {
            read_value(&pair, &pieces, &mut target);
        }
        target
    };
    hcl::blocks(&pieces, "target").into_iter().map(read).collect()
}

fn read_value(pair: &Pair<'_>, pieces: &[Piece<'_>], target: &mut Target) {
    let value = &pieces[pair.value.clone()];
    let key = || pair.key.to_owned();
    let text = |piece: &Piece<'_>| if let Token::Text(text) = piece.token { Some(text.to_owned()) } else { None };
    match value.first().map(|piece| piece.token) {
        Some(Token::Text(text)) if value.len() == 1 => {
            target.texts.insert(key(), text.to_owned());
        }
        Some(Token::Sign(b'[')) => {
            target.lists.insert(key(), value.iter().filter_map(text).collect());
        }
        Some(Token::Sign(b'{')) if pair.key == "args" => {
            for argument in hcl::pairs(pieces, pair.value.start + 1) {
                let written = pieces[argument.value].first().and_then(text);
                target.arguments.push((argument.key.to_owned(), written));
            }
        }
        // A variable or a call: nobody here computes it.
        Some(Token::Word(_) | Token::Text(_) | Token::Sign(_)) => {
            target.texts.insert(key(), "${}".to_owned());
        }
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::NoFiles;

    fn read(text: &str, path: &str) -> Vec<Actor> {
        actors(text.as_bytes(), &Lines::of(path, text.as_bytes()), BuildContext::new(&NoFiles, path))
    }

    #[test]
    fn targets_inherit_and_say_what_they_build() {
        let text = "variable \"TAG\" { default = \"1\" }\ngroup \"default\" { targets = [\"web\"] }\ntarget \"_base\" {\n  args = { A = \"1\", B = TAG }\n}\ntarget \"web\" {\n  inherits = [\"_base\"]\n  context = \"./web\" # here\n  target = \"runtime\"\n  tags = [\"acme/web:${TAG}\", \"acme/web:latest\"]\n  secret = [\"type=file,id=npm,src=.npmrc\"]\n}\n";
        let actors = read(text, "ops/docker-bake.hcl");
        assert_eq!(actors.len(), 1);
        let web = &actors[0];
        assert_eq!((web.caller.name.as_str(), web.caller.place.line), ("web", 6));
        assert_eq!(web.builds, Order::File("ops/web/Dockerfile".to_owned()));
        assert_eq!(web.names[0].repository.as_deref(), Some("docker.io/acme/web"));
        let build = web.caller.build.as_ref().unwrap();
        assert_eq!(build.arguments, [("A".to_owned(), Some("1".to_owned())), ("B".to_owned(), None)]);
        assert_eq!(build.secrets, ["npm"]);
        assert_eq!(build.target.as_ref().unwrap().value.as_deref(), Some("runtime"));
    }

    #[test]
    fn json_says_the_same() {
        let text = "{\"target\": {\"web\": {\"dockerfile\": \"a.Dockerfile\", \"tags\": [\"acme/web\"], \"args\": {\"A\": \"1\"}}}}";
        let actors = read(text, "docker-bake.json");
        assert_eq!(actors[0].builds, Order::File("a.Dockerfile".to_owned()));
    }

    #[test]
    fn damage_ends_nothing() {
        for text in [
            "target \"a\" {",
            "target \"a\" { x = \"${\"",
            "target target { args = {",
            "}}}}",
            "target \"a\" { { } }\ntarget \"b\" {}",
        ] {
            read(text, "docker-bake.hcl");
        }
    }
}
