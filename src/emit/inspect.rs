//! The image configuration that a Dockerfile makes, for people and as one line of JSON.

use crate::{
    emit::visible::visible,
    knowledge::Knowledge,
    model::{
        Base, BaseImages, Build, CopySource, DockerfileModel, EffectiveUser, Healthcheck, ImageConfig, Platform, Stage,
        Step, UnknownBase, UnknownUser, User, UserOrigin, Value, expand::Cause,
    },
    source::{FileKind, SourceFile},
    syntax::dockerfile,
    text::{FileId, Span, SyntaxError},
};
use serde_json::{Map, Value as Json, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// What is asked about a Dockerfile.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The stage to stop at, instead of the last one.
    pub target: Option<&'a str>,
    /// Build arguments, as `NAME=VALUE` or `NAME`.
    pub build_args: &'a [String],
    /// As `os/architecture`, or with `/variant`.
    pub platform: &'a str,
    /// Whether base images count as empty.
    pub empty_base: bool,
    /// Facts about images.
    pub knowledge: &'a Knowledge,
}

/// The line of JSON for the Dockerfile `text` called `name`.
pub fn image_line(name: &str, text: &[u8], question: &Question<'_>) -> Vec<u8> {
    let line = answer(name, text, question, |answer| Json::Object(answer.json()));
    format!("{line}\n").into_bytes()
}

/// The page for people about the Dockerfile `text` called `name`.
pub fn image_page(name: &str, text: &[u8], question: &Question<'_>) -> Vec<u8> {
    answer(name, text, question, |answer: &Answer<'_>| answer.page()).into_bytes()
}

/// Everything that is known about one Dockerfile.
struct Answer<'a> {
    file: &'a SourceFile,
    model: &'a DockerfileModel<'a>,
    errors: &'a [SyntaxError],
    bases: BaseImages,
}

fn answer<T>(name: &str, text: &[u8], question: &Question<'_>, make: impl FnOnce(&Answer<'_>) -> T) -> T {
    let file = SourceFile::new(FileId(0), name, FileKind::Dockerfile, text.to_vec());
    let parsed = dockerfile::parse(&file.text);
    let given = |argument: &String| match argument.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (argument.clone(), None),
    };
    let arguments: Vec<_> = question.build_args.iter().map(given).collect();
    let platform = Platform::parse(question.platform).unwrap_or_default();
    let build =
        Build { arguments: &arguments, platform, target: question.target, bases_are_empty: question.empty_base };
    let model = DockerfileModel::of_build(&file, &parsed.tree, question.knowledge, &build);
    let bases = if question.empty_base { BaseImages::Empty } else { BaseImages::Known };
    make(&Answer { file: &file, model: &model, errors: &parsed.errors, bases })
}

impl Answer<'_> {
    fn line(&self, span: Span) -> u32 {
        self.file.locate(span.start).line
    }

    /// The configuration, or why there is none and where.
    fn config(&self) -> Result<ImageConfig, (String, Span)> {
        if let Some(error) = self.errors.first() {
            return Err((error.message.clone(), error.span));
        }
        self.model.image_config(self.bases).map_err(|error| (error.cause.to_string(), error.span))
    }

    fn json(&self) -> Map<String, Json> {
        let mut object = Map::new();
        object.insert("path".into(), json!(self.file.path));
        match self.config() {
            Ok(config) => {
                object.insert("ok".into(), json!(true));
                object.insert("refs".into(), json!(self.model.images().unwrap_or_default()));
                object.insert("config".into(), config_json(&config));
            }
            Err((message, span)) => {
                object.insert("ok".into(), json!(false));
                object.insert("error".into(), json!(message));
                object.insert("line".into(), json!(self.line(span)));
            }
        }
        if self.bases == BaseImages::Known {
            object.insert("platform".into(), json!(self.model.platform.to_string()));
            object.insert("target".into(), json!(self.model.target().map(Stage::index)));
            object.insert("stages".into(), self.model.stages().map(|stage| self.stage_json(stage)).collect());
            object.insert(
                "unknown".into(),
                self.unknowns().into_iter().map(|(name, why)| json!({"name": name, "why": why})).collect(),
            );
        }
        object
    }

    fn stage_json(&self, stage: Stage<'_>) -> Json {
        let base = match stage.base() {
            Base::Stage(index) => json!({"stage": index}),
            Base::Scratch => json!({"scratch": true}),
            Base::Image(image) => json!({
                "image": image.reference.normalized(),
                "defaults": stage.base_value().defaulted().collect::<Vec<_>>(),
            }),
            Base::Unknown(why) => json!({"unknown": unknown_base(stage, why)}),
        };
        json!({
            "index": stage.index(),
            "name": stage.name(),
            "line": self.line(stage.instruction().span),
            "base": base,
            "built": stage.is_built(),
            "uses": uses(stage),
            "user": self.user_json(stage.user()),
        })
    }

    fn user_json(&self, user: &EffectiveUser<'_>) -> Json {
        let mut object = Map::new();
        object.insert("written".into(), json!(user.value.text));
        object.insert("root".into(), if user.is_unknown() { Json::Null } else { json!(user.is_root()) });
        match user.origin {
            UserOrigin::Instruction { stage, span } => {
                object.insert("stage".into(), json!(stage));
                object.insert("line".into(), json!(self.line(span)));
            }
            UserOrigin::BaseImage { stage } => {
                object.insert("base_of".into(), json!(stage));
            }
            UserOrigin::Nobody => {}
        }
        Json::Object(object)
    }

    fn page(&self) -> String {
        let mut page = Page::default();
        page.heading(&self.title());
        match self.config() {
            Ok(config) => self.config_page(&config, &mut page),
            Err((message, span)) => page.row("fails", &format!("line {}: {message}", self.line(span))),
        }
        if self.model.stages().len() > 0 {
            page.heading("stages");
        }
        for stage in self.model.stages() {
            self.stage_page(stage, &mut page);
        }
        let unknowns = self.unknowns();
        if !unknowns.is_empty() {
            page.heading("unknown");
        }
        for (name, why) in unknowns {
            page.row(&name, why);
        }
        page.text
    }

    fn title(&self) -> String {
        let stage = match self.model.target() {
            Some(stage) if self.model.stages().len() > 1 => format!(", stage {}", name_of(stage)),
            Some(_) | None => String::new(),
        };
        format!("{}: the image for {}{stage}", self.file.path, self.model.platform)
    }

    fn config_page(&self, config: &ImageConfig, page: &mut Page) {
        let Some(stage) = self.model.target() else { return };
        page.row("base", &base(stage.root()));
        page.row("user", &self.user(stage.user()));
        page.rows("env", config.environment.iter().map(|(name, value)| format!("{name}={value}")));
        page.row("workdir", &config.working_directory);
        page.rows("entrypoint", words(&config.entrypoint));
        page.rows("cmd", words(&config.command));
        page.rows("ports", config.exposed_ports.iter().cloned());
        page.rows("volumes", config.volumes.iter().cloned());
        page.rows("labels", config.labels.iter().map(|(name, value)| format!("{name}={value}")));
        page.row("stop signal", &config.stop_signal);
        page.rows("shell", words(&config.shell));
        page.rows("health", config.healthcheck.iter().flat_map(|healthcheck| words(&healthcheck.test)));
        page.rows("on build", config.triggers.iter().cloned());
    }

    fn stage_page(&self, stage: Stage<'_>, page: &mut Page) {
        let mut text = format!("from {}", base(stage));
        let uses = uses(stage);
        if !uses.is_empty() {
            let _ = write!(text, ", copies from {}", uses.join(", "));
        }
        let _ = write!(text, ", runs as {}", self.user(stage.user()));
        if !stage.is_built() {
            text.push_str(", not built");
        }
        page.row(&name_of(stage), &text);
    }

    /// A user, and who says so.
    fn user(&self, user: &EffectiveUser<'_>) -> String {
        let who = match &user.user {
            User::Root => "root".to_owned(),
            User::Numeric { .. } | User::Named { .. } => user.value.text.to_string(),
            User::Unknown(UnknownUser::Variable) => format!("unknown (needs {})", needs(&user.value)),
            User::Unknown(UnknownUser::BaseImage) => "unknown (the base image decides)".to_owned(),
            User::Unknown(UnknownUser::Base) => "unknown (the base image is unknown)".to_owned(),
        };
        match user.origin {
            UserOrigin::Instruction { span, .. } => format!("{who} (line {})", self.line(span)),
            UserOrigin::BaseImage { .. } if user.is_unknown() => who,
            UserOrigin::BaseImage { .. } => format!("{who} (as the base image says)"),
            UserOrigin::Nobody => format!("{who} (nobody says otherwise)"),
        }
    }

    /// What the target depends on that the file does not tell, by name.
    fn unknowns(&self) -> BTreeMap<String, &'static str> {
        let Some(target) = self.model.target() else { return BTreeMap::new() };
        let mut found = BTreeMap::new();
        for stage in target.chain() {
            add_unknowns(stage.base_value(), &mut found);
            for step in stage.steps() {
                for value in step.assigned().iter().filter_map(|variable| variable.value.as_ref()) {
                    add_unknowns(value, &mut found);
                }
            }
        }
        add_unknowns(&target.user().value, &mut found);
        add_unknowns(&target.workdir().path, &mut found);
        found
    }
}

fn add_unknowns(value: &Value<'_>, found: &mut BTreeMap<String, &'static str>) {
    for dependency in &value.depends {
        let why = match dependency.cause {
            Cause::Undefined | Cause::Platform | Cause::Default => continue,
            Cause::BaseEnvironment => "the base image decides; taken as its default",
            Cause::Missing => "an argument without a default; taken as empty",
            Cause::Unreadable => "cannot be expanded",
        };
        found.insert(dependency.name.to_string(), why);
    }
}

fn name_of(stage: Stage<'_>) -> String {
    match stage.name() {
        Some(name) => format!("{} {name}", stage.index()),
        None => stage.index().to_string(),
    }
}

/// What a stage starts from, and which arguments decide it.
fn base(stage: Stage<'_>) -> String {
    let defaults: Vec<&str> = stage.base_value().defaulted().collect();
    let by_default =
        if defaults.is_empty() { String::new() } else { format!(" (by default of {})", defaults.join(", ")) };
    match stage.base() {
        Base::Stage(index) => match stage.model().stage(*index) {
            Some(parent) => format!("stage {}", name_of(parent)),
            None => index.to_string(),
        },
        Base::Scratch => "scratch".to_owned(),
        Base::Image(image) => format!("{}{by_default}", image.reference.normalized()),
        Base::Unknown(why) => unknown_base(stage, why),
    }
}

fn unknown_base(stage: Stage<'_>, why: &UnknownBase) -> String {
    match why {
        UnknownBase::Missing => format!("unknown (needs {})", needs(stage.base_value())),
        UnknownBase::Blank => "nothing: it is blank".to_owned(),
        UnknownBase::Unreadable(error) => error.to_string(),
        UnknownBase::Invalid(error) => error.to_string(),
    }
}

fn needs(value: &Value<'_>) -> String {
    value.missing().collect::<Vec<_>>().join(", ")
}

/// The stages and images that a stage takes files from, in order, without repetition.
fn uses(stage: Stage<'_>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let names = stage.steps().flat_map(sources).map(|source| match source {
        CopySource::Stage(index) => stage.model().stage(index).map_or_else(|| index.to_string(), name_of),
        CopySource::Image(reference) => reference.normalized(),
        CopySource::Scratch => "scratch".to_owned(),
        CopySource::Invalid => "nothing that exists".to_owned(),
    });
    names.filter(|name| seen.insert(name.clone())).collect()
}

fn sources(step: Step<'_>) -> impl Iterator<Item = CopySource<'_>> {
    step.copy_source().into_iter().chain(step.mounts().into_iter().filter_map(|mount| mount.from))
}

/// A list of words as one line of JSON, as Dockerfiles write them.
fn words(words: &[String]) -> impl Iterator<Item = String> {
    (!words.is_empty()).then(|| json!(words).to_string()).into_iter()
}

/// The configuration in the shape of the OCI image specification; what is empty is left out.
fn config_json(config: &ImageConfig) -> Json {
    let mut object = Map::new();
    let mut put = |name: &str, value: Json| {
        let is_empty = match &value {
            Json::String(text) => text.is_empty(),
            Json::Array(items) => items.is_empty(),
            Json::Object(fields) => fields.is_empty(),
            Json::Null => true,
            Json::Bool(_) | Json::Number(_) => false,
        };
        if !is_empty {
            object.insert(name.to_owned(), value);
        }
    };
    let set = |names: &BTreeSet<String>| -> Json {
        Json::Object(names.iter().map(|name| (name.clone(), json!({}))).collect())
    };
    put("User", json!(config.user));
    put("ExposedPorts", set(&config.exposed_ports));
    put("Env", config.environment.iter().map(|(name, value)| json!(format!("{name}={value}"))).collect());
    put("Entrypoint", json!(config.entrypoint));
    put("Cmd", json!(config.command));
    put("Volumes", set(&config.volumes));
    put("WorkingDir", json!(config.working_directory));
    put("Labels", json!(config.labels));
    put("StopSignal", json!(config.stop_signal));
    put("Healthcheck", config.healthcheck.as_ref().map_or(Json::Null, healthcheck_json));
    put("OnBuild", json!(config.triggers));
    put("Shell", json!(config.shell));
    Json::Object(object)
}

fn healthcheck_json(healthcheck: &Healthcheck) -> Json {
    let mut object = Map::new();
    object.insert("Test".into(), json!(healthcheck.test));
    let numbers = [
        ("Interval", healthcheck.interval),
        ("Timeout", healthcheck.timeout),
        ("StartPeriod", healthcheck.start_period),
        ("StartInterval", healthcheck.start_interval),
        ("Retries", healthcheck.retries),
    ];
    for (name, number) in numbers.into_iter().filter(|&(_, number)| number != 0) {
        object.insert(name.into(), json!(number));
    }
    Json::Object(object)
}

/// Rows of a name and a text.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn heading(&mut self, heading: &str) {
        let _ = writeln!(self.text, "{}", visible(heading));
    }

    /// A row, unless it is empty.
    fn row(&mut self, name: &str, text: &str) {
        self.rows(name, (!text.is_empty()).then(|| text.to_owned()).into_iter());
    }

    /// Rows of which the first has a name.
    fn rows(&mut self, name: &str, texts: impl Iterator<Item = String>) {
        for (index, text) in texts.enumerate() {
            let name = if index == 0 { name } else { "" };
            let _ = writeln!(self.text, "  {:<12} {}", visible(name), visible(&text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "ARG V=3\nFROM golang:1.22 AS build\nFROM scratch AS unused\nFROM alpine:$V\nARG UID\n\
                        COPY --from=build /x /x\nENV PATH=$PATH:/x\nUSER $UID\nEXPOSE 80\nCMD x\n";

    fn page(text: &str, build_args: &[String]) -> String {
        let knowledge = Knowledge::builtin();
        let question =
            Question { target: None, build_args, platform: "linux/amd64", empty_base: false, knowledge: &knowledge };
        String::from_utf8(image_page("Dockerfile", text.as_bytes(), &question)).expect("a page is text")
    }

    #[test]
    fn a_page_marks_what_is_unknown_and_says_what_is_missing() {
        let page = page(TEXT, &[]);
        for row in [
            "Dockerfile: the image for linux/amd64, stage 2\n",
            "  base         docker.io/library/alpine:3 (by default of V)\n",
            "  user         unknown (needs UID) (line 8)\n",
            "  env          PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/x\n",
            "  cmd          [\"/bin/sh\",\"-c\",\"x\"]\n",
            "  ports        80/tcp\n",
            "  1 unused     from scratch, runs as root (nobody says otherwise), not built\n",
            "copies from 0 build",
            "  PATH         the base image decides; taken as its default\n",
            "  UID          an argument without a default; taken as empty\n",
        ] {
            assert!(page.contains(row), "{row:?} is missing in\n{page}");
        }
    }

    #[test]
    fn a_page_takes_over_what_is_known_of_the_base() {
        let page = page("FROM golang:1.22\nENV BIN=$GOPATH/bin\nCOPY . src\n", &[]);
        for row in [
            "  env          PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin",
            "               GOPATH=/go\n",
            "               BIN=/go/bin\n",
            "  workdir      /go\n",
        ] {
            assert!(page.contains(row), "{row:?} is missing in\n{page}");
        }
        assert!(!page.contains("unknown"), "{page}");
        assert!(self::page("FROM nginx:1.27\n", &[]).contains("  ports        80/tcp\n"));
    }

    #[test]
    fn a_build_argument_makes_it_known() {
        let page = page(TEXT, &["UID=1000".to_owned(), "V".to_owned()]);
        assert!(page.contains("1000 (line 8)"), "{page}");
        assert!(page.contains("fails        line 4: "), "{page}");
        assert!(page.contains("unknown (needs V)"), "{page}");
    }

    #[test]
    fn a_line_has_the_shape_of_an_image_configuration() {
        let knowledge = Knowledge::builtin();
        let question = Question {
            target: None,
            build_args: &[],
            platform: "linux/amd64",
            empty_base: true,
            knowledge: &knowledge,
        };
        let line = image_line("a/Dockerfile", b"FROM x\nUSER 5\nHEALTHCHECK --interval=2s CMD y\n", &question);
        let line: Json = serde_json::from_slice(&line).expect("it is JSON");
        let expected = json!({
            "path": "a/Dockerfile",
            "ok": true,
            "refs": ["docker.io/library/x:latest"],
            "config": {
                "User": "5",
                "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
                "Healthcheck": {"Test": ["CMD-SHELL", "y"], "Interval": 2_000_000_000_u64},
            },
        });
        assert_eq!(line, expected);
    }
}
