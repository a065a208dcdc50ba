//! Who builds a Dockerfile, and which features of the language it may therefore use.
//!
//! Nothing in a Dockerfile names its builder. What the file already uses, its `# syntax=` and the CI files beside and
//! above it tell enough to keep a repair from writing what a builder refuses or, worse, ignores. In doubt only what
//! BuildKit, buildah and podman have all had for years is allowed. Versions are those of the Dockerfile reference; of
//! buildah, what 1.28 takes was tried.

use crate::{
    context::{BuildContext, Found, join},
    source::SourceFile,
    syntax::dockerfile::{Dockerfile, Instruction, Keyword},
};
use std::{borrow::Cow, collections::BTreeMap};

/// Something that not every builder takes in a Dockerfile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// `RUN --mount`, of type cache, secret, bind or tmpfs.
    RunMount,
    /// `COPY --chmod`, `ADD --chmod`.
    CopyChmod,
    /// `RUN --network`.
    RunNetwork,
    /// `RUN <<EOF`, `COPY <<EOF`.
    Heredoc,
    /// `COPY --link`, `ADD --link`.
    CopyLink,
    /// `ADD --checksum=sha256:…` of an address.
    AddChecksum,
    /// `RUN --mount=type=secret,env=NAME`.
    SecretEnv,
    /// `ADD --unpack`.
    AddUnpack,
    /// `COPY --exclude`, `ADD --exclude`.
    CopyExclude,
}

impl Feature {
    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Feature::RunMount => "`RUN --mount`",
            Feature::CopyChmod => "`COPY --chmod`",
            Feature::RunNetwork => "`RUN --network`",
            Feature::Heredoc => "a heredoc",
            Feature::CopyLink => "`COPY --link`",
            Feature::AddChecksum => "`ADD --checksum`",
            Feature::SecretEnv => "`RUN --mount=type=secret,env=…`",
            Feature::AddUnpack => "`ADD --unpack`",
            Feature::CopyExclude => "`COPY --exclude`",
        }
    }

    /// The first minor version of `docker/dockerfile:1` that has it.
    pub fn since(self) -> u16 {
        match self {
            Feature::RunMount | Feature::CopyChmod => 2,
            Feature::RunNetwork => 3,
            Feature::Heredoc | Feature::CopyLink => 4,
            Feature::AddChecksum => 6,
            Feature::SecretEnv => 10,
            Feature::AddUnpack => 17,
            Feature::CopyExclude => 19,
        }
    }

    /// Whether builders other than BuildKit have had it for years.
    fn is_portable(self) -> bool {
        match self {
            Feature::RunMount | Feature::CopyChmod => true,
            Feature::RunNetwork
            | Feature::Heredoc
            | Feature::CopyLink
            | Feature::AddChecksum
            | Feature::SecretEnv
            | Feature::AddUnpack
            | Feature::CopyExclude => false,
        }
    }

    /// The features that an instruction uses.
    fn used_by(instruction: &Instruction) -> impl Iterator<Item = Feature> + '_ {
        let flags = instruction.flags.iter().filter_map(|flag| {
            let value = flag.value.as_deref().unwrap_or_default();
            Some(match (instruction.keyword, flag.name.as_str()) {
                (Keyword::Run, "mount") if value.contains("type=secret") && value.contains(",env=") => {
                    Feature::SecretEnv
                }
                (Keyword::Run, "mount") => Feature::RunMount,
                (Keyword::Run, "network") => Feature::RunNetwork,
                (Keyword::Copy | Keyword::Add, "chmod") => Feature::CopyChmod,
                (Keyword::Copy | Keyword::Add, "link") => Feature::CopyLink,
                (Keyword::Copy | Keyword::Add, "exclude") => Feature::CopyExclude,
                (Keyword::Add, "checksum") => Feature::AddChecksum,
                (Keyword::Add, "unpack") => Feature::AddUnpack,
                _ => return None,
            })
        });
        let heredoc = (!instruction.heredocs.is_empty()).then_some(Feature::Heredoc);
        flags.chain(heredoc)
    }
}

/// Whether a repair may write a feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// It may, for this reason.
    Yes(Cow<'static, str>),
    /// It may if it also makes this image the frontend (`# syntax=` in the first line); `rewrite` has the edit.
    ///
    /// That image must be pulled by whoever builds, so a fix is safe only where the file names a frontend already.
    Raise(String),
    /// A builder that the file is built with does not take it, or may not.
    No(Cow<'static, str>),
}

/// A program that builds images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Engine {
    BuildKit,
    /// With podman, and the builds of `OpenShift`, which are made of it.
    Buildah,
    Kaniko,
    /// `docker build` without BuildKit.
    Classic,
}

impl Engine {
    fn name(self) -> &'static str {
        match self {
            Engine::BuildKit => "BuildKit",
            Engine::Buildah => "buildah or podman",
            Engine::Kaniko => "kaniko",
            Engine::Classic => "Docker without BuildKit",
        }
    }

    /// Whether it takes `feature` in every version that is in use; of BuildKit, its frontend decides.
    fn takes(self, feature: Feature) -> bool {
        match self {
            Engine::BuildKit => true,
            Engine::Buildah => feature.is_portable(),
            Engine::Kaniko | Engine::Classic => false,
        }
    }
}

/// What reads the file for BuildKit.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Frontend {
    /// What is built into the BuildKit that builds, whichever that is.
    BuiltIn,
    /// Docker's, of at least this minor version of `docker/dockerfile:1`; the image without its tag.
    Docker { image: String, minor: u16, is_fixed: bool },
    /// One of which nothing is known.
    Unknown,
}

/// The minor version of a frontend that is always the newest.
const NEWEST: u16 = u16::MAX;

/// Docker's own frontend, without tag.
const DOCKER_FRONTEND: &str = "docker/dockerfile";

/// What is known of whoever builds a Dockerfile.
#[derive(Clone, Debug)]
pub struct Builder {
    frontend: Frontend,
    /// Builders, and the file that names each.
    engines: BTreeMap<Engine, String>,
    used: Vec<Feature>,
    /// `#!` in the first line, where a directive would have to be.
    has_shebang: bool,
}

impl Builder {
    /// What `file`, of which `syntax` was made, and the files around it tell of whoever builds it.
    pub fn of(syntax: &Dockerfile, file: &SourceFile, context: BuildContext<'_>) -> Self {
        let frontend = syntax.frontend(&file.text).map_or(Frontend::BuiltIn, Frontend::of);
        let mut used: Vec<Feature> = syntax.instructions.iter().flat_map(Feature::used_by).collect();
        used.sort();
        used.dedup();
        let mut engines = BTreeMap::new();
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        if name.contains("Containerfile") {
            engines.insert(Engine::Buildah, name.to_owned());
        }
        for found in evidence(context, tells) {
            for engine in engines_in(&found.text) {
                engines.entry(engine).or_insert_with(|| found.path.clone());
            }
        }
        Self { frontend, engines, used, has_shebang: file.text.starts_with(b"#!") }
    }

    /// Whether a repair of the file may write `feature`.
    pub fn allows(&self, feature: Feature) -> Allowed {
        if self.used.contains(&feature) {
            return Allowed::Yes(format!("the file uses {} already", feature.name()).into());
        }
        if let Some((engine, path)) = self.engines.iter().find(|(engine, _)| !engine.takes(feature)) {
            let (engine, feature) = (engine.name(), feature.name());
            return Allowed::No(format!("`{path}` builds with {engine}, which may not take {feature}").into());
        }
        if feature.is_portable() && self.frontend == Frontend::BuiltIn {
            return Allowed::Yes(format!("builders have taken {} for years", feature.name()).into());
        }
        self.frontend_allows(feature)
    }

    fn frontend_allows(&self, feature: Feature) -> Allowed {
        match &self.frontend {
            Frontend::Docker { minor, .. } if *minor >= feature.since() => {
                Allowed::Yes(format!("`# syntax=` names a frontend that has {}", feature.name()).into())
            }
            Frontend::Docker { is_fixed: true, .. } | Frontend::Unknown => Allowed::No(
                format!("nobody can tell whether the frontend that `# syntax=` names has {}", feature.name()).into(),
            ),
            Frontend::Docker { image, .. } => Allowed::Raise(format!("{image}:1.{}", feature.since())),
            Frontend::BuiltIn => match self.used.iter().map(|used| used.since()).max() {
                Some(minor) if minor >= feature.since() => {
                    Allowed::Yes(format!("the file uses what came later than {}", feature.name()).into())
                }
                Some(_) | None if self.is_buildkit() && !self.has_shebang => {
                    Allowed::Raise(format!("{DOCKER_FRONTEND}:1"))
                }
                Some(_) | None => {
                    Allowed::No(format!("nothing shows that whoever builds the file takes {}", feature.name()).into())
                }
            },
        }
    }

    /// Whether something shows that BuildKit builds the file.
    fn is_buildkit(&self) -> bool {
        self.engines.contains_key(&Engine::BuildKit) || self.used.iter().any(|used| !used.is_portable())
    }
}

impl Frontend {
    /// The frontend that an image of that name is.
    fn of(image: &[u8]) -> Self {
        let Ok(image) = std::str::from_utf8(image) else { return Frontend::Unknown };
        let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
        let (path, tag) = match name.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, tag),
            Some(_) | None => (name, "latest"),
        };
        let of_docker = path.strip_prefix("docker.io/").unwrap_or(path);
        let is_upstream = of_docker == "docker/dockerfile-upstream";
        let is_docker = of_docker == DOCKER_FRONTEND || is_upstream;
        match minor(tag) {
            // A tag that moves with each release has whatever is released, if it is not nailed down by a digest.
            Some(NEWEST) if digest.is_some() => Frontend::Unknown,
            Some(minor) => {
                let is_fixed = digest.is_some() || !is_docker || is_upstream || tag.contains('-');
                Frontend::Docker { image: path.to_owned(), minor, is_fixed }
            }
            None => Frontend::Unknown,
        }
    }
}

/// The minor version that a tag such as `1`, `1.4`, `1.4.3` or `1-labs` stands for.
fn minor(tag: &str) -> Option<u16> {
    if matches!(tag, "latest" | "labs" | "master" | "master-labs") {
        return Some(NEWEST);
    }
    let version = tag.strip_suffix("-labs").unwrap_or(tag);
    let mut parts = version.split('.');
    match (parts.next(), parts.next()) {
        (Some("1"), None) => Some(NEWEST),
        (Some("1"), Some(minor)) => minor.parse().ok(),
        _ => None,
    }
}

/// Files that tell how images are built, by name, in the directory of the Dockerfile and those above it.
const NAMES: [&str; 16] = [
    ".gitlab-ci.yml",
    ".drone.yml",
    ".woodpecker.yml",
    ".travis.yml",
    "Jenkinsfile",
    "cloudbuild.yaml",
    "cloudbuild.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "buildspec.yml",
    "Makefile",
    "GNUmakefile",
    "Taskfile.yml",
    "justfile",
    "skaffold.yaml",
    "Earthfile",
];

/// Directories of such files, whatever these are called.
const DIRECTORIES: [&str; 10] = [
    "",
    ".github/workflows",
    ".gitlab",
    ".gitlab/ci",
    ".circleci",
    ".buildkite",
    ".tekton",
    ".woodpecker",
    "scripts",
    "ci",
];

/// So many bytes of these files are read for one Dockerfile.
const MOST_EVIDENCE: usize = 8 * 1024 * 1024;

/// The files that `tells` of a directory and a name, in the directory of the Dockerfile and those above it and where CI
/// files and scripts lie below these.
pub(super) fn evidence(context: BuildContext<'_>, tells: fn(&str, &str) -> bool) -> Vec<Found> {
    let mut found = Vec::new();
    let mut size = 0;
    for (root, below) in context.directories().flat_map(|root| DIRECTORIES.map(|below| (root, below))) {
        let directory = if below.is_empty() { root.to_owned() } else { join(root, below) };
        for entry in context.list(&directory).iter().filter(|entry| !entry.is_directory && tells(below, &entry.name)) {
            let Some(file) = context.at(&join(&directory, &entry.name)) else { continue };
            size += file.text.len();
            if size > MOST_EVIDENCE {
                return found;
            }
            found.push(file);
        }
    }
    found
}

/// Whether a file of that name, in such a directory, tells how images are built.
pub(super) fn tells(directory: &str, name: &str) -> bool {
    let is_of_ci = !directory.is_empty() && (name.ends_with(".yml") || name.ends_with(".yaml"));
    is_of_ci || name.ends_with(".sh") || NAMES.contains(&name)
}

/// The builders that a CI file or script names.
fn engines_in(text: &[u8]) -> Vec<Engine> {
    const MARKS: [(Engine, &[&str]); 4] = [
        (
            Engine::BuildKit,
            &[
                "docker buildx",
                "docker/build-push-action",
                "docker/bake-action",
                "docker/setup-buildx-action",
                "DOCKER_BUILDKIT=1",
                "DOCKER_BUILDKIT: 1",
                "DOCKER_BUILDKIT: \"1\"",
                "DOCKER_BUILDKIT: '1'",
                "buildctl",
                "moby/buildkit",
            ],
        ),
        (
            Engine::Buildah,
            &["buildah", "podman build", "podman-compose", "oc start-build", "oc new-build", "imagebuilder"],
        ),
        (Engine::Kaniko, &["kaniko"]),
        (
            Engine::Classic,
            &["DOCKER_BUILDKIT=0", "DOCKER_BUILDKIT: 0", "DOCKER_BUILDKIT: \"0\"", "DOCKER_BUILDKIT: '0'"],
        ),
    ];
    let named = |marks: &[&str]| marks.iter().any(|mark| says(text, mark));
    let mut engines: Vec<Engine> = MARKS.iter().filter(|(_, marks)| named(marks)).map(|&(engine, _)| engine).collect();
    // The builder of Google Cloud Build is a Docker that uses BuildKit only where it is told to.
    if !engines.contains(&Engine::BuildKit) && says(text, "gcr.io/cloud-builders/docker") {
        engines.push(Engine::Classic);
    }
    engines
}

/// Whether `text` holds `mark` outside of comments.
fn says(text: &[u8], mark: &str) -> bool {
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, mark.as_bytes()) {
        let line = memchr::memrchr(b'\n', &rest[..at]).map_or(0, |at| at + 1);
        let start = rest[line..].trim_ascii_start();
        if !start.starts_with(b"#") && !start.starts_with(b"//") {
            return true;
        }
        let Some(end) = memchr::memchr(b'\n', &rest[at..]) else { return false };
        rest = &rest[at + end + 1..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        context::{Entry, Files, entries},
        source::FileKind,
        syntax::dockerfile::parse,
        text::FileId,
    };
    use std::sync::Arc;

    /// Paths and texts.
    struct Tree<'t>(&'t [(&'t str, &'t str)]);

    impl Files for Tree<'_> {
        fn read(&self, path: &str) -> Option<Arc<[u8]>> {
            let (_, text) = self.0.iter().find(|(name, _)| *name == path)?;
            Some(Arc::from(text.as_bytes()))
        }

        fn list(&self, path: &str) -> Arc<[Entry]> {
            entries(self.0.iter().map(|(name, _)| *name), path)
        }
    }

    fn allows(text: &str, around: &[(&str, &str)], feature: Feature) -> Allowed {
        let file = SourceFile::new(FileId(0), "app/Dockerfile", FileKind::Dockerfile, text.as_bytes().to_vec());
        let tree = parse(&file.text).tree;
        Builder::of(&tree, &file, BuildContext::new(&Tree(around), &file.path)).allows(feature)
    }

    fn is_yes(allowed: &Allowed) -> bool {
        matches!(allowed, Allowed::Yes(_))
    }

    #[test]
    fn in_doubt_only_what_is_portable_is_allowed() {
        assert!(is_yes(&allows("FROM a\n", &[], Feature::RunMount)));
        assert!(is_yes(&allows("FROM a\n", &[], Feature::CopyChmod)));
        assert!(matches!(allows("FROM a\n", &[], Feature::AddChecksum), Allowed::No(_)));
    }

    #[test]
    fn the_frontend_decides_by_its_version() {
        let with = |frontend: &str, feature| allows(&format!("# syntax={frontend}\nFROM a\n"), &[], feature);
        assert!(is_yes(&with("docker/dockerfile:1", Feature::CopyExclude)));
        assert!(is_yes(&with("docker/dockerfile", Feature::AddChecksum)));
        assert!(is_yes(&with("docker.io/docker/dockerfile:1.6", Feature::AddChecksum)));
        assert!(is_yes(&with("docker/dockerfile:1.7-labs", Feature::AddChecksum)));
        assert!(is_yes(&with("docker/dockerfile:1.10@sha256:0", Feature::SecretEnv)));
        let raised = |image: &str| Allowed::Raise(image.to_owned());
        assert_eq!(with("docker/dockerfile:1.4", Feature::AddChecksum), raised("docker/dockerfile:1.6"));
        assert_eq!(with("docker/dockerfile:1.0.1", Feature::RunMount), raised("docker/dockerfile:1.2"));
        for fixed in [
            "docker/dockerfile:1.4@sha256:0",
            "docker/dockerfile:1@sha256:0",
            "docker/dockerfile:1.4-labs",
            "mirror.example.com/docker/dockerfile:1.4",
            "docker/dockerfile:experimental",
        ] {
            assert!(matches!(with(fixed, Feature::AddChecksum), Allowed::No(_)), "{fixed}");
        }
    }

    #[test]
    fn what_the_file_uses_is_taken_by_whoever_builds_it() {
        let text = "FROM a\nADD --checksum=sha256:0 https://example.com/a /\n";
        let kaniko = [(".gitlab-ci.yml", "script: /kaniko/executor\n")];
        assert!(is_yes(&allows(text, &kaniko, Feature::AddChecksum)));
        assert!(is_yes(&allows(text, &[], Feature::Heredoc)));
        let raised = Allowed::Raise("docker/dockerfile:1".to_owned());
        assert_eq!(allows("FROM a\nCOPY <<E /a\nb\nE\n", &[], Feature::AddChecksum), raised);
    }

    #[test]
    fn a_builder_that_is_named_in_ci_counts() {
        let is_no = |around, feature| matches!(allows("FROM a\n", around, feature), Allowed::No(_));
        assert!(is_no(&[(".gitlab-ci.yml", "image: gcr.io/kaniko-project/executor\n")], Feature::RunMount));
        assert!(is_no(&[("Makefile", "all:\n\tDOCKER_BUILDKIT=0 docker build .\n")], Feature::RunMount));
        assert!(is_no(&[("cloudbuild.yaml", "- name: gcr.io/cloud-builders/docker\n")], Feature::CopyChmod));
        assert!(is_no(&[("app/build.sh", "podman build .\n")], Feature::Heredoc));
        assert!(is_yes(&allows("FROM a\n", &[("app/build.sh", "podman build .\n")], Feature::RunMount)));
        assert!(is_yes(&allows("FROM a\n", &[("Makefile", "# kaniko\n")], Feature::RunMount)));
        let text = "# syntax=docker/dockerfile:1\nFROM a\n";
        assert!(matches!(allows(text, &[("Jenkinsfile", "sh 'kaniko'")], Feature::AddChecksum), Allowed::No(_)));
        let buildx = [(".github/workflows/a.yml", "- uses: docker/build-push-action@v6\n")];
        assert_eq!(allows("FROM a\n", &buildx, Feature::AddChecksum), Allowed::Raise("docker/dockerfile:1".to_owned()));
        assert!(matches!(allows("#!/x\nFROM a\n", &buildx, Feature::AddChecksum), Allowed::No(_)));
    }
}
