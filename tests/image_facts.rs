//! `rulesets/` is well formed, every fact has its source, and the facts answer for what people really build on.

#![allow(clippy::disallowed_methods, reason = "the test reads the rulesets and the corpus")]

use ironhull::{
    knowledge::{
        Family, Identity, ImageFacts, Knowledge, PackageManager, Start, StepDown, Tag, builtin_entries, builtin_files,
        check_entry,
    },
    model::{
        DockerfileModel, Stage, Step,
        packages::{Action, Manager, PackageCommand},
    },
    source::{FileKind, SourceFile},
    syntax::{
        dockerfile::{self, Keyword},
        shell::Wrapper,
    },
    text::FileId,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{Arc, LazyLock},
};

static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(Knowledge::builtin);

#[test]
fn every_entry_is_well_formed_and_each_field_has_a_source() {
    let defects: Vec<String> = builtin_entries()
        .filter_map(|(file, text)| Some(format!("{file}.toml: {}\n{}", check_entry(text).err()?, head(text))))
        .collect();
    assert!(defects.is_empty(), "{} defects:\n{}", defects.len(), defects.join("\n"));
}

#[test]
fn every_file_of_the_folder_is_shipped() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rulesets/images");
    let names = |path: &Path| Some(path.file_name()?.to_str()?.strip_suffix(".toml")?.to_owned());
    let there: BTreeSet<String> =
        fs::read_dir(folder).unwrap().filter_map(|entry| names(&entry.unwrap().path())).collect();
    let shipped: BTreeSet<String> = builtin_files().map(|(file, _)| file.to_owned()).collect();
    assert_eq!(there, shipped, "the folder on the left, the list in src/knowledge/builtin.rs on the right");
}

#[test]
fn a_repository_has_one_entry_and_is_written_with_its_registry() {
    let mut seen = BTreeMap::new();
    for (file, text) in builtin_entries() {
        let names = text.split_once("match = [").unwrap().1.split_once(']').unwrap().0;
        for name in names.split('"').skip(1).step_by(2) {
            let host = name.split('/').next().unwrap();
            assert!(host.contains('.') && name.contains('/'), "{file}.toml: `{name}` names no registry");
            assert!(!name[host.len()..].contains([':', '@']), "{file}.toml: `{name}` has a tag");
            let first = seen.insert(name, file);
            assert_eq!(first, None, "`{name}` is in {file}.toml and in {}.toml", first.unwrap_or_default());
        }
    }
    assert!(seen.len() > 5);
}

#[test]
fn every_base_has_an_entry() {
    // Their own facts do not depend on these, of which no source was found.
    const ALONE: [&str; 3] = ["docker.io/helder/php-5.3", "docker.io/vulhub/java", "quay.io/sclorg/s2i-core-c9s"];
    let lines = builtin_files().flat_map(|(file, text)| text.lines().map(move |line| (file, line)));
    let bases = lines.filter_map(|(file, line)| Some((file, line.strip_prefix("base = \"")?.strip_suffix('"')?)));
    let without: BTreeSet<String> = bases
        .map(|(file, base)| (file, base.rsplit_once(':').map_or(base, |(name, _)| name)))
        .filter(|(_, name)| *name != "unknown" && !ALONE.contains(name))
        .filter(|(_, name)| KNOWLEDGE.image_of(name, Tag::Any).is_none())
        .map(|(file, name)| format!("{file}.toml: {name}"))
        .collect();
    assert!(without.is_empty(), "nothing is taken over from these:\n{}", Vec::from_iter(without).join("\n"));
}

#[test]
fn a_defect_is_named() {
    let entry =
        |facts: &str| format!("[[image]]\nmatch = [\"docker.io/somebody/image\"]\n\n[[image.facts]]\n{facts}\n");
    let defect = |facts: &str| check_entry(&entry(facts)).expect_err("the entry has a defect").to_string();
    let source =
        "[[image.facts.source]]\nurl = \"https://a.example/b\"\nsays = \"USER 7\"\nchecked = 2026-11-21\ncovers = ";
    assert_eq!(check_entry(&entry("user = \"unknown\"")), Ok(()));
    assert_eq!(check_entry(&entry(&format!("user = \"root\"\n{source}[\"user\"]"))), Ok(()));
    assert_eq!(defect("user = \"root\""), "no source covers `user`");
    assert_eq!(
        defect(&format!("user = \"root\"\n{source}[\"user\", \"usher\"]")),
        "a source covers `usher`, which is not a field"
    );
    assert!(defect("uzer = \"root\"").contains("unknown field `uzer`"));
    assert!(defect(&format!("family = \"debain\"\n{source}[\"family\"]")).contains("did not match"));
    assert!(
        defect(&format!("tag = [\"*\"]\nslim = \"a:{{version}}\"\n{source}[\"slim\"]")).contains("not every pattern")
    );
    assert!(
        defect(&format!("user = \"root\"\n{}[\"user\"]", source.replace("https:", "ftp:")))
            .contains("is not an address")
    );
    assert!(
        defect(&format!("user = \"root\"\n{}[\"user\"]", source.replace("USER 7", " "))).contains("does not quote")
    );
    assert!(
        defect(&format!("user = \"root\"\n{}[\"user\"]", source.replace("2026-11-21", "2026"))).contains("checked")
    );
}

#[test]
fn facts_follow_the_tag() {
    let node = facts("docker.io/library/node", Some("22-alpine3.20"));
    assert_eq!(node.family.known(), Some(&Family::Alpine));
    assert_eq!(node.release.known().map(String::as_str), Some("3.20"));
    assert_eq!(node.package_manager.known(), Some(&Some(PackageManager::Apk)));
    assert_eq!(node.identity.known().and_then(Option::as_ref).and_then(|it: &Identity| it.uid), Some(1000));
    let node = facts("docker.io/library/node", Some("22-bookworm-slim"));
    assert_eq!(node.family.known(), Some(&Family::Debian));
    assert_eq!(node.release.known().map(String::as_str), Some("12"));
    assert_eq!(node.step_down.known(), Some(&StepDown::None));
    assert_eq!(node.base.known().map(String::as_str), Some("docker.io/library/debian:bookworm-slim"));
    assert!(node.user.known().unwrap().is_root());
}

#[test]
fn a_tag_that_hides_the_release_leaves_it_unknown() {
    let node = facts("docker.io/library/node", Some("22"));
    assert_eq!(node.family.known(), Some(&Family::Debian));
    assert_eq!(node.release.known(), None);
}

#[test]
fn counterparts_keep_the_tag() {
    let slim = |repository, tag| facts(repository, tag).slim.known().cloned();
    assert_eq!(slim("docker.io/library/node", Some("22")).as_deref(), Some("docker.io/library/node:22-slim"));
    assert_eq!(slim("docker.io/library/node", None).as_deref(), Some("docker.io/library/node:slim"));
    assert_eq!(
        slim("docker.io/library/python", Some("3.13-bookworm")).as_deref(),
        Some("docker.io/library/python:3.13-slim-bookworm")
    );
    assert_eq!(slim("docker.io/library/node", Some("22-alpine")), None);
}

#[test]
fn the_first_end_of_life_counts() {
    let end = |tag| facts("docker.io/library/node", Some(tag)).first_end_of_life().known().map(ToString::to_string);
    assert_eq!(end("10").as_deref(), Some("2021-04-30"));
    assert_eq!(end("10-jessie").as_deref(), Some("2020-06-30"));
    assert_eq!(end("latest"), None);
}

#[test]
fn without_a_tag_only_what_holds_for_every_tag_is_known() {
    let node = Knowledge::builtin().image_of("docker.io/library/node", Tag::Any).unwrap();
    assert_eq!(node.family.known(), None, "some tags are Debian and some are Alpine");
    let debian = Knowledge::builtin().image_of("docker.io/library/debian", Tag::Any).unwrap();
    assert_eq!(debian.family.known(), Some(&Family::Debian));
}

#[test]
fn a_namespace_answers_for_repositories_without_an_entry() {
    let theirs = facts("lscr.io/linuxserver/unheard-of", None);
    assert_eq!((theirs.step_down.known(), theirs.any_user.known()), (Some(&StepDown::S6), Some(&false)));
    assert!(facts("cgr.dev/chainguard/redis", Some("latest")).has_no_shell());
    assert!(!facts("cgr.dev/chainguard/redis", Some("latest-dev")).has_no_shell());
    assert_eq!(Knowledge::builtin().image("cgr.dev/chainguard/tools/redis", None), None);
}

#[test]
fn mirrors_answer_as_docker_hub() {
    let hub = facts("docker.io/library/node", Some("22"));
    for mirror in ["public.ecr.aws/docker/library/node", "mirror.gcr.io/library/node", "docker.io/arm64v8/node"] {
        assert_eq!(facts(mirror, Some("22")), hub, "{mirror}");
    }
    assert_eq!(Knowledge::builtin().image("docker.io/somebody/node", None), None);
}

#[test]
fn languages_are_run_by_whom_their_publishers_say() {
    let uid = |repository, tag| facts(repository, Some(tag)).user.known().and_then(|user| user.uid);
    assert_eq!(uid("mcr.microsoft.com/dotnet/aspnet", "10.0"), Some(0));
    assert_eq!(uid("mcr.microsoft.com/dotnet/aspnet", "10.0-noble-chiseled"), Some(1654));
    assert_eq!(uid("docker.io/mambaorg/micromamba", "1.5.8"), Some(57439));
    assert_eq!(uid("docker.io/mambaorg/micromamba", "1.4.9"), Some(1000));
    assert_eq!(uid("quay.io/jupyter/base-notebook", "latest"), Some(1000));
    assert_eq!(uid("registry.access.redhat.com/ubi8/openjdk-17", "1.14"), Some(185));
    let identity =
        |repository, tag| facts(repository, Some(tag)).identity.known().cloned().flatten().and_then(|it| it.uid);
    assert_eq!(identity("docker.io/library/php", "8.3-apache"), Some(33));
    assert_eq!(identity("docker.io/library/php", "8.3-fpm-alpine"), Some(82));
    assert_eq!(identity("mcr.microsoft.com/dotnet/sdk", "8.0"), Some(1654));
    assert_eq!(identity("mcr.microsoft.com/dotnet/sdk", "6.0"), None, "the user came with .NET 8");
}

#[test]
fn what_is_given_up_says_so() {
    let openjdk = facts("docker.io/library/openjdk", Some("8u342-jdk"));
    let notice = openjdk.deprecated.known().expect("openjdk is given up");
    assert_eq!(notice.replacement.as_deref(), Some("docker.io/library/eclipse-temurin"));
    assert_eq!(openjdk.end_of_life.known().map(ToString::to_string).as_deref(), Some("2022-07-31"));
    assert_eq!(openjdk.runtime.known().map(String::as_str), Some("docker.io/library/eclipse-temurin:8-jre"));
}

#[test]
fn facts_answer_for_most_of_what_people_build_on() {
    let Some(shared) = std::env::var_os("IRONHULL_SHARED") else {
        println!("skipped: IRONHULL_SHARED is not set, so there is no corpus");
        return;
    };
    let (mut public, mut answered) = (0_usize, 0_usize);
    let mut missing = BTreeMap::<(String, String), usize>::new();
    for text in dockerfiles(&Path::new(&shared).join("corpus")) {
        let Some((repository, gaps)) = gaps_of_final_image(text) else { continue };
        public += 1;
        if gaps.is_empty() {
            answered += 1;
        } else {
            *missing.entry((repository, gaps)).or_default() += 1;
        }
    }
    let mut missing: Vec<_> = missing.into_iter().map(|(name, count)| (count, name)).collect();
    missing.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
    for (count, (repository, gaps)) in &missing {
        println!("{count}\t{repository}\t{gaps}");
    }
    println!("answered: {answered} of {public}, {} in a thousand", answered * 1000 / public.max(1));
    assert!(public > 8000, "only {public} files end in a public image");
    assert!(answered * 100 >= public * 85, "{answered} of {public}");
}

/// A source whose file lies in the corpus, at the commit that was read, holds what is quoted from it.
#[test]
fn sources_say_what_is_quoted_from_them() {
    let Some(shared) = std::env::var_os("IRONHULL_SHARED") else {
        println!("skipped: IRONHULL_SHARED is not set, so there is no corpus");
        return;
    };
    let corpus = Path::new(&shared).join("corpus");
    let index = fs::read_to_string(corpus.join("INDEX.tsv")).expect("the corpus has an index");
    let held: BTreeMap<String, &str> = index.lines().filter_map(address_and_path).collect();
    let (mut read, mut against) = (0_usize, BTreeSet::new());
    for (file, text) in builtin_files() {
        let lines = text.lines().zip(text.lines().skip(1));
        for (url, says) in
            lines.filter_map(|(one, next)| Some((one.strip_prefix("url = ")?, next.strip_prefix("says = ")?)))
        {
            let Some(path) = held.get(url.trim_matches('"')) else { continue };
            read += 1;
            let source = plain(&String::from_utf8_lossy(&fs::read(corpus.join("files").join(path)).unwrap()));
            let mut parts = says.split(['…', ';', ':', ',']).map(plain).filter(|part| part.len() > 5);
            if !parts.any(|part| source.contains(part.trim())) {
                against.insert(format!("{file}.toml: {url} does not say {says}"));
            }
        }
    }
    assert!(read > 300, "only {read} sources are in the corpus");
    assert!(against.is_empty(), "{} of {read}:\n{}", against.len(), Vec::from_iter(against).join("\n"));
}

/// The address of a file of the corpus at the commit that the corpus holds, and its path there.
fn address_and_path(line: &str) -> Option<(String, &str)> {
    let columns: Vec<&str> = line.split('\t').collect();
    let (path, repository, commit) = (*columns.get(2)?, *columns.get(3)?, *columns.get(5)?);
    let inside = path.strip_prefix(repository)?.strip_prefix('/')?;
    Some((format!("https://github.com/{}/blob/{commit}/{inside}", repository.replacen('+', "/", 1)), path))
}

/// A text without what quoting changes: quotation marks, backslashes, the width of spaces.
fn plain(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '\\'));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Whoever installs packages knows which manager an image has, and that he is root in it: thousands of second opinions.
#[test]
fn facts_agree_with_what_people_install_packages_with() {
    let Some(shared) = std::env::var_os("IRONHULL_SHARED") else {
        println!("skipped: IRONHULL_SHARED is not set, so there is no corpus");
        return;
    };
    let (mut asked, mut against) = (0_usize, Vec::new());
    for text in dockerfiles(&Path::new(&shared).join("corpus")) {
        let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text);
        let parsed = dockerfile::parse(&file.text);
        let model = DockerfileModel::new(&file, &parsed.tree, &KNOWLEDGE);
        for stage in model.stages().filter(|stage| stage.parent().is_none()) {
            let Some(image) = stage.image() else { continue };
            let (Some(facts), Some((manager, without_sudo))) = (&image.facts, first_manager(stage)) else { continue };
            asked += 1;
            if facts.package_manager.known().is_some_and(|known| !is_run_by(manager, *known)) {
                against.push(format!(
                    "{}: {:?}, not {manager:?}",
                    image.reference.text(),
                    facts.package_manager.known()
                ));
            }
            if without_sudo && facts.user.known().is_some_and(|user| !user.is_root()) {
                against.push(format!("{}: {manager:?} is not for {:?}", image.reference.text(), facts.user.known()));
            }
        }
    }
    against.sort();
    println!("{} of {asked} stages say something else:\n{}", against.len(), against.join("\n"));
    assert!(asked > 5000, "only {asked} stages install something");
    assert!(against.len() * 300 < asked, "{} of {asked} stages say something else", against.len());
}

/// The manager of the distribution's packages that a stage calls first, as the user that the image gives it, and whether
/// it does so without `sudo`.
fn first_manager(stage: Stage<'_>) -> Option<(Manager, bool)> {
    let steps = stage.steps().take_while(|step| step.keyword() != Keyword::User);
    steps.filter(|step| step.keyword() == Keyword::Run).flat_map(Step::commands).find_map(|command| {
        let call = PackageCommand::read(command.invocation()?)?;
        let installs = matches!(call.action, Action::Refresh | Action::Install | Action::Upgrade);
        let without_sudo = !command.invocation()?.is_wrapped_by(Wrapper::Elevate);
        (installs && call.manager.is_system()).then_some((call.manager, without_sudo))
    })
}

/// Whether an image with the package manager `known` has the program of `manager`; `rpm` and `dpkg` come with many.
fn is_run_by(manager: Manager, known: Option<PackageManager>) -> bool {
    match manager {
        Manager::Apt => known == Some(PackageManager::Apt),
        Manager::Apk => known == Some(PackageManager::Apk),
        Manager::Yum | Manager::Dnf => matches!(known, Some(PackageManager::Yum | PackageManager::Dnf)),
        Manager::Microdnf => known == Some(PackageManager::Microdnf),
        Manager::Tdnf => known == Some(PackageManager::Tdnf),
        Manager::Zypper => known == Some(PackageManager::Zypper),
        Manager::Pacman => known == Some(PackageManager::Pacman),
        _ => known.is_some(),
    }
}

/// The bytes of each Dockerfile of the corpus.
fn dockerfiles(corpus: &Path) -> impl Iterator<Item = Vec<u8>> {
    let index = fs::read_to_string(corpus.join("INDEX.tsv")).expect("the corpus has an index");
    let paths: Vec<_> = index
        .lines()
        .filter_map(|line| line.strip_prefix("dockerfile\t")?.split('\t').nth(1).map(str::to_owned))
        .collect();
    let files = corpus.join("files");
    paths.into_iter().map(move |path| fs::read(files.join(path)).expect("the index names files"))
}

/// The repository that the last stage of `text` comes down to, and which facts of it are missing. `None` where it names
/// no public image: it is `scratch`, nobody can tell it from the file, or only some people can pull it.
fn gaps_of_final_image(text: Vec<u8>) -> Option<(String, String)> {
    let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text);
    let parsed = dockerfile::parse(&file.text);
    let model = DockerfileModel::new(&file, &parsed.tree, &KNOWLEDGE);
    let image = model.stages().next_back()?.image()?;
    let repository = image.reference.name();
    is_public(&repository).then(|| (repository, image.facts.as_deref().map_or("all".to_owned(), gaps)))
}

/// The facts that every rule about a final image needs.
fn gaps(facts: &ImageFacts) -> String {
    let asked =
        [(facts.family.is_known(), "family"), (facts.user.is_known(), "user"), (facts.shell.is_known(), "shell")];
    let gaps: Vec<&str> = asked.into_iter().filter(|(known, _)| !known).map(|(_, name)| name).collect();
    gaps.join(" ")
}

/// Whether a name is one of a registry that anybody can read without an account. Names without a registry are Docker
/// Hub's, also where a project only means an image that it builds itself.
fn is_public(repository: &str) -> bool {
    const PUBLIC: [&str; 17] = [
        "docker.io",
        "docker.elastic.co",
        "gcr.io",
        "ghcr.io",
        "k8s.gcr.io",
        "registry.k8s.io",
        "mcr.microsoft.com",
        "mirror.gcr.io",
        "public.ecr.aws",
        "quay.io",
        "cgr.dev",
        "registry.access.redhat.com",
        "registry.fedoraproject.org",
        "registry.opensuse.org",
        "registry.suse.com",
        "registry.gitlab.com",
        "lscr.io",
    ];
    repository.split_once('/').is_some_and(|(host, _)| PUBLIC.contains(&host))
}

fn facts(repository: &str, tag: Option<&str>) -> Arc<ImageFacts> {
    Knowledge::builtin().image(repository, tag).expect("the repository has an entry")
}

fn head(entry: &str) -> String {
    entry.lines().take(3).collect::<Vec<_>>().join("\n")
}

#[test]
fn images_say_what_their_programs_need_when_confined() {
    let facts = |image: &str, tag: &str| KNOWLEDGE.image(&format!("docker.io/{image}"), Some(tag)).unwrap();
    let root = |facts: &ImageFacts| facts.needed_capabilities(Start::Root).map(|names| names.join(" "));

    let postgres = facts("library/postgres", "16-alpine");
    assert_eq!(postgres.data.known().unwrap(), &["/var/lib/postgresql/data"]);
    assert_eq!(facts("library/postgres", "18-alpine").data.known().unwrap(), &["/var/lib/postgresql"]);
    assert_eq!(facts("library/postgres", "alpine").data.known().unwrap(), &["/var/lib/postgresql"]);
    assert_eq!(postgres.writable.known().unwrap(), &["/tmp", "/var/run/postgresql"]);
    assert_eq!(root(&postgres).as_deref(), Some("CHOWN DAC_OVERRIDE FOWNER SETGID SETUID"));
    assert_eq!(postgres.needed_capabilities(Start::User(Some(999))), Some(&[][..]));
    assert_eq!(postgres.file_variable("POSTGRES_PASSWORD").as_deref(), Some("POSTGRES_PASSWORD_FILE"));
    assert_eq!(postgres.file_variable("PGPASSWORD"), None);
    assert!(postgres.runs_own_program("postgres") && postgres.runs_own_program("-c"));
    assert!(!postgres.runs_own_program("pg_dump"));

    // Of what nobody looked up nothing is said.
    assert!(!facts("library/postgres", "9.6-alpine").writable.is_known());
    assert!(!facts("library/mongo", "7.0-windowsservercore").capabilities.is_known());

    // Redis drops its own bounding set since version 8, and declares no volume any more.
    assert!(!root(&facts("library/redis", "7-alpine")).unwrap().contains("SETPCAP"));
    assert!(root(&facts("library/redis", "8.10-alpine")).unwrap().contains("SETPCAP"));
    assert!(facts("library/redis", "7.2").volumes.is_known() && !facts("library/redis", "8.2").volumes.is_known());

    // A file capability that is not in the bounding set keeps a program from starting, whoever starts it.
    let caddy = facts("library/caddy", "2.11.4-alpine");
    assert_eq!(caddy.needed_capabilities(Start::User(None)).unwrap(), ["NET_BIND_SERVICE"]);

    let grafana = facts("grafana/grafana", "13.1.3");
    let variable = grafana.file_variable("GF_SECURITY_ADMIN_PASSWORD");
    assert_eq!(variable.as_deref(), Some("GF_SECURITY_ADMIN_PASSWORD__FILE"));
    assert_eq!(grafana.file_variable("GF_SECURITY_ADMIN_PASSWORD__FILE"), None);
}

#[test]
fn where_data_is_kept_is_no_place_for_memory() {
    for repository in KNOWLEDGE.repositories().into_iter().filter(|name| !name.ends_with("/*")) {
        for tag in ["latest", "1", "8", "12", "18"] {
            let facts = KNOWLEDGE.image(repository, Some(tag)).unwrap();
            let lost = facts.writable.known().into_iter().flatten().find(|path| {
                let kept = facts.data.known().into_iter().chain(facts.volumes.known()).flatten();
                kept.into_iter().any(|kept| kept.starts_with(path.as_str()) || path.starts_with(kept.as_str()))
            });
            assert_eq!(lost, None, "{repository}:{tag}");
        }
    }
}
