//! The image that is to climb: its target stage and all that its files tell of it.

use super::Evidence;
use crate::{
    context::Found,
    model::{DockerfileModel, Stage, Step},
    rule::Cx,
    syntax::dockerfile::Keyword,
    text::Span,
};

/// The image of one Dockerfile's target, and the files that it is made of.
pub struct Subject<'a> {
    /// File, model, knowledge, build context, lock.
    pub cx: &'a Cx<'a, DockerfileModel<'a>>,
    /// The stage that the build answers.
    pub target: Stage<'a>,
    /// The directory of the build context, where `COPY` shows which it is.
    pub root: Option<String>,
}

impl<'a> Subject<'a> {
    /// The image that `cx` makes of its target; `None` for a file without stages.
    pub fn new(cx: &'a Cx<'a, DockerfileModel<'a>>) -> Option<Self> {
        let target = cx.model.target()?;
        let mut sources = Vec::new();
        for step in target.chain_steps().filter(|step| step.copy_source().is_none()) {
            sources.extend(step.sources().into_iter().map(|source| source.text.clone()));
        }
        let names: Vec<&str> = sources.iter().map(|name| &**name).collect();
        let root = cx.context.root(&names);
        Some(Self { cx, target, root })
    }

    /// The steps of the image in the order in which they run, those of the stages that it starts from first.
    pub fn steps(&self) -> Vec<Step<'a>> {
        let mut chain: Vec<Stage<'a>> = self.target.chain().collect();
        chain.reverse();
        chain.into_iter().flat_map(Stage::steps).collect()
    }

    /// The file `name` of the build context: `package.json`, `cmd/server/main.go`.
    pub fn file(&self, name: &str) -> Option<Found> {
        let root = self.root.as_deref()?;
        self.cx.context.at(&crate::context::join(root, name))
    }

    /// The working directory of the finished image, where it is known and not the root of the file system.
    pub fn workdir(&self) -> Option<&'a str> {
        self.target.workdir().path.known().filter(|path| *path != "/")
    }

    /// The place of `span` of the Dockerfile.
    pub fn evidence(&self, span: Span, shows: impl Into<String>) -> Evidence {
        let line = self.cx.file.locate(span.start).line;
        Evidence { path: self.cx.file.path.clone(), line, shows: shows.into() }
    }

    /// The `RUN` steps.
    pub fn runs(&self) -> Vec<Step<'a>> {
        self.steps().into_iter().filter(|step| step.keyword() == Keyword::Run && !step.is_trigger()).collect()
    }
}
