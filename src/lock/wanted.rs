//! What files take from elsewhere without saying which bytes they mean: what a lock file is for.

use super::{Lock, key};
use crate::{
    model::{
        DockerfileModel, ImageUse, Reference, UsedBy,
        add::SourceKind,
        compose::{ComposeModel, Service},
        downloads::Download,
        kubernetes::{Delivered, KubernetesModel},
    },
    syntax::dockerfile::Keyword,
    text::Span,
};
use std::collections::BTreeMap;

/// Images without a digest and addresses without a checksum, each with the first place that takes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Full names of images with their tags: `docker.io/library/node:22`.
    pub images: BTreeMap<String, String>,
    /// Addresses, variables replaced.
    pub urls: BTreeMap<String, String>,
    /// Images that no digest can be written behind, in the order of the files.
    pub skipped: Vec<Skipped>,
}

/// An image that no digest can be written behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The place that names it.
    pub place: String,
    /// Why: one clause.
    pub why: &'static str,
}

impl Wanted {
    /// Adds what a Dockerfile takes.
    pub fn add(&mut self, model: &DockerfileModel<'_>) {
        let place = |span: Span| format!("{}:{}", model.file.path, model.file.locate(span.start).line);
        for image in model.image_uses().iter().filter(|image| is_for_every_platform(image)) {
            if image.reference.digest().is_none() {
                self.add_image(&image.reference, || place(image.span));
            }
        }
        for step in model.steps().filter(|step| !step.is_trigger()) {
            if step.keyword() == Keyword::Add && step.instruction().flag("checksum").is_none() {
                for source in step.sources().into_iter().filter(|source| source.kind == SourceKind::Url) {
                    if step.expand_arg(source.arg).is_ok_and(|value| value.is_known() && !value.is_of_platform()) {
                        self.urls.entry(source.text).or_insert_with(|| place(source.arg.span));
                    }
                }
            }
            for download in step.downloads().filter(|download| !download.is_local()) {
                self.add_download(&download, &place);
            }
        }
    }

    /// Adds the images that services of a compose file pull; `place` says where bytes of it are.
    pub fn add_services(&mut self, model: &ComposeModel<'_>, place: &dyn Fn(Span) -> String) {
        let pulled = model.pulled_images();
        for service in model.services.iter().filter(|service| service.build().is_none()) {
            let at = || place(service.place_of("image"));
            let image = pulled.iter().find(|image| std::ptr::eq(image.service, service));
            match image {
                Some(image) if image.reference.digest().is_some() => {}
                Some(image) if image.is_written_out() => self.add_image(&image.reference, at),
                Some(_) => self.skip(at(), "a variable or another service has a say in the name"),
                None if is_hidden(service) => self.skip(at(), "nobody can tell here what its name is"),
                // It has none of its own, or another service builds it.
                None => {}
            }
        }
    }

    /// Adds the images of the containers of a manifest but those that `delivered` builds; `place` says where bytes of it
    /// are.
    pub fn add_containers(
        &mut self,
        model: &KubernetesModel<'_>,
        delivered: &Delivered,
        place: &dyn Fn(Span) -> String,
    ) {
        for container in model.containers() {
            let Some(entry) = container.node.entry("image") else { continue };
            let at = || place(entry.span());
            match container.image() {
                Some(image) if image.digest().is_some() || delivered.builds(&image) => {}
                Some(image) => self.add_image(&image, at),
                None => self.skip(at(), "nobody can tell here what its name is"),
            }
        }
    }

    fn add_image(&mut self, image: &Reference<'_>, place: impl FnOnce() -> String) {
        self.images.entry(key(image)).or_insert_with(place);
    }

    fn skip(&mut self, place: String, why: &'static str) {
        let skipped = Skipped { place, why };
        if !self.skipped.contains(&skipped) {
            self.skipped.push(skipped);
        }
    }

    fn add_download(&mut self, download: &Download<'_>, place: &dyn Fn(Span) -> String) {
        for url in download.urls.iter().filter_map(|&word| download.command.value(word)) {
            if url.contains("://") {
                self.urls.entry(url.into_owned()).or_insert_with(|| place(download.span()));
            }
        }
    }

    /// What of it `lock` does not know: names and places, images first.
    pub fn missing_in<'w>(&'w self, lock: &'w Lock) -> impl Iterator<Item = (&'w str, &'w str)> {
        let images = self.images.iter().filter(|(name, _)| !lock.images.contains_key(*name));
        let urls = self.urls.iter().filter(|(url, _)| !lock.urls.contains_key(*url));
        images.chain(urls).map(|(name, place)| (name.as_str(), place.as_str()))
    }
}

/// Whether a service names an image that a variable or a template hides.
fn is_hidden(service: &Service<'_>) -> bool {
    service.image().is_some_and(|image| image.known().is_none_or(|name| Reference::parse(name).is_err()))
}

fn is_for_every_platform(image: &ImageUse<'_>) -> bool {
    match image.by {
        UsedBy::From(stage) => !stage.base_value().is_of_platform(),
        UsedBy::Step(_) => true,
    }
}
