//! What Dockerfiles take from elsewhere without saying which bytes they mean: what a lock file is for.

use super::{Lock, key};
use crate::{
    model::{DockerfileModel, ImageUse, UsedBy, add::SourceKind, downloads::Download},
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
}

impl Wanted {
    /// Adds what a Dockerfile takes.
    pub fn add(&mut self, model: &DockerfileModel<'_>) {
        let place = |span: Span| format!("{}:{}", model.file.path, model.file.locate(span.start).line);
        for image in model.image_uses().iter().filter(|image| is_for_every_platform(image)) {
            if image.reference.digest().is_none() {
                self.images.entry(key(&image.reference)).or_insert_with(|| place(image.span));
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

fn is_for_every_platform(image: &ImageUse<'_>) -> bool {
    match image.by {
        UsedBy::From(stage) => !stage.base_value().is_of_platform(),
        UsedBy::Step(_) => true,
    }
}
