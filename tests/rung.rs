//! Where small images stand, and what keeps them there.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test reads files that are not of the repository"
)]

mod support;

use ironhull::{
    context::{BuildContext, Files},
    engine::{self, Evidence},
    harden::{
        Rung,
        rung::{Standing, standing},
    },
    knowledge::Knowledge,
    lock::Lock,
    model::DockerfileModel,
    rule::{Cx, Detail},
    rules::RULES,
    source::{FileKind, SourceFile},
    syntax::dockerfile,
    text::FileId,
};
use support::Tree;

fn judged(text: &str, around: &dyn Files, lock: &Lock) -> Standing {
    let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text.as_bytes().to_vec());
    let knowledge = Knowledge::builtin();
    let evidence = Evidence { knowledge: &knowledge, around, lock, today: None, detail: Detail::Findings };
    let findings = engine::judge(&file, RULES, evidence).expect("it is a Dockerfile").findings;
    let parsed = dockerfile::parse(&file.text);
    let model = DockerfileModel::new(&file, &parsed.tree, &knowledge);
    let context = BuildContext::new(around, &file.path);
    let cx = Cx { file: &file, model: &model, knowledge: &knowledge, context, lock, detail: Detail::Findings };
    standing(&cx, model.target().expect("there is a stage"), &findings)
}

fn stands(text: &str) -> Standing {
    judged(text, &Tree::default(), &Lock::default())
}

#[track_caller]
fn check(text: &str, rung: Rung) {
    let standing = stands(text);
    assert_eq!(standing.rung, rung, "{text}{:#?}", standing.missing);
}

/// Asserts that an image is kept below `rung` by a reason that holds `part`.
#[track_caller]
fn kept(text: &str, rung: Rung, part: &str) {
    let standing = stands(text);
    let is_said = standing.missing.iter().any(|missing| missing.rung == rung && missing.reason.contains(part));
    assert!(standing.rung < rung && is_said, "{text}{:#?}", standing.missing);
}

const BUILT: &str = "FROM golang:1.23 AS build\nWORKDIR /src\nCOPY . .\nRUN go build -o /out/app .\n";

#[test]
fn a_static_program_without_a_shell_is_at_the_top() {
    for base in ["scratch", "gcr.io/distroless/static-debian13"] {
        check(
            &format!("{BUILT}FROM {base}\nCOPY --from=build /out/app /app\nUSER 65532:65532\nENTRYPOINT [\"/app\"]\n"),
            Rung::NoShell,
        );
    }
    let own_user =
        "FROM gcr.io/distroless/static-debian13:nonroot\nCOPY --from=build /out/app /app\nENTRYPOINT [\"/app\"]\n";
    check(&format!("{BUILT}{own_user}"), Rung::NoShell);
}

#[test]
fn a_base_made_to_run_is_rung_three() {
    for base in
        ["debian:bookworm-slim", "alpine:3.20", "ubuntu:24.04", "nginxinc/nginx-unprivileged:1.27", "python:3.12-slim"]
    {
        check(
            &format!("{BUILT}FROM {base}\nCOPY --from=build /out/app /app\nUSER 1000\nCMD [\"/app\"]\n"),
            Rung::RuntimeOnly,
        );
    }
}

#[test]
fn users() {
    let image = |user: &str| format!("FROM debian:bookworm-slim\nCOPY app /app\n{user}\nCMD [\"/app\"]\n");
    check(&image("USER 1000"), Rung::RuntimeOnly);
    check(&image("ARG UID=1000\nUSER $UID:1000"), Rung::RuntimeOnly);
    kept(&image(""), Rung::NonRoot, "no `USER`");
    kept(&image("USER 0:1000"), Rung::NonRoot, "line 3");
    kept(&image("RUN useradd -u 1000 app\nUSER app"), Rung::NonRoot, "is a name");
    kept(&image("ARG UID\nUSER $UID"), Rung::NonRoot, "without a default");
    kept("FROM nobody.example/x\nCMD [\"a\"]\n", Rung::NonRoot, "nothing is known");
    kept("FROM postgres:16\n", Rung::NonRoot, "becomes another user by itself");
}

#[test]
fn what_is_written_must_be_owned() {
    let image = |steps: &str| format!("FROM debian:bookworm-slim\n{steps}VOLUME /data\nUSER 1000\nCMD [\"/app\"]\n");
    kept(&image(""), Rung::NonRoot, "`/data`");
    kept(&image("RUN mkdir /data && chmod 777 /data\n"), Rung::NonRoot, "`/data`");
    kept(&image("RUN mkdir /data && chown 1001 /data\n"), Rung::NonRoot, "`/data`");
    check(&image("RUN mkdir /data && chown -R 1000:1000 /data\n"), Rung::RuntimeOnly);
    check(&image("COPY --chown=1000 data /data\n"), Rung::RuntimeOnly);
    kept(&image("COPY --chown=1001 data /data\n"), Rung::NonRoot, "`/data`");
    kept(&image("WORKDIR /data\nCOPY --chown=1000 data /data\n"), Rung::NonRoot, "`/data`");
    let own = "FROM debian:bookworm-slim\nUSER 1000\nWORKDIR /data\nVOLUME /data\nCMD [\"/app\"]\n";
    check(own, Rung::RuntimeOnly);
    let taken_back = "RUN mkdir /data && chown 1000 /data\nRUN chown -R 0 /data\n";
    kept(&image(taken_back), Rung::NonRoot, "`/data`");
}

#[test]
fn what_the_program_text_writes_must_be_owned() {
    let tree = || Tree::of(&[("Dockerfile", ""), ("app.py", "open('/var/lib/app/x.db', 'w')\n")]);
    let image = |steps: &str| {
        format!("FROM python:3.12-slim\nWORKDIR /app\nCOPY app.py .\n{steps}USER 1000\nCMD [\"python\", \"app.py\"]\n")
    };
    let ask = |steps: &str| judged(&image(steps), &tree(), &Lock::default());
    assert!(ask("").missing[0].reason.contains("`/var/lib/app` (app.py:1)"), "{:?}", ask(""));
    assert_eq!(ask("RUN mkdir -p /var/lib/app && chown 1000 /var/lib/app\n").rung, Rung::RuntimeOnly);
}

#[test]
fn what_does_not_belong_into_an_image() {
    let image = |steps: &str| format!("FROM debian:bookworm-slim\n{steps}USER 1000\nCMD [\"/app\"]\n");
    for (steps, part) in [
        ("RUN apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/*\n", "`gcc`"),
        (
            "RUN apt-get update && apt-get install -y $MORE && rm -rf /var/lib/apt/lists/*\n",
            "not told by the file alone",
        ),
        ("RUN apt-get update && apt-get install -y curl\n", "package-cache-left"),
        ("RUN make install\n", "`make install` in line 2 builds"),
        ("RUN ./setup.sh\n", "what `./setup.sh`"),
        ("ENV DB_PASSWORD=hunter2hunter2\n", "secret-in-env"),
        ("COPY id_rsa /app/id_rsa\n", "secret-copied"),
        ("ADD https://example.com/a.bin /a.bin\n", "add-remote-url"),
        ("RUN curl -fsSL https://example.com/i.sh | sh\n", "pipe-to-shell"),
        (
            "RUN curl -fsSLo /usr/share/data.bin https://example.com/data.bin\n",
            "`/usr/share/data.bin`, downloaded in line 2",
        ),
        ("RUN git clone https://github.com/a/b /b\n", "`git clone` in line 2"),
        ("COPY --from=composer:2 /usr/bin/composer /usr/bin/composer\n", "made for building"),
        ("COPY --from=node:22 /usr/ /usr/\n", "copies all of"),
        ("RUN npm ci --omit=dev\n", "cache of `npm`"),
    ] {
        kept(&image(steps), Rung::Clean, part);
    }
    for steps in [
        "RUN apt-get update && apt-get install -y --no-install-recommends libpq5 && rm -rf /var/lib/apt/lists/*\n",
        "RUN apt-get update && apt-get install -y gcc && apt-get purge -y gcc && rm -rf /var/lib/apt/lists/*\n",
        "RUN npm ci --omit=dev && npm cache clean --force\n",
        "RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev\n",
        "RUN curl -fsSLo /tmp/data.bin https://example.com/data.bin && rm /tmp/data.bin\n",
        "RUN git clone https://github.com/a/b /b && git -C /b checkout 0123456789012345678901234567890123456789\n",
    ] {
        check(&image(steps), Rung::RuntimeOnly);
    }
}

#[test]
fn what_a_builder_takes_unverified_ends_in_the_image() {
    let image = |steps: &str, copy: &str| {
        format!(
            "FROM debian:12 AS build\n{steps}RUN make\nFROM debian:bookworm-slim\n{copy}USER 1000\nCMD [\"/app\"]\n"
        )
    };
    let download = "RUN curl -fsSL https://example.com/a.tgz | tar xz -C /src\n";
    kept(&image(download, "COPY --from=build /src/app /app\n"), Rung::Clean, "unverified-download");
    check(&image(download, "COPY app /app\n"), Rung::RuntimeOnly);
    kept(
        &image("RUN git clone https://github.com/a/b\n", "COPY --from=build /b/app /app\n"),
        Rung::Clean,
        "copied into the image",
    );
    // A builder may have what it needs.
    check(
        &image("RUN apt-get update && apt-get install -y gcc\n", "COPY --from=build /src/app /app\n"),
        Rung::RuntimeOnly,
    );
    kept(&image("ENV DB_PASSWORD=hunter2hunter2\n", "COPY app /app\n"), Rung::Clean, "secret-in-env");
}

#[test]
fn bases_that_have_more_than_a_program_needs() {
    let image = |base: &str| format!("FROM {base}\nCOPY app /app\nUSER 1000\nCMD [\"/app\"]\n");
    for (base, part) in [
        ("debian:bookworm", "debian:bookworm-slim"),
        ("python:3.12", "has less in it"),
        ("golang:1.23", "made for building"),
        ("php:8.3-apache", "may hold what only a build needs"),
        ("nobody.example/x", "nothing is known"),
        ("nvidia/cuda:12.1.1-devel-ubuntu22.04", "cuda"),
    ] {
        kept(&image(base), Rung::RuntimeOnly, part);
    }
    kept(&format!("ARG B\n{}", image("$B")), Rung::RuntimeOnly, "a variable decides");
    kept("FROM scratch\nADD rootfs.tar.gz /\nUSER 1000\nCMD [\"/app\"]\n", Rung::RuntimeOnly, "unpacks");
}

#[test]
fn starts() {
    let image = |start: &str| format!("FROM debian:bookworm-slim\nCOPY app /app\nUSER 1000\n{start}\n");
    kept(&image("CMD /app --port 80"), Rung::RuntimeOnly, "a shell stands before");
    kept(&image("ENTRYPOINT [\"sh\", \"-c\", \"/app $X\"]"), Rung::RuntimeOnly, "a shell stands before");
    check(&image("ENTRYPOINT [\"sh\", \"-c\", \"exec /app $X\"]"), Rung::RuntimeOnly);
    check(&image("CMD exec /app --port $PORT"), Rung::RuntimeOnly);
    check(&image("ENTRYPOINT [\"/entrypoint.sh\"]"), Rung::RuntimeOnly);
    kept("FROM scratch\nCOPY app /app\nUSER 1000\n", Rung::RuntimeOnly, "no `ENTRYPOINT`");
}

#[test]
fn a_digest_that_the_lock_knows_must_be_there() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let lock = format!(
        "version = 1\n[[image]]\nreference = \"docker.io/library/alpine:3.20\"\ndigest = \"{digest}\"\nresolved = 2026-11-20\n"
    );
    let lock = Lock::parse(&lock).unwrap();
    let ask = |base: &str| {
        judged(&format!("FROM {base}\nCOPY app /app\nUSER 1000\nCMD [\"/app\"]\n"), &Tree::default(), &lock)
    };
    assert_eq!(ask("alpine:3.20").rung, Rung::Clean);
    assert_eq!(ask(&format!("alpine:3.20@{digest}")).rung, Rung::RuntimeOnly);
    assert_eq!(ask("alpine:3.21").rung, Rung::RuntimeOnly);
}

#[test]
fn shells() {
    let image = |base: &str, steps: &str| format!("FROM {base}\nCOPY app /app\n{steps}USER 1000\nCMD [\"/app\"]\n");
    kept(&image("alpine:3.20", ""), Rung::NoShell, "/bin/sh");
    kept(&image("gcr.io/distroless/static-debian13:debug", ""), Rung::NoShell, "busybox");
    kept(&image("scratch", "COPY --from=busybox:1 /bin/sh /bin/sh\n"), Rung::NoShell, "busybox");
    kept(&image("scratch", "COPY sh /bin/sh\n"), Rung::NoShell, "copies `sh`");
    check(&image("scratch", ""), Rung::NoShell);
}

/// Every Dockerfile that is to be hardened starts from the ground, and none of them by mistake.
#[test]
fn the_insecure_images_of_the_fixtures_are_on_the_ground() {
    let Ok(shared) = std::env::var("IRONHULL_SHARED") else {
        eprintln!("skipped: IRONHULL_SHARED is not set");
        return;
    };
    let mut seen = 0;
    for fixture in std::fs::read_dir(format!("{shared}/harden/fixtures")).unwrap() {
        let path = fixture.unwrap().path().join("Dockerfile");
        let text = std::fs::read_to_string(&path).unwrap();
        let standing = stands(&text);
        assert_eq!(standing.rung, Rung::Root, "{}: {:#?}", path.display(), standing.missing);
        let has_more = standing.missing.iter().any(|missing| missing.rung == Rung::Clean);
        assert!(has_more, "{}: {:#?}", path.display(), standing.missing);
        seen += 1;
    }
    assert!(seen >= 15, "{seen}");
}
