//! Where commands are given passwords: `chpasswd`, `mysql -p…`, `curl -u user:…`.

use super::{
    credential::{self, Name, Value},
    marks::Marks,
    options::{Options, Valued},
    programs::Programs,
    script::{StepCommand, StepScript},
    step::Step,
};
use crate::{
    syntax::shell::{Command, Element, Invocation, Redirect, Word},
    text::{Span, holds_in_any_case},
};

/// A password that is written out in a command.
#[derive(Clone, Debug)]
pub struct Password {
    /// Where it is written; the word where it cannot be told from the rest of it.
    pub span: Span,
    /// What is given it, as a message names it: the program, a variable.
    pub taker: String,
    /// What it looks like; never [`Value::Harmless`].
    pub shape: Value,
}

impl Step<'_> {
    /// The passwords that its commands are given as they stand in the file, in order; placeholders and locked accounts are none.
    pub fn passwords(self) -> Vec<Password> {
        let mut passwords: Vec<Password> = Vec::new();
        for script in self.scripts().iter().filter(|script| may_give_password(script)) {
            let (has_sql, has_options) = (may_hold_sql(script), script.has_marks(Marks::PASSWORD));
            for command in script.commands() {
                let command = StepCommand { step: self, script, command };
                Finder { command, has_sql, has_options, passwords: &mut passwords }.all();
            }
        }
        passwords.sort_by_key(|password| password.span);
        passwords.dedup_by_key(|password| password.span);
        passwords
    }
}

/// Variables that clients read a password from.
const CLIENT_VARIABLES: &[&str] =
    &["PGPASSWORD", "MYSQL_PWD", "SSHPASS", "REDISCLI_AUTH", "RESTIC_PASSWORD", "BORG_PASSPHRASE", "TWINE_PASSWORD"];

/// Options that are followed by a password, whatever the program.
const PASSWORD_OPTIONS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "db-password",
    "dbpassword",
    "admin-password",
    "root-password",
    "http-password",
    "ftp-password",
    "proxy-password",
    "requirepass",
];

/// A program that takes a password behind a short option.
struct ShortOption {
    program: &'static str,
    /// The first operand that it must have: `docker login -p`.
    subcommand: Option<&'static str>,
    letter: char,
    /// All letters that take a value.
    valued: &'static str,
}

const fn short(
    program: &'static str,
    subcommand: Option<&'static str>,
    letter: char,
    valued: &'static str,
) -> ShortOption {
    ShortOption { program, subcommand, letter, valued }
}

const SHORT_OPTIONS: &[ShortOption] = &[
    short("useradd", None, 'p', "bcdeEfgGkKlNoprRsuZ"),
    short("usermod", None, 'p', "acdefgGlopRsuvVwWZ"),
    short("sshpass", None, 'p', "fdpP"),
    short("redis-cli", None, 'a', "hpsainrudtDxX"),
    short("docker", Some("login"), 'p', "up"),
    short("podman", Some("login"), 'p', "up"),
    short("buildah", Some("login"), 'p', "up"),
    short("oc", Some("login"), 'p', "upns"),
    short("az", Some("login"), 'p', "upt"),
    short("cf", Some("login"), 'p', "upaos"),
    short("slappasswd", None, 's', "hsTc"),
];

/// Clients that take a password only glued to `-p`: `-psecret`.
const GLUED: &[&str] =
    &["mysql", "mysqladmin", "mysqldump", "mysqlimport", "mysqlcheck", "mariadb", "mariadb-admin", "mariadb-dump"];

/// How many commands in front of a pipe are looked through for an `echo`.
const NEAREST: u32 = 8;

/// Programs that are given passwords in another way than by an option that says so.
const PROGRAMS: Programs = Programs::of(&[
    "export",
    "env",
    "declare",
    "typeset",
    "useradd",
    "usermod",
    "sshpass",
    "redis-cli",
    "docker",
    "podman",
    "buildah",
    "oc",
    "az",
    "cf",
    "slappasswd",
    "mysql",
    "mysqladmin",
    "mysqldump",
    "mysqlimport",
    "mysqlcheck",
    "mariadb",
    "mariadb-admin",
    "mariadb-dump",
    "curl",
    "htpasswd",
    "rabbitmqctl",
    "grafana-cli",
    "x11vnc",
    "openssl",
    "chpasswd",
    "passwd",
    "smbpasswd",
    "vncpasswd",
    "debconf-set-selections",
]);

/// Whether a script is worth a look at each of its commands; most are not.
fn may_give_password(script: &StepScript) -> bool {
    script.may_run(PROGRAMS)
        || script.script.has_assignments()
        || script.has_marks(Marks::PASSWORD)
        || may_hold_sql(script)
}

/// Whether a script holds a clause that a password follows in SQL.
fn may_hold_sql(script: &StepScript) -> bool {
    let text = script.script.text();
    holds_in_any_case(text, b"password", 4) || holds_in_any_case(text, b"identified", 6)
}

struct Finder<'m, 'p> {
    command: StepCommand<'m>,
    /// Whether the script may hold a password in SQL, or behind an option that says so.
    has_sql: bool,
    has_options: bool,
    passwords: &'p mut Vec<Password>,
}

impl<'m> Finder<'m, '_> {
    fn all(mut self) {
        self.assignments();
        if self.has_sql {
            self.sql();
        }
        let Some(program) = self.command.name() else { return };
        self.options(program);
        self.operands(program);
        self.input(program);
    }

    /// `PGPASSWORD=… psql`, `export API_KEY=…`.
    fn assignments(&mut self) {
        let command = self.command.command;
        let own = command.assignments().filter(|assignment| assignment.literal().is_some());
        let own = own.map(|assignment| (assignment.name(), assignment.span()));
        let is_export = matches!(command.name(), Some("export" | "env" | "declare" | "typeset"));
        let exported = is_export.then(|| command.words()).into_iter().flatten();
        let exported = exported.filter(|word| word.literal().is_some());
        let exported = exported.filter_map(|word| Some((word.assigned_name()?, word.span())));
        if command.assignments().len() == 0 && !is_export {
            return;
        }
        let all: Vec<_> = own.chain(exported).collect();
        for (name, span) in all {
            let source = command.script().bytes(span);
            let Some(value) = source.get(name.len() + 1..) else { continue };
            let is_of_client = CLIENT_VARIABLES.contains(&name);
            if !is_of_client && credential::classify(name) != Name::Credential {
                continue;
            }
            let text = unquoted(value);
            let shape = credential::value_shape(text);
            let is_password = match shape {
                Value::Random => credential::judge(name, text).is_some(),
                Value::Word => is_of_client,
                Value::Known(_) | Value::Harmless => false,
            };
            if is_password {
                let start = span.start + name.len() as u32 + 1;
                self.push(Span { start, end: span.end }, name, shape);
            }
        }
    }

    /// `IDENTIFIED BY '…'`, `WITH PASSWORD '…'`.
    fn sql(&mut self) {
        const CLAUSES: &[&[u8]] = &[b"identified by ", b"password ", b"set password = "];
        // Every clause holds a blank, and few words do.
        let has_blank = |word: &Word<'m>| memchr::memchr(b' ', word.source()).is_some();
        let words: Vec<Word<'m>> = self.command.command.words().filter(has_blank).collect();
        for word in words {
            let source = word.source();
            let lower = source.to_ascii_lowercase();
            if ![&b"user "[..], b"grant ", b"role ", b"identified"]
                .iter()
                .any(|part| memchr::memmem::find(&lower, part).is_some())
            {
                continue;
            }
            for clause in CLAUSES {
                for at in memchr::memmem::find_iter(&lower, clause) {
                    self.sql_literal(word, source, at + clause.len());
                }
            }
        }
    }

    /// The text in single quotes, possibly escaped, at `at` of a word.
    fn sql_literal(&mut self, word: Word<'m>, source: &[u8], at: usize) {
        let rest = &source[at..];
        let quote = rest.iter().take(8).take_while(|byte| b"\\'\"".contains(byte)).count();
        let text = &rest[quote..];
        let Some(length) = text.iter().position(|byte| b"\\'\"".contains(byte)) else { return };
        if quote == 0 || length == 0 || text[..length].contains(&b'`') {
            return;
        }
        let start = word.span().start + (at + quote) as u32;
        self.judge(Span { start, end: start + length as u32 }, "SQL", &text[..length]);
    }

    fn options(&mut self, program: &str) {
        let entry = SHORT_OPTIONS.iter().find(|entry| entry.program == program);
        let is_client = GLUED.contains(&program);
        // Every long option says `pass`, and few commands have one.
        let may_be_long = |word: Word<'_>| {
            let text = word.bytes();
            text.starts_with(b"--") && text.windows(4).any(|part| part == b"pass")
        };
        if entry.is_none() && !is_client && !(self.has_options && self.arguments().any(may_be_long)) {
            return;
        }
        let valued = Valued { short: entry.map_or("", |entry| entry.valued), long: PASSWORD_OPTIONS };
        let options = Options::read(self.command, valued);
        for long in PASSWORD_OPTIONS {
            if let Some((word, skip)) = options.value_word(None, long) {
                self.word(word, skip, program);
            }
        }
        let has_subcommand = |name: &str| options.operands.first().is_some_and(|word| word.bytes() == name.as_bytes());
        if let Some(entry) = entry.filter(|entry| entry.subcommand.is_none_or(has_subcommand))
            && let Some((word, skip)) = options.value_word(Some(entry.letter), "")
        {
            self.word(word, skip, program);
        }
        if is_client {
            let words: Vec<Word<'m>> = self.arguments().collect();
            for word in words.into_iter().filter(|word| word.bytes().starts_with(b"-p") && word.bytes().len() > 2) {
                self.word(word, 2, program);
            }
        }
    }

    /// Passwords that stand among the operands, or in front of a colon.
    fn operands(&mut self, program: &str) {
        match program {
            "curl" => self.user_and_password(),
            "htpasswd" => self.htpasswd(),
            "mysqladmin" | "mariadb-admin" => self.behind(program, "password", 1),
            "rabbitmqctl" => {
                self.behind(program, "add_user", 2);
                self.behind(program, "change_password", 2);
            }
            "grafana-cli" => self.behind(program, "reset-admin-password", 1),
            "x11vnc" => {
                self.behind(program, "-storepasswd", 1);
                self.behind(program, "-passwd", 1);
            }
            "openssl" => self.openssl(),
            _ => {}
        }
    }

    /// The word `distance` behind the operand `keyword`.
    fn behind(&mut self, program: &str, keyword: &str, distance: usize) {
        let words = self.arguments().skip_while(|word| word.bytes() != keyword.as_bytes());
        let word = words.skip(distance).find(|word| !word.bytes().starts_with(b"-"));
        if let Some(word) = word {
            self.word(word, 0, program);
        }
    }

    fn user_and_password(&mut self) {
        let may_be_option = |word: Word<'_>| matches!(word.bytes(), [b'-', rest @ ..] if rest.iter().any(|byte| matches!(byte, b'u' | b'U')));
        if !self.arguments().any(may_be_option) {
            return;
        }
        let options =
            Options::read(self.command, Valued { short: "AbcCdDeEFhHKmoPQrtTuUwxXyYz", long: &["user", "proxy-user"] });
        let given = [options.value_word(Some('u'), "user"), options.value_word(Some('U'), "proxy-user")];
        for (word, skip) in given.into_iter().flatten() {
            let Some(at) = word.bytes().iter().skip(skip).position(|&byte| byte == b':') else { continue };
            self.word(word, skip + at + 1, "curl");
        }
    }

    /// `htpasswd -b file user password`, `htpasswd -nb user password`.
    fn htpasswd(&mut self) {
        let options = Options::read(self.command, Valued { short: "Cr", long: &[] });
        if !options.has(Some('b'), "") {
            return;
        }
        let at = if options.has(Some('n'), "") { 1 } else { 2 };
        if let Some(&word) = options.operands.get(at) {
            self.word(word, 0, "htpasswd");
        }
    }

    /// `openssl passwd -1 password`.
    fn openssl(&mut self) {
        let mut words = self.arguments();
        if words.next().is_none_or(|word| word.bytes() != b"passwd") {
            return;
        }
        while let Some(word) = words.next() {
            match word.bytes() {
                b"-salt" | b"-in" => drop(words.next()),
                text if text.starts_with(b"-") => {}
                _ => {
                    self.word(word, 0, "openssl passwd");
                    return;
                }
            }
        }
    }

    /// What is piped into the command by `echo` or `printf`.
    fn input(&mut self, program: &str) {
        let takes: fn(&[u8]) -> Option<usize> = match program {
            // What is encrypted already is no password.
            "chpasswd" if self.is_encrypted() => return,
            "chpasswd" => behind_user,
            "passwd" | "smbpasswd" | "vncpasswd" => whole_line,
            "openssl" if self.arguments().any(|word| word.bytes() == b"-stdin") => whole_line,
            "debconf-set-selections" => behind_debconf_question,
            _ => return,
        };
        let here: Vec<Word<'m>> = self.command.command.redirects().map(Redirect::target).collect();
        for word in here.into_iter().filter(|word| word.bytes().contains(&b':') && program == "chpasswd") {
            self.line(word, takes, program);
        }
        let producers: Vec<Command<'m>> = self.producers();
        for producer in producers {
            let words = producer.arguments().filter(|word| !word.bytes().starts_with(b"-"));
            let words: Vec<Word<'m>> = words.collect();
            match (&words[..], program) {
                ([first, .., last], "chpasswd") if first.bytes().contains(&b'%') => self.word(*last, 0, program),
                ([.., last], "debconf-set-selections") if words.len() > 1 => {
                    if words.iter().any(|word| is_password_question(word.bytes())) {
                        self.word(*last, 0, program);
                    }
                }
                ([first, ..], _) => self.line(*first, takes, program),
                ([], _) => {}
            }
        }
    }

    fn is_encrypted(&self) -> bool {
        self.command.invocation().is_some_and(|invocation| invocation.has_option(Some('e'), "encrypted", "cRs"))
    }

    /// The `echo` and `printf` commands whose output the command reads.
    fn producers(&self) -> Vec<Command<'m>> {
        let command = self.command.command;
        let is_producer = |command: &Command<'_>| matches!(command.name(), Some("echo" | "printf"));
        match command.piped_from() {
            Some(Element::Command(index)) => {
                vec![command.script().command(index)].into_iter().filter(is_producer).collect()
            }
            Some(Element::Compound(index)) => {
                let nearest = command.index().saturating_sub(NEAREST)..command.index();
                let nearest = nearest.map(|index| command.script().command(index));
                nearest.filter(|other| other.place().block == Some(index)).filter(is_producer).collect()
            }
            None => Vec::new(),
        }
    }

    /// Judges the part of each line of a literal word that `takes` says is the password.
    fn line(&mut self, word: Word<'m>, takes: fn(&[u8]) -> Option<usize>, program: &str) {
        let Some(text) = word.literal() else { return };
        let line = text.split(['\n']).flat_map(|line| line.split("\\n")).next().unwrap_or(text);
        if let Some(start) = takes(line.as_bytes()) {
            self.part(word, start, line.len(), program);
        }
    }

    fn arguments(&self) -> impl Iterator<Item = Word<'m>> + use<'m> {
        self.command.invocation().into_iter().flat_map(Invocation::arguments)
    }

    /// Judges a literal word without its first `skip` bytes.
    fn word(&mut self, word: Word<'m>, skip: usize, program: &str) {
        let length = word.bytes().len();
        self.part(word, skip, length, program);
    }

    fn part(&mut self, word: Word<'m>, start: usize, end: usize, program: &str) {
        let Some(text) = word.literal().and_then(|text| text.get(start..end)) else { return };
        let source = word.source();
        let place = memchr::memmem::rfind(source, text.as_bytes()).filter(|_| !text.is_empty());
        let span = match place {
            Some(at) => {
                let start = word.span().start + at as u32;
                Span { start, end: start + text.len() as u32 }
            }
            None => word.span(),
        };
        self.judge(span, program, text.as_bytes());
    }

    fn judge(&mut self, span: Span, program: &str, text: &[u8]) {
        let is_locked = text.starts_with(b"!") && text.len() < 3 || text.starts_with(b"*") || text == b"x";
        let shape = credential::value_shape(text);
        if matches!(shape, Value::Random | Value::Word) && !is_locked {
            self.push(span, program, shape);
        }
    }

    fn push(&mut self, span: Span, taker: &str, shape: Value) {
        let span = self.command.script.file_span(span);
        self.passwords.push(Password { span, taker: taker.to_owned(), shape });
    }
}

fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        bare => bare,
    }
}

/// `user:password`
fn behind_user(line: &[u8]) -> Option<usize> {
    memchr::memchr(b':', line).map(|at| at + 1)
}

fn whole_line(line: &[u8]) -> Option<usize> {
    (!line.is_empty()).then_some(0)
}

/// `package package/root_password password value`
fn behind_debconf_question(line: &[u8]) -> Option<usize> {
    let kind = memchr::memmem::find(line, b" password ")?;
    is_password_question(&line[..kind]).then_some(kind + " password ".len())
}

fn is_password_question(text: &[u8]) -> bool {
    memchr::memmem::find(text, b"password").is_some() || memchr::memmem::find(text, b"-pass").is_some()
}

#[cfg(test)]
mod tests {
    use crate::{
        knowledge::Knowledge,
        model::DockerfileModel,
        source::{FileKind, SourceSet},
        syntax::dockerfile,
    };

    /// The passwords of one `RUN`, as they stand in the file.
    fn found(run: &str) -> Vec<String> {
        let mut sources = SourceSet::new();
        sources.add("Dockerfile".to_owned(), FileKind::Dockerfile, format!("FROM a\nRUN {run}\n").into_bytes());
        let file = &sources.files()[0];
        let parsed = dockerfile::parse(&file.text);
        let model = DockerfileModel::new(file, &parsed.tree, &Knowledge::builtin());
        let passwords = model.steps().flat_map(crate::model::Step::passwords);
        passwords.map(|password| String::from_utf8_lossy(file.bytes(password.span)).into_owned()).collect()
    }

    #[test]
    fn a_literal_password_is_found_where_the_program_takes_it() {
        for (run, password) in [
            ("echo root:hunter22 | chpasswd", "hunter22"),
            ("sh -c \"echo 'root:hunter22' | chpasswd\"", "hunter22"),
            ("printf 'hunter22\\nhunter22\\n' | passwd root", "hunter22"),
            ("(echo hunter22; echo hunter22) | smbpasswd -s -a bob | cat", "hunter22"),
            ("useradd -m -p hunter22 bob", "hunter22"),
            ("useradd bob -p $(openssl passwd -1 hunter22)", "hunter22"),
            ("mysql -uroot -phunter22 shop", "hunter22"),
            ("mysqladmin -u root password hunter22", "hunter22"),
            ("psql -c \"CREATE USER bob WITH PASSWORD 'hunter22'\"", "hunter22"),
            ("PGPASSWORD=hunter22 psql", "hunter22"),
            ("sshpass -p hunter22 ssh host", "hunter22"),
            ("htpasswd -bc /etc/users bob hunter22", "hunter22"),
            ("curl -fsS -u bob:hunter22 https://example.com", "hunter22"),
            ("docker login -u bob -p hunter22 example.com", "hunter22"),
            ("redis-cli -a hunter22 ping", "hunter22"),
            ("x11vnc -storepasswd hunter22 /root/.vnc/passwd", "hunter22"),
            ("wget --password=hunter22 https://example.com", "hunter22"),
        ] {
            assert_eq!(found(run).first().map(String::as_str), Some(password), "{run}");
        }
    }

    #[test]
    fn what_is_no_password_is_passed_over() {
        for run in [
            "echo \"root:$PASSWORD\" | chpasswd",
            "echo root:changeme | chpasswd",
            "echo 'bob:U6aMy0wojraho' | chpasswd -e",
            "useradd -p '*' bob",
            "usermod -p '!' bob",
            "useradd -p /home/bob bob",
            "adduser --disabled-password --gecos '' bob",
            "passwd -d root",
            "mysql -uroot -p\"$(cat /run/secrets/root)\" shop",
            "docker login -u bob --password-stdin",
            "docker run -p 80:80 nginx",
            "mkdir -p hunter22",
            "echo 'mysql-server mysql-server/root_password password unused' | debconf-set-selections",
            "curl -u bob: https://example.com",
        ] {
            assert!(found(run).is_empty(), "{run}: {:?}", found(run));
        }
    }
}
