//! `COPY` or `ADD` of a file that holds credentials.
//!
//! Where the file can be read its text decides; where it cannot, only names that are used for nothing else count.

use crate::{
    model::{
        CopySource, DockerfileModel, Step,
        add::{Source, SourceKind},
        secret_file::{SecretFile, secret_file},
    },
    rewrite,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "secret-copied",
        title: "File with credentials copied into the image",
        why: "Everybody who can pull the image can read the file, also when a later instruction removes it: the layer below still has it.",
        remedy: "Rotate what the file holds, list it in `.dockerignore`, and mount it where it is needed: `RUN --mount=type=secret` (or `--mount=type=ssh`) in a build, a secret of the runtime in a container.",
        group: Group::Secret,
        severity: Severity::High,
        confidence: Confidence::Medium,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "A file that package managers, Git and the like read on their own is mounted into each `RUN` that calls them, and in the place of a private key each is lent the agent of whoever builds, with the files that are seen to build; what else to do with a file is for a person to decide.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "4.10"),
            Reference::new(Scheme::Nist800190, "4.1.4"),
            Reference::new(Scheme::Cwe, "522"),
            Reference::new(Scheme::Url, "https://docs.docker.com/build/building/secrets/"),
        ],
        equivalents: &["trivy:DS-0031"],
        examples: &[
            Example::new(
                "A private key for Git",
                "FROM alpine:3.22\nCOPY «id_rsa» /root/.ssh/id_rsa\nRUN git clone git@github.com:acme/shop.git && rm /root/.ssh/id_rsa\n",
                "FROM alpine:3.22\nRUN --mount=type=ssh git clone git@github.com:acme/shop.git\n",
            ),
            Example::new(
                "An environment file",
                "FROM node:22\nCOPY package.json «.env» ./\n",
                "FROM node:22\nCOPY package.json .env.example ./\n",
            ),
            Example::new(
                "The text of the file decides",
                "-- Dockerfile --\nFROM node:22\nCOPY «.npmrc» ./\n-- .npmrc --\n//npm.example.com/:_authToken=aK3j9ZpQ1xL7aK3j9ZpQ1xL7\n",
                "-- Dockerfile --\nFROM node:22\nCOPY .npmrc ./\n-- .npmrc --\n//npm.example.com/:_authToken=${NPM_TOKEN}\nsave-exact=true\n",
            ),
            Example::new(
                "A file that one program reads",
                "-- Dockerfile --\nFROM node:22\nWORKDIR /app\nCOPY package.json «.npmrc» ./\nRUN npm ci\n-- .npmrc --\n//npm.example.com/:_authToken=aK3j9ZpQ1xL7aK3j9ZpQ1xL7\n",
                "-- Dockerfile --\nFROM node:22\nWORKDIR /app\nCOPY package.json ./\nRUN --mount=type=secret,id=npmrc,target=/app/.npmrc,required=true npm ci\n-- .npmrc --\n//npm.example.com/:_authToken=aK3j9ZpQ1xL7aK3j9ZpQ1xL7\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    for step in cx.model.steps().filter(|step| !step.is_trigger()) {
        for source in step.sources() {
            report(cx, step, &source, out);
        }
    }
}

fn report(cx: &Cx<'_, DockerfileModel<'_>>, step: Step<'_>, source: &Source<'_>, out: &mut Findings) {
    let Some(file) = named_secret(step, source) else { return };
    let stage = step.stage();
    let is_own_file = step.copy_source().is_none();
    let is_proved = if is_own_file { proof(cx, &source.text, file) } else { None };
    if is_proved == Some(false) || is_proved.is_none() && !file.is_telling || !is_own_file && !stage.is_exported() {
        return;
    }
    let verb = step.instruction().keyword_span;
    let finding = out.report(
        source.arg.span,
        format!("`{}` puts `{}`, {}, into the image", cx.text(verb).to_ascii_uppercase(), source.text, file.what),
    );
    let is_builder = stage.is_built() && !stage.is_exported();
    match (is_proved, is_builder) {
        (Some(_), false) => finding.severity(Severity::Critical).confidence(Confidence::High),
        (Some(_), true) => finding.confidence(Confidence::High),
        (None, false) => finding,
        (None, true) => finding.severity(Severity::Medium),
    };
    finding.repair(cx, || rewrite::mount_copied(cx, step, source));
}

/// What the text of the file, or of the files in the directory, says; `None` where none can be read.
fn proof(cx: &Cx<'_, DockerfileModel<'_>>, path: &str, file: SecretFile) -> Option<bool> {
    let inside = file.inside.iter().map(|name| format!("{}/{name}", path.trim_end_matches('/')));
    let paths = if file.inside.is_empty() { vec![path.to_owned()] } else { inside.collect() };
    let found = paths.iter().filter_map(|path| cx.context.nearest(path));
    found.map(|found| file.is_proved_by(&found.text)).reduce(|one, other| one || other)
}

/// What the source is by its name, if it is a file of the context or of another stage.
fn named_secret(step: Step<'_>, source: &Source<'_>) -> Option<SecretFile> {
    match step.copy_source() {
        None | Some(CopySource::Stage(_)) => {}
        Some(CopySource::Image(_) | CopySource::Scratch | CopySource::Invalid) => return None,
    }
    match source.kind {
        SourceKind::Local | SourceKind::Unknown => {}
        SourceKind::Archive | SourceKind::Url | SourceKind::Git | SourceKind::Heredoc => return None,
    }
    let target = step.destination().map(|target| String::from_utf8_lossy(&target.text).into_owned())?;
    secret_file(&source.text, &target)
}
