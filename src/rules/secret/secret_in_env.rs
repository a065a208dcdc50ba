//! `ENV` with a credential makes it part of the image.
//!
//! A builder stage counts less, since its environment is in no image; a stage that nothing needs may be a target.

use super::{Repairs, confidence, noun, severity};
use crate::{
    model::{
        DockerfileModel, Step, Variable, address,
        credential::{self, Credential},
    },
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::dockerfile::Keyword,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "secret-in-env",
        title: "Credential in `ENV`",
        why: "`docker inspect` shows the environment to everybody who can pull the image, and every process and crash report of a container inherits it.",
        remedy: "Rotate the credential, since the history of the repository and of the image keep it; then hand it over when a container starts, best as a file (`DB_PASSWORD_FILE`).",
        group: Group::Secret,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "The assignment goes; a `RUN` that reads the variable is given it as a build secret, a container has to be given it when it starts.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "4.10"),
            Reference::new(Scheme::Nist800190, "4.1.4"),
            Reference::new(Scheme::Cwe, "798"),
            Reference::new(Scheme::Cwe, "526"),
        ],
        equivalents: &["hadolint:DL3064", "trivy:DS-0031", "buildkit:SecretsUsedInArgOrEnv"],
        examples: &[
            Example::new(
                "A key that a machine made",
                "FROM alpine:3.22\nENV API_KEY=«r7eJvn9HIvMh25CWknMUFoNuW2d2»\n",
                "FROM alpine:3.22\n",
            ),
            Example::new(
                "A password that everybody knows",
                "FROM postgres:17\nENV POSTGRES_DB=shop POSTGRES_PASSWORD=«postgres»\n",
                "FROM postgres:17\nENV POSTGRES_DB=shop\n",
            ),
            Example::new(
                "A token of a known form, whatever its name",
                "FROM alpine:3.22\nENV CI_LOGIN «glpat-a1b2c3d4e5f6g7h8i9j0»\nENV API_KEY=\"\" SECRET_KEY_BASE_DUMMY=1 GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568\n",
                "FROM alpine:3.22\nENV API_KEY=\"\" SECRET_KEY_BASE_DUMMY=1 GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568\n",
            ),
            Example::new(
                "One that a command reads",
                "FROM node:22\nENV NPM_TOKEN=«npm_abcdefghijklmnopqrstuvwxyz0123456789» \\\n    NODE_ENV=production\nUSER 1000:1000\nRUN npm ci\n",
                "FROM node:22\nENV NODE_ENV=production\nUSER 1000:1000\nRUN --mount=type=secret,id=npm_token,required=true,uid=1000,gid=1000 export NPM_TOKEN=\"$(cat /run/secrets/npm_token)\" && npm ci\n",
            ),
            Example::new(
                "One that a task of the framework wants to be set",
                "FROM python:3.13\nENV DJANGO_SECRET_KEY=«w7x2v-k9q0l4m-T5zR8-bN3pYc6u»\nUSER 1000:1000\nRUN cd /srv && python manage.py collectstatic --noinput\n",
                "FROM python:3.13\nUSER 1000:1000\nRUN cd /srv && DJANGO_SECRET_KEY=not-a-secret python manage.py collectstatic --noinput\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let mut repairs = Repairs::default();
    for step in cx.model.steps().filter(|step| step.keyword() == Keyword::Env && !step.is_trigger()) {
        for variable in step.assigned() {
            report(cx, step, variable, &mut repairs, out);
        }
    }
}

fn report(
    cx: &Cx<'_, DockerfileModel<'_>>,
    step: Step<'_>,
    variable: &Variable<'_>,
    repairs: &mut Repairs,
    out: &mut Findings,
) {
    let (Some(value), Some(span)) = (&variable.value, variable.value_span) else { return };
    // What a variable brings is said where that variable is set, what an address brings by `secret-in-url`.
    let is_own = !cx.bytes(span).contains(&b'$') && address::credentials(value.text.as_bytes()).next().is_none();
    let judged = credential::judge(&variable.name, value.text.as_bytes());
    let Some(credential) = judged.filter(|_| is_own) else { return };
    let name = &variable.name;
    let message = match credential {
        Credential::Known(what) => format!("`{name}` holds a {what}, which everybody with the image can read"),
        Credential::Named => format!("`{name}` holds a credential, which everybody with the image can read"),
        Credential::Default => format!("`{name}` holds a {}, which everybody with the image knows", noun(name)),
    };
    let stage = step.stage();
    let is_builder = stage.is_built() && !stage.is_exported();
    let finding = out.report(span, message);
    finding.severity(severity(credential, is_builder)).confidence(confidence(credential));
    repairs.take_out(cx, name, finding);
}
