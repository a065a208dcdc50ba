//! Every image that a Dockerfile takes something from: bases, `COPY --from`, `RUN --mount=from=`.

use super::{
    dockerfile::{Base, CopySource, DockerfileModel},
    reference::Reference,
    stage::Stage,
    step::Step,
};
use crate::{
    knowledge::{ImageFacts, Knowledge, Tag},
    text::Span,
};
use std::sync::Arc;

/// One use of an image.
#[derive(Clone, Debug)]
pub struct ImageUse<'m> {
    /// The image, variables replaced.
    pub reference: Reference<'m>,
    /// Where it is named.
    pub span: Span,
    /// What takes it.
    pub by: UsedBy<'m>,
}

/// What takes something from an image.
#[derive(Clone, Copy, Debug)]
pub enum UsedBy<'m> {
    /// A stage starts from it.
    From(Stage<'m>),
    /// `COPY --from`, `RUN --mount=from=`.
    Step(Step<'m>),
}

impl ImageUse<'_> {
    /// The `ARG`s whose defaults decide which image it is.
    pub fn defaulted(&self) -> impl Iterator<Item = &str> {
        let stage = match self.by {
            UsedBy::From(stage) => Some(stage),
            UsedBy::Step(_) => None,
        };
        stage.into_iter().flat_map(|stage| stage.base_value().defaulted())
    }

    /// Whether every byte of the name is written at `span`: no variable has a part in it.
    pub fn is_written_out(&self) -> bool {
        match self.by {
            UsedBy::From(stage) => stage.base_value().depends.is_empty(),
            UsedBy::Step(_) => true,
        }
    }
}

impl<'m> DockerfileModel<'m> {
    /// The images it takes something from, in file order. Bases that nobody can tell are left out, and `scratch`.
    pub fn image_uses(&'m self) -> Vec<ImageUse<'m>> {
        let mut uses = Vec::new();
        for stage in self.stages() {
            if let Base::Image(image) = stage.base() {
                uses.push(ImageUse {
                    reference: image.reference.clone(),
                    span: stage.base_span(),
                    by: UsedBy::From(stage),
                });
            }
            for step in stage.steps().filter(|step| !step.is_trigger() && !step.instruction().flags.is_empty()) {
                uses.extend(step_images(step));
            }
        }
        uses
    }
}

fn step_images(step: Step<'_>) -> Vec<ImageUse<'_>> {
    let copied = step.copy_source().zip(step.instruction().flag("from"));
    let copied = copied.map(|(source, flag)| (source, flag.value_span));
    let mounted = step.mounts().into_iter().filter_map(|mount| Some((mount.from?, mount.flag.value_span)));
    let named = copied.into_iter().chain(mounted).filter_map(|(source, span)| match source {
        CopySource::Image(reference) => Some(ImageUse { reference, span, by: UsedBy::Step(step) }),
        CopySource::Stage(_) | CopySource::Scratch | CopySource::Invalid => None,
    });
    named.collect()
}

impl Reference<'_> {
    /// What is known of the image.
    pub fn facts(&self, knowledge: &Knowledge) -> Option<Arc<ImageFacts>> {
        knowledge.image_of(&self.name(), self.effective_tag().map_or(Tag::Any, Tag::Named))
    }
}
