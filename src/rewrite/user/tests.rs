//! Who runs an image afterwards, and what is done so that it can.

use super::{Obstacle, restated, unprivileged};
use crate::{
    context::{self, BuildContext, Entry, Files},
    knowledge::Knowledge,
    lock::Lock,
    model::{DockerfileModel, Stage},
    rule::{Cx, Detail, Fix},
    source::{FileKind, SourceFile},
    syntax::dockerfile,
    text::FileId,
};
use std::{borrow::Cow, sync::Arc};

struct Tree<'t>(&'t [(&'t str, &'t str)]);

impl Files for Tree<'_> {
    fn read(&self, path: &str) -> Option<Arc<[u8]>> {
        self.0.iter().find(|(name, _)| *name == path).map(|(_, text)| Arc::from(text.as_bytes()))
    }

    fn list(&self, path: &str) -> Arc<[Entry]> {
        context::entries(self.0.iter().map(|(name, _)| *name), path)
    }
}

/// The file after a fix, or why there is none.
fn fixed(
    text: &str,
    files: &[(&str, &str)],
    fix: impl Fn(&Cx<'_, DockerfileModel<'_>>, Stage<'_>) -> Result<Fix, Obstacle>,
) -> Result<String, String> {
    let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text.as_bytes().to_vec());
    let parsed = dockerfile::parse(&file.text);
    let (knowledge, lock) = (Knowledge::builtin(), Lock::default());
    let model = DockerfileModel::new(&file, &parsed.tree, &knowledge);
    let mut all = vec![("Dockerfile", text)];
    all.extend(files);
    let tree = Tree(&all);
    let context = BuildContext::new(&tree, "Dockerfile");
    let cx = Cx { file: &file, model: &model, knowledge: &knowledge, context, lock: &lock, detail: Detail::Repairs };
    let mut edits = fix(&cx, model.target().expect("there is a stage")).map_err(Cow::into_owned)?.edits;
    edits.sort_by_key(|edit| edit.span);
    let mut bytes = file.text.clone();
    for edit in edits.into_iter().rev() {
        bytes.splice(edit.span.range(), edit.text.into_bytes());
    }
    Ok(String::from_utf8(bytes).expect("the texts are UTF-8"))
}

/// The lines that the fix adds or changes, `FROM` lines between them. A second one changes nothing.
fn added(text: &str, files: &[(&str, &str)]) -> String {
    let once = fixed(text, files, unprivileged);
    if let Ok(once) = &once {
        assert_eq!(fixed(once, files, unprivileged).as_ref(), Ok(once), "it changes again");
    }
    difference(text, once)
}

fn difference(text: &str, fixed: Result<String, String>) -> String {
    let fixed = match fixed {
        Ok(fixed) => fixed,
        Err(why) => return why,
    };
    let is_new = |line: &&str| line.starts_with("FROM ") || !text.lines().any(|old| old == *line);
    fixed.lines().filter(is_new).collect::<Vec<_>>().join("\n")
}

const GO: (&str, &str) = (
    "main.go",
    "package main\nfunc main() {\n\tos.MkdirAll(\"data\", 0o755)\n\tdir := env(\"STATE\", \"/var/lib/notes\")\n\tos.WriteFile(dir)\n}\n",
);

#[test]
fn an_earlier_stage_makes_the_directories_of_an_image_without_a_shell() {
    for base in ["gcr.io/distroless/static-debian12", "gcr.io/distroless/static-debian12:nonroot", "scratch"] {
        let text = format!(
            "FROM golang:1.24 AS build\nWORKDIR /src\nCOPY . .\nRUN go build -o /app .\nFROM {base}\nWORKDIR /srv\nCOPY --from=build /app /app\nCMD [\"/app\"]\n"
        );
        let expected = format!(
            "FROM golang:1.24 AS build\nRUN mkdir -p /out/srv/data /out/var/lib/notes\nFROM {base}\nCOPY --from=build --chown=65532:65532 /out/srv/data /srv/data\nCOPY --from=build --chown=65532:65532 /out/var/lib/notes /var/lib/notes\nUSER 65532:65532"
        );
        assert_eq!(added(&text, &[GO]), expected);
    }
}

#[test]
fn what_the_commands_of_a_start_script_write_is_owned() {
    let text = "FROM debian:12\nENV STATE=/srv/state\nCOPY run.sh /\nRUN mkdir /keep\nENTRYPOINT [\"/run.sh\"]\n";
    let script = "#!/bin/sh\nLOGS=${LOGS:-/srv/logs}\nmkdir -p -m 700 /keep \"$STATE/db\"\n\
                  date >> \"$LOGS/$(hostname).log\"\necho > /dev/null\ntouch /tmp/x\nexec sleep 9\n";
    let all = added(text, &[("run.sh", script)]);
    assert!(all.contains("mkdir -p /keep /srv/logs /srv/state/db"), "{all}");
    let script = "#!/bin/sh\nsed s/a/b/ a.conf > /etc/app/a.conf\nexec sleep 9\n";
    let answer = added(text, &[("run.sh", script)]);
    assert!(answer.contains("run.sh:2, which starts it, writes into `/etc/app`"), "{answer}");
    let text = text.replace("RUN mkdir /keep", "RUN chown -R 10001 /etc/app");
    assert!(added(&text, &[("run.sh", script)]).contains("USER 10001"));
}

#[test]
fn a_directory_that_the_file_knows_is_no_place_to_make_others_in() {
    let text = "FROM golang:1.24\nWORKDIR /src\nCOPY . .\nRUN go build -o /out/app .\nUSER nobody\nFROM scratch\nWORKDIR /\nCOPY --from=0 /out/app /app\nCMD [\"/app\"]\n";
    let expected = "FROM golang:1.24\nUSER 0\nRUN mkdir -p /rootfs/var/lib/notes\nFROM scratch\nCOPY --from=0 --chown=65532:65532 /rootfs/var/lib/notes /var/lib/notes\nUSER 65532:65532";
    let go = ("main.go", "os.MkdirAll(\"/var/lib/notes\", 0o755)\n");
    assert_eq!(added(text, &[go]), expected);
}

#[test]
fn a_directory_in_a_copied_tree_is_given_away_at_its_source() {
    let text = "FROM python:3.13 AS build\nWORKDIR /app\nCOPY . .\nFROM gcr.io/distroless/python3-debian12\nWORKDIR /app\nCOPY --from=build /app /app\nCMD [\"app.py\"]\n";
    let expected = "FROM python:3.13 AS build\nRUN mkdir -p /app/uploads \\\n    && chown -R 65532:65532 /app/uploads\nFROM gcr.io/distroless/python3-debian12\nCOPY --from=build --chown=65532:65532 /app/uploads /app/uploads\nUSER 65532:65532";
    assert_eq!(added(text, &[("app.py", "Path(__file__).parent.joinpath('uploads').mkdir()\n")]), expected);
}

#[test]
fn a_directory_that_other_copies_go_into_is_made_before_them() {
    let text = "FROM python:3.13 AS build\nWORKDIR /app\nCOPY . .\nFROM gcr.io/distroless/python3-debian12\nWORKDIR /app\nCOPY --from=build /app /app\nCMD [\"app.py\"]\n";
    let expected = "FROM python:3.13 AS build\nRUN mkdir -p /out/app \\\n    && chown 65532:65532 /app\nFROM gcr.io/distroless/python3-debian12\nCOPY --from=build --chown=65532:65532 /out/app /app\nUSER 65532:65532";
    let app = ("app.py", "db = sqlite3.connect('app.db')\n");
    assert_eq!(added(text, &[app]), expected);
    let whole = fixed(text, &[app], unprivileged).expect("it can be fixed");
    let (first, then) = (whole.find("/out/app /app").expect("made"), whole.find("/app /app\nUSER").expect("copied"));
    assert!(first < then && whole.find("WORKDIR /app\nCOPY --from=build /app").expect("it works there") > first);
}

#[test]
fn a_directory_that_programs_share_is_given_to_none() {
    let text = "FROM golang:1.24 AS build\nCOPY . .\nFROM gcr.io/distroless/static-debian12\nCOPY --from=build /app /app\nCMD [\"/app\"]\n";
    let why = added(text, &[("main.go", "os.Create(\"/var/log/notes.log\")\n")]);
    assert!(why.contains("shares among programs"), "{why}");
}

#[test]
fn without_a_stage_that_has_a_shell_there_is_no_way() {
    let text = "FROM gcr.io/distroless/static-debian12 AS files\nCOPY . .\nFROM scratch\nCOPY --from=files /app /app\nCMD [\"/app\"]\n";
    let why = added(text, &[("main.go", "os.MkdirAll(\"/var/lib/notes\", 0o755)\n")]);
    assert!(why.contains("has a shell"), "{why}");
}

#[test]
fn an_empty_image_gets_what_its_program_asks_for() {
    let text = "FROM golang:1.24 AS build\nCOPY . .\nFROM scratch\nCOPY --from=build /app /app\nCMD [\"/app\"]\n";
    let program = ("main.go", "f, err := os.CreateTemp(\"\", \"x\")\nhome, err := os.UserHomeDir()\n");
    let expected = "FROM golang:1.24 AS build\nRUN mkdir -p /out/home/nonroot /out/tmp\nFROM scratch\nCOPY --from=build --chown=65532:65532 /out/tmp /tmp\nCOPY --from=build --chown=65532:65532 /out/home/nonroot /home/nonroot\nENV HOME=/home/nonroot\nUSER 65532:65532";
    assert_eq!(added(text, &[program]), expected);
    let distroless = text.replace("scratch", "gcr.io/distroless/static-debian12");
    let expected = "FROM golang:1.24 AS build\nFROM gcr.io/distroless/static-debian12\nUSER 65532:65532";
    assert_eq!(added(&distroless, &[program]), expected);
}

#[test]
fn what_root_alone_may_read_is_made_readable_where_it_is_fetched() {
    let text = "FROM golang:1.24 AS build\nADD https://example.com/geo.mmdb /data/geo.mmdb\nCOPY . /src\nFROM scratch\nCOPY --from=build /data /data\nCMD [\"/app\"]\n";
    let expected = "FROM golang:1.24 AS build\nRUN chmod a+r /data/geo.mmdb\nFROM scratch\nUSER 65532:65532";
    assert_eq!(added(text, &[("main.go", "")]), expected);
    let debian = text.replace("scratch", "debian:13");
    assert!(added(&debian, &[("main.go", "")]).contains("chmod a+r /data/geo.mmdb\nUSER"));
}

const APP: (&str, &str) = ("app.py", "os.makedirs('uploads')\n");

#[test]
fn a_final_stage_of_copies_gets_its_user_behind_them() {
    for (base, make, user) in [
        ("python:3.13-slim", "useradd", "10001:10001"),
        ("debian:13-slim", "useradd", "10001:10001"),
        ("alpine:3.22", "adduser -S", "10001:10001"),
        ("eclipse-temurin:21-jre", "useradd", "10001:10001"),
        ("node:24-slim", "chown -R 1000:1000", "1000:1000"),
    ] {
        let text = format!(
            "FROM python:3.13 AS build\nWORKDIR /app\nCOPY . .\nFROM {base}\nWORKDIR /app\nCOPY --from=build /venv /venv\nCOPY --from=build /app /app\n# It starts here.\nCMD [\"python\", \"app.py\"]\n"
        );
        let after = fixed(&text, &[APP], unprivileged).expect(base);
        let end = after.split_once("COPY --from=build /app /app\n").expect("it stays").1;
        assert!(end.starts_with("RUN ") && end.contains(make) && end.contains(" /app/uploads\n"), "{base}: {end}");
        let user = format!("\nUSER {user}\n# It starts here.\nCMD [\"python\", \"app.py\"]\n");
        assert!(end.ends_with(&user), "{base}: {end}");
    }
}

#[test]
fn what_lies_in_the_usual_place_of_node_is_owned_too() {
    let text = "FROM node:24\nWORKDIR /usr/src/app\nCOPY . .\nCMD [\"node\", \"server.js\"]\n";
    let program = ("server.js", "const uploads = path.join(__dirname, 'uploads');\nfs.mkdirSync(uploads);\n");
    let expected = "FROM node:24\nRUN mkdir -p /usr/src/app/uploads \\\n    && chown -R 1000:1000 /usr/src/app/uploads\nUSER 1000:1000";
    assert_eq!(added(text, &[program]), expected);
    let system = text.replace("/usr/src/app", "/usr/local/bin");
    assert_eq!(added(&system, &[program]), "FROM node:24\nUSER 1000:1000");
}

#[test]
fn a_base_that_has_a_user_already_is_root_for_a_moment() {
    let text = "FROM node:24 AS build\nWORKDIR /app\nCOPY . .\nFROM nginxinc/nginx-unprivileged:1.29\nWORKDIR /app\nCOPY --from=build /app /app\nCMD [\"./serve\"]\n";
    let after = added(text, &[("serve.js", "fs.mkdirSync('uploads')\n")]);
    assert!(after.contains("USER 0\nRUN mkdir -p /app/uploads"), "{after}");
    assert!(after.ends_with("USER 101:101") || after.ends_with("USER 101"), "{after}");
}

#[test]
fn a_user_that_the_file_names_keeps_the_image() {
    let text = "FROM golang:1.24 AS build\nCOPY . .\nFROM scratch\nCOPY --from=build /app /app\nUSER 1234:1234\nCMD [\"/app\"]\n";
    let expected = "FROM golang:1.24 AS build\nRUN mkdir -p /out/var/lib/notes\nFROM scratch\nCOPY --from=build --chown=1234:1234 /out/var/lib/notes /var/lib/notes";
    assert_eq!(added(text, &[("main.go", "os.MkdirAll(\"/var/lib/notes\", 0o755)\n")]), expected);
    assert_eq!(added(text, &[("main.go", "")]), "FROM golang:1.24 AS build\nFROM scratch", "nothing is left to do");
}

#[test]
fn the_user_of_an_image_is_restated_in_the_one_that_is_split_off() {
    let file = |base: &str| {
        format!(
            "FROM python:3.13 AS build\nRUN groupadd -g 1500 app && useradd -u 1500 -g app -d /srv app\nWORKDIR /app\nCOPY . .\nUSER app\nFROM {base}\nWORKDIR /app\nCOPY --from=build /app /app\nCMD [\"app.py\"]\n"
        )
    };
    let again = |base: &str| {
        let text = file(base);
        let restated = fixed(&text, &[("app.py", "")], |cx, target| {
            restated(cx, target, cx.model.stage(0).expect("the stage that builds"))
        });
        difference(&text, restated)
    };
    let slim = again("python:3.13-slim");
    assert!(slim.contains("groupadd --system --gid 1500 app") && slim.contains("--uid 1500 --gid 1500"), "{slim}");
    assert!(slim.contains("--home-dir /srv") && slim.ends_with("USER 1500:1500"), "{slim}");
    let distroless = again("gcr.io/distroless/python3-debian12:nonroot");
    assert!(distroless.ends_with("FROM gcr.io/distroless/python3-debian12:nonroot\nUSER 1500:1500"), "{distroless}");
}
