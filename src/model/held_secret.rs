//! Files with credentials that come into an image without being named: with a directory that is copied whole, or from a
//! step that writes a credential into them.

use super::{
    CopySource,
    credential::{self, Name},
    dockerfile::DockerfileModel,
    path::{self, file_name},
    secret_file::{SecretFile, secret_file},
    shipped::{Shipped, below},
    stage::Stage,
    step::Step,
};
use crate::{
    context::{self, BuildContext},
    syntax::{dockerfile::Keyword, shell::Redirect},
};

/// A file with credentials that lies in an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeldSecret {
    /// Its absolute path in the image.
    pub path: String,
    /// The file that says so, written as the checked file's path is, and the line in it, from 1.
    pub place: (String, u32),
    /// How it got there.
    pub origin: Origin,
}

/// How a file with credentials gets into an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// It lies in a directory of the build context that is copied.
    Copied,
    /// A step writes it.
    Written,
}

/// So deep below what is copied files are looked for, and in so many directories; credentials lie at the top.
const DEEPEST: usize = 2;
const MOST_DIRECTORIES: usize = 256;

impl Stage<'_> {
    /// The files with credentials in the image of this stage that no instruction names, sorted by their paths.
    ///
    /// Of the files of the build context those count whose text is read and shows a credential; `is_ignored` tells of a
    /// path below the context whether builds do not see it.
    pub fn held_secrets(self, context: &BuildContext<'_>, is_ignored: &dyn Fn(&str) -> bool) -> Vec<HeldSecret> {
        let mut found = self.copied_secrets(context, is_ignored);
        found.extend(self.written_secrets());
        found.retain(|secret| !self.is_removed_before(&secret.path));
        found.sort();
        found.dedup_by(|one, other| one.path == other.path);
        found
    }

    fn copied_secrets(self, context: &BuildContext<'_>, is_ignored: &dyn Fn(&str) -> bool) -> Vec<HeldSecret> {
        let shipped = self.shipped();
        if shipped.is_empty() {
            return Vec::new();
        }
        let Some(root) = self.context_root(context) else { return Vec::new() };
        let mut open: Vec<(String, String, usize)> =
            shipped.into_iter().map(|Shipped { source, place }| (source, place, 0)).collect();
        let (mut found, mut at) = (Vec::new(), 0);
        while let Some((source, place, depth)) = open.get(at).cloned().filter(|_| at < MOST_DIRECTORIES) {
            at += 1;
            for entry in context.list(&context::join(&root, &source)).iter() {
                let below = if source.is_empty() { entry.name.clone() } else { format!("{source}/{}", entry.name) };
                let to = path::join(&place, &entry.name);
                if is_ignored(&below) {
                    continue;
                }
                if entry.is_directory {
                    let is_own = !entry.name.starts_with('.') && !matches!(&*entry.name, "node_modules" | "vendor");
                    if is_own && depth < DEEPEST {
                        open.push((below, to, depth + 1));
                    }
                    continue;
                }
                let Some(file) = secret_file(&below, &to) else { continue };
                let text = context.at(&context::join(&root, &below));
                if let Some(text) = text.filter(|text| file.is_proved_by(&text.text)) {
                    found.push(HeldSecret { path: to, place: (text.path.clone(), 1), origin: Origin::Copied });
                }
            }
        }
        found
    }

    /// What steps of this image, or of those that directories are copied from, write credentials into.
    fn written_secrets(self) -> Vec<HeldSecret> {
        let mut found: Vec<HeldSecret> = self.chain_steps().flat_map(written).collect();
        for step in self.chain_steps() {
            let Some(CopySource::Stage(index)) = step.copy_source() else { continue };
            let Some(builder) = step.model().stage(index).filter(|builder| builder.index() != self.index()) else {
                continue;
            };
            let Some(to) = step.destination().and_then(|word| step.absolute_arg(word)) else { continue };
            for secret in builder.chain_steps().flat_map(written) {
                for source in step.sources() {
                    let taken = path::join("/", &source.text);
                    // What is named is said by a rule.
                    let rest = below(&secret.path, &taken).filter(|rest| !rest.is_empty());
                    found.extend(rest.map(|rest| HeldSecret { path: path::join(&to, rest), ..secret.clone() }));
                }
            }
        }
        found
    }

    /// Whether another stage, whose layers are not those of this image, removes the file before it is copied on.
    fn is_removed_before(self, path: &str) -> bool {
        let model: &DockerfileModel<'_> = self.model();
        let own: Vec<usize> = self.chain().map(Stage::index).collect();
        let steps = model.steps().filter(|step| step.keyword() == Keyword::Run && !own.contains(&step.stage().index()));
        steps.flat_map(Step::commands).any(|command| {
            command.name() == Some("rm")
                && command.command.words().any(|word| command.step.absolute(&word.text()).as_deref() == Some(path))
        })
    }
}

/// The files that the commands of a step write a credential into, by its name or out of a mount.
fn written(step: Step<'_>) -> Vec<HeldSecret> {
    if step.keyword() != Keyword::Run || step.is_trigger() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for command in step.commands() {
        if !matches!(command.name(), Some("echo" | "printf" | "cat")) {
            continue;
        }
        let names_secret = command.command.arguments().any(|word| {
            let text = word.text();
            text.contains("/run/secrets/")
                || text.split('$').skip(1).any(|rest| credential::classify(variable(rest)) == Name::Credential)
        });
        for target in command.command.redirects().map(Redirect::target).filter(|_| names_secret) {
            let written = target.text();
            let file: Option<SecretFile> = secret_file(file_name(&written), &written);
            let Some(path) = file.and_then(|_| step.absolute(&written)) else { continue };
            let removes = |other: super::StepCommand<'_>| {
                other.name() == Some("rm")
                    && other.command.words().any(|word| step.absolute(&word.text()).as_deref() == Some(&*path))
            };
            if step.commands().any(removes) {
                continue;
            }
            let place = (step.model().file.path.clone(), step.model().file.locate(command.span().start).line);
            found.push(HeldSecret { path, place, origin: Origin::Written });
        }
    }
    found
}

/// The name of the variable that a text behind `$` begins with.
fn variable(rest: &str) -> &str {
    let rest = rest.strip_prefix('{').unwrap_or(rest);
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    &rest[..end]
}
