//! Which language a script is written in.

/// The language of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// `sh`, `dash`, `ash`; also what `/bin/sh` is where nobody knows.
    Posix,
    /// `bash`, and shells of its family.
    Bash,
    /// `cmd.exe`.
    Cmd,
    /// `powershell`, `pwsh`.
    PowerShell,
    /// Any other language: a script for it has no commands that this reader knows.
    Other,
}

impl Dialect {
    /// Whether this reader understands it.
    pub fn is_bourne(self) -> bool {
        match self {
            Dialect::Posix | Dialect::Bash => true,
            Dialect::Cmd | Dialect::PowerShell | Dialect::Other => false,
        }
    }

    /// The dialect of the program of that name or path; `None` for what is no known interpreter.
    pub fn of_program(program: &str) -> Option<Self> {
        let file = program.rsplit(['/', '\\']).next().unwrap_or(program);
        let lower = file.bytes().any(|byte| byte.is_ascii_uppercase()).then(|| file.to_ascii_lowercase());
        let file = lower.as_deref().unwrap_or(file);
        let name = file.strip_suffix(".exe").unwrap_or(file);
        match name {
            "sh" | "dash" | "ash" | "posh" | "yash" => Some(Dialect::Posix),
            "bash" | "rbash" | "ksh" | "ksh93" | "mksh" | "oksh" => Some(Dialect::Bash),
            "cmd" => Some(Dialect::Cmd),
            "powershell" | "pwsh" => Some(Dialect::PowerShell),
            "zsh" | "fish" | "csh" | "tcsh" | "nu" | "xonsh" | "perl" | "ruby" | "node" | "nodejs" | "php" | "lua"
            | "awk" | "gawk" | "tclsh" | "expect" | "deno" | "bun" => Some(Dialect::Other),
            _ if name.starts_with("python") || name.starts_with("pypy") => Some(Dialect::Other),
            _ => None,
        }
    }
}

/// The dialect that a `SHELL` instruction puts in force.
///
/// Wrappers before the shell (`conda run -n env /bin/bash -c`) are looked through; a script of the image that stands in
/// for a shell (`/usr/local/bin/shell.sh`) counts as POSIX.
pub fn dialect_of<W: AsRef<str>>(shell: &[W]) -> Dialect {
    let mut words = shell.iter().map(AsRef::as_ref);
    let first = words.clone().next().and_then(Dialect::of_program);
    let mut known = words.clone().filter_map(Dialect::of_program);
    let bourne = || known.clone().find(|dialect| dialect.is_bourne());
    if let Some(dialect) = first.or_else(bourne).or_else(|| known.next()) {
        return dialect;
    }
    match words.next() {
        Some(program) if program.rsplit(['/', '.']).next().is_some_and(|end| end == "sh" || end == "busybox") => {
            Dialect::Posix
        }
        Some(_) | None => Dialect::Other,
    }
}

/// The dialect that the first line of a script names, `None` if it has no `#!`.
pub fn dialect_of_shebang(script: &[u8]) -> Option<Dialect> {
    let line = script.strip_prefix(b"#!")?;
    let line = &line[..memchr::memchr(b'\n', line).unwrap_or(line.len())];
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_ascii_whitespace();
    let program = words.next().unwrap_or_default();
    let program = if program.ends_with("/env") {
        words.find(|word| !word.starts_with('-') && !word.contains('=')).unwrap_or_default()
    } else if program.ends_with("/busybox") {
        words.next().unwrap_or_default()
    } else {
        program
    };
    Some(Dialect::of_program(program).unwrap_or(Dialect::Other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_instruction_names_its_dialect() {
        assert_eq!(dialect_of(&["/bin/sh", "-c"]), Dialect::Posix);
        assert_eq!(dialect_of(&["/bin/bash", "-o", "pipefail", "-c"]), Dialect::Bash);
        assert_eq!(dialect_of(&["conda", "run", "-n", "env", "/bin/bash", "-c"]), Dialect::Bash);
        assert_eq!(dialect_of(&["conda", "run", "-n", "python3", "bash", "-c"]), Dialect::Bash);
        assert_eq!(dialect_of(&["powershell", "-Command", "$ErrorActionPreference = 'Stop';"]), Dialect::PowerShell);
        assert_eq!(dialect_of(&["C:\\Windows\\System32\\CMD.EXE", "/S", "/C"]), Dialect::Cmd);
        assert_eq!(dialect_of(&["/usr/local/bin/_dockerfile_shell.sh"]), Dialect::Posix);
        assert_eq!(dialect_of(&["/usr/bin/python3", "-c"]), Dialect::Other);
        assert_eq!(dialect_of::<&str>(&[]), Dialect::Other);
    }

    #[test]
    fn a_shebang_names_its_dialect() {
        assert_eq!(dialect_of_shebang(b"#!/bin/bash -ex\nls"), Some(Dialect::Bash));
        assert_eq!(dialect_of_shebang(b"#!/usr/bin/env python3\n"), Some(Dialect::Other));
        assert_eq!(dialect_of_shebang(b"#! /usr/bin/env -S A=b dash -e\n"), Some(Dialect::Posix));
        assert_eq!(dialect_of_shebang(b"#!/bin/busybox sh"), Some(Dialect::Posix));
        assert_eq!(dialect_of_shebang(b"#!"), Some(Dialect::Other));
        assert_eq!(dialect_of_shebang(b"ls"), None);
    }
}
