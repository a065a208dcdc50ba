//! Paths that a program writes, read from its text: string literals on lines that speak of files.
//!
//! No language is parsed. A literal counts where its line writes (`mkdirSync("uploads")`), where its name is one that
//! programs use for what they keep (`data/orders.json`), or where a configuration names a place that is not shipped.
//! One place too many costs an empty directory, one too few a program that cannot start, so doubt counts as written.

/// A path in the text of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathText {
    /// As the parts of the line join: relative or absolute.
    pub(super) path: String,
    /// Line, from 1.
    pub(super) line: u32,
    /// Whether it starts from the directory of the file (`__dirname`) and not of the process.
    pub(super) is_beside: bool,
    /// Whether its line creates or writes something.
    pub(super) is_written: bool,
    /// Whether its line opens it, so that it is a file whatever its name looks like.
    pub(super) is_opened: bool,
}

/// Names that programs give to what they keep.
const KEPT: [&str; 41] = [
    "uploads",
    "upload",
    "data",
    "cache",
    ".cache",
    "instance",
    "logs",
    "log",
    "tmp",
    "temp",
    "storage",
    "state",
    "checkpoints",
    "checkpoint",
    "runs",
    "media",
    "db",
    "database",
    "databases",
    "output",
    "outputs",
    "results",
    "sessions",
    "session",
    "var",
    "backup",
    "backups",
    "artifacts",
    "downloads",
    "queue",
    "spool",
    "store",
    "persist",
    "persistent",
    "workdir",
    "work",
    "snapshots",
    "recordings",
    "exports",
    "attachments",
    "userdata",
];

/// Words of a line that creates, opens for writing or keeps something.
const WRITES: [&str; 62] = [
    "mkdir",
    "makedirs",
    "create_dir",
    "createDirector",
    "create_director",
    "dir.create",
    "createWriteStream",
    "writeFile",
    "write_file",
    "write_text",
    "write_bytes",
    "appendFile",
    "outputFile",
    "ensureDir",
    "file_put_contents",
    "move_uploaded_file",
    "FileHandler",
    "FileOutputStream",
    "FileWriter",
    "os.Create",
    "os.OpenFile",
    "MkdirAll",
    "ofstream",
    "File.write",
    "File.open",
    "sqlite3.connect",
    "sqlite:",
    "better-sqlite3",
    "Database(",
    "SummaryWriter",
    "torch.save",
    "append = TRUE",
    "multer",
    "WriteAll",
    "AppendAll",
    "StreamWriter",
    "FileMode.",
    "File.Create",
    "Data Source=",
    "fs::write",
    "File::create",
    "os.WriteFile",
    "Bun.write",
    "CreateDirectory",
    "OpenOptions",
    "error_log(",
    "writeTextFile",
    "sql.Open(",
    "sqlite.Open(",
    "sqlite3_open",
    "bolt.Open(",
    "DBI:SQLite",
    "make_path",
    "Files.write",
    "Files.newBufferedWriter",
    "imwrite(",
    "'>'",
    "'>>'",
    "PersistKeysToFileSystem",
    "pidfile ",
    "state_path ",
    "stdout_redirect ",
];

/// Calls that write the one file that they name.
const WRITE_CALLS: [&str; 12] = [
    "fs::write(",
    "writeFile",
    "write_text",
    "appendFile",
    "file_put_contents(",
    "os.Create(",
    "os.WriteFile(",
    "WriteAll",
    "AppendAll",
    "File.Create(",
    "File::create(",
    "Bun.write(",
];

/// Modes of `open` that write.
const MODES: [&str; 8] = ["\"w\"", "'w'", "\"a\"", "'a'", "\"wb\"", "'wb'", "\"a+\"", "\"w+\""];

/// Calls whose first words are the name of the file that they open; with `WRITES` or `MODES` on their line, to write it.
const OPENS: [&str; 8] =
    ["open(", "Open(", "open_v2(", "Create(", "create(", "OpenFile(", "connect(", "sql.Open(\"sqlite3\", "];

/// Words of a line that speaks of places.
const PLACES: [&str; 24] = [
    "path", "Path", "PATH", "dir", "Dir", "DIR", "folder", "Folder", "FOLDER", "join", "open", "file", "File", "FILE",
    "root", "Root", "ROOT", " / ", "store", "Store", "dest", "location", "BASE_", "HERE",
];

/// Ways to name the directory of the file itself.
const BESIDE: [&str; 8] =
    ["__dirname", "__file__", "__DIR__", "import.meta", "BASE_DIR", "BASE /", "HERE /", "basedir"];

/// Whether a text writes at all, so that its paths matter.
pub(super) fn writes(text: &str) -> bool {
    WRITES.iter().chain(&MODES).any(|word| text.contains(word)) || text.contains("write") || text.contains("save(")
}

/// The paths that a program's text names as written or kept, in order.
pub(super) fn paths(text: &str) -> Vec<PathText> {
    let lines = || text.lines().zip(1..).filter(|(line, _)| !is_comment(line) && line.len() <= LONGEST_LINE);
    let anchors: Vec<Anchor<'_>> = lines().filter_map(|(line, _)| anchor(line)).collect();
    let named = lines().filter_map(|(line, number)| named_place(line, number, &anchors));
    let writing: Vec<&str> = lines().map(|(line, _)| line).filter(|line| is_written(line)).collect();
    let is_used = |name: &str, path: &str| {
        let is_kept = is_kept(path);
        writing.iter().any(|line| uses(line, name) && (is_kept || is_made(line) || is_target(line, name)))
    };
    let mut found: Vec<PathText> =
        named.take(MOST_NAMES).filter(|(name, path)| is_used(name, &path.path)).map(|(_, path)| path).collect();
    found.extend(lines().flat_map(|(line, number)| paths_of_line(line, number, &anchors)));
    found.sort_by_key(|path| path.line);
    found
}

/// So many variables of one text are followed.
const MOST_NAMES: usize = 128;

/// The variable that a line sets to a place: `UPLOADS = "uploads"`, `const out = path.join(__dirname, 'out')`.
fn named_place<'t>(line: &'t str, number: u32, anchors: &[Anchor<'_>]) -> Option<(&'t str, PathText)> {
    let (left, value) = line.split_once('=')?;
    let is_assigned = !value.starts_with(['=', '>', '~']) && !left.ends_with(['!', '<', '>', '=', '+']);
    // `const out: string`, `out := …`
    let left = left.split(':').next().unwrap_or(left);
    let name = left.trim_end().rsplit([' ', '.', '$']).next()?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    // What a line writes itself is told by that line.
    if !is_assigned || !is_name || is_import(line) || is_written(line) {
        return None;
    }
    // A value behind an operator or a default ends in it; one in the middle is a part of something else.
    let ends_in_text = value.trim().trim_end_matches([';', ',', ')']).ends_with(['"', '\'', '`']);
    let is_place = !value.contains('(') || MAKES_PATHS.iter().any(|word| value.contains(word));
    if !ends_in_text || !is_place || is_glued(value) {
        return None;
    }
    let literals = joined_literals(value, Joins::of(line));
    let path = literals.last()?.trim_start_matches("./").trim_end_matches('/');
    let anchor = anchors.iter().find(|anchor| uses(value, anchor.name));
    let is_beside = anchor.is_some() || BESIDE.iter().any(|word| value.contains(word));
    let above =
        if path.starts_with('/') { String::new() } else { "../".repeat(anchor.map_or(0, |anchor| anchor.above)) };
    is_path(path).then(|| {
        let path = format!("{above}{path}");
        (name, PathText { path, line: number, is_beside, is_written: true, is_opened: false })
    })
}

/// Words of an expression whose value is a path, or a setting that may be one.
const MAKES_PATHS: [&str; 20] = [
    "env(",
    "fetch(",
    "join(",
    "Join(",
    "joinpath(",
    "Combine(",
    "catfile(",
    "catdir(",
    "Path(",
    "Path.of(",
    "Paths.get(",
    "PathBuf::from(",
    "resolve(",
    "File(",
    " / ",
    " </> ",
    "process.env",
    "environ",
    "getenv(",
    "env::var",
];

/// Whether the last literal is only the end of a name that something else begins: `name + '.txt'`.
fn is_glued(value: &str) -> bool {
    let Some(end) = value.rfind(['"', '\'', '`']) else { return false };
    let quote = value.as_bytes()[end];
    let start = value[..end].rfind(char::from(quote)).unwrap_or(end);
    let before = value[..start].trim_end();
    before.ends_with('+') && !BESIDE.iter().any(|word| before.trim_end_matches(['+', ' ']).ends_with(word))
}

/// Whether the line makes or writes what the variable `name` says, and does not only speak of it: `mkdirSync(name`,
/// `name.write_text(`.
fn is_target(line: &str, name: &str) -> bool {
    const CALLS: [&str; 16] = [
        "mkdir",
        "makedirs",
        "create_dir",
        "createDirector",
        "CreateDirector",
        "dir.create",
        "ensureDir",
        "MkdirAll",
        "writeFile",
        "WriteFile",
        "appendFile",
        "outputFile",
        "file_put_contents",
        "createWriteStream",
        "write_file",
        "fs::write",
    ];
    const METHODS: [&str; 4] = [".mkdir", ".write_text(", ".write_bytes(", ".touch("];
    let opens_to_write = MODES.iter().any(|mode| line.contains(mode)) || line.contains(".Create");
    line.match_indices(name).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + name.len()..]);
        let before = before.trim_end_matches(['$', '&', ' ']);
        let is_whole = !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let call = before.strip_suffix('(').map_or("", |call| call.rsplit([' ', '(', ';', '{']).next().unwrap_or(call));
        let is_called = CALLS.iter().any(|word| call.contains(word)) || opens_to_write && call.ends_with("open");
        let is_made_itself = METHODS.iter().any(|method| after.starts_with(method));
        let is_of_shell = ["mkdir", "True", "False"].iter().any(|word| before.ends_with(word)) && is_made(line);
        is_whole && (is_called || is_made_itself || is_of_shell)
    })
}

/// Whether a line writes.
fn is_written(line: &str) -> bool {
    WRITES.iter().chain(&MODES).any(|word| line.contains(word))
}

/// A variable that a program sets to a directory around its own file: `BASE_DIR = Path(__file__).resolve().parent.parent`.
struct Anchor<'t> {
    name: &'t str,
    /// So many directories above that of the file.
    above: usize,
}

/// The variable that the line sets to a directory around the file, counted by its parents or calls of `dirname`.
fn anchor(line: &str) -> Option<Anchor<'_>> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let calls = |call: &str| value.matches(call).count();
    let parents = calls(".parent") + calls("dirname(");
    (is_name && value.contains("__file__") && parents > 0).then(|| Anchor { name, above: parents - 1 })
}

/// Whether `line` uses the variable.
fn uses(line: &str, name: &str) -> bool {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    line.match_indices(name).any(|(at, _)| {
        !is_part(at.checked_sub(1).and_then(|before| line.as_bytes().get(before)))
            && !is_part(line.as_bytes().get(at + name.len()))
    })
}

/// Values of `key = /some/path` and `key: /some/path` in a configuration, which count as named; databases that are files
/// (`jdbc:h2:file:./data/shop`) and files of logs (`logging.file.name=logs/shop.log`), which count as written.
pub(super) fn configured(text: &str) -> Vec<PathText> {
    let lines = text.lines().zip(1..).filter(|(line, _)| !is_comment(line) && line.len() <= LONGEST_LINE);
    let value = |(line, number): (&str, u32)| {
        let (_, value) = line.split_once(['=', ':'])?;
        let value = value.trim().trim_matches(['"', '\'', ';', ',']);
        let written = file_of_database(value).or_else(|| Some(value).filter(|path| is_kept(path) && is_log(path)));
        let path = written.unwrap_or(value).trim_start_matches("./");
        let counts = written.is_some() || path.starts_with('/');
        (counts && is_path(path)).then(|| PathText {
            path: path.to_owned(),
            line: number,
            is_beside: false,
            is_written: written.is_some(),
            is_opened: written.is_some(),
        })
    };
    lines.filter_map(value).collect()
}

fn is_log(path: &str) -> bool {
    path.ends_with(".log")
}

/// The file of a database that runs within the program, by the address that its driver takes (H2's "Database URL Overview",
/// the README of sqlite-jdbc, the `HyperSQL` guide, "Connections"). One in memory, on a server or in the home is none.
fn file_of_database(address: &str) -> Option<&str> {
    let rest = address.strip_prefix("jdbc:")?;
    let path = match rest.split_once(':')? {
        ("h2", rest) => rest.strip_prefix("file:").unwrap_or(rest),
        ("hsqldb", rest) => rest.strip_prefix("file:")?,
        ("sqlite", rest) => rest,
        _ => return None,
    };
    let path = path.split([';', '?']).next().unwrap_or(path);
    (!path.contains(':') && !path.starts_with('~')).then_some(path)
}

/// Words that make temporary files, in many languages.
const TEMPORARY: [&str; 26] = [
    "\"/tmp",
    "'/tmp",
    "`/tmp",
    "tempfile",
    "mkstemp",
    "mkdtemp",
    "tmpfile",
    "TempDir",
    "TempFile",
    "temp_dir",
    "temp_file",
    "NamedTempFile",
    "CreateTemp",
    "MkdirTemp",
    "os.tmpdir",
    "tmpdir()",
    "createTempFile",
    "createTempDirectory",
    "java.io.tmpdir",
    "temp_directory_path",
    "ParseMultipartForm",
    "FormFile(",
    "sys_get_temp_dir",
    "Tempfile",
    "tempnam",
    "GetTempPath",
];

/// Words that ask for the home of the user.
const HOME: [&str; 14] = [
    "UserHomeDir",
    "UserCacheDir",
    "UserConfigDir",
    "home_dir(",
    "homedir(",
    "\"HOME\"",
    "'HOME'",
    "env.HOME",
    "user.home",
    "expanduser",
    "Path.home()",
    "cache_dir(",
    "config_dir(",
    "data_dir(",
];

/// The first line that makes a temporary file, from 1.
pub(super) fn temporary(text: &str) -> Option<u32> {
    line_with(text, &TEMPORARY)
}

/// The first line that asks for the home of the user, from 1.
pub(super) fn home(text: &str) -> Option<u32> {
    line_with(text, &HOME)
}

fn line_with(text: &str, words: &[&str]) -> Option<u32> {
    let is_code = |line: &str| !is_comment(line) && line.len() <= LONGEST_LINE;
    let found = text.lines().zip(1..).find(|(line, _)| is_code(line) && words.iter().any(|word| line.contains(word)));
    found.map(|(_, number)| number)
}

/// Lines above are generated or minified: nobody wrote a path there to be found.
const LONGEST_LINE: usize = 400;

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    ["#", "//", "*", "/*", "--", ";", "\"\"\"", "'''"].iter().any(|start| line.starts_with(start))
}

fn paths_of_line(line: &str, number: u32, anchors: &[Anchor<'_>]) -> Vec<PathText> {
    let is_written = is_written(line);
    let anchor = anchors.iter().find(|anchor| uses(line, anchor.name));
    let names_modules = line.trim_start().starts_with("import ") && line.contains(" from ");
    if names_modules || !is_written && is_import(line) {
        return Vec::new();
    }
    let is_of_places = || PLACES.iter().any(|word| line.contains(word));
    let is_beside = anchor.is_some() || BESIDE.iter().any(|word| line.contains(word));
    let above = "../".repeat(anchor.map_or(0, |anchor| anchor.above));
    let joins = Joins::of(line);
    // `("state", default("/var/lib/x"))`: the word is the name of an option, and the path is the path.
    let names_a_path = ["\"/", "'/"].iter().any(|start| line.contains(start));
    let mut found = Vec::new();
    for text in joined_literals(line, joins) {
        let text = text.strip_prefix("sqlite:///").unwrap_or(&text);
        // What stands before a variable part is the directory that matters.
        let text = text.split("${").next().unwrap_or(text).split('{').next().unwrap_or(text);
        let text = text.trim_start_matches("./");
        if !is_path(text) {
            continue;
        }
        let is_kept = is_kept(text);
        let is_database = has_name_of_database(text);
        let is_file = text.trim_start_matches('.').contains('.');
        let counts = is_database
            || is_written && (is_kept || text.contains('/') || has_name_of_data(text) || is_made(line))
            || is_file && WRITE_CALLS.iter().any(|call| line.contains(call))
            || is_kept && (text.contains('/') || is_of_places() && !names_a_path)
            || text.starts_with('/');
        if counts {
            let path = if text.starts_with('/') { text.to_owned() } else { format!("{above}{text}") };
            found.push(PathText {
                path,
                line: number,
                is_beside: is_beside || starts_below(line, text),
                is_written: is_written || is_database,
                is_opened: is_written && is_opened(line, text),
            });
        }
    }
    found
}

/// How a line makes one path of several literals.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joins {
    /// `join(root, "data", "x.db")`
    ByCommas,
    /// `ROOT / "data" / "x.db"`
    BySlashes,
    Never,
}

impl Joins {
    fn of(line: &str) -> Self {
        if ["join(", "Join(", "joinpath(", "Combine(", "catfile(", "catdir("].iter().any(|call| line.contains(call)) {
            Self::ByCommas
        } else if line.contains(" / ") || line.contains(" </> ") {
            Self::BySlashes
        } else {
            Self::Never
        }
    }
}

/// Whether a line loads other parts of the program, by names that look like paths.
fn is_import(line: &str) -> bool {
    let start = line.trim_start();
    ["import ", "from ", "use ", "#include", "require ", "require_relative ", "load "]
        .iter()
        .any(|word| start.starts_with(word))
        || line.contains("require(")
        || line.contains("import(")
        || start.starts_with("export ") && line.contains(" from ")
        || is_imported_alone(line)
}

/// Whether a line is one of a block of imports, as Go has it, which indents by tabs: `"database/sql"`, `_ "embed"`. A name
/// before a path is a setting elsewhere: `pidfile "tmp/puma.pid"`.
fn is_imported_alone(line: &str) -> bool {
    let Some((alias, rest)) = line.split_once('"') else { return false };
    if !alias.trim_matches([' ', '\t', '_', '.']).is_empty() && !line.starts_with('\t') {
        return false;
    }
    let is_alias = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    alias.trim().bytes().all(is_alias) && rest.trim_end().strip_suffix('"').is_some_and(|path| !path.contains('"'))
}

/// Whether a line makes a directory, so that any name on it is one.
fn is_made(line: &str) -> bool {
    const MAKES: [&str; 9] = [
        "mkdir",
        "makedirs",
        "create_dir",
        "dir.create",
        "ensureDir",
        "MkdirAll",
        "createDirector",
        "CreateDirector",
        "make_path",
    ];
    MAKES.iter().any(|word| line.contains(word))
}

/// Whether the literal is glued to something of the file's own place: `__DIR__ . '/storage'`.
fn starts_below(line: &str, text: &str) -> bool {
    text.starts_with('/')
        && ["__DIR__ .", "__dirname +", "${__dirname}", "root_path", "base_path"].iter().any(|word| line.contains(word))
}

/// Whether the line opens the file of that name, and no file below a directory of that name.
fn is_opened(line: &str, text: &str) -> bool {
    let Some(at) = line.find(text) else { return false };
    let before = line[..at].trim_end_matches("./").trim_end_matches(['"', '\'', '`']);
    let is_whole = line[at + text.len()..].starts_with(['"', '\'', '`']) && !text.ends_with('/');
    let is_stream = before.contains("ofstream") && before.ends_with('(');
    is_whole && (is_stream || OPENS.iter().any(|call| before.ends_with(call))) && !is_made(line)
}

/// Whether a part of the path is a name that programs give to what they keep.
pub(super) fn is_kept(path: &str) -> bool {
    path.split('/').any(|part| KEPT.iter().any(|name| part.eq_ignore_ascii_case(name)))
}

/// Whether a file of that name holds what a program wrote.
fn has_name_of_data(path: &str) -> bool {
    [".db", ".sqlite", ".sqlite3", ".log", ".pid", ".lock", ".sock", ".csv", ".jsonl", ".out"]
        .iter()
        .any(|end| path.ends_with(end))
}

/// Whether a file of that name is a database, which is written where it lies.
fn has_name_of_database(path: &str) -> bool {
    let is_module = path.contains("backends.");
    !is_module && [".sqlite", ".sqlite3"].iter().any(|end| path.len() > end.len() && path.ends_with(end))
}

/// Whether a text can be a path and nothing else.
fn is_path(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/');
    (2..=120).contains(&text.len())
        && text.bytes().all(is_plain)
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
        && !text.starts_with("//")
}

/// The string literals of a line; those with only glue between them as one path where the line `joins`.
fn joined_literals(line: &str, joins: Joins) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut glued = false;
    let mut rest = line;
    while let Some(at) = rest.find(['"', '\'', '`']) {
        let quote = rest.as_bytes()[at];
        let between = &rest[..at];
        let body = &rest[at + 1..];
        let Some(end) = body.find(char::from(quote)) else { break };
        let literal = &body[..end];
        let is_between = |glue: &[char]| between.chars().all(|c| glue.contains(&c));
        let is_glue = match joins {
            Joins::ByCommas => glued && is_between(&[' ', ',', '/', '+', '.']),
            Joins::BySlashes => glued && is_between(&[' ', '/', '<', '>']),
            Joins::Never => false,
        };
        match found.last_mut() {
            Some(last) if is_glue => {
                let slash = if last.ends_with('/') || literal.starts_with('/') { "" } else { "/" };
                last.push_str(slash);
                last.push_str(literal);
            }
            Some(_) | None => found.push(literal.to_owned()),
        }
        glued = true;
        rest = &body[end + 1..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Vec<(String, bool)> {
        paths(line).into_iter().map(|path| (path.path, path.is_beside)).collect()
    }

    #[test]
    fn what_is_kept_or_written_is_found_in_many_languages() {
        for (line, path, beside) in [
            ("const uploads = path.join(__dirname, 'uploads');", "uploads", true),
            ("f = process.env.F || path.join(__dirname, '..', 'data', 'orders.json');", "../data/orders.json", true),
            ("DATABASE = BASE / \"instance\" / \"guestbook.db\"", "instance/guestbook.db", true),
            ("CACHE = Path(\"cache\")", "cache", false),
            ("let d = var(\"N\").map_or_else(|| PathBuf::from(\"/var/lib/notes\"))", "/var/lib/notes", false),
            ("dir.create(\"state\", showWarnings = FALSE)", "state", false),
            ("const counter = new Counter(\"data/count.txt\");", "data/count.txt", false),
            ("$p = new Pictures(__DIR__ . '/storage/pictures');", "/storage/pictures", true),
            ("config :hello, :uploads, System.get_env(\"UPLOADS_DIR\") || \"/app/uploads\"", "/app/uploads", false),
            ("SQLALCHEMY_DATABASE_URI = 'sqlite:///app.db'", "app.db", false),
            ("pidfile \"tmp/puma.pid\"", "tmp/puma.pid", false),
            ("  .PersistKeysToFileSystem(new DirectoryInfo(\"/app/keys\"));", "/app/keys", false),
            ("err := os.MkdirAll(filepath.Join(\"spool\", \"in\"), 0o755)", "spool/in", false),
            ("createDirectoryIfMissing True \"/opt/server/pages\"", "/opt/server/pages", false),
            ("createDirectory (\"var\" </> \"pages\")", "var/pages", false),
            ("open my $log, '>>', 'notes/access';", "notes/access", false),
        ] {
            assert!(found(line).contains(&(path.to_owned(), beside)), "{line}: {:?}", found(line));
        }
    }

    #[test]
    fn a_variable_of_the_program_is_the_directory_that_it_was_set_to() {
        let django = "BASE_DIR = Path(__file__).resolve().parent.parent\nDATABASES = {\n    'default': {\n        \
                      'ENGINE': 'django.db.backends.sqlite3',\n        'NAME': BASE_DIR / 'db.sqlite3',\n    }\n}\n";
        assert_eq!(found(django), [("../db.sqlite3".to_owned(), true)]);
        assert!(paths(django)[0].is_written);
        let flask = "basedir = os.path.abspath(os.path.dirname(__file__))\nURI = 'sqlite:///' + os.path.join(basedir, 'app.db')\n";
        assert!(found(flask).contains(&("app.db".to_owned(), true)), "{:?}", found(flask));
    }

    #[test]
    fn a_variable_that_holds_a_place_is_followed_to_where_it_is_written() {
        for (text, path) in [
            ("UPLOADS = \"uploads\"\nos.makedirs(UPLOADS, exist_ok=True)\n", Some("uploads")),
            ("const dir = './data';\nfs.mkdirSync(dir, { recursive: true });\n", Some("data")),
            (
                "const dir = process.env.DIR || path.join(process.cwd(), 'orders');\nawait fs.mkdir(dir);\n",
                Some("orders"),
            ),
            ("FOLDER = os.environ.get(\"FOLDER\", \"parcels\")\nos.makedirs(FOLDER)\n", Some("parcels")),
            ("const page = 'orders';\nfs.writeFile(file, page);\n", None),
            ("log = \"log\"\nprint(log)\n", None),
            ("var out = \"output\"\nos.MkdirAll(outer, 0755)\n", None),
            ("const out = path.join(__dirname, 'shots');\nfs.mkdirSync(out, { recursive: true });\n", Some("shots")),
            ("SEEN = pathlib.Path(\"/srv/seen\")\nSEEN.mkdir(parents=True)\n", Some("/srv/seen")),
            ("const out: string = 'made';\nfs.mkdirSync(out);\n", Some("made")),
            ("const list = path.join(__dirname, 'list.json');\nfs.writeFileSync(list, text);\n", Some("list.json")),
            ("const file = path.join(uploads, name + '.txt');\nfs.writeFileSync(file, text);\n", None),
            ("connection = g.pop(\"database\", None)\nwith sqlite3.connect(DATABASE) as connection:\n", None),
            ("const from = 'pages';\nfs.writeFileSync(to, fs.readFileSync(from));\n", None),
        ] {
            assert_eq!(paths(text).first().map(|found| found.path.as_str()), path, "{text}: {:?}", paths(text));
        }
    }

    #[test]
    fn what_is_opened_is_a_file_whatever_it_is_called() {
        for (line, path, is_opened) in [
            ("FILE *f = fopen(\"/var/cache/fetch/index\", \"w\");", "/var/cache/fetch/index", true),
            ("std::ofstream out(\"/var/lib/fetch/state\");", "/var/lib/fetch/state", true),
            ("db, err := sql.Open(\"sqlite3\", \"./data/app\")", "data/app", true),
            ("with open('data/state', 'w') as out:", "data/state", true),
            ("with open('uploads/' + name, 'w') as out:", "uploads/", false),
            ("with open(os.path.join('uploads', name), 'w') as out:", "uploads", false),
            ("os.makedirs('data/state')", "data/state", false),
        ] {
            let found = paths(line).into_iter().find(|found| found.path == path);
            assert_eq!(found.map(|found| found.is_opened), Some(is_opened), "{line}: {:?}", paths(line));
        }
    }

    #[test]
    fn words_that_only_look_like_names_are_left_alone() {
        for line in [
            "return jsonify({\"data\": rows})",
            "# open('data/x', 'w')",
            "import x from 'express'",
            "import { mkdirSync } from 'fs';",
            "const store = require('./lib/store');",
            "export { open } from './data/store';",
            "\t\"database/sql\"",
            "\t_ \"example.com/store/data\"",
            "title(\"log in\")",
        ] {
            assert_eq!(found(line), [], "{line}");
        }
    }

    #[test]
    fn values_of_a_configuration_are_paths() {
        let paths = configured("server.port=8080\nbilling.invoices=/home/app/invoices\n# x=/y\n");
        assert_eq!(paths.iter().map(|path| path.path.as_str()).collect::<Vec<_>>(), ["/home/app/invoices"]);
        for (line, path) in [
            ("spring.datasource.url=jdbc:h2:file:./data/petclinic;DB_CLOSE_ON_EXIT=FALSE", Some("data/petclinic")),
            ("    url: jdbc:sqlite:/var/lib/shop/shop.db?cache=shared", Some("/var/lib/shop/shop.db")),
            ("logging.file.name=logs/petclinic.log", Some("logs/petclinic.log")),
            ("    name: logs/petclinic.log", Some("logs/petclinic.log")),
            ("spring.datasource.url=jdbc:h2:mem:testdb", None),
            ("spring.datasource.url=jdbc:h2:~/shop", None),
            ("spring.datasource.url=jdbc:h2:tcp://db/shop", None),
            ("spring.datasource.url=jdbc:postgresql://db/shop", None),
            ("spring.mvc.view.prefix=views", None),
        ] {
            let found = configured(line);
            assert_eq!(found.first().map(|found| found.path.as_str()), path, "{line}");
            assert!(found.iter().all(|found| found.is_written), "{line}");
        }
    }
}
