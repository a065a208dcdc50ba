//! `rulesets/packages/` is well formed, every package has its source, and the facts answer for what people install.

#![allow(clippy::disallowed_methods, reason = "the test reads the rulesets and the corpus")]

use ironhull::knowledge::{Code, Fact, Family, Knowledge, Runtime, builtin_packages, check_packages};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::LazyLock,
};

static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(Knowledge::builtin);

fn bookworm(package: &str) -> Runtime {
    KNOWLEDGE.runtime_of(Family::Debian, Some("12"), package)
}

#[test]
fn every_file_is_well_formed_and_each_package_has_a_source() {
    let defects: Vec<String> = builtin_packages()
        .filter_map(|(file, text)| Some(format!("{file}.toml: {}", check_packages(text).err()?)))
        .collect();
    assert!(defects.is_empty(), "{}", defects.join("\n"));
}

#[test]
fn every_file_of_the_folder_is_shipped() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rulesets/packages");
    let names = |path: &Path| Some(path.file_name()?.to_str()?.strip_suffix(".toml")?.to_owned());
    let there: BTreeSet<String> =
        fs::read_dir(folder).unwrap().filter_map(|entry| names(&entry.unwrap().path())).collect();
    let shipped: BTreeSet<String> = builtin_packages().map(|(file, _)| file.to_owned()).collect();
    assert_eq!(there, shipped, "the folder on the left, the list in src/knowledge/builtin.rs on the right");
}

#[test]
fn a_development_package_leaves_its_libraries() {
    let leaves = |family, release, package| match KNOWLEDGE.runtime_of(family, Some(release), package) {
        Runtime::Libraries(libraries) => libraries.join(" "),
        other => format!("{other:?}"),
    };
    for (family, release, package, libraries) in [
        (Family::Debian, "bookworm", "libpq-dev", "libpq5"),
        (Family::Debian, "12", "libzip-dev", "libzip4"),
        (Family::Debian, "11", "libzip-dev", "libzip4"),
        (Family::Debian, "13", "libzip-dev", "libzip5"),
        (Family::Debian, "bookworm", "libpng-dev", "libpng16-16"),
        (Family::Debian, "trixie", "libpng-dev", "libpng16-16t64"),
        (Family::Debian, "bookworm", "libboost-program-options-dev", "libboost-program-options1.74.0"),
        (Family::Debian, "bookworm", "default-libmysqlclient-dev", "libmariadb3"),
        (Family::Debian, "bookworm", "libspdlog-dev", "libspdlog1.10"),
        (Family::Debian, "bullseye", "libssl-dev", "libssl1.1"),
        (Family::Debian, "trixie", "libssl-dev", "libssl3t64"),
        (Family::Debian, "bookworm", "gfortran", "libgfortran5"),
        (Family::Debian, "bookworm", "openjdk-17-jdk-headless", "openjdk-17-jre-headless"),
        (Family::Ubuntu, "focal", "libboost-program-options-dev", "libboost-program-options1.71.0"),
        (Family::Ubuntu, "20.04", "libssl-dev", "libssl1.1"),
        (Family::Ubuntu, "22.04", "libssl-dev", "libssl3"),
        (Family::Ubuntu, "24.04", "libssl-dev", "libssl3t64"),
        (Family::Ubuntu, "24.04", "libpq-dev", "libpq5"),
        (Family::Ubuntu, "22.04", "default-libmysqlclient-dev", "libmysqlclient21"),
        (Family::Alpine, "3.20.3", "postgresql-dev", "libecpg libpq"),
        (Family::Alpine, "3.20", "openssl-dev", "libcrypto3 libssl3"),
        (Family::Alpine, "3.15", "openssl-dev", "libcrypto1.1 libssl1.1"),
    ] {
        assert_eq!(leaves(family, release, package), libraries, "{package} in {family:?} {release}");
    }
}

#[test]
fn what_hides_the_release_leaves_what_all_agree_on() {
    let any = |package| KNOWLEDGE.runtime_of(Family::Debian, None, package);
    assert_eq!(any("libpq-dev"), Runtime::Libraries(vec!["libpq5"]));
    assert_eq!(any("libssl-dev"), Runtime::Unknown, "its library has another name in each release");
    assert_eq!(any("gcc"), Runtime::BuildOnly);
}

#[test]
fn what_no_source_tells_is_unknown() {
    assert_eq!(bookworm("libunheard-of-dev"), Runtime::Unknown);
    assert_eq!(KNOWLEDGE.runtime_of(Family::Debian, Some("buster"), "libzip-dev"), Runtime::Unknown);
    assert_eq!(KNOWLEDGE.runtime_of(Family::Ubuntu, Some("24.04"), "libmnl-dev"), Runtime::Unknown);
    assert_eq!(KNOWLEDGE.runtime_of(Family::Rhel, Some("9"), "gcc"), Runtime::Unknown);
    assert_eq!(KNOWLEDGE.python_distribution("unheard-of"), Fact::Unknown);
}

#[test]
fn other_packages_are_needed_or_not() {
    for package in ["build-essential", "gcc", "cmake", "autoconf", "pkg-config", "python3-dev", "python3-pip"] {
        assert_eq!(bookworm(package), Runtime::BuildOnly, "{package}");
        assert_eq!(KNOWLEDGE.runtime_of(Family::Ubuntu, Some("22.04"), package), Runtime::BuildOnly, "{package}");
    }
    for package in ["vim", "nano", "htop", "less", "man-db", "sudo", "net-tools"] {
        assert_eq!(bookworm(package), Runtime::Comfort, "{package}");
    }
    for package in ["libpq5", "ca-certificates", "locales", "fonts-dejavu", "libzip4", "libapache2-mod-php"] {
        assert_eq!(bookworm(package), Runtime::Needed, "{package}");
    }
    for package in ["tar", "tzdata", "bash", "libc6", "zlib1g", "libstdc++6"] {
        assert_eq!(bookworm(package), Runtime::Present, "{package}");
    }
    assert_eq!(KNOWLEDGE.runtime_of(Family::Ubuntu, Some("22.04"), "tzdata"), Runtime::Needed);
    assert_eq!(KNOWLEDGE.runtime_of(Family::Ubuntu, Some("22.04"), "libssl3"), Runtime::Present);
}

#[test]
fn a_tool_says_which_programs_it_has() {
    for (package, programs) in [
        ("ffmpeg", &["ffmpeg", "ffprobe"][..]),
        ("imagemagick", &["convert", "identify"]),
        ("postgresql-client", &["psql", "pg_isready", "pg_dump"]),
        ("ghostscript", &["gs"]),
        ("git", &["git"]),
        ("curl", &["curl"]),
        ("openssh-client", &["ssh", "scp", "ssh-keygen"]),
        ("default-mysql-client", &["mysql", "mysqldump"]),
        ("redis-server", &["redis-server", "redis-cli"]),
        ("default-jre-headless", &["java"]),
        ("netcat-openbsd", &["nc"]),
        ("python3", &["python3"]),
        ("nodejs", &["node"]),
    ] {
        let Runtime::Tool { programs: known } = bookworm(package) else { panic!("{package} is a tool") };
        assert!(programs.iter().all(|program| known.contains(program)), "{package}: {known:?}");
    }
    let of_compiler = KNOWLEDGE.programs_of(Family::Debian, Some("12"), "gcc");
    assert!(of_compiler.contains(&"gcc"), "what is for building has programs, too: {of_compiler:?}");
}

#[test]
fn a_package_of_a_language_says_what_it_loads() {
    let python = |name| match KNOWLEDGE.python_distribution(name) {
        Fact::Known(package) => package,
        Fact::Unknown => panic!("{name} is known"),
    };
    let loaded = |name| match KNOWLEDGE.loaded_by(&python(name), Family::Debian, Some("bookworm")) {
        Fact::Known(libraries) => libraries.join(" "),
        Fact::Unknown => "unknown".to_owned(),
    };
    assert_eq!((python("Psycopg2").code, loaded("psycopg2")), (Code::Built, "libpq5".to_owned()));
    assert_eq!((python("mysqlclient").code, loaded("mysqlclient")), (Code::Built, "libmariadb3".to_owned()));
    assert_eq!((python("Pillow").code, loaded("pillow")), (Code::Prebuilt, String::new()));
    assert_eq!((python("psycopg2_binary").code, loaded("psycopg2-binary")), (Code::Prebuilt, String::new()));
    assert_eq!(loaded("opencv-python"), "libgl1 libglib2.0-0 libglx0");
    assert_eq!(loaded("python-magic"), "libmagic1");
    for name in ["flask", "Django", "requests", "jinja2", "Werkzeug", "click", "gunicorn", "uvicorn", "fastapi"] {
        assert_eq!((python(name).code, loaded(name)), (Code::Plain, String::new()), "{name}");
    }
    for name in ["uvloop", "httptools", "numpy", "pydantic-core", "pyyaml", "sqlalchemy"] {
        assert_ne!(python(name).code, Code::Plain, "{name}");
    }
    assert_eq!(python("gitpython").calls, ["git"]);
    let Fact::Known(pg) = KNOWLEDGE.ruby_gem("pg") else { panic!("pg is known") };
    assert_eq!(KNOWLEDGE.loaded_by(&pg, Family::Debian, Some("12")), Fact::Known(vec!["libpq5"]));
    let Fact::Known(bcrypt) = KNOWLEDGE.node_package("bcrypt") else { panic!("bcrypt is known") };
    assert_eq!(bcrypt.code, Code::Compiled);
}

/// The words of the data about one another: what a development package leaves is never for building.
#[test]
fn what_is_left_is_needed() {
    let mut against = Vec::new();
    for (release, package, libraries) in debian_needs() {
        for library in libraries {
            let is_needed = match KNOWLEDGE.runtime_of(Family::Debian, Some(release), library) {
                Runtime::Needed | Runtime::Present | Runtime::Tool { .. } => true,
                Runtime::Libraries(_) | Runtime::BuildOnly | Runtime::Comfort | Runtime::Unknown => false,
            };
            if !is_needed {
                against.push(format!("{release}: {package} leaves {library}"));
            }
        }
    }
    assert!(against.is_empty(), "{} lines:\n{}", against.len(), against.join("\n"));
}

/// Each development package of the files of Debian's releases, with what it leaves.
fn debian_needs() -> impl Iterator<Item = (&'static str, &'static str, Vec<&'static str>)> {
    let files = builtin_packages().filter_map(|(file, text)| Some((file.strip_prefix("debian-")?, text)));
    let lines = files.flat_map(|(release, text)| text.lines().map(move |line| (release, line)));
    lines.filter(|(release, _)| *release != "index").filter_map(|(release, line)| {
        let (name, rest) = line.split_once(" = { needs = [")?;
        let libraries = rest.split(']').next()?.split('"').skip(1).step_by(2).collect();
        Some((release, name.trim_matches('"'), libraries))
    })
}

/// How much of what people install is known, counted by how often they install it.
#[test]
fn most_of_what_people_install_is_known() {
    let Some(shared) = std::env::var_os("IRONHULL_SHARED") else {
        println!("skipped: IRONHULL_SHARED is not set, so there is no corpus");
        return;
    };
    let mut missing = BTreeMap::<String, usize>::new();
    let (mut installed, mut known) = (0_usize, 0_usize);
    for (package, times) in installed_with_apt(&Path::new(&shared).join("corpus/files")) {
        installed += times;
        if bookworm(&package) == Runtime::Unknown {
            missing.insert(package, times);
        } else {
            known += times;
        }
    }
    let mut missing: Vec<_> = missing.into_iter().map(|(name, count)| (count, name)).collect();
    missing.sort_by(|one, other| other.cmp(one));
    for (count, name) in missing.iter().take(100) {
        println!("{count}\t{name}");
    }
    println!("known: {known} of {installed}");
    assert!(known * 100 >= installed * 90, "{known} of {installed}");
}

/// The names after `apt-get install` and how often they stand there, read roughly: what does not look like a name falls
/// out, and words of comments do not.
fn installed_with_apt(folder: &Path) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).expect("the corpus can be read").flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                count_installed(&text.replace("\\\n", " "), &mut names);
            }
        }
    }
    names
}

fn count_installed(text: &str, names: &mut BTreeMap<String, usize>) {
    let of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c);
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let Some((_, call)) = line.split_once("apt-get ").and_then(|(_, call)| call.split_once(" install ")) else {
            continue;
        };
        let words = call.split(['&', '|', ';', '#']).next().unwrap_or_default().split_whitespace();
        for word in words.filter(|word| word.len() > 2 && !word.starts_with('-') && word.chars().all(of_name)) {
            *names.entry(word.to_owned()).or_default() += 1;
        }
    }
}
