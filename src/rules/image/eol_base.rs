//! A base image that gets no more updates keeps its holes.

use crate::{
    knowledge::{Date, ImageFacts, RULESET_DATE},
    model::{DockerfileModel, ImageUse, Reference as ImageName, UsedBy},
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    text::Edit,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "eol-base",
        title: "Image past its end of life",
        why: "Nobody repairs what is found in it from now on: every new hole in its packages stays open in the image.",
        remedy: "Move to a release that is maintained. A new major release may need changes in the program; test it.",
        group: Group::Image,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Always(
            Safety::Manual,
            "Names the successor where the publisher does; whether the program runs on it is for its tests to say.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "4.4"),
            Reference::new(Scheme::Nist800190, "4.1.1"),
            Reference::new(Scheme::Cwe, "1104"),
        ],
        equivalents: &[],
        examples: &[
            Example::new("A distribution", "FROM «debian:buster»\n", "FROM debian:trixie\n"),
            Example::new("A language", "FROM «node:16-alpine»\n", "FROM node:24-alpine\n"),
            Example::new(
                "A build stage counts less",
                "FROM «golang:1.11» AS build\nFROM scratch\nCOPY --from=build /x /x\n",
                "FROM scratch\nCOPY x /x\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    for image in cx.model.image_uses() {
        let Some(facts) = image.reference.facts(cx.knowledge) else { continue };
        let Some(message) = complaint(image.reference.text(), &facts) else { continue };
        let is_certain = image.is_written_out();
        let finding = out.report(image.span, message);
        if !is_certain {
            finding.confidence(Confidence::Medium);
        }
        if !enters_image(&image) {
            finding.severity(Severity::Medium);
        }
        finding.fix(move_on(cx, &image, &facts));
    }
}

/// The way to an image that is maintained: never taken unasked, since a new release may break the program.
fn move_on(cx: &Cx<'_, DockerfileModel<'_>>, image: &ImageUse<'_>, facts: &ImageFacts) -> Fix {
    let reason = "a new release may need changes in the program, and only its tests tell";
    match successor(&image.reference, facts) {
        None => Fix::new("Move to a release that is maintained", Safety::Manual, reason, Vec::new()),
        Some(name) => {
            let is_in_one_piece = cx.bytes(image.span) == image.reference.text().as_bytes();
            let edit = is_in_one_piece.then(|| Edit::replace(cx.file.id, image.span, name.as_str()));
            Fix::new(format!("Use `{name}`"), Safety::Manual, reason, edit.into_iter().collect())
        }
    }
}

/// The image that the publisher names in place of a given up one, in the version nearest to it.
fn successor(given_up: &ImageName<'_>, facts: &ImageFacts) -> Option<String> {
    let replacement = facts.deprecated.known()?.replacement.as_deref()?;
    let replacement = ImageName::parse(replacement).ok()?;
    if replacement.tag().is_some() || given_up.digest().is_some() {
        return Some(replacement.familiar());
    }
    let tag = given_up.tag()?;
    let tag = if replacement.basename() == "eclipse-temurin" { temurin_tag(tag)? } else { tag.to_owned() };
    let familiar = replacement.familiar();
    Some(format!("{}:{tag}", familiar.strip_suffix(":latest").unwrap_or(&familiar)))
}

/// The tag of `eclipse-temurin` that is nearest to one of `openjdk`: the same major version, where that is maintained.
fn temurin_tag(tag: &str) -> Option<String> {
    let mut parts = tag.split('-');
    let version = parts.next()?.split(['.', 'u']).next()?;
    if !["8", "11", "17", "21", "25"].contains(&version) {
        return None;
    }
    let parts: Vec<&str> = parts.collect();
    let edition = if parts.contains(&"jre") { "jre" } else { "jdk" };
    let system = if parts.iter().any(|part| part.starts_with("alpine")) { "-alpine" } else { "" };
    Some(format!("{version}-{edition}{system}"))
}

/// What is to be said of an image that has ended.
fn complaint(name: &str, facts: &ImageFacts) -> Option<String> {
    let ended = |date: &&Date| **date < RULESET_DATE;
    if let Some(end) = facts.end_of_life.known().filter(ended) {
        return Some(format!("`{name}` gets no more updates since {end}"));
    }
    if let Some(end) = facts.distribution_end_of_life.known().filter(ended) {
        return Some(format!("the distribution of `{name}` gets no more updates since {end}"));
    }
    let given_up = facts.deprecated.known()?;
    Some(match &given_up.replacement {
        Some(replacement) => format!("`{name}` is given up by its publisher in favour of `{replacement}`"),
        None => format!("`{name}` is given up by its publisher"),
    })
}

/// Whether the packages of the image become part of what the build answers.
fn enters_image(image: &ImageUse<'_>) -> bool {
    match image.by {
        UsedBy::From(stage) => stage.model().target().is_some_and(|target| target.root() == stage.root()),
        UsedBy::Step(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::Knowledge;

    #[test]
    fn the_successor_is_the_nearest_that_the_publisher_names() {
        let knowledge = Knowledge::builtin();
        let successor_of = |name: &str| {
            let reference = ImageName::parse(name.to_owned()).unwrap();
            let facts = reference.facts(&knowledge).unwrap();
            successor(&reference, &facts)
        };
        assert_eq!(successor_of("openjdk:8-jre-alpine").as_deref(), Some("eclipse-temurin:8-jre-alpine"));
        assert_eq!(successor_of("openjdk:11.0.16-jdk-slim-buster").as_deref(), Some("eclipse-temurin:11-jdk"));
        assert_eq!(successor_of("openjdk:17").as_deref(), Some("eclipse-temurin:17-jdk"));
        assert_eq!(successor_of("openjdk:12").as_deref(), None);
        assert_eq!(successor_of("debian:buster").as_deref(), None);
    }
}
