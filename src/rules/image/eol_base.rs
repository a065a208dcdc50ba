//! A base image that gets no more updates keeps its holes.

use crate::{
    knowledge::{Date, ImageFacts, RULESET_DATE},
    model::{DockerfileModel, ImageUse, UsedBy},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
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
        fix: FixNote::Never,
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
    }
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
