//! The vocabulary of rules: what a rule is, what it sees, what it says.

pub use crate::model::Evidence;
use crate::{
    context::BuildContext,
    knowledge::Knowledge,
    lock::Lock,
    model::{
        DockerfileModel, compose::ComposeModel, kubernetes::KubernetesModel, script_file::ScriptFile,
        seccomp::SeccompModel,
    },
    source::{FileKind, SourceFile},
    text::{Edit, FileId, Fingerprint, Span},
};
use std::{borrow::Cow, sync::Arc};

/// How bad the thing is that a finding tells of; a fact about the world, not a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// A habit that makes other trouble worse.
    Low,
    /// A weakness that needs a second one to hurt.
    Medium,
    /// A weakness on its own.
    High,
    /// An open door.
    Critical,
}

impl Severity {
    /// The name in JSON and in the terminal.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Likely, with a known way to be wrong.
    Medium,
    /// Proved from the files.
    High,
}

impl Confidence {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// What this project does about a finding. Severity says how bad; level says who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Not reported.
    Off,
    /// Shown, never failing by default.
    Note,
    /// Should be acted on.
    Warn,
    /// Must be acted on.
    Error,
}

impl Level {
    /// Every level, from the least to the most.
    pub const ALL: [Level; 4] = [Level::Off, Level::Note, Level::Warn, Level::Error];

    /// The name in configuration and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Level::Off => "off",
            Level::Note => "note",
            Level::Warn => "warn",
            Level::Error => "error",
        }
    }

    /// The level of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// What a rule is about; also the folder it lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Base images and what enters the image.
    Image,
    /// Who runs the image.
    User,
    /// Credentials.
    Secret,
    /// Package managers.
    Package,
    /// Downloads and transport.
    Network,
    /// What a layer leaves behind.
    Layer,
    /// Privileges of a build or a container.
    Runtime,
    /// What only a cluster knows: how its pods are run, and who may do what.
    Kubernetes,
    /// The form of a file.
    Syntax,
}

impl Group {
    /// The name in JSON, of the documentation chapter and of the folder.
    pub fn name(self) -> &'static str {
        match self {
            Group::Image => "image",
            Group::User => "user",
            Group::Secret => "secret",
            Group::Package => "package",
            Group::Network => "network",
            Group::Layer => "layer",
            Group::Runtime => "runtime",
            Group::Kubernetes => "kubernetes",
            Group::Syntax => "syntax",
        }
    }
}

/// Where a requirement is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// CIS Docker Benchmark v1.6, by section.
    CisDocker,
    /// CIS Kubernetes Benchmark v1.9, by section.
    CisKubernetes,
    /// NIST SP 800-190, by countermeasure section: 4.1.1 to 4.5.5 were compared on 2026-11-22 with a list of its sections
    /// that quotes their texts, <https://doi.org/10.6028/NIST.SP.800-190> itself could not be opened.
    Nist800190,
    /// Kubernetes Pod Security Standards, by level and the release since which it asks for this: `restricted 1.22`.
    PodSecurity,
    /// NSA and CISA, Kubernetes Hardening Guide v1.2, by the heading of the section: compared on 2026-11-22 with two lists
    /// of its headings in other projects, the guide itself could not be opened.
    NsaCisa,
    /// Common Weakness Enumeration, by number.
    Cwe,
    /// A page, by address.
    Url,
}

impl Scheme {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Scheme::CisDocker => "CIS-Docker",
            Scheme::CisKubernetes => "CIS-Kubernetes",
            Scheme::Nist800190 => "NIST-800-190",
            Scheme::PodSecurity => "PSS",
            Scheme::NsaCisa => "NSA-CISA",
            Scheme::Cwe => "CWE",
            Scheme::Url => "URL",
        }
    }
}

/// One place where a requirement is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The document.
    pub scheme: Scheme,
    /// The section, number or address in it.
    pub id: &'static str,
}

impl Reference {
    /// A reference to section `id` of `scheme`.
    pub const fn new(scheme: Scheme, id: &'static str) -> Self {
        Self { scheme, id }
    }
}

/// What a rule's fix does to the image; ordered, so that a run allows everything at or above one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Safety {
    /// Holds a placeholder or a decision; shown as a patch, never applied.
    Manual,
    /// What a hardener would do, but a build or a start-up may break.
    Risky,
    /// The built image does the same, or only loses what the file cannot rely on.
    Safe,
}

impl Safety {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Safety::Manual => "manual",
            Safety::Risky => "risky",
            Safety::Safe => "safe",
        }
    }
}

/// Whether a rule has a fix, and what it does, for the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixNote {
    /// No fix.
    Never,
    /// Some findings have one.
    Sometimes(Safety, &'static str),
    /// Every finding has one.
    Always(Safety, &'static str),
}

/// A before and after that documents a rule and tests it.
///
/// `bad` marks the bytes of each finding of this rule with `«…»`; the marks are taken out before use.
/// Several files go into one text with `-- compose.yaml --` header lines.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// What it shows, a few words.
    pub title: &'static str,
    /// A text in which the rule finds exactly the marked bytes.
    pub bad: &'static str,
    /// A text in which the rule finds nothing: what the fix, or the reader, makes of `bad`.
    pub good: &'static str,
}

impl Example {
    /// An example.
    pub const fn new(title: &'static str, bad: &'static str, good: &'static str) -> Self {
        Self { title, bad, good }
    }
}

/// Everything known about a rule, as data. Emitters, documentation, language server and tests read this and nothing else.
#[derive(Clone, Copy, Debug)]
pub struct RuleMeta {
    /// Names the problem in kebab case and reads after "allow"; never changes.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// Why it matters, one to three sentences.
    pub why: &'static str,
    /// What to do, one to three sentences.
    pub remedy: &'static str,
    /// What it is about.
    pub group: Group,
    /// How bad it is where nothing makes it worse or better.
    pub severity: Severity,
    /// How sure its findings are where nothing makes them less so.
    pub confidence: Confidence,
    /// The kinds of file it reads.
    pub kinds: &'static [FileKind],
    /// Its fix, if any.
    pub fix: FixNote,
    /// Where the requirement is written down.
    pub references: &'static [Reference],
    /// The same rule in other tools, as `tool:id`.
    pub equivalents: &'static [&'static str],
    /// Two to six examples.
    pub examples: &'static [Example],
    /// The first version that has it.
    pub since: &'static str,
}

/// A rule that ships with the program: what it is, and the function that looks.
#[derive(Debug)]
pub struct Builtin {
    /// What it is.
    pub meta: RuleMeta,
    /// The function that looks.
    pub check: Check,
}

/// The function of a rule, by the model that it reads.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// Reads one Dockerfile.
    Dockerfile(fn(&Cx<'_, DockerfileModel<'_>>, &mut Findings)),
    /// Reads one file of Kubernetes.
    Kubernetes(fn(&Cx<'_, KubernetesModel<'_>>, &mut Findings)),
    /// Reads one seccomp profile.
    Seccomp(fn(&Cx<'_, SeccompModel<'_>>, &mut Findings)),
    /// Reads one compose file.
    Compose(fn(&Cx<'_, ComposeModel<'_>>, &mut Findings)),
    /// Reads what starts containers: one function for compose files, one for manifests.
    Containers {
        /// Reads one compose file.
        compose: fn(&Cx<'_, ComposeModel<'_>>, &mut Findings),
        /// Reads one file of Kubernetes.
        kubernetes: fn(&Cx<'_, KubernetesModel<'_>>, &mut Findings),
    },
    /// Reads whatever names images: one function for each kind of file.
    Images {
        /// Reads one Dockerfile.
        dockerfile: fn(&Cx<'_, DockerfileModel<'_>>, &mut Findings),
        /// Reads one compose file.
        compose: fn(&Cx<'_, ComposeModel<'_>>, &mut Findings),
        /// Reads one file of Kubernetes.
        kubernetes: fn(&Cx<'_, KubernetesModel<'_>>, &mut Findings),
    },
    /// Reads one file of scripts: a shell script, a Makefile, the steps of a CI file.
    Script(fn(&Cx<'_, ScriptFile>, &mut Findings)),
    /// Reads commands: one function for Dockerfiles, one for scripts.
    Commands {
        /// Reads one Dockerfile.
        dockerfile: fn(&Cx<'_, DockerfileModel<'_>>, &mut Findings),
        /// Reads one file of scripts.
        script: fn(&Cx<'_, ScriptFile>, &mut Findings),
    },
    /// Errors of form, reported by the parsers themselves; the engine turns them into findings.
    Syntax,
    /// Comments that silence findings, read by `suppress`; the engine asks when all other rules have spoken.
    Suppressions,
}

/// How much is wanted to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Detail {
    /// What is wrong. Repairs that have to be looked for in other files are not made.
    Findings,
    /// Also how it can be repaired, or why it cannot.
    Repairs,
}

/// What a rule sees: one file, its model, the image facts. All read-only.
pub struct Cx<'a, M> {
    /// The file.
    pub file: &'a SourceFile,
    /// What it means.
    pub model: &'a M,
    /// Facts about images and packages.
    pub knowledge: &'a Knowledge,
    /// The files around it, as evidence.
    pub context: BuildContext<'a>,
    /// Digests that were written down once: `ironhull.lock`.
    pub lock: &'a Lock,
    /// Whether repairs are wanted.
    pub detail: Detail,
}

impl<M> Cx<'_, M> {
    /// The bytes of `span`.
    pub fn bytes(&self, span: Span) -> &[u8] {
        self.file.bytes(span)
    }

    /// The text of `span`, bytes that are not UTF-8 as U+FFFD.
    pub fn text(&self, span: Span) -> Cow<'_, str> {
        String::from_utf8_lossy(self.file.bytes(span))
    }
}

/// A place with a remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The file.
    pub file: FileId,
    /// Where in it.
    pub span: Span,
    /// The remark; empty on the primary place of a finding.
    pub message: String,
}

/// All or nothing, possibly across files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, imperative, a few words.
    pub title: Cow<'static, str>,
    /// What it may do to the image.
    pub safety: Safety,
    /// Why it has this safety: the proof, or what could not be proved.
    pub reason: Cow<'static, str>,
    /// The changes, disjoint.
    pub edits: Vec<Edit>,
    /// Text that the fix relied on; nobody else may edit it in the same round.
    pub claims: Vec<(FileId, Span)>,
    /// What else has to change with it.
    pub companions: Vec<Companion>,
    /// The places in other files that prove it, as far as it has any.
    pub evidence: Vec<Evidence>,
}

/// What a fix changes in a file beside the judged one: that is done with the rest of it, or none of it is.
///
/// In one round one fix changes such a file, unless it changes nothing else, and whoever reads it is judged again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Companion {
    /// The file, written as the path of the judged one is.
    pub path: String,
    /// What it is.
    pub kind: FileKind,
    /// The bytes that it was read with.
    pub text: Arc<[u8]>,
    /// The changes, disjoint and in order, of [`FileId::BESIDE`].
    pub edits: Vec<Edit>,
}

impl Fix {
    /// A fix of that safety; `reason` is the proof, or what could not be proved.
    pub fn new(
        title: impl Into<Cow<'static, str>>,
        safety: Safety,
        reason: impl Into<Cow<'static, str>>,
        edits: Vec<Edit>,
    ) -> Self {
        Self {
            title: title.into(),
            safety,
            reason: reason.into(),
            edits,
            claims: Vec::new(),
            companions: Vec::new(),
            evidence: Vec::new(),
        }
    }

    /// Says what else has to change with it.
    #[must_use]
    pub fn with(mut self, companions: Vec<Companion>) -> Self {
        self.companions = companions;
        self
    }

    /// Says which places in other files prove it.
    #[must_use]
    pub fn shown_by(mut self, evidence: Vec<Evidence>) -> Self {
        self.evidence = evidence;
        self
    }

    /// Says that it relied on the text of `span`: nobody else may edit that in the same round.
    #[must_use]
    pub fn claiming(mut self, file: FileId, span: Span) -> Self {
        self.claims.push((file, span));
        self
    }
}

/// A change that one may expect at a place and that would be wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declined {
    /// The id of the rule that would have made it.
    pub rule: &'static str,
    /// The place.
    pub place: Label,
    /// Why it would be wrong, or what could not be proved.
    pub reason: Cow<'static, str>,
}

/// One thing that is wrong, at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// How bad it is here.
    pub severity: Severity,
    /// How sure it is here.
    pub confidence: Confidence,
    /// One sentence about this file: present tense, code in backticks, no full stop, no blame.
    pub message: String,
    /// Where.
    pub primary: Label,
    /// Other places that prove or explain it.
    pub related: Vec<Label>,
    /// The first is the default; others are alternatives.
    pub fixes: Vec<Fix>,
    /// Why it has no fix, or none that would be right here.
    pub declined: Option<Cow<'static, str>>,
    /// Tells it from the others of its file, wherever its lines have moved: its rule, the text of its instruction and,
    /// among equal ones, its turn. The engine sets it.
    pub fingerprint: Fingerprint,
}

impl Finding {
    /// Adds a fix; the first one is the default.
    pub fn fix(&mut self, fix: Fix) -> &mut Self {
        self.fixes.push(fix);
        self
    }

    /// Adds the fix that `make` answers, or why there is none, if anybody wants to know.
    pub fn repair<M, E: Into<Cow<'static, str>>>(
        &mut self,
        cx: &Cx<'_, M>,
        make: impl FnOnce() -> Result<Fix, E>,
    ) -> &mut Self {
        match cx.detail {
            Detail::Findings => self,
            Detail::Repairs => match make() {
                Ok(fix) => self.fix(fix),
                Err(why) => self.decline(why),
            },
        }
    }

    /// Says why nothing can be repaired here.
    pub fn decline(&mut self, reason: impl Into<Cow<'static, str>>) -> &mut Self {
        self.declined = Some(reason.into());
        self
    }

    /// Tells it from all others of a run, wherever its lines have moved; `path` is that of its file.
    pub fn identity(&self, path: &str) -> Fingerprint {
        self.fingerprint.with(path.trim_start_matches("./").as_bytes())
    }

    /// Adds a place that proves or explains the finding.
    pub fn relate(&mut self, span: Span, message: impl Into<String>) -> &mut Self {
        let file = self.primary.file;
        self.related.push(Label { file, span, message: message.into() });
        self
    }

    /// Says that only a build that sets `argument`, if there is one, does what is found.
    pub fn only_with(&mut self, argument: Option<&str>) -> &mut Self {
        if let Some(argument) = argument {
            self.message += ", in a build that sets `";
            self.message += argument;
            self.message.push('`');
            self.confidence = self.confidence.min(Confidence::Medium);
        }
        self
    }

    /// Says that it is worse or better here than the rule's severity.
    pub fn severity(&mut self, severity: Severity) -> &mut Self {
        self.severity = severity;
        self
    }

    /// Says that it is more or less sure here than the rule's confidence.
    pub fn confidence(&mut self, confidence: Confidence) -> &mut Self {
        self.confidence = confidence;
        self
    }
}

/// A finding that a comment in the file silences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silenced {
    /// What is not reported.
    pub finding: Finding,
    /// Why, in the words of the comment.
    pub reason: String,
}

/// What there is to say about one file.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// Sorted by place and rule.
    pub findings: Vec<Finding>,
    /// Changes that one may expect and that would be wrong, where there is no finding; sorted by place and rule.
    pub declined: Vec<Declined>,
    /// What comments in the file silence; sorted by place and rule.
    pub silenced: Vec<Silenced>,
    /// How many errors of form the file has, whatever the rules make of them.
    pub errors: usize,
}

/// Collects what one rule says about one file.
pub struct Findings {
    meta: &'static RuleMeta,
    file: FileId,
    found: Vec<Finding>,
    declined: Vec<Declined>,
}

impl Findings {
    /// An empty collection for `meta` on `file`.
    pub fn new(meta: &'static RuleMeta, file: FileId) -> Self {
        Self { meta, file, found: Vec::new(), declined: Vec::new() }
    }

    /// Reports a finding at `span`; the answer can be refined.
    pub fn report(&mut self, span: Span, message: impl Into<String>) -> &mut Finding {
        self.found.push(Finding {
            rule: self.meta.id,
            severity: self.meta.severity,
            confidence: self.meta.confidence,
            message: message.into(),
            primary: Label { file: self.file, span, message: String::new() },
            related: Vec::new(),
            fixes: Vec::new(),
            declined: None,
            fingerprint: Fingerprint::default(),
        });
        self.found.last_mut().expect("one was pushed just now")
    }

    /// Says that there is nothing to report at `span`, although one may expect a change there, and why.
    pub fn decline(&mut self, span: Span, reason: impl Into<Cow<'static, str>>) {
        let place = Label { file: self.file, span, message: String::new() };
        self.declined.push(Declined { rule: self.meta.id, place, reason: reason.into() });
    }

    /// What was reported, and what was declined without a finding.
    pub fn into_parts(self) -> (Vec<Finding>, Vec<Declined>) {
        (self.found, self.declined)
    }
}
