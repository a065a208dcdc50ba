//! Base images of a new stage, named as the author names images.

use super::Subject;
use crate::knowledge::ImageFacts;
use std::sync::Arc;

impl Subject<'_> {
    /// What is known of the image `reference`, a complete one.
    pub fn facts_of(&self, reference: &str) -> Option<Arc<ImageFacts>> {
        let (repository, tag) = apart(without_digest(reference));
        self.cx.knowledge.image(repository, Some(tag))
    }

    /// Whether the image `reference` installs packages as the author's base does.
    pub fn installs_alike(&self, reference: &str) -> bool {
        let old = self.target.image_facts().and_then(|facts| facts.package_manager.known().copied());
        let new = self.facts_of(reference).and_then(|facts| facts.package_manager.known().copied());
        old.is_some() && old == new
    }

    /// `reference`, a complete one of the image facts, as the author of the file would write it: the same registry for
    /// the same image, no `docker.io/library/` where the author leaves it out, and the same variable in the tag.
    ///
    /// `None` where the author's word has a variable that the answer cannot have.
    pub fn named(&self, reference: &str) -> Option<String> {
        let root = self.target.root();
        let short = short(reference);
        let Some(word) = root.base_word() else { return Some(short.to_owned()) };
        let written = String::from_utf8_lossy(&word.text).into_owned();
        let value = root.base_value();
        if reference.starts_with("gcr.io/distroless/") {
            return Some(short.to_owned());
        }
        let written = without_digest(&written);
        let known = without_digest(&value.text);
        let (repository, tag) = apart(known);
        let (wanted, wanted_tag) = apart(short);
        let is_same = last_name(repository) == last_name(wanted);
        if !is_same {
            return Some(short.to_owned());
        }
        if !written.contains('$') {
            return Some(format!("{repository}:{wanted_tag}"));
        }
        // Something more stands in the tag: behind the variable, in front of what is written out behind that.
        let literal = written.rsplit(['}', '$']).next().unwrap_or_default();
        let same = tag.bytes().rev().zip(wanted_tag.bytes().rev()).zip(literal.bytes().rev());
        let same = same.take_while(|((old, new), text)| old == new && old == text).count();
        let more = wanted_tag.strip_prefix(&tag[..tag.len() - same])?;
        let more = more.get(..more.len().checked_sub(same)?)?;
        let at = written.len() - same;
        Some(format!("{}{more}{}", &written[..at], &written[at..]))
    }
}

/// A reference as people write it.
fn short(reference: &str) -> &str {
    let reference = reference.strip_prefix("docker.io/").unwrap_or(reference);
    reference.strip_prefix("library/").unwrap_or(reference)
}

fn without_digest(reference: &str) -> &str {
    reference.split('@').next().unwrap_or(reference)
}

/// Repository and tag.
fn apart(reference: &str) -> (&str, &str) {
    match reference.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (reference, "latest"),
    }
}

fn last_name(repository: &str) -> &str {
    repository.rsplit('/').next().unwrap_or(repository)
}

#[cfg(test)]
mod tests {
    use crate::{
        context::{BuildContext, NoFiles},
        harden::Subject,
        knowledge::Knowledge,
        lock::Lock,
        model::DockerfileModel,
        rule::{Cx, Detail},
        source::{FileKind, SourceFile},
        syntax::dockerfile,
        text::FileId,
    };

    fn named(text: &str, reference: &str) -> Option<String> {
        let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text.as_bytes().to_vec());
        let parsed = dockerfile::parse(&file.text);
        let knowledge = Knowledge::builtin();
        let model = DockerfileModel::new(&file, &parsed.tree, &knowledge);
        let lock = Lock::default();
        let context = BuildContext::new(&NoFiles, &file.path);
        let cx =
            Cx { file: &file, model: &model, knowledge: &knowledge, context, lock: &lock, detail: Detail::Repairs };
        Subject::new(&cx)?.named(reference)
    }

    #[test]
    fn a_base_keeps_the_registry_of_the_author() {
        let slim = "docker.io/library/node:22-slim";
        assert_eq!(named("FROM node:22\n", slim).as_deref(), Some("node:22-slim"));
        assert_eq!(named("FROM docker.io/node:22\n", slim).as_deref(), Some("docker.io/node:22-slim"));
        let mirror = "FROM public.ecr.aws/docker/library/node:22@sha256:0\n";
        assert_eq!(named(mirror, slim).as_deref(), Some("public.ecr.aws/docker/library/node:22-slim"));
        assert_eq!(
            named("FROM golang:1.22\n", "gcr.io/distroless/static").as_deref(),
            Some("gcr.io/distroless/static")
        );
    }

    #[test]
    fn a_base_keeps_the_variable_of_the_author() {
        let slim = "docker.io/library/python:3.12-slim-bookworm";
        let written = "ARG V=3.12\nFROM python:${V}-bookworm\n";
        assert_eq!(named(written, slim).as_deref(), Some("python:${V}-slim-bookworm"));
        let whole = "ARG V=3.12\nFROM python:$V\n";
        assert_eq!(named(whole, "docker.io/library/python:3.12-slim").as_deref(), Some("python:$V-slim"));
        assert_eq!(named("ARG V=lts\nFROM node:$V\n", "docker.io/library/node:slim"), None);
    }
}
