//! A credential in a compose file is in the repository, and in everything that shows the container.

use crate::{
    model::{
        address,
        compose::{ComposeModel, Service, Text},
        credential::{self, Credential, Value as Shape},
    },
    rewrite::confine::secret_file,
    rule::{
        Builtin, Check, Confidence, Cx, Detail, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety,
        Scheme, Severity,
    },
    source::FileKind,
    syntax::yaml::{Editor, Value},
    text::Span,
};
use std::collections::BTreeSet;

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "secret-in-service-env",
        title: "Credential in the environment or the build arguments of a service",
        why: "The value lies in the repository with its history, and `docker inspect` shows it to everybody who may ask the engine; what a build was given as an argument stays in its image.",
        remedy: "Revoke it. Hand the new one over as a secret (`secrets:`, which mounts a file; many images read `NAME_FILE`), or name a variable that whoever starts the services sets.",
        group: Group::Secret,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose],
        fix: FixNote::Always(
            Safety::Manual,
            "Takes the value out of the file: names a secret that lies in a file, where the program of the image reads one, or a variable that whoever starts the services has to set.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "4.10"),
            Reference::new(Scheme::Nist800190, "4.1.4"),
            Reference::new(Scheme::Cwe, "798"),
            Reference::new(Scheme::Cwe, "522"),
            Reference::new(Scheme::Url, "https://docs.docker.com/compose/how-tos/use-secrets/"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "A password; what a variable brings is not in the file",
                "-- compose.yaml --\nservices:\n  web:\n    image: shop/web:3\n    environment:\n      DB_PASSWORD: «kX9vQ2mLp7Wd» # shop\n      API_KEY: ${API_KEY}\n      DB_HOST: db\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: shop/web:3\n    environment:\n      DB_PASSWORD: \"${DB_PASSWORD:?}\" # shop\n      API_KEY: ${API_KEY}\n      DB_HOST: db\n",
            ),
            Example::new(
                "In a list, in an address, as a build argument",
                "-- compose.yaml --\nservices:\n  web:\n    build:\n      context: .\n      args:\n        - «NPM_TOKEN=npm_Zk3vQ9mLp7WdR2tYx8bNc4HsJ6fGaE1uKoXq»\n    environment:\n      - «DATABASE_URL=postgres://shop:kX9vQ2mLp7Wd@db/shop»\n",
                "-- compose.yaml --\nservices:\n  web:\n    build:\n      context: .\n      args:\n        - \"NPM_TOKEN=${NPM_TOKEN:?}\"\n    environment:\n      - \"DATABASE_URL=${DATABASE_URL:?}\"\n",
            ),
            Example::new(
                "A text that asks to be replaced",
                "-- compose.yaml --\nservices:\n  web:\n    image: shop/web:3\n    environment:\n      APP_SECRET: «replace-me-with-a-random-string»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: shop/web:3\n    environment:\n      APP_SECRET: \"${APP_SECRET:?}\"\n",
            ),
            Example::new(
                "The program reads it from a file",
                "-- compose.yaml --\nservices:\n  db:\n    image: postgres:17\n    environment:\n      POSTGRES_PASSWORD: «kX9vQ2mLp7Wd» # shop\n      POSTGRES_USER: shop\n",
                "-- compose.yaml --\nservices:\n  db:\n    image: postgres:17\n    environment:\n      POSTGRES_PASSWORD_FILE: /run/secrets/db_postgres_password # shop\n      POSTGRES_USER: shop\n    secrets:\n      - db_postgres_password\nsecrets:\n  db_postgres_password:\n    file: ./secrets/db_postgres_password\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Compose(check),
};

fn check(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    // What services share by an anchor is said once.
    let mut told: BTreeSet<Span> = BTreeSet::new();
    for service in &cx.model.services {
        for (name, text) in given(service) {
            let Some(value) = text.known().filter(|_| !text.is_defaulted) else { continue };
            let Some((what, severity, confidence)) = judged(&name, value) else { continue };
            if !told.insert(text.node.span()) {
                continue;
            }
            let is_open = credential::asks_to_be_replaced(value.as_bytes()) && severity == Severity::Low;
            let message = if is_open {
                format!("`{name}` holds a text that asks to be replaced, and that everybody can guess until it is")
            } else {
                format!("`{name}` holds a {what}, for everybody who may read this file")
            };
            let finding = out.report(text.node.span(), message);
            finding.severity(severity).confidence(confidence);
            if matches!(cx.detail, Detail::Repairs)
                && let Ok(fix) = secret_file(cx.knowledge, editor, cx.model, service, &name, &text, is_open)
            {
                finding.fix(fix);
            }
            finding.repair(cx, || named(editor, &name, &text, is_open));
        }
    }
}

/// Variables that `service` is run or built with, with their values.
fn given<'y>(service: &Service<'y>) -> impl Iterator<Item = (String, Text<'y>)> {
    let arguments = service.build().map(|build| build.arguments).unwrap_or_default();
    let all = service.environment().into_iter().chain(arguments);
    all.filter_map(|(name, value)| Some((name, value?)))
}

/// What kind of credential the variable holds, how bad that is and how sure.
fn judged(name: &str, value: &str) -> Option<(&'static str, Severity, Confidence)> {
    let in_address = || address::credentials(value.as_bytes()).map(|credential| credential.shape).next();
    match credential::judge(name, value.as_bytes()) {
        Some(Credential::Known(what)) => Some((what, Severity::Critical, Confidence::High)),
        Some(Credential::Named) => Some(("credential", Severity::High, Confidence::High)),
        // Everybody knows these, and most stand in files that nobody runs but on his own machine.
        Some(Credential::Default) => Some(("password that is easy to guess", Severity::Low, Confidence::Medium)),
        None => match in_address()? {
            Shape::Known(_) | Shape::Random => Some(("password in an address", Severity::High, Confidence::High)),
            Shape::Word | Shape::Harmless => {
                Some(("password in an address that is easy to guess", Severity::Low, Confidence::Medium))
            }
        },
    }
}

/// A variable in place of the value.
fn named<'y>(editor: &Editor<'y>, name: &str, text: &Text<'y>, is_open: bool) -> Result<Fix, String> {
    let variable = format!("${{{name}:?}}");
    let is_item = text.node.scalar().is_some_and(|written| written.starts_with(&format!("{name}=")));
    let written = if is_item { format!("{name}={variable}") } else { variable };
    let edit = editor.replace(text.node, &Value::text(written)).map_err(|refusal| refusal.to_string())?;
    let before = if is_open { "" } else { "what was in a repository has to be revoked; " };
    let reason = format!("{before}set a new `{name}` where the services are started, or hand it over as a secret");
    Ok(Fix::new("Name a variable instead", Safety::Manual, reason, vec![edit]))
}
