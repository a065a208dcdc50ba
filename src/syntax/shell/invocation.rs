//! Which program a command really runs: `sudo`, `env A=b`, `xargs` and the like looked through.

use super::{Command, Dialect, Word, command::file_name, tree::Program};

/// A program that runs another one, which is named among its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wrapper {
    /// `sudo`, `doas`: as root, unless told otherwise.
    Elevate,
    /// `gosu`, `su-exec`, `runuser`, `setpriv`, `chpst`: as another user.
    StepDown,
    /// `env`
    Env,
    /// `exec`: in place of the shell.
    Exec,
    /// `command`, `builtin`: not a function of that name.
    Builtin,
    /// `xargs`: with more arguments, read from its input.
    Xargs,
    /// `chroot`: in another root directory.
    Chroot,
    /// `tini`, `dumb-init`: as the child of an init.
    Init,
    /// `time`, `nice`, `nohup`, `timeout`, …: measured, slowed or limited.
    Plain,
}

/// How a wrapper takes its options.
struct Usage {
    wrapper: Wrapper,
    /// Short options with a value.
    short: &'static str,
    /// Long options with a value that may be a word of its own.
    long: &'static [&'static str],
    /// Arguments before the program.
    positional: usize,
    /// Whether `NAME=value` may stand before the program.
    assigns: bool,
}

impl Usage {
    const fn new(wrapper: Wrapper, short: &'static str) -> Self {
        Self { wrapper, short, long: &[], positional: 0, assigns: false }
    }
}

fn usage(name: &str) -> Option<Usage> {
    use Wrapper::{Builtin, Chroot, Elevate, Env, Exec, Init, Plain, StepDown, Xargs};
    Some(match name {
        "sudo" => Usage {
            long: &[
                "user",
                "group",
                "host",
                "prompt",
                "chdir",
                "chroot",
                "role",
                "type",
                "close-from",
                "command-timeout",
            ],
            assigns: true,
            ..Usage::new(Elevate, "ughpCcrtTURD")
        },
        "doas" => Usage::new(Elevate, "uCa"),
        "gosu" | "su-exec" | "chpst" => Usage { positional: 1, ..Usage::new(StepDown, "") },
        "runuser" => Usage { long: &["user", "group", "supp-group"], ..Usage::new(StepDown, "ugG") },
        "setpriv" => Usage {
            long: &[
                "reuid",
                "regid",
                "ruid",
                "euid",
                "rgid",
                "egid",
                "groups",
                "bounding-set",
                "inh-caps",
                "ambient-caps",
            ],
            ..Usage::new(StepDown, "")
        },
        "env" => Usage { long: &["unset", "chdir"], assigns: true, ..Usage::new(Env, "uC") },
        "exec" => Usage::new(Exec, "a"),
        "command" | "builtin" => Usage::new(Builtin, ""),
        "xargs" => Usage {
            long: &["arg-file", "delimiter", "max-args", "max-procs", "max-chars", "process-slot-var"],
            ..Usage::new(Xargs, "adEILnPs")
        },
        "chroot" => Usage { long: &["userspec", "groups"], positional: 1, ..Usage::new(Chroot, "") },
        "tini" => Usage::new(Init, "pe"),
        "dumb-init" => Usage { long: &["rewrite"], ..Usage::new(Init, "r") },
        "timeout" => Usage { long: &["signal", "kill-after"], positional: 1, ..Usage::new(Plain, "sk") },
        "nice" => Usage { long: &["adjustment"], ..Usage::new(Plain, "n") },
        "ionice" => Usage { long: &["class", "classdata"], ..Usage::new(Plain, "cn") },
        "time" => Usage { long: &["format", "output"], ..Usage::new(Plain, "fo") },
        "stdbuf" => Usage { long: &["input", "output", "error"], ..Usage::new(Plain, "ioe") },
        "setarch" => Usage { positional: 1, ..Usage::new(Plain, "") },
        "xvfb-run" => Usage {
            long: &["server-num", "server-args", "error-file", "auth-file", "listen-tcp", "wait"],
            ..Usage::new(Plain, "nsefpw")
        },
        "nohup" | "setsid" | "busybox" | "eatmydata" | "fakeroot" | "unbuffer" | "chronic" | "linux32" | "linux64"
        | "catchsegv" => Usage::new(Plain, ""),
        _ => return None,
    })
}

/// A program with its arguments, as a command runs it.
#[derive(Clone, Copy, Debug)]
pub struct Invocation<'s> {
    command: Command<'s>,
    /// Index of the word that names the program.
    start: usize,
    /// Index behind its last argument.
    end: usize,
    /// The program without its directory, if that is literal.
    name: Option<&'s str>,
    wrappers: u16,
}

impl<'s> Command<'s> {
    /// What the command runs in the end. Without a name (an assignment, a redirection) there is nothing to run.
    pub fn invocation(self) -> Option<Invocation<'s>> {
        let Program { word, name, wrappers } = self.data().program?;
        let start = word as usize;
        let name = name.and_then(|at| self.word(start)?.literal()?.get(at as usize..));
        Some(Invocation { command: self, start, end: self.word_count(), name, wrappers })
    }

    /// What [`Command::invocation`] answers; asked for once, by the reader.
    pub(super) fn program(self) -> Option<Program> {
        let name = self.word(0)?.literal().map(file_name);
        let found = Invocation { command: self, start: 0, end: self.word_count(), name, wrappers: 0 }.unwrapped();
        let at = found.name.and_then(|name| Some(found.path()?.len() - name.len()));
        Some(Program { word: found.start as u32, name: at.map(|at| at as u32), wrappers: found.wrappers })
    }

    /// What the command runs: [`Command::invocation`], and what `find` runs for each file with `-exec`.
    pub fn invocations(self) -> impl Iterator<Item = Invocation<'s>> {
        let invocation = self.invocation();
        let found = invocation.into_iter().flat_map(Invocation::executed);
        invocation.into_iter().chain(found)
    }
}

impl<'s> Invocation<'s> {
    /// The command it is part of.
    pub fn command(self) -> Command<'s> {
        self.command
    }

    /// The word that names the program.
    pub fn name_word(self) -> Word<'s> {
        self.command.word(self.start).expect("an invocation begins at a word")
    }

    /// The program as written, its directory included, if that is literal.
    pub fn path(self) -> Option<&'s str> {
        self.name_word().literal()
    }

    /// The program without its directory, if that is literal.
    pub fn name(self) -> Option<&'s str> {
        self.name
    }

    /// The words behind the name.
    pub fn arguments(self) -> impl DoubleEndedIterator<Item = Word<'s>> + ExactSizeIterator + Clone {
        self.command.words_between(self.start + 1, self.end)
    }

    /// Whether it was found behind a wrapper of that kind.
    pub fn is_wrapped_by(self, wrapper: Wrapper) -> bool {
        self.wrappers & (1 << wrapper as u16) != 0
    }

    /// Whether it stands in the command itself, without a wrapper.
    pub fn is_direct(self) -> bool {
        self.wrappers == 0
    }

    /// Whether it has one of these options before a `--`: `-x` alone or in a cluster (`-fx`), `--long` or
    /// `--long=value`.
    ///
    /// `valued` names the short options with a value, whose rest of the word (`-ofile`) is no cluster. What a variable
    /// may hold is not looked for.
    pub fn has_option(self, short: Option<char>, long: &str, valued: &str) -> bool {
        let words = self.arguments().take_while(|word| word.bytes() != b"--");
        words.into_iter().any(|word| {
            let text = word.text();
            if let Some(name) = text.strip_prefix("--") {
                return !long.is_empty() && name.split('=').next() == Some(long);
            }
            let Some(cluster) = word.literal().and_then(|text| text.strip_prefix('-')) else { return false };
            let flags = cluster.find(|flag| valued.contains(flag)).map_or(cluster, |at| &cluster[..=at]);
            short.is_some_and(|short| flags.contains(short))
        })
    }

    /// The script that a shell is given with `-c`, and its language.
    pub fn inline_script(self) -> Option<(Word<'s>, Dialect)> {
        let name = self.name()?;
        if matches!(name, "su" | "runuser") {
            let mut words = self.arguments().skip_while(|word| !matches!(word.bytes(), b"-c" | b"-lc" | b"--command"));
            words.next();
            return Some((words.next()?, Dialect::Posix));
        }
        let dialect = Dialect::of_program(name).filter(|dialect| dialect.is_bourne())?;
        let mut is_script_next = false;
        let mut words = self.arguments();
        while let Some(word) = words.next() {
            match word.bytes() {
                b"--" => return words.next().filter(|_| is_script_next).map(|script| (script, dialect)),
                [b'-' | b'+', b'-', ..] => {}
                [sign @ (b'-' | b'+'), cluster @ ..] if !word.is_dynamic() => {
                    is_script_next |= *sign == b'-' && cluster.contains(&b'c');
                    if let [.., b'o' | b'O'] = cluster {
                        words.next();
                    }
                }
                _ => return is_script_next.then_some((word, dialect)),
            }
        }
        None
    }

    /// Without wrappers.
    fn unwrapped(mut self) -> Self {
        while let Some((start, wrapper)) = self.wrapped() {
            self = self.at(start);
            self.wrappers |= 1 << wrapper as u16;
        }
        self
    }

    /// The same with another word as the program.
    fn at(mut self, start: usize) -> Self {
        self.start = start;
        self.name = self.path().map(file_name);
        self
    }

    /// What `find` runs.
    fn executed(self) -> impl Iterator<Item = Invocation<'s>> {
        let mut next = if self.name() == Some("find") { self.start + 1 } else { self.end };
        std::iter::from_fn(move || {
            let is_action = |word: Word<'_>| matches!(word.bytes(), b"-exec" | b"-execdir" | b"-ok" | b"-okdir");
            let start = next + self.command.words_between(next, self.end).position(is_action)? + 1;
            let ends = |word: Word<'_>| matches!(word.bytes(), b";" | b"+");
            let length = self.command.words_between(start, self.end).position(ends);
            let end = length.map_or(self.end, |length| start + length);
            next = end;
            (start < end).then(|| Invocation { end, ..self }.at(start).unwrapped())
        })
    }

    /// Where the program that this one runs is named.
    fn wrapped(self) -> Option<(usize, Wrapper)> {
        let name = self.name()?;
        let usage = usage(name)?;
        if name == "runuser" && !self.has_option(Some('u'), "user", "gG") {
            return None;
        }
        let mut index = self.start + 1;
        let mut positional = usage.positional;
        let mut options_end = false;
        loop {
            let word = self.command.word(index).filter(|_| index < self.end)?;
            let text = word.text();
            index += match text.as_bytes() {
                b"--" if !options_end => {
                    options_end = true;
                    1
                }
                // `command -v` only says where a program is.
                [b'-', b'v' | b'V', ..] if usage.wrapper == Wrapper::Builtin => return None,
                [b'-', _, ..] if !options_end => 1 + usize::from(takes_next_word(&usage, &text)),
                _ if usage.assigns && word.assigned_name().is_some() => 1,
                _ if positional > 0 => {
                    positional -= 1;
                    1
                }
                _ => return Some((index, usage.wrapper)),
            };
        }
    }
}

/// Whether the value of an option is the word behind it.
fn takes_next_word(usage: &Usage, option: &str) -> bool {
    if let Some(long) = option.strip_prefix("--") {
        return usage.long.contains(&long);
    }
    option[1..].find(|flag| usage.short.contains(flag)).is_some_and(|at| at + 2 == option.len())
}
