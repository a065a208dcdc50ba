//! Images that services pull.

use super::{ComposeModel, Service, Text};
use crate::{
    knowledge::{ImageFacts, Knowledge, Start},
    model::{nesting, reference::Reference},
    text::Span,
};
use std::sync::Arc;

/// An image that a service pulls.
#[derive(Clone, Debug)]
pub struct PulledImage<'m, 'y> {
    /// The service.
    pub service: &'m Service<'y>,
    /// Where its name is written.
    pub text: Text<'y>,
    /// The image, variables replaced.
    pub reference: Reference<'static>,
}

impl<'y> ComposeModel<'y> {
    /// The images that services pull: all that nobody hides and that no service of the file builds.
    pub fn pulled_images(&self) -> Vec<PulledImage<'_, 'y>> {
        let built: Vec<Text<'y>> =
            self.services.iter().filter(|service| service.build().is_some()).filter_map(Service::image).collect();
        let is_built = |name: &str| built.iter().any(|image| image.known() == Some(name));
        let pulled = self.services.iter().filter(|service| !service.is_open() && service.build().is_none());
        let named = pulled.filter_map(|service| {
            let text = service.image()?;
            let name = text.known().filter(|name| !is_built(name))?.to_owned();
            Some(PulledImage { service, text, reference: Reference::parse(name).ok()? })
        });
        named.collect()
    }
}

impl Service<'_> {
    /// Whether it builds images or starts containers itself, which the usual limits forbid: its image is there for it, or
    /// what is written of it says so.
    pub fn runs_containers(&self) -> bool {
        let image = self.image().and_then(|image| Reference::parse(image.known()?.to_owned()).ok());
        let text = || self.own().span().of(self.own().tree().text());
        image.is_some_and(|image| nesting::is_for_containers(&image)) || nesting::speaks_of_it(text())
    }
}

impl PulledImage<'_, '_> {
    /// The entry that names it if that is written in the service itself, else the name of the service.
    pub fn place(&self) -> Span {
        self.service.place_of("image")
    }

    /// Whether its name is written in the service itself and without variables.
    pub fn is_written_out(&self) -> bool {
        let is_own = self.service.own().span().covers(self.text.node.span());
        is_own && self.text.node.scalar() == Some(self.reference.text())
    }
    /// What is known of it.
    pub fn facts(&self, knowledge: &Knowledge) -> Option<Arc<ImageFacts>> {
        self.reference.facts(knowledge)
    }
}

impl<'y> Service<'y> {
    /// The image that it pulls, unless that is hidden or it builds its own.
    pub fn pulled_image(&self) -> Option<PulledImage<'_, 'y>> {
        let text = self.image().filter(|_| !self.is_open() && self.build().is_none())?;
        let reference = Reference::parse(text.known()?.to_owned()).ok()?;
        Some(PulledImage { service: self, text, reference })
    }

    /// Who starts the program of its image, of which `facts` are known.
    pub fn start(&self, facts: &ImageFacts) -> Option<Start> {
        let Some(user) = self.user() else { return facts.start() };
        match user.known()?.split(':').next()? {
            "root" | "0" => Some(Start::Root),
            user => Some(Start::User(user.parse().ok())),
        }
    }
}
