//! Credentials that an image is not to hold, whatever they are worth: a weak one is one all the same.
//!
//! Rules report what is certainly a credential. An image that is hardened holds nothing under the name of one: a word
//! that somebody put there to be changed is what the program starts with until somebody does.

use crate::{
    model::{
        DockerfileModel, Stage, Variable, address,
        credential::{self, Name},
        expand::Cause,
    },
    syntax::dockerfile::Keyword,
};

/// So many are taken out of one file.
const MOST: usize = 12;

/// The variables of a file under which a credential is written, or given to a build, each once.
pub fn variables(model: &DockerfileModel<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let steps = model.stages().flat_map(Stage::steps).filter(|step| !step.is_trigger());
    for step in steps {
        let keyword = step.keyword();
        if !matches!(keyword, Keyword::Env | Keyword::Arg) {
            continue;
        }
        for variable in step.assigned() {
            let is_given = || keyword == Keyword::Arg && is_given(variable);
            let is_new = !names.iter().any(|name| *name == *variable.name);
            if is_new && names.len() < MOST && (is_written(variable) || is_given()) {
                names.push(variable.name.to_string());
            }
        }
    }
    names
}

/// Whether a build is handed a credential by that name.
fn is_given(variable: &Variable<'_>) -> bool {
    let is_empty = variable.value.as_ref().is_none_or(|value| value.text.is_empty());
    is_empty && credential::classify(&variable.name) == Name::Credential
}

/// Whether the file itself writes a credential into the variable.
fn is_written(variable: &Variable<'_>) -> bool {
    let Some(value) = &variable.value else { return false };
    // `${TOKEN:-…}`: what a build without the argument writes.
    let has_default = || value.depends.iter().all(|dependency| dependency.cause == Cause::Missing);
    let Some(value) = value.known().or_else(|| has_default().then_some(&*value.text)) else { return false };
    credential::is_written(&variable.name, value) || address::credentials(value.as_bytes()).next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        knowledge::Knowledge,
        source::{FileKind, SourceFile},
        syntax::dockerfile,
        text::FileId,
    };

    fn found(text: &str) -> Vec<String> {
        let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text.as_bytes().to_vec());
        let parsed = dockerfile::parse(&file.text);
        let knowledge = Knowledge::builtin();
        variables(&DockerfileModel::new(&file, &parsed.tree, &knowledge))
    }

    #[test]
    fn a_weak_credential_is_one() {
        let text = "FROM a\nENV API_TOKEN=letmein DB_PASSWORD=changeme\nENV DATABASE_URL=postgres://u:hunter22@db/x\n\
                    ENV ConnectionStrings__Default=\"Server=db;User=sa;Password=x\"\nARG NEXUS_PASSWORD\n";
        let names = ["API_TOKEN", "DB_PASSWORD", "DATABASE_URL", "ConnectionStrings__Default", "NEXUS_PASSWORD"];
        assert_eq!(found(text), names);
    }

    #[test]
    fn one_that_stands_in_for_an_argument_is_one() {
        let text = "FROM a\nARG GIVEN\nENV DB_PASSWORD=${GIVEN:-hunter22}\nENV API_TOKEN=${GIVEN}\n";
        assert_eq!(found(text), ["DB_PASSWORD"]);
    }

    #[test]
    fn names_without_a_credential_stay() {
        let text = "FROM a\nENV DB_PASSWORD_FILE=/run/x ALLOW_EMPTY_PASSWORD=yes API_KEY= TOKEN=$X KEY_FILE=a.key\n\
                    ENV SECRET_DIR=/s DATABASE_URL=postgres://db/x PASSWORD=/run/secrets/p\nARG VERSION\n";
        assert_eq!(found(text), Vec::<String>::new());
    }
}
