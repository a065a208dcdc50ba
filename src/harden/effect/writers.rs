//! Programs that write, make or remove files at places that they are told.
//!
//! Sources: the manual pages of the GNU core utilities, of tar(1), unzip(1), sed(1), git(1), openssl(1), rsync(1) and
//! of the other programs named, and the usage texts of `BusyBox`.

use super::{
    Kind, Places,
    command::Call,
    places::{absolute, home},
};
use crate::{
    model::{
        Options, Valued, file_name, join_path,
        packages::{Manager, PackageCommand},
    },
    syntax::shell::Word,
};

/// What a program does that writes files; `None` for others.
#[allow(clippy::match_same_arms, reason = "the arms are sorted by what the programs do")]
pub(super) fn of_program<'m>(call: Call<'m, '_>, name: &'m str) -> Option<Kind<'m>> {
    let options = |short, long| Options::of(call.command, call.invocation, Valued { short, long });
    let files = |words: Vec<Word<'m>>| Kind::Files(call.written_places(words));
    Some(match name {
        "cp" | "mv" => target(call, &options("tS", &["target-directory", "suffix"])),
        "ln" => linked(call, &options("tS", &["target-directory", "suffix"])),
        "install" => {
            let options = options("mgotS", &["mode", "group", "owner", "target-directory", "suffix"]);
            if options.has(Some('d'), "directory") {
                Kind::Directories(call.written_places(options.operands))
            } else {
                target(call, &options)
            }
        }
        "rsync" | "scp" => target(call, &options("ef", &["rsh", "exclude", "include", "exclude-from", "filter"])),
        "mkdir" => Kind::Directories(call.written_places(options("m", &["mode"]).operands)),
        "touch" => files(options("drt", &["date", "reference"]).operands),
        "tee" => files(options("", &[]).operands),
        "truncate" | "fallocate" => files(options("srlo", &["size", "reference", "length", "offset"]).operands),
        "mkfifo" | "mknod" => files(call.operands().take(1).collect()),
        "sed" => edited(call, &options("efl", &["expression", "file", "line-length"]), "in-place"),
        "perl" if has_letter(call, 'i') => edited(call, &options("eEIMm", &[]), "in-place"),
        "yq" | "xmlstarlet" if has_letter(call, 'i') || has_letter(call, 'L') => Kind::Files(call.here()),
        "yq" | "xmlstarlet" | "xmllint" => Kind::Transient,
        "dos2unix" | "unix2dos" => files(options("c", &[]).operands),
        "chmod" => modes(call, has_letter(call, 'r') || !call.has("--reference")),
        "chown" | "chgrp" | "setcap" | "chattr" | "setfacl" | "fix-permissions" => {
            modes(call, name != "fix-permissions")
        }
        "rm" | "rmdir" | "unlink" | "shred" => Kind::Removes(named(call, call.operands().collect())),
        "find" => found(call),
        "tar" | "bsdtar" => archive(call),
        "unzip" => unzipped(call, &options("dxP", &[])),
        "gunzip" | "gzip" | "bunzip2" | "bzip2" | "xz" | "unxz" | "lzma" | "unlzma" | "zstd" | "unzstd" | "lz4"
        | "brotli" => compressed(call, &options("STo", &["suffix", "threads"])),
        "7z" | "7za" | "7zr" => seven_zip(call),
        "unrar" | "unsquashfs" | "cabextract" => Kind::Files(call.here()),
        "zip" => files(call.operands().take(1).collect()),
        "cpio" | "ar" => Kind::Files(call.here()),
        "dpkg-deb" => files(call.operands().skip(1).collect()),
        "rpm2cpio" | "gpgconf" => Kind::Transient,
        "dd" => Kind::Files(with_prefix(call, "of=")),
        "patch" => patched(call, &options("piodDFBrzV", &["input", "directory", "output", "strip"])),
        "split" | "csplit" => Kind::Files(call.here()),
        "sort" => match options("oktST", &["output", "key"]).value_word(Some('o'), "output") {
            Some((word, 0)) => files(vec![word]),
            Some(_) => Kind::Files(Places::hidden()),
            None => Kind::Transient,
        },
        "mktemp" => Kind::Transient,
        "git" => git(call),
        "svn" | "hg" => checked_out(call),
        "openssl" => written_by_options(call, &["-out", "-keyout", "-CAserial"]),
        "ssh-keygen" => written_by_options(call, &["-f"]),
        "ssh-keyscan" => Kind::Transient,
        "keytool" => written_by_options(call, &["-keystore", "-destkeystore", "-file"]),
        // Keys to verify with leave nothing that is read when the image runs.
        "gpg" | "gpg2" => written_by_options(call, &["-o", "--output"]),
        "htpasswd" => files(call.operands().take(1).collect()),
        "." | "source" => return sourced(call),
        _ => return None,
    })
}

/// What `cp`, `mv`, `install` and their like write: the last word, or what `-t` says.
fn target<'m>(call: Call<'m, '_>, options: &Options<'m>) -> Kind<'m> {
    match options.value_word(Some('t'), "target-directory") {
        Some((word, 0)) => Kind::Files(call.written_places([word])),
        Some((word, skip)) => {
            let path = word.literal().and_then(|text| text.get(skip..));
            Kind::Files(Places::of(path.and_then(|path| absolute(call.directory, path))))
        }
        None => Kind::Files(call.written_places(options.operands.last().copied())),
    }
}

/// A link: at its second word, or in the working directory under the name of the first.
fn linked<'m>(call: Call<'m, '_>, options: &Options<'m>) -> Kind<'m> {
    let is_temporary = |word: &Word<'m>| {
        let path = call.command.value(*word);
        path.is_some_and(|path| path.starts_with("/tmp/") || path.starts_with("/var/tmp/"))
    };
    if options.operands.iter().take(options.operands.len().max(2) - 1).any(is_temporary) {
        return Kind::Unknown("ln -s` to a place for temporary files, or `ln".to_owned());
    }
    match options.operands.as_slice() {
        [only] if !options.has(Some('t'), "target-directory") => {
            let name = call.command.value(*only).map(|path| file_name(&path).to_owned());
            Kind::Files(Places::of(name.and_then(|name| absolute(call.directory, &name))))
        }
        _ => target(call, options),
    }
}

/// Files that an editor changes where they are, where it is told so.
fn edited<'m>(call: Call<'m, '_>, options: &Options<'m>, long: &str) -> Kind<'m> {
    if !options.has(Some('i'), long) {
        return Kind::Transient;
    }
    let has_program = options.has(Some('e'), "expression") || options.has(Some('f'), "file");
    let words = options.operands.iter().skip(usize::from(!has_program)).copied();
    Kind::Files(call.written_places(words))
}

fn modes<'m>(call: Call<'m, '_>, has_mode: bool) -> Kind<'m> {
    Kind::Modes(named(call, call.operands().skip(usize::from(has_mode)).collect()))
}

/// Places that are named exactly, patterns kept.
fn named<'m>(call: Call<'m, '_>, words: Vec<Word<'m>>) -> Places {
    let words = words.into_iter().filter(|word| word.bytes() != b"{}");
    let mut places = Places::named(call.command, call.directory, words);
    places.is_hidden |= call.takes_more();
    places
}

/// `find` itself; what it runs is told on its own.
fn found<'m>(call: Call<'m, '_>) -> Kind<'m> {
    if call.has("-delete") { Kind::Removes(Places::hidden()) } else { Kind::Transient }
}

/// Whether one of the short options has that letter.
fn has_letter(call: Call<'_, '_>, letter: char) -> bool {
    call.arguments().any(|word| {
        let text = word.text();
        text.starts_with('-') && !text.starts_with("--") && text.contains(letter)
    })
}

/// `tar`: unpacks where `-C` says, or packs into what `-f` says.
fn archive<'m>(call: Call<'m, '_>) -> Kind<'m> {
    const VALUED: Valued = Valued {
        short: "CfTXIbgHLNKFV",
        long: &["directory", "file", "exclude", "strip-components", "transform", "files-from", "use-compress-program"],
    };
    let options = Options::of(call.command, call.invocation, VALUED);
    // The first word needs no dash: `tar xzf x.tgz`.
    let bundled = call.arguments().next().filter(|word| !word.bytes().starts_with(b"-")).map(Word::text);
    let does = |letter: char, long: &str| {
        options.has(Some(letter), long) || bundled.as_ref().is_some_and(|word| word.contains(letter))
    };
    let place = |short, long| match options.value_word(Some(short), long) {
        Some((word, 0)) => call.written_places([word]),
        Some((word, skip)) => {
            Places::of(word.literal().and_then(|text| text.get(skip..)).and_then(|path| absolute(call.directory, path)))
        }
        None => call.here(),
    };
    if does('x', "extract") || options.has(None, "get") {
        return Kind::Files(if call.takes_more() { Places::hidden() } else { place('C', "directory") });
    }
    if does('t', "list") {
        return Kind::Transient;
    }
    match &bundled {
        Some(bundled) if bundled.contains('f') => Kind::Files(call.written_places(options.operands.get(1).copied())),
        Some(_) => Kind::Transient,
        None if options.value_word(Some('f'), "file").is_some_and(|(word, _)| word.bytes() == b"-") => Kind::Transient,
        None => Kind::Files(place('f', "file")),
    }
}

fn unzipped<'m>(call: Call<'m, '_>, options: &Options<'m>) -> Kind<'m> {
    let only_shows = ['l', 't', 'p', 'v', 'Z'].iter().any(|letter| options.has(Some(*letter), ""));
    if only_shows {
        return Kind::Transient;
    }
    match options.value_word(Some('d'), "") {
        Some((word, 0)) => Kind::Files(call.written_places([word])),
        Some((word, skip)) => Kind::Files(Places::of(
            word.literal().and_then(|text| text.get(skip..)).and_then(|path| absolute(call.directory, path)),
        )),
        None => Kind::Files(call.here()),
    }
}

/// What packs or unpacks a file beside it.
fn compressed<'m>(call: Call<'m, '_>, options: &Options<'m>) -> Kind<'m> {
    let to_output = options.has(Some('c'), "stdout") || options.has(Some('t'), "test") || options.operands.is_empty();
    if to_output && !call.takes_more() {
        return Kind::Transient;
    }
    Kind::Files(call.written_places(options.operands.iter().copied()))
}

fn seven_zip<'m>(call: Call<'m, '_>) -> Kind<'m> {
    let to = call.arguments().find_map(|word| word.literal()?.strip_prefix("-o"));
    match (call.verb(), to) {
        (Some("x" | "e"), Some(to)) => Kind::Files(Places::of(absolute(call.directory, to))),
        (Some("x" | "e"), None) => Kind::Files(call.here()),
        (Some("l" | "t"), _) => Kind::Transient,
        _ => Kind::Files(call.written_places(call.operands().nth(1))),
    }
}

fn patched<'m>(call: Call<'m, '_>, options: &Options<'m>) -> Kind<'m> {
    match options.value_word(Some('d'), "directory").or_else(|| options.value_word(Some('o'), "output")) {
        Some((word, 0)) => Kind::Files(call.written_places([word])),
        Some(_) => Kind::Files(Places::hidden()),
        None => match options.operands.first() {
            Some(file) => Kind::Files(call.written_places([*file])),
            None => Kind::Files(call.here()),
        },
    }
}

/// The places behind `of=` and the like.
fn with_prefix(call: Call<'_, '_>, prefix: &str) -> Places {
    let mut places = Places::default();
    for word in call.arguments().filter(|word| word.text().starts_with(prefix)) {
        let path = word.literal().and_then(|text| text.strip_prefix(prefix));
        places.push(path.and_then(|path| absolute(call.directory, path)));
    }
    places
}

/// What programs write that take each file behind an option in a word of its own.
fn written_by_options<'m>(call: Call<'m, '_>, options: &[&str]) -> Kind<'m> {
    let mut words = call.arguments();
    let mut files = Vec::new();
    while let Some(word) = words.next() {
        if options.iter().any(|option| word.bytes() == option.as_bytes()) {
            files.extend(words.next());
        }
    }
    let mut places = call.written_places(files);
    places.known.retain(|path| !path.starts_with("/dev/"));
    if places.is_empty() { Kind::Transient } else { Kind::Files(places) }
}

/// What `git` does to the files of its working tree.
fn git<'m>(call: Call<'m, '_>) -> Kind<'m> {
    let options = Options::of(call.command, call.invocation, GIT);
    let tree = match options.value_word(Some('C'), "") {
        Some((word, 0)) => call.written_places([word]),
        Some(_) => Places::hidden(),
        None => call.here(),
    };
    let Some(verb) = options.operands.first().and_then(|word| word.literal()) else { return Kind::Files(tree) };
    match verb {
        "clone" => cloned(call, &options, &tree),
        "config" if options.has(None, "global") || options.has(None, "system") => Kind::System("git config"),
        "checkout" | "reset" | "pull" | "fetch" | "submodule" | "apply" | "am" | "merge" | "rebase" | "clean"
        | "stash" | "switch" | "restore" | "lfs" | "add" | "commit" | "cherry-pick" | "remote" | "tag" | "gc"
        | "config" | "worktree" | "branch" | "revert" | "reflog" | "read-tree" | "sparse-checkout" => Kind::Files(tree),
        "init" => match options.operands.get(1) {
            Some(word) => Kind::Files(call.written_places([*word])),
            None => Kind::Files(tree),
        },
        "archive" => written_by_options(call, &["-o", "--output"]),
        "describe" | "rev-parse" | "log" | "show" | "diff" | "status" | "ls-remote" | "ls-files" | "rev-list"
        | "version" | "grep" | "cat-file" | "hash-object" => Kind::Transient,
        other => Kind::Unknown(format!("git {other}")),
    }
}

const GIT: Valued = Valued {
    short: "Cbcojr",
    long: &["git-dir", "work-tree", "branch", "depth", "config", "origin", "jobs", "reference", "filter"],
};

/// `git clone`: where it is told, or under the name of the repository.
fn cloned<'m>(call: Call<'m, '_>, options: &Options<'m>, tree: &Places) -> Kind<'m> {
    match options.operands.get(1..) {
        Some([_, to, ..]) => Kind::Files(call.written_places([*to])),
        Some([from]) => {
            let text = from.text();
            let name = file_name(text.trim_end_matches('/')).trim_end_matches(".git");
            let is_certain = !name.contains(['$', '`', ')', '}']) && !name.is_empty();
            let place = tree.known.first().filter(|_| is_certain).map(|tree| join_path(tree, name));
            Kind::Files(Places::of(place))
        }
        _ => Kind::Files(Places::hidden()),
    }
}

/// `svn checkout`, `hg clone`.
fn checked_out<'m>(call: Call<'m, '_>) -> Kind<'m> {
    match (call.verb(), call.operands().count()) {
        (Some("co" | "checkout" | "clone" | "export"), 3..) => {
            Kind::Files(call.written_places(call.operands().next_back()))
        }
        _ => Kind::Files(call.here()),
    }
}

/// A script that only sets variables of the shell.
fn sourced<'m>(call: Call<'m, '_>) -> Option<Kind<'m>> {
    let file = call.operands().next()?;
    let text = file.text();
    let name = file_name(&text);
    let is_environment = matches!(
        name,
        "activate"
            | "env"
            | "profile"
            | "bashrc"
            | ".bashrc"
            | ".profile"
            | ".bash_profile"
            | "os-release"
            | "lsb-release"
            | "envvars"
            | "nvm.sh"
            | "conda.sh"
            | "setup.bash"
            | "setup.sh"
            | "sdkman-init.sh"
            | "emsdk_env.sh"
            | "rvm"
            | "rvm.sh"
            | "asdf.sh"
            | "enable"
            | ".env"
    );
    is_environment.then_some(Kind::Transient)
}

/// A file that a download writes, as the command has it.
pub(super) fn file_as_written(call: Call<'_, '_>, file: &str) -> Places {
    let word = call.arguments().find(|word| word.text() == file);
    if let Some(word) = word {
        return call.written_places([word]);
    }
    if let Some(rest) = file.strip_prefix("~/") {
        return Places::of(home(call.command.step).map(|home| join_path(&home, rest)));
    }
    let is_literal = !file.contains(['$', '`', '*', '?', '{']);
    if is_literal {
        return Places::of(absolute(call.directory, file));
    }
    let known = file.split(['$', '`', '*', '?', '{']).next().unwrap_or_default();
    let directory = known.rfind('/').filter(|&at| at > 0).map(|at| &known[..at]);
    match (directory, file.starts_with('$')) {
        (Some(directory), _) => Places::of(absolute(call.directory, directory)),
        (None, false) if !file.contains('/') => call.here(),
        (None, _) => Places::hidden(),
    }
}

/// What managers of the distribution do besides installing.
pub(super) fn other_of_manager<'m>(call: Call<'m, '_>, package: &PackageCommand<'m>) -> Kind<'m> {
    let verb = package.verb.map(Word::text).unwrap_or_default();
    let has = |words: &[&str]| words.iter().any(|word| call.has(word));
    match package.manager {
        Manager::Dpkg if has(&["-x", "-X", "--extract"]) => {
            Kind::Files(call.written_places(call.operands().next_back()))
        }
        Manager::Dpkg if has(&["--add-architecture", "--configure", "--force-confdef", "--clear-selections"]) => {
            Kind::System("dpkg")
        }
        Manager::Rpm if has(&["--import", "--rebuilddb", "--initdb"]) => Kind::System("rpm"),
        Manager::Apt => match &*verb {
            "download" | "source" => Kind::Files(call.here()),
            _ => Kind::Transient,
        },
        Manager::Yum | Manager::Dnf | Manager::Microdnf | Manager::Tdnf => match &*verb {
            "config-manager" | "copr" | "versionlock" => Kind::System(package.program),
            "groupinstall" | "install-n" | "localinstall" => {
                Kind::Packages { manager: package.manager, names: Vec::new(), is_complete: false }
            }
            _ => Kind::Transient,
        },
        Manager::Zypper => match &*verb {
            "addrepo" | "ar" | "removerepo" | "rr" | "modifyrepo" | "mr" => Kind::System(package.program),
            _ => Kind::Transient,
        },
        _ => Kind::Transient,
    }
}
