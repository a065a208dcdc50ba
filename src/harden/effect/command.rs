//! What one command does to the image.
//!
//! Sources of the command lines: the manual pages of the programs named; see also `language` and `writers`.

use super::{Kind, Places, language, writers};
use crate::{
    model::{
        StepCommand,
        downloads::{Download, Output, is_interpreter},
        file_name, is_program_directory, join_path,
        packages::{Action, PackageCommand},
    },
    syntax::shell::{Invocation, Word, Wrapper},
};

/// What a command does, and what `find` makes it run.
pub(super) fn kinds<'m>(command: StepCommand<'m>, directory: Option<&str>) -> Vec<Kind<'m>> {
    let mut kinds = Vec::new();
    for invocation in command.command.invocations() {
        of_invocation(Call { command, invocation, directory }, &mut kinds);
    }
    kinds
}

/// One program that is called, and where.
#[derive(Clone, Copy)]
pub(super) struct Call<'m, 'd> {
    pub(super) command: StepCommand<'m>,
    pub(super) invocation: Invocation<'m>,
    pub(super) directory: Option<&'d str>,
}

impl<'m> Call<'m, '_> {
    /// The words behind the name of the program.
    pub(super) fn arguments(self) -> impl DoubleEndedIterator<Item = Word<'m>> + ExactSizeIterator + Clone {
        self.invocation.arguments()
    }

    /// Whether one of the words behind the name is `text`.
    pub(super) fn has(self, text: &str) -> bool {
        self.arguments().any(|word| word.bytes() == text.as_bytes())
    }

    /// The first word behind the name that is no option.
    pub(super) fn verb(self) -> Option<&'m str> {
        self.operands().next()?.literal()
    }

    /// The words behind the name that are no options.
    pub(super) fn operands(self) -> impl DoubleEndedIterator<Item = Word<'m>> + Clone {
        self.arguments().filter(|word| !word.bytes().starts_with(b"-"))
    }

    /// Whether more words than those written may follow: those of `xargs`, or the names that `find` puts in.
    pub(super) fn takes_more(self) -> bool {
        self.invocation.is_wrapped_by(Wrapper::Xargs) || self.arguments().any(|word| word.bytes() == b"{}")
    }

    /// The program as a message names it, with the script that an interpreter is given.
    fn written(self) -> String {
        let name = self.invocation.name_word().text().into_owned();
        let script = self.arguments().next().filter(|word| !word.bytes().starts_with(b"-"));
        match script.filter(|_| is_interpreter(file_name(&name))) {
            Some(script) => format!("{name} {}", script.text()),
            None => name,
        }
    }

    /// The places that words name; hidden where more may follow.
    pub(super) fn written_places(self, words: impl IntoIterator<Item = Word<'m>>) -> Places {
        let words = words.into_iter().filter(|word| word.bytes() != b"{}");
        let mut places = Places::written(self.command, self.directory, words);
        places.is_hidden |= self.takes_more();
        places
    }

    /// The place that the working directory is.
    pub(super) fn here(self) -> Places {
        Places::of(self.directory.map(str::to_owned))
    }

    /// The place of that name in the working directory.
    pub(super) fn here_in(self, name: &str) -> Places {
        Places::of(self.directory.map(|directory| join_path(directory, name)))
    }
}

fn of_invocation<'m>(call: Call<'m, '_>, kinds: &mut Vec<Kind<'m>>) {
    let invocation = call.invocation;
    let Some(path) = invocation.path() else {
        return kinds.push(Kind::Unknown(call.written()));
    };
    if invocation.is_wrapped_by(Wrapper::Chroot) {
        return kinds.push(Kind::Unknown(format!("chroot … {path}")));
    }
    if is_question(call) {
        return kinds.push(Kind::Transient);
    }
    // A script of a shell is classified command by command.
    if invocation.inline_script().is_some_and(|(word, _)| word.literal().is_some()) {
        return;
    }
    if let Some(package) = PackageCommand::read(invocation) {
        return kinds.push(packages(call, &package));
    }
    if let Some(download) = Download::read(StepCommand { command: invocation.command(), ..call.command })
        && invocation.is_wrapped_by(Wrapper::Xargs) == call.takes_more()
    {
        return kinds.push(downloaded(call, &download));
    }
    let name = file_name(path);
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let is_script = path.contains('/') && !is_program_directory(directory);
    let kind = match name {
        _ if is_script => language::of_script(call, name),
        name => of_program(call, name),
    };
    match kind {
        Some(kind) => kinds.push(kind),
        None if is_function(call, name) => kinds.push(Kind::Transient),
        None => kinds.push(Kind::Unknown(call.written())),
    }
    // What is moved is no more where it was.
    if name == "mv" {
        let mut from: Vec<Word<'m>> = call.operands().collect();
        from.pop();
        let gone = Places::named(call.command, call.directory, from);
        kinds.push(Kind::Removes(Places { is_hidden: false, ..gone }));
    }
}

fn of_program<'m>(call: Call<'m, '_>, name: &'m str) -> Option<Kind<'m>> {
    if TRANSIENT.contains(&name) {
        return Some(Kind::Transient);
    }
    if ACCOUNTS.contains(&name) {
        return Some(Kind::Accounts);
    }
    if SYSTEM.contains(&name) {
        return Some(Kind::System(name));
    }
    writers::of_program(call, name).or_else(|| language::of_program(call, name))
}

/// Whether it only asks for a version or for help.
fn is_question(call: Call<'_, '_>) -> bool {
    let mut words = call.arguments();
    let (Some(word), None) = (words.next(), words.next()) else { return false };
    let is_option = matches!(word.bytes(), b"--info" | b"--version" | b"-version" | b"--help" | b"-V");
    is_option || word.bytes() == b"-v" && !matches!(call.invocation.name(), Some("rm" | "make" | "bash" | "sh"))
}

/// Whether the script itself defines what is called; the commands of its body are told on their own.
fn is_function(call: Call<'_, '_>, name: &str) -> bool {
    use crate::syntax::shell::CompoundKind;
    let script = call.command.command.script();
    let mut functions = script.compounds().filter(|compound| compound.kind() == CompoundKind::Function);
    functions.any(|function| function.words().next().is_some_and(|word| word.bytes() == name.as_bytes()))
}

/// What a package manager is told to do.
fn packages<'m>(call: Call<'m, '_>, package: &PackageCommand<'m>) -> Kind<'m> {
    if !package.manager.is_system() {
        return language::packages(call, package);
    }
    let manager = package.manager;
    let names: Vec<String> = package.packages().map(|package| package.name.to_owned()).collect();
    match package.action {
        Action::Install => {
            let is_complete = !package.is_dynamic() && !call.takes_more();
            Kind::Packages { manager, names, is_complete }
        }
        Action::Remove => Kind::PackagesRemoved { manager, names },
        Action::Upgrade => Kind::Upgrade(manager),
        Action::Refresh | Action::Clean => Kind::Transient,
        Action::Other => writers::other_of_manager(call, package),
    }
}

fn downloaded<'m>(call: Call<'m, '_>, download: &Download<'m>) -> Kind<'m> {
    let urls = download.urls.iter().map(|url| url.text().into_owned()).collect();
    let to = match &download.output {
        Output::Stdout => Places::default(),
        Output::File(file) => writers::file_as_written(call, file),
        Output::Unknown => call.here(),
    };
    Kind::Download { urls, to }
}

/// Programs that leave nothing behind but what a redirection says.
const TRANSIENT: &[&str] = &[
    ":",
    "[",
    "[[",
    "alias",
    "apt-cache",
    "apt-config",
    "apt-mark",
    "arch",
    "awk",
    "b2sum",
    "base64",
    "basename",
    "bc",
    "bg",
    "break",
    "bzcat",
    "cat",
    "cd",
    "cksum",
    "clear",
    "cmp",
    "column",
    "comm",
    "command",
    "continue",
    "cosign",
    "cut",
    "date",
    "declare",
    "df",
    "diff",
    "dig",
    "dirname",
    "dirs",
    "dpkg-architecture",
    "dpkg-query",
    "du",
    "echo",
    "egrep",
    "env",
    "envsubst",
    "exec",
    "exit",
    "expand",
    "export",
    "expr",
    "false",
    "fgrep",
    "file",
    "fmt",
    "fold",
    "free",
    "gawk",
    "getconf",
    "getent",
    "getopts",
    "gpgv",
    "grep",
    "groups",
    "hash",
    "head",
    "hexdump",
    "host",
    "hostname",
    "id",
    "ifconfig",
    "jobs",
    "jq",
    "kill",
    "killall",
    "ldd",
    "let",
    "local",
    "locale",
    "logger",
    "logname",
    "ls",
    "lsb_release",
    "lscpu",
    "mawk",
    "md5sum",
    "more",
    "nm",
    "nproc",
    "nslookup",
    "objdump",
    "od",
    "paste",
    "pgrep",
    "ping",
    "pkg-config",
    "pkill",
    "popd",
    "printenv",
    "printf",
    "ps",
    "pushd",
    "pwd",
    "read",
    "readelf",
    "readlink",
    "readonly",
    "realpath",
    "return",
    "rev",
    "scanelf",
    "seq",
    "set",
    "sha1sum",
    "sha224sum",
    "sha256sum",
    "sha384sum",
    "sha512sum",
    "shasum",
    "shift",
    "shopt",
    "sleep",
    "stat",
    "strings",
    "stty",
    "sum",
    "sync",
    "tac",
    "tail",
    "test",
    "tput",
    "tr",
    "trap",
    "tree",
    "true",
    "tsort",
    "tty",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "uname",
    "uniq",
    "unset",
    "uptime",
    "users",
    "wait",
    "wc",
    "whereis",
    "which",
    "whoami",
    "xargs",
    "xzcat",
    "yes",
    "zcat",
    "zgrep",
];

/// Programs that make or change users and groups.
const ACCOUNTS: &[&str] = &[
    "addgroup",
    "adduser",
    "chage",
    "chfn",
    "chgpasswd",
    "chpasswd",
    "chsh",
    "delgroup",
    "deluser",
    "gpasswd",
    "groupadd",
    "groupdel",
    "groupmod",
    "newusers",
    "passwd",
    "pwconv",
    "pwunconv",
    "useradd",
    "userdel",
    "usermod",
    "vipw",
    "visudo",
];

/// Programs that are made to configure the system, each in files of its own.
const SYSTEM: &[&str] = &[
    "a2disconf",
    "a2dismod",
    "a2dissite",
    "a2enconf",
    "a2enmod",
    "a2ensite",
    "add-apt-repository",
    "alternatives",
    "apt-add-repository",
    "apt-key",
    "authselect",
    "chkconfig",
    "crontab",
    "debconf-set-selections",
    "docker-php-ext-enable",
    "dpkg-divert",
    "dpkg-reconfigure",
    "dpkg-statoverride",
    "fc-cache",
    "glib-compile-schemas",
    "gtk-update-icon-cache",
    "ldconfig",
    "lighty-enable-mod",
    "locale-gen",
    "localedef",
    "makewhatis",
    "mandb",
    "phpdismod",
    "phpenmod",
    "rc-update",
    "setup-timezone",
    "systemctl",
    "update-alternatives",
    "update-ca-certificates",
    "update-ca-trust",
    "update-crypto-policies",
    "update-desktop-database",
    "update-locale",
    "update-mime-database",
    "update-rc.d",
    "yum-config-manager",
];
