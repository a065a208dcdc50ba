//! What a step downloads, where it goes, and what becomes of it.
//!
//! Sources of the command lines: curl(1), wget(1), aria2c(1), git-clone(1).

use super::{
    packages::{Action, PackageCommand},
    path::{file_name, is_program_place},
    programs::Programs,
    script::{StepCommand, StepScript},
    stage::Stage,
    step::Step,
};
use crate::{
    syntax::shell::{Command, CompoundKind, Element, Invocation, RedirectOperator, Slot, Word},
    text::{Span, holds},
};
use std::collections::HashSet;

/// One command that downloads.
#[derive(Clone, Debug)]
pub struct Download<'m> {
    /// The command.
    pub command: StepCommand<'m>,
    /// The program: `curl`, `wget`, …
    pub program: &'m str,
    /// The addresses, as words of the command.
    pub urls: Vec<Word<'m>>,
    /// Where the answer goes.
    pub output: Output,
}

/// Where the answer of a download goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// To standard output: into a pipe, a substitution, or the log of the build.
    Stdout,
    /// Into a file, as written, quotes off, variables kept.
    File(String),
    /// Into a file whose name cannot be told.
    Unknown,
}

impl<'m> Download<'m> {
    /// The programs that download.
    pub const PROGRAMS: Programs = Programs::of(&["curl", "wget", "aria2c", "axel"]);

    /// Reads a command, if it downloads.
    pub fn read(command: StepCommand<'m>) -> Option<Self> {
        let invocation = command.invocation()?;
        let program = invocation.name()?;
        let options: &Options = match program {
            "curl" => &CURL,
            "wget" => &WGET,
            "aria2c" | "axel" => &ARIA,
            _ => return None,
        };
        let mut download = Self { command, program, urls: Vec::new(), output: Output::Stdout };
        download.read_words(invocation, options);
        (!download.urls.is_empty()).then_some(download)
    }

    fn read_words(&mut self, invocation: Invocation<'m>, options: &Options) {
        let mut words = invocation.arguments();
        let mut directory = None;
        let mut names_itself = options.names_itself;
        let mut target: Option<String> = None;
        while let Some(word) = words.next() {
            let text = word.text();
            let Some(Given { name, joined, takes_value }) = option(&text, options) else {
                if !text.starts_with('-') {
                    self.urls.push(word);
                }
                continue;
            };
            if options.remote_name.contains(&name) {
                names_itself = true;
                continue;
            }
            let value = match joined {
                Some(value) => Some(value.to_owned()),
                None if takes_value => words.next().map(|word| word.text().into_owned()),
                None => None,
            };
            match value {
                Some(value) if options.output.contains(&name) => target = Some(value),
                Some(value) if options.directory.contains(&name) => directory = Some(value),
                Some(_) | None => {}
            }
        }
        self.output = match (target, redirected(invocation.command())) {
            (Some(target), redirect) if matches!(target.as_str(), "-" | "/dev/stdout") => {
                redirect.map_or(Output::Stdout, Output::File)
            }
            (Some(target), _) => Output::File(in_directory(directory.as_deref(), &target)),
            (None, Some(file)) if !names_itself => Output::File(file),
            (None, _) if names_itself => match self.urls.as_slice() {
                [url] => remote_name(&url.text())
                    .map_or(Output::Unknown, |name| Output::File(in_directory(directory.as_deref(), name))),
                _ => Output::Unknown,
            },
            (None, _) => Output::Stdout,
        };
    }

    /// Where it lies in the file.
    pub fn span(&self) -> Span {
        self.command.span()
    }

    /// The name of the file that it writes, to compare with other names.
    fn file_key(&self) -> Option<String> {
        match &self.output {
            Output::File(file) => Some(name_key(file)),
            Output::Stdout | Output::Unknown => None,
        }
    }

    /// Whether an address is certainly plain HTTP, to another machine.
    pub fn is_plain_http(&self) -> bool {
        self.urls.iter().any(|url| {
            url.bytes().get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"http://"))
                && !is_local_address(&url.text())
        })
    }

    /// Whether every address is of this machine, as in a health check.
    pub fn is_local(&self) -> bool {
        self.urls.iter().all(|url| is_local_address(&url.text()))
    }

    /// The command that reads the answer: through a pipe, or as a shell whose script is a substitution.
    pub fn consumer(&self) -> Option<Command<'m>> {
        if self.output != Output::Stdout {
            return None;
        }
        reader_of(self.command.command)
    }
}

/// The command that reads what `command` writes: through a pipe, or as a shell whose script is a substitution.
pub fn reader_of(command: Command<'_>) -> Option<Command<'_>> {
    let script = command.script();
    if let Some(Element::Command(index)) = command.piped_into() {
        return Some(script.command(index));
    }
    // `sh -c "$(curl …)"`, `bash <(curl …)`: the block is the substitution, its owner the command.
    let block = command.blocks().next()?;
    let in_substitution = matches!(block.kind(), CompoundKind::Substitution | CompoundKind::ProcessSubstitution);
    match block.owner() {
        Some(owner) if in_substitution && matches!(owner.slot, Slot::Word(_) | Slot::Redirect(_)) => {
            match owner.element {
                Element::Command(index) => Some(script.command(index)),
                Element::Compound(_) => None,
            }
        }
        Some(_) | None => None,
    }
}

/// Whether `url` is of this machine.
pub fn is_local_address(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    ["localhost", "127.", "0.0.0.0", "[::1]", "host.docker.internal"].iter().any(|local| host.starts_with(local))
}

/// The file that standard output is sent to.
fn redirected(command: Command<'_>) -> Option<String> {
    let writes = |operator| {
        matches!(
            operator,
            RedirectOperator::Write
                | RedirectOperator::Append
                | RedirectOperator::WriteAll
                | RedirectOperator::AppendAll
        )
    };
    let redirect = command
        .redirects()
        .find(|redirect| writes(redirect.operator()) && matches!(redirect.descriptor(), None | Some(b"1")))?;
    Some(redirect.target().text().into_owned()).filter(|file| file != "/dev/null" && file != "/dev/stdout")
}

fn in_directory(directory: Option<&str>, file: &str) -> String {
    match directory {
        Some(directory) if !file.starts_with('/') => format!("{}/{file}", directory.trim_end_matches('/')),
        Some(_) | None => file.to_owned(),
    }
}

/// The name under which a server's file is kept: the last part of the address.
fn remote_name(url: &str) -> Option<&str> {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let name = Some(file_name(path)).filter(|name| !name.is_empty())?;
    (path.contains("://") && path.matches('/').count() > 2 || path.contains('$') || !path.contains("://"))
        .then_some(name)
}

/// How a program takes its options.
struct Options {
    /// Short options with a value, then long ones.
    short_values: &'static str,
    long_values: &'static [&'static str],
    output: &'static [&'static str],
    directory: &'static [&'static str],
    remote_name: &'static [&'static str],
    names_itself: bool,
}

const CURL: Options = Options {
    short_values: "AbcCdDeEFhHKmoPQrTtuUwxXyYz",
    long_values: &[
        "--output",
        "--output-dir",
        "--user-agent",
        "--header",
        "--data",
        "--data-raw",
        "--data-binary",
        "--data-urlencode",
        "--request",
        "--user",
        "--proxy",
        "--cacert",
        "--capath",
        "--cert",
        "--key",
        "--retry",
        "--retry-delay",
        "--retry-max-time",
        "--connect-timeout",
        "--max-time",
        "--max-redirs",
        "--referer",
        "--cookie",
        "--cookie-jar",
        "--range",
        "--form",
        "--write-out",
        "--config",
        "--ciphers",
        "--tlsv",
        "--proto",
        "--proto-redir",
        "--resolve",
        "--continue-at",
        "--speed-limit",
        "--speed-time",
        "--limit-rate",
        "--dump-header",
        "--netrc-file",
        "--oauth2-bearer",
        "--interface",
        "--upload-file",
        "--tls-max",
        "--socks5",
        "--url-query",
        "--unix-socket",
        "--parallel-max",
        "--time-cond",
    ],
    output: &["-o", "--output"],
    directory: &["--output-dir"],
    remote_name: &["-O", "--remote-name", "-J", "--remote-header-name", "--remote-name-all"],
    names_itself: false,
};

const WGET: Options = Options {
    short_values: "aeioOPtTUwQBARDlIX",
    long_values: &[
        "--output-document",
        "--directory-prefix",
        "--output-file",
        "--append-output",
        "--header",
        "--tries",
        "--timeout",
        "--user-agent",
        "--user",
        "--password",
        "--http-user",
        "--http-password",
        "--post-data",
        "--post-file",
        "--input-file",
        "--wait",
        "--waitretry",
        "--ca-certificate",
        "--ca-directory",
        "--certificate",
        "--private-key",
        "--load-cookies",
        "--save-cookies",
        "--referer",
        "--limit-rate",
        "--accept",
        "--reject",
        "--read-timeout",
        "--connect-timeout",
        "--dns-timeout",
        "--cut-dirs",
        "--level",
        "--execute",
        "--progress",
        "--domains",
        "--base",
        "--secure-protocol",
        "--method",
        "--body-data",
    ],
    output: &["-O", "--output-document"],
    directory: &["-P", "--directory-prefix"],
    remote_name: &[],
    names_itself: true,
};

const ARIA: Options = Options {
    short_values: "dosxjkik",
    long_values: &["--dir", "--out", "--split", "--max-connection-per-server", "--checksum"],
    output: &["-o", "--out", "--output"],
    directory: &["-d", "--dir"],
    remote_name: &[],
    names_itself: true,
};

/// The option that a word is, the last one of a cluster, with the value that is part of the word.
///
/// `-fsSLo file` is `-o`, its value in the next word; `-qO-` is `-O` with the value `-`.
fn option<'t>(text: &'t str, options: &Options) -> Option<Given<'t>> {
    if text.len() < 2 || !text.starts_with('-') || !text.is_ascii() {
        return None;
    }
    if text.starts_with("--") {
        let (name, joined) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        return Some(Given { name, joined, takes_value: options.long_values.contains(&name) });
    }
    for (at, letter) in text.char_indices().skip(1) {
        let found = SHORT.iter().copied().find(|short| short.ends_with(letter)).unwrap_or("-?");
        if options.short_values.contains(letter) {
            let joined = Some(&text[at + 1..]).filter(|value| !value.is_empty());
            return Some(Given { name: found, joined, takes_value: true });
        }
        if options.remote_name.contains(&found) {
            return Some(Given { name: found, joined: None, takes_value: false });
        }
    }
    Some(Given { name: "-?", joined: None, takes_value: false })
}

/// An option as it is given.
struct Given<'t> {
    /// Its name; of short ones that mean nothing here `-?`.
    name: &'t str,
    /// The value in the same word.
    joined: Option<&'t str>,
    /// Whether the next word is its value, if none is in the same.
    takes_value: bool,
}

/// Short options that mean something here, as `'static` names.
const SHORT: [&str; 6] = ["-o", "-O", "-J", "-P", "-d", "-k"];

/// What becomes of a downloaded file, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// It is run, or handed to an interpreter.
    Run,
    /// It is made executable, or put where programs are.
    Program,
    /// A package manager installs it.
    Install,
    /// It is unpacked.
    Unpack,
}

/// Commands that are looked at to see what becomes of the downloads of one stage; no real stage comes near.
const MOST_LOOKS: usize = 300_000;

/// A download, and the first thing in its stage that trusts what it brought.
#[derive(Clone, Debug)]
pub struct Trusted<'m> {
    /// The download.
    pub download: Download<'m>,
    /// What becomes of it.
    pub used_as: Use,
    /// The command that does that.
    pub by: StepCommand<'m>,
}

impl<'m> Stage<'m> {
    /// What the steps of this stage download.
    pub fn downloads(self) -> impl Iterator<Item = Download<'m>> {
        self.steps().flat_map(Step::downloads)
    }

    /// The downloads whose content is trusted (run, installed, unpacked) although nothing in the step checks it.
    ///
    /// A checksum or signature that is verified anywhere in the step counts for all that the step downloads, unless it
    /// names one of the files; one in a later step counts if that step names the file.
    pub fn unverified_downloads(self) -> Vec<Trusted<'m>> {
        let mut found = Vec::new();
        let mut looks = MOST_LOOKS;
        for step in self.steps() {
            let downloads: Vec<_> = step.downloads().collect();
            if downloads.is_empty() {
                continue;
            }
            let Some(verified) = step.verified_files(&downloads) else { continue };
            for download in downloads {
                if download.file_key().is_some_and(|key| verified.contains(&key)) {
                    continue;
                }
                if let Some((used_as, by)) = step.trust_in(&download, &mut looks) {
                    found.push(Trusted { download, used_as, by });
                }
            }
        }
        found
    }
}

impl<'m> Step<'m> {
    /// What it downloads.
    pub fn downloads(self) -> impl Iterator<Item = Download<'m>> {
        self.commands_beside(Download::PROGRAMS).filter_map(Download::read)
    }

    /// Whether a command of it verifies a checksum or signature of `file`.
    pub fn verifies(self, file: &str) -> bool {
        self.scripts().iter().any(|script| script.verifies(is_verification) && mentions(script, file))
    }

    /// The files of `downloads` that commands of the step verify by name; `None` where one verifies what it does not
    /// name, which may be all of them.
    fn verified_files(self, downloads: &[Download<'m>]) -> Option<HashSet<String>> {
        if !self.scripts().iter().any(|script| script.verifies(is_verification)) {
            return Some(HashSet::new());
        }
        let files: HashSet<String> = downloads.iter().filter_map(Download::file_key).collect();
        let checks = self.commands().filter(|command| is_verification(command.command));
        checks.map(|command| checked_file(command).filter(|file| files.contains(file))).collect()
    }

    /// The first command behind a download that trusts what it brought, in this step or a later one of the stage.
    ///
    /// `looks` is how many commands may still be looked at; without any left nothing is told.
    fn trust_in(self, download: &Download<'m>, looks: &mut usize) -> Option<(Use, StepCommand<'m>)> {
        if let Some(consumer) = download.consumer() {
            let by = StepCommand { command: consumer, ..download.command };
            return use_of_input(by).map(|used_as| (used_as, by));
        }
        let Output::File(file) = &download.output else { return None };
        if is_program_place(file) {
            return Some((Use::Program, download.command));
        }
        let mut step = Some(self);
        while let Some(current) = step {
            *looks = looks.checked_sub(current.command_count())?;
            if current != self && current.verifies(file_name(file)) {
                return None;
            }
            let mut behind =
                current.commands().filter(|command| current != self || is_behind(*command, download.command));
            if let Some(found) = behind.find_map(|command| Some((use_of_file(command, file)?, command))) {
                return Some(found);
            }
            step = current.next();
        }
        None
    }
}

fn is_behind(command: StepCommand<'_>, other: StepCommand<'_>) -> bool {
    command.span().start > other.span().start
}

fn mentions(script: &StepScript, file: &str) -> bool {
    memchr::memmem::find(script.script.text(), file.as_bytes()).is_some()
}

/// The last part of a path; `${name}` is the same as `$name`.
pub(super) fn name_key(path: &str) -> String {
    file_name(path).replace(['{', '}'], "")
}

/// The one file that `echo "checksum  file" | sha256sum -c` checks.
pub(super) fn checked_file(command: StepCommand<'_>) -> Option<String> {
    let Some(Element::Command(index)) = command.command.piped_from() else { return None };
    let writer = command.command.script().command(index);
    if writer.name() != Some("echo") {
        return None;
    }
    let texts: Vec<_> = writer.arguments().map(Word::text).collect();
    let text = texts.join(" ");
    let mut words = text.split([' ', '*']).filter(|word| !word.is_empty());
    let (Some(_checksum), Some(file), None) = (words.next(), words.next(), words.next()) else { return None };
    (!file.contains(['\n', '(', '\\'])).then(|| name_key(file))
}

/// Whether a command checks the content of a file against a checksum, or its signature.
fn is_verification(command: Command<'_>) -> bool {
    let Some(invocation) = command.invocation() else { return false };
    let Some(name) = invocation.name() else { return false };
    let has = |wanted: &[&str]| invocation.arguments().any(|word| wanted.contains(&&*word.text()));
    match name {
        "sha256sum" | "sha512sum" | "sha384sum" | "sha224sum" | "sha1sum" | "md5sum" | "shasum" | "b2sum" | "b3sum"
        | "cksum" | "gsha256sum" => {
            // `[ "$(sha256sum x)" = … ]` compares as well as `-c` does.
            invocation.has_option(Some('c'), "check", "a")
                || command.blocks().next().is_some()
                || command.piped_into().is_some()
        }
        "gpg" | "gpg2" => has(&["--verify", "--verify-files"]) || invocation.has_option(Some('d'), "decrypt", ""),
        "gpgv" | "gpgv2" | "cosign" | "minisign" | "signify" | "signify-openbsd" | "slsa-verifier" | "sigstore"
        | "notation" | "debsig-verify" | "dpkg-sig" | "checksum" | "verify" => true,
        "openssl" => has(&["dgst", "sha256", "sha512", "cms", "smime"]),
        "rpm" => has(&["-K", "--checksig", "-Kv"]),
        "rpmkeys" => has(&["-K", "--checksig"]),
        "apk" => has(&["verify"]),
        "gh" => has(&["attestation"]),
        "php" => {
            has(&["-r"])
                && invocation.arguments().any(|word| memchr::memmem::find(word.bytes(), b"hash_file").is_some())
        }
        "python" | "python3" => {
            invocation.arguments().any(|word| memchr::memmem::find(word.bytes(), b"hashlib").is_some())
        }
        "grep" | "test" | "[" => false,
        _ => [&b"checksum"[..], b"verify", b"sha256"].iter().any(|part| holds(name.as_bytes(), part)),
    }
}

/// What a command does with its standard input.
fn use_of_input(command: StepCommand<'_>) -> Option<Use> {
    let invocation = command.invocation()?;
    match invocation.name()? {
        name if is_interpreter(name) => Some(Use::Run),
        "tar" | "bsdtar" | "cpio" | "unzip" | "funzip" => Some(Use::Unpack),
        _ => None,
    }
}

/// What a command does with `file`, if it trusts it.
pub(super) fn use_of_file(command: StepCommand<'_>, file: &str) -> Option<Use> {
    let invocation = command.invocation()?;
    let name = invocation.name_word();
    if same_file(&name.text(), file) && name.text().contains('/') {
        return Some(Use::Run);
    }
    // Words that end in another character name other files, and nearly all do.
    let ends_so = |text: &[u8]| match (text.last(), file.as_bytes().last()) {
        (Some(one), Some(other)) => one == other || !one.is_ascii() || !other.is_ascii(),
        (None, _) | (_, None) => false,
    };
    if !invocation.arguments().any(|word| ends_so(word.bytes()) && same_file(&word.text(), file)) {
        return None;
    }
    if let Some(call) = PackageCommand::read(invocation) {
        let installs = call.action == Action::Install && call.operands.iter().any(|word| same_file(&word.text(), file));
        return installs.then_some(Use::Install);
    }
    let used_as = match invocation.name()? {
        interpreter if is_interpreter(interpreter) || matches!(interpreter, "." | "source" | "java") => Use::Run,
        "tar" | "bsdtar" | "unzip" | "gunzip" | "unxz" | "7z" | "7za" | "7zr" | "cpio" | "dpkg-deb" | "rpm2cpio"
        | "gzip" | "xz" => Use::Unpack,
        "chmod" if makes_executable(invocation) => Use::Program,
        "install" | "mv" | "cp" if invocation.arguments().last().is_some_and(|word| is_program_place(&word.text())) => {
            Use::Program
        }
        "installer" => Use::Install,
        _ => return None,
    };
    Some(used_as)
}

fn makes_executable(invocation: Invocation<'_>) -> bool {
    let Some(mode) = invocation.arguments().find(|word| !word.bytes().starts_with(b"--")) else { return false };
    let mode = mode.text();
    mode.contains("+x")
        || mode.contains("+rx")
        || mode.bytes().all(|byte| byte.is_ascii_digit()) && mode.bytes().any(|byte| byte % 2 == 1)
}

/// Whether two paths name the same file, as far as the last part tells; variables are compared as written.
fn same_file(written: &str, file: &str) -> bool {
    let written = written.trim_start_matches("file://");
    !written.starts_with('-') && !file_name(written).is_empty() && file_name(written) == file_name(file)
}

/// Whether a program runs the script that it is given.
pub fn is_interpreter(name: &str) -> bool {
    let name = name.strip_suffix(".exe").unwrap_or(name);
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    matches!(
        base,
        "sh" | "bash"
            | "dash"
            | "ash"
            | "zsh"
            | "ksh"
            | "fish"
            | "python"
            | "perl"
            | "ruby"
            | "node"
            | "nodejs"
            | "php"
            | "lua"
            | "pwsh"
            | "powershell"
            | "eval"
            | "deno"
            | "bun"
    )
}
