//! Where a step tells a program not to check who answers: switches of programs, variables, configuration.
//!
//! Sources: curl(1), wget(1), git-config(1), pip, npm, yarn, composer, gem, bundler, conda, Node.js and Python
//! documentation of the options named.

use super::{
    downloads::{Download, is_local_address},
    marks::Marks,
    packages::{Manager, PackageCommand},
    programs::Programs,
    scope::VariableKind,
    script::StepCommand,
    step::Step,
};
use crate::{
    syntax::{
        dockerfile::Keyword,
        shell::{Invocation, Word},
    },
    text::Span,
};

/// One place that turns verification off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified {
    /// The option, variable or setting.
    pub span: Span,
    /// As it is written.
    pub text: String,
    /// Whose connections are not verified from here on.
    pub program: &'static str,
    /// Whether every later command is meant (a variable of the image, a configuration), not just this one.
    pub lasts: bool,
}

/// Variables that turn verification off, the values that do, and of whom.
const VARIABLES: &[(&str, &[&str], &str)] = &[
    ("NODE_TLS_REJECT_UNAUTHORIZED", &["0"], "Node.js"),
    ("PYTHONHTTPSVERIFY", &["0"], "Python"),
    ("GIT_SSL_NO_VERIFY", &[], "git"),
    ("PIP_TRUSTED_HOST", &[], "pip"),
    ("NPM_CONFIG_STRICT_SSL", &["false", "0"], "npm"),
    ("npm_config_strict_ssl", &["false", "0"], "npm"),
    ("YARN_ENABLE_STRICT_SSL", &["false", "0"], "yarn"),
    ("YARN_STRICT_SSL", &["false", "0"], "yarn"),
    ("CONDA_SSL_VERIFY", &["false", "0"], "conda"),
    ("CURL_INSECURE", &["1", "true"], "curl"),
    ("HEX_UNSAFE_HTTPS", &["1", "true"], "hex"),
    ("BUNDLE_SSL_VERIFY_MODE", &["0"], "bundler"),
    ("COMPOSER_DISABLE_TLS", &["1", "true"], "composer"),
    ("UV_INSECURE_HOST", &[], "uv"),
    ("ELECTRON_GET_INSECURE", &["1", "true"], "electron"),
    ("PERL_LWP_SSL_VERIFY_HOSTNAME", &["0"], "LWP"),
];

impl Step<'_> {
    /// Every place of the step that turns the verification of a server's certificate off.
    pub fn unverified_tls(self) -> Vec<Unverified> {
        match self.keyword() {
            Keyword::Env | Keyword::Arg => self.unverified_variables(),
            Keyword::Run | Keyword::Cmd | Keyword::Entrypoint => {
                const OF_ITS_OWN: Programs = Programs::of(&["conda", "mamba", "micromamba"]);
                let tells_manager = self.has_marks(Marks::UNVERIFIED) || self.may_run(OF_ITS_OWN);
                self.commands().flat_map(|command| of_command(command, tells_manager)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn unverified_variables(self) -> Vec<Unverified> {
        let off = self.assigned().iter().filter_map(|variable| {
            let value = variable.value.as_ref()?.known()?;
            let program = variable_off(&variable.name, value)?;
            let span = variable.value_span.map_or(variable.name_span, |value| variable.name_span.to(value));
            let lasts = variable.kind == VariableKind::Env;
            Some(Unverified { span, text: format!("{}={value}", variable.name), program, lasts })
        });
        off.collect()
    }
}

/// Whose verification `name=value` turns off.
fn variable_off(name: &str, value: &str) -> Option<&'static str> {
    let (_, values, program) = VARIABLES.iter().find(|(known, ..)| *known == name)?;
    let turns_off =
        if values.is_empty() { !value.is_empty() } else { values.iter().any(|off| value.eq_ignore_ascii_case(off)) };
    turns_off.then_some(program)
}

/// What a command turns off; whether a package manager may be told to is known beforehand.
fn of_command(command: StepCommand<'_>, tells_manager: bool) -> Vec<Unverified> {
    let at = |word: Word<'_>, program, lasts| Unverified {
        span: command.word_span(word),
        text: word.text().into_owned(),
        program,
        lasts,
    };
    let mut found: Vec<Unverified> = command
        .command
        .assignments()
        .filter_map(|assignment| {
            let program = variable_off(assignment.name(), assignment.literal()?)?;
            let span = command.script.file_span(assignment.span());
            Some(Unverified {
                span,
                text: String::from_utf8_lossy(command.script.script.bytes(assignment.span())).into_owned(),
                program,
                lasts: false,
            })
        })
        .collect();
    let Some(invocation) = command.invocation() else { return found };
    let Some(name) = invocation.name() else { return found };
    if matches!(name, "export" | "setx") || !invocation.is_direct() {
        found.extend(invocation.command().arguments().filter_map(|word| {
            let (variable, value) = word.literal()?.split_once('=')?;
            Some(at(word, variable_off(variable, value)?, name == "export"))
        }));
    }
    if let Some((word, program, lasts)) = switch_off(name, invocation).filter(|_| !is_public_and_pinned(command)) {
        found.push(at(word, program, lasts));
    }
    if let Some(call) = Some(invocation).filter(|_| tells_manager).and_then(PackageCommand::read) {
        found.extend(of_manager(&call).map(|(word, program)| at(word, program, false)));
    }
    found
}

/// Whether a command only downloads what is checked against a checksum of the file, and sends nothing to anybody.
fn is_public_and_pinned(command: StepCommand<'_>) -> bool {
    const SENDS: [&str; 12] = [
        "-u",
        "--user",
        "--http-",
        "--password",
        "-H",
        "--header",
        "--post",
        "-d",
        "--data",
        "-b",
        "--cookie",
        "--cert",
    ];
    let sends = |word: Word<'_>| SENDS.iter().any(|option| word.text().starts_with(option));
    Download::read(command).is_some_and(|download| {
        download.is_pinned() && !command.command.words().any(|word| sends(word) || word.bytes().contains(&b'@'))
    })
}

/// The word that turns verification off, of whom, and whether for good.
fn switch_off<'s>(name: &str, invocation: Invocation<'s>) -> Option<(Word<'s>, &'static str, bool)> {
    let words = || invocation.arguments();
    let is = |word: &Word<'s>, texts: &[&str]| texts.contains(&&*word.text());
    match name {
        "curl" => {
            let insecure = |text: &str| {
                text == "--insecure"
                    || text == "--proxy-insecure"
                    || short_cluster_has(text, 'k', "AbcCdDeEFhHKmoPQrTtuUwxXyYz")
            };
            let word = words().find(|word| word.bytes().starts_with(b"-") && insecure(&word.text()))?;
            let urls = || words().filter(|word| word.text().contains("://") || is_local_address(&word.text()));
            let is_local = urls().count() > 0 && urls().all(|url| is_local_address(&url.text()));
            (!is_local).then_some((word, "curl", false))
        }
        "wget" => words()
            .find(|word| matches!(word.bytes(), b"--no-check-certificate" | b"--no-check-certificates"))
            .map(|word| (word, "wget", false)),
        "aria2c" => words().find(|word| is(word, &["--check-certificate=false"])).map(|word| (word, "aria2c", false)),
        "git" => {
            let setting = |text: &str| {
                text.eq_ignore_ascii_case("http.sslverify=false") || text.eq_ignore_ascii_case("http.sslverify=0")
            };
            if let Some(word) = words().find(|word| setting(&word.text())) {
                return Some((word, "git", false));
            }
            let mut words = words();
            let is_key = |text: &[u8]| {
                let end = text.len().checked_sub(b".sslverify".len()).map(|start| &text[start..]);
                end.is_some_and(|end| end.eq_ignore_ascii_case(b".sslverify"))
            };
            let key = words.find(|word| is_key(word.bytes()))?;
            let value = words.next()?;
            is(&value, &["false", "0", "no", "off"]).then_some((key, "git", true))
        }
        "npm" | "yarn" | "pnpm" => {
            let mut words = words();
            let key = words.find(|word| {
                word.text().trim_start_matches('-').starts_with("strict-ssl") || word.text() == "enableStrictSsl"
            })?;
            let text = key.text();
            let off = text.ends_with("=false")
                || text.ends_with("=0")
                || words.next().is_some_and(|word| is(&word, &["false", "0"]));
            let lasts = invocation.arguments().any(|word| is(&word, &["config", "set"]));
            off.then_some((key, "npm", lasts))
        }
        "yum-config-manager" => {
            let off =
                |text: &str| ["sslverify=0", "sslverify=false", "sslverify=no"].iter().any(|off| text.ends_with(off));
            words().find(|word| off(&word.text().to_ascii_lowercase())).map(|word| (word, "dnf", true))
        }
        "pip" | "pip3" if words().any(|word| is(&word, &["config"])) => {
            words().find(|word| word.text().ends_with("trusted-host")).map(|word| (word, "pip", true))
        }
        "conda" | "mamba" => {
            let mut words = words();
            let key = words.find(|word| word.text() == "ssl_verify")?;
            words.next().is_some_and(|word| is(&word, &["false", "False", "no", "0"])).then_some((key, "conda", true))
        }
        "composer" => {
            let mut words = words();
            let key = words.find(|word| word.text() == "disable-tls" || word.text() == "secure-http")?;
            let value = words.next()?;
            let off =
                if key.text() == "disable-tls" { is(&value, &["true", "1"]) } else { is(&value, &["false", "0"]) };
            off.then_some((key, "composer", true))
        }
        _ => None,
    }
}

/// What a package manager is told for one call.
fn of_manager<'s>(call: &PackageCommand<'s>) -> Option<(Word<'s>, &'static str)> {
    let first = |names: &[&str]| call.option(names);
    match call.manager {
        Manager::Pip => first(&["--trusted-host"]).map(|word| (word, "pip")),
        Manager::Uv => first(&["--allow-insecure-host", "--trusted-host", "--insecure-host"]).map(|word| (word, "uv")),
        Manager::Apt => {
            let off = |text: &str| {
                text.contains("Verify-Peer") && (text.ends_with("false") || text.ends_with('0'))
                    || text.contains("Verify-Host") && text.ends_with("false")
            };
            let option = call.option_words().find(|word| off(&word.text()));
            option.map(|word| (word, "apt"))
        }
        Manager::Yum | Manager::Dnf | Manager::Microdnf | Manager::Tdnf => {
            let off = |text: &str| {
                text.contains("sslverify=0") || text.contains("sslverify=false") || text.contains("sslverify=no")
            };
            let option = call.option_words().find(|word| off(&word.text()));
            option.map(|word| (word, "dnf"))
        }
        Manager::Conda => first(&["--insecure", "-k"]).map(|word| (word, "conda")),
        _ => None,
    }
}

/// Whether a cluster of short options (`-fsSkL`) holds `letter`, letters of values left out.
fn short_cluster_has(text: &str, letter: char, valued: &str) -> bool {
    let Some(cluster) = text.strip_prefix('-').filter(|cluster| !cluster.starts_with('-')) else { return false };
    let flags = cluster.find(|flag| valued.contains(flag)).map_or(cluster, |at| &cluster[..=at]);
    flags.contains(letter)
}
