//! Credentials.

pub(super) mod password_in_run;
pub(super) mod secret_copied;
pub(super) mod secret_in_arg;
pub(super) mod secret_in_env;
pub(super) mod secret_in_service_env;
pub(super) mod secret_in_url;

use crate::{
    model::{DockerfileModel, credential::Credential},
    rewrite,
    rule::{Confidence, Cx, Detail, Finding, Severity},
};

/// For so many variables of a file it is worked out how to do without them; a real file has a few.
const MOST_REPAIRS: usize = 12;

/// Works out how the variables of one file are taken out of it.
#[derive(Debug, Default)]
struct Repairs(usize);

impl Repairs {
    /// Repairs `finding`, which is about the variable `name`, or says why not.
    fn take_out(&mut self, cx: &Cx<'_, DockerfileModel<'_>>, name: &str, finding: &mut Finding) {
        self.0 += 1;
        if cx.detail == Detail::Findings {
            return;
        }
        if self.0 > MOST_REPAIRS {
            finding.decline("the file holds more credentials than are repaired at once");
            return;
        }
        match rewrite::take_out_variable(cx, name) {
            Ok(fixes) => finding.fixes.extend(fixes),
            Err(why) => {
                finding.decline(why);
            }
        }
    }
}

/// How bad it is that everybody with the file or the image can read it; what only a build stage holds counts less.
fn severity(credential: Credential, only_in_builder: bool) -> Severity {
    match (credential, only_in_builder) {
        (Credential::Known(_), _) => Severity::Critical,
        (Credential::Named, false) => Severity::High,
        (Credential::Named, true) | (Credential::Default, false) => Severity::Medium,
        (Credential::Default, true) => Severity::Low,
    }
}

/// How sure it is that the value is a credential: a word may be there for a build only.
fn confidence(credential: Credential) -> Confidence {
    match credential {
        Credential::Known(_) | Credential::Named => Confidence::High,
        Credential::Default => Confidence::Medium,
    }
}

/// What a value is that everybody knows, by the name of its variable.
fn noun(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    let is_password = name.contains("pass") || name.ends_with("pwd") || name.ends_with("pw");
    if is_password { "password" } else { "secret" }
}
