//! Hands a credential to a service as a file, where the program of its image reads one.

use super::{known_of_service, together};
use crate::{
    knowledge::Knowledge,
    model::compose::{ComposeModel, Service, Text},
    rule::{Fix, Safety},
    syntax::yaml::{Editor, Refusal, Value},
    text::Edit,
};

/// Takes the value `text` of the variable `name` out of `service`, and names a secret in a file instead; an
/// open value asks to be replaced, and is no secret.
///
/// # Errors
/// Why it is not edited.
pub fn secret_file<'y>(
    knowledge: &Knowledge,
    editor: &Editor<'y>,
    model: &ComposeModel<'y>,
    service: &Service<'y>,
    name: &str,
    text: &Text<'y>,
    is_open: bool,
) -> Result<Fix, String> {
    let variable = known_of_service(knowledge, service)?.file_variable(name);
    let variable = variable.ok_or_else(|| format!("its program is not known to read `{name}` from a file"))?;
    if service.environment().iter().any(|(known, _)| *known == variable) {
        return Err(format!("`{variable}` is set already"));
    }
    let own = service.own().span().of(model.tree.text());
    let mentions = [format!("${name}"), format!("${{{name}")];
    if mentions.iter().any(|mention| memchr::memmem::find(own, mention.as_bytes()).is_some()) {
        return Err(format!("the service itself asks for `{name}`"));
    }
    let secret = secret_name(service.name(), name);
    let file = format!("./secrets/{secret}");
    let mut edits = renamed(editor, service, &variable, text, &format!("/run/secrets/{secret}"))?;
    edits.extend(declared(editor, model, service, &secret, &file).map_err(|refusal| refusal.to_string())?);
    let before = if is_open { "" } else { "what was in a repository has to be revoked; " };
    let reason = format!(
        "{before}write a new value to `{file}`, for the user of the program to read and not for git, before it is started"
    );
    Ok(Fix::new("Hand it over as a file", Safety::Manual, reason, together(edits)?))
}

fn secret_name(service: &str, variable: &str) -> String {
    let name = format!("{service}_{variable}").to_ascii_lowercase();
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

/// The variable of the file in place of the one with the value.
fn renamed<'y>(
    editor: &Editor<'y>,
    service: &Service<'y>,
    variable: &str,
    text: &Text<'y>,
    path: &str,
) -> Result<Vec<Edit>, String> {
    let refused = |refusal: Refusal| refusal.to_string();
    let elsewhere = || "the variable is set where other services may read it".to_owned();
    let environment = service.own_entry("environment").map(|entry| entry.value).ok_or_else(elsewhere)?;
    if environment.is_sequence() {
        let item = environment.items().find(|item| item.span() == text.node.span()).ok_or_else(elsewhere)?;
        return Ok(vec![editor.replace(item, &Value::text(format!("{variable}={path}"))).map_err(refused)?]);
    }
    let entry = environment.entries().find(|entry| entry.value.span() == text.node.span()).ok_or_else(elsewhere)?;
    let key = editor.replace(entry.key, &Value::text(variable)).map_err(refused)?;
    let value = editor.replace(entry.value, &Value::text(path)).map_err(refused)?;
    Ok(vec![key, value])
}

/// The secret, for the service and of the file.
fn declared<'y>(
    editor: &Editor<'y>,
    model: &ComposeModel<'y>,
    service: &Service<'y>,
    secret: &str,
    file: &str,
) -> Result<[Edit; 2], Refusal> {
    let given = match service.own_entry("secrets") {
        Some(entry) => editor.append(entry.value, &Value::text(secret))?,
        None => editor.insert(service.own(), "secrets", &Value::texts([secret]))?,
    };
    let source = Value::map([("file", Value::text(file))]);
    let top = model.tree.documents().next().ok_or(Refusal::Form)?;
    let made = match top.entry("secrets") {
        Some(entry) => editor.insert(entry.value, secret, &source)?,
        None => editor.insert(top, "secrets", &Value::map([(secret, source)]))?,
    };
    Ok([given, made])
}
