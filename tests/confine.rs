//! What runs an image that is built here is confined as far as its Dockerfile and its start script prove it.

use ironhull::{
    context::{self, Entry, Files},
    lock::Lock,
    policy::{Layer, Place, Policy, Profile},
    project::Project,
    rule::Safety,
    source::{FileKind, SourceFile},
    text::FileId,
};
use std::sync::Arc;

/// Files in memory.
struct Tree<'t>(Vec<(&'t str, &'t str)>);

impl Files for Tree<'_> {
    fn read(&self, path: &str) -> Option<Arc<[u8]>> {
        self.0.iter().find(|(name, _)| *name == path).map(|(_, text)| Arc::from(text.as_bytes()))
    }

    fn list(&self, path: &str) -> Arc<[Entry]> {
        context::entries(self.0.iter().map(|(name, _)| *name), path)
    }
}

/// What `rule` does about the only finding of it in the first of `files`: what the fix adds, line by line, or why there
/// is none.
fn answer(rule: &str, kind: FileKind, files: Vec<(&str, &str)>) -> Result<String, String> {
    let (path, text) = files[0];
    let tree = Tree(files);
    let layer = Layer { profile: Some(Profile::All), ..Layer::default() };
    let project = Project::new(Policy::new(layer, Place::default()), Lock::default());
    let file = SourceFile::new(FileId(0), path, kind, text.as_bytes().to_vec());
    let verdict = project.check(&file, &tree).expect("it is read");
    let mut findings = verdict.findings.iter().map(|ranked| &ranked.finding).filter(|finding| finding.rule == rule);
    let finding = findings.next().expect("there is a finding");
    assert!(findings.next().is_none(), "one finding is asked for");
    match finding.fixes.first() {
        Some(fix) => {
            assert_eq!(fix.safety, Safety::Risky);
            let added =
                fix.edits.iter().flat_map(|edit| edit.text.lines()).map(str::trim).filter(|line| !line.is_empty());
            Ok(added.collect::<Vec<_>>().join(" "))
        }
        None => Err(finding.declined.clone().expect("it says why").into_owned()),
    }
}

/// The same for the capabilities of a service that builds `dockerfile`, with `more` in its definition and a start script.
fn service(dockerfile: &str, more: &str, script: &str) -> Result<String, String> {
    let compose = format!("services:\n  web:\n    build: web\n{more}");
    let files = vec![("compose.yaml", compose.as_str()), ("web/Dockerfile", dockerfile), ("web/entry.sh", script)];
    answer("capabilities-kept", FileKind::Compose, files)
}

const DROPPED: &str = "cap_drop: - ALL";

#[test]
fn who_is_not_root_needs_none() {
    assert_eq!(service("FROM python:3.13\nUSER 10001\nCMD [\"python\", \"app.py\"]\n", "", ""), Ok(DROPPED.to_owned()));
    assert_eq!(
        service("FROM python:3.13\nRUN useradd -m app\nUSER app\nCMD python app.py\n", "", ""),
        Ok(DROPPED.to_owned())
    );
    assert_eq!(service("FROM acme/base\nUSER 10001\n", "", ""), Ok(DROPPED.to_owned()));
    let own = "    user: \"10001\"\n";
    assert_eq!(service("FROM python:3.13\nCMD [\"python\", \"app.py\"]\n", own, ""), Ok(DROPPED.to_owned()));
    assert_eq!(
        service("FROM python:3.13\nRUN useradd app\nCMD [\"python\"]\n", "    user: app\n", ""),
        Ok(DROPPED.to_owned())
    );
}

#[test]
fn a_target_is_the_stage_that_counts() {
    let dockerfile = "FROM python:3.13 AS run\nUSER 7\nFROM run AS dev\nUSER root\nCMD [\"python\"]\n";
    let target = |name: &str| {
        let compose = format!("services:\n  web:\n    build:\n      context: web\n      target: {name}\n");
        answer("capabilities-kept", FileKind::Compose, vec![("compose.yaml", &compose), ("web/Dockerfile", dockerfile)])
    };
    assert_eq!(target("run"), Ok(DROPPED.to_owned()));
    assert!(target("dev").is_err_and(|why| why.contains("`web/Dockerfile` lets root start it")));
}

#[test]
fn root_keeps_what_is_not_known() {
    let why = service("FROM python:3.13\nCMD [\"python\", \"app.py\"]\n", "", "").expect_err("root starts it");
    assert_eq!(why, "`web/Dockerfile` lets root start it, and which capabilities `python` needs then is not known");
    let why = service("FROM acme/base\nCMD [\"serve\"]\n", "", "").expect_err("nobody knows who starts it");
    assert_eq!(why, "`web/Dockerfile` does not tell who starts it: name a user there, root may need any of them");
    let why = service("FROM python:3.13\nUSER 7\n", "    user: root\n", "").expect_err("root starts it");
    assert!(why.contains("lets root start it"), "{why}");
    let why = service("FROM python:3.13\nUSER 7\n", "    user: ${WHO}\n", "").expect_err("a variable hides it");
    assert!(why.contains("a variable hides who starts it"), "{why}");
}

#[test]
fn what_gains_more_than_nobody_has_is_left() {
    const SCRIPT: &str = "FROM debian:13\nCOPY entry.sh /entry.sh\nUSER 7\nENTRYPOINT [\"/entry.sh\"]\n";
    let why = service(SCRIPT, "", "#!/bin/sh\nsudo chown app /data\nexec app\n").expect_err("it becomes root");
    assert_eq!(why, "line 2 of `web/entry.sh` calls `sudo`, which may need what is taken away");
    let why = service(SCRIPT, "", "#!/bin/sh\nuntil ping -c1 db; do sleep 1; done\nexec app\n").expect_err("it pings");
    assert!(why.contains("line 2 of `web/entry.sh` calls `ping`"), "{why}");
    assert_eq!(service(SCRIPT, "", "#!/bin/sh\nmkdir -p /tmp/x\nexec app\n"), Ok(DROPPED.to_owned()));
    let why = service("FROM debian:13\nUSER 7\nCMD [\"app\"]\n", "    command: sh -c 'sudo app'\n", "");
    assert_eq!(why, Err("it calls `sudo`, which may need what is taken away".to_owned()));
    let check = "FROM debian:13\nUSER 7\nHEALTHCHECK CMD ping -c1 localhost\nCMD [\"app\"]\n";
    assert!(service(check, "", "").is_err_and(|why| why.contains("calls `ping`")));
}

#[test]
fn marks_of_files_are_given_back() {
    let marked = |what: &str| {
        format!(
            "FROM debian:13 AS build\nRUN setcap {what} /app\nFROM debian:13\nCOPY --from=build /app /app\nUSER 7\nCMD [\"/app\"]\n"
        )
    };
    let added = "cap_drop: - ALL cap_add: - NET_BIND_SERVICE";
    assert_eq!(service(&marked("'cap_net_bind_service=+ep'"), "", ""), Ok(added.to_owned()));
    assert_eq!(service(&marked("-q CAP_NET_BIND_SERVICE+eip"), "", ""), Ok(added.to_owned()));
    // Nobody is given that unasked: who needs it says so already.
    assert_eq!(service(&marked("cap_ipc_lock=+ep"), "", ""), Ok(DROPPED.to_owned()));
    assert_eq!(service(&marked("-r"), "", ""), Ok(DROPPED.to_owned()));
    assert!(service(&marked("cap_net_raw+ep"), "", "").is_err_and(|why| why.contains("NET_RAW")));
    assert!(service(&marked("$CAPS"), "", "").is_err_and(|why| why.contains("line 2")));
}

#[test]
fn what_the_base_needs_is_known_of_what_only_adds_files() {
    let added = "cap_drop: - ALL cap_add: - CHOWN - NET_BIND_SERVICE - SETGID - SETUID";
    assert_eq!(service("FROM nginx:1.29\nCOPY site /usr/share/nginx/html\n", "", ""), Ok(added.to_owned()));
    assert_eq!(service("FROM nginx:1.29\nCMD [\"nginx\", \"-g\", \"daemon off;\"]\n", "", ""), Ok(added.to_owned()));
    let why = service("FROM nginx:1.29\nCMD [\"sh\", \"-c\", \"x && nginx\"]\n", "", "");
    assert!(why.is_err_and(|why| why.contains("lets root start it")));
    let why = service("FROM nginx:1.29\n", "    command: sh -c 'x && nginx'\n", "");
    assert_eq!(why, Err("it runs another program than its image starts".to_owned()));
}

#[test]
fn a_script_that_hands_over_keeps_what_it_hands_over_with() {
    const TINI: &str = "FROM debian:13\nCOPY entry.sh /\nENTRYPOINT [\"tini\", \"--\", \"/entry.sh\"]\nCMD [\"app\"]\n";
    const PLAIN: &str = "FROM debian:13\nCOPY entry.sh /\nENTRYPOINT [\"/entry.sh\"]\nCMD [\"app\"]\n";
    const OVER: &str = "#!/bin/sh\nset -e\nif [ \"$(id -u)\" = 0 ]; then\n  chown -R app /data\n  exec gosu app \"$0\" \"$@\"\nfi\nexec \"$@\"\n";
    let added = "cap_drop: - ALL cap_add: - CHOWN - DAC_OVERRIDE - FOWNER - SETGID - SETUID";
    assert_eq!(service(PLAIN, "", OVER), Ok(added.to_owned()));
    assert_eq!(service(PLAIN, "    command: [app, --more]\n", OVER), Ok(added.to_owned()));
    // Root's init hands signals to somebody else.
    let with_kill = "cap_drop: - ALL cap_add: - CHOWN - DAC_OVERRIDE - FOWNER - KILL - SETGID - SETUID";
    assert_eq!(service(TINI, "", OVER), Ok(with_kill.to_owned()));
    assert_eq!(service(PLAIN, "    init: true\n", OVER), Ok(with_kill.to_owned()));
    let starts_more = OVER.replace("chown -R app /data", "cron");
    assert!(service(PLAIN, "", &starts_more).is_err_and(|why| why.contains("lets root start it")));
    let stays = "#!/bin/sh\nchown -R app /data\nexec \"$@\"\n";
    assert!(service(PLAIN, "", stays).is_err_and(|why| why.contains("lets root start it")));
}

#[test]
fn a_pod_of_what_is_built_here_is_confined() {
    let pod = |tag: &str, dockerfile: &str, security: &str| {
        let pod = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec:\n  containers:\n  - name: web\n    image: acme/web:{tag}\n{security}"
        );
        let files = vec![
            ("pod.yaml", pod.as_str()),
            ("web/Dockerfile", dockerfile),
            ("Makefile", "all:\n\tdocker build -t acme/web:1 web\n"),
        ];
        answer("default-capabilities", FileKind::Kubernetes, files)
    };
    let added = Ok("securityContext: capabilities: drop: - ALL".to_owned());
    assert_eq!(pod("1", "FROM debian:13\nUSER 7\nCMD [\"app\"]\n", ""), added);
    let why = pod("2", "FROM debian:13\nUSER 7\nCMD [\"app\"]\n", "");
    assert_eq!(why, Err("`web/Dockerfile` makes its image with another tag: root may start what runs".to_owned()));
    let somebody = "    securityContext: {runAsUser: 7}\n";
    let own = Ok(", capabilities: {drop: [ALL]}".to_owned());
    assert_eq!(pod("1", "FROM debian:13\nCMD [\"app\"]\n", somebody), own);
    assert_eq!(pod("2", "FROM debian:13\nCMD [\"app\"]\n", somebody), own);
    assert!(pod("1", "FROM debian:13\nCMD [\"app\"]\n", "").is_err_and(|why| why.contains("lets root start it")));
}

#[test]
fn what_nobody_builds_here_is_named() {
    let text = "services:\n  web:\n    image: acme/web:1\n";
    let why =
        answer("capabilities-kept", FileKind::Compose, vec![("compose.yaml", text)]).expect_err("nothing is known");
    assert!(why.contains("no Dockerfile here is built under that name"), "{why}");
}

/// What a service that runs `image` keeps of its capabilities.
fn keeps(image: &str) -> Result<String, String> {
    let text = format!("services:\n  web:\n    image: {image}\n");
    answer("capabilities-kept", FileKind::Compose, vec![("compose.yaml", &text)])
}

#[test]
fn what_well_known_images_need_is_kept() {
    for (image, kept) in [
        ("httpd:2.4", "KILL - NET_BIND_SERVICE - SETGID - SETUID"),
        ("php:8.3-apache", "KILL - NET_BIND_SERVICE - SETGID - SETUID"),
        ("php:8.3-fpm-alpine", "KILL - SETGID - SETUID"),
        ("rabbitmq:4-management", "CHOWN - DAC_OVERRIDE - SETGID - SETUID"),
        ("rabbitmq:3", "CHOWN - DAC_OVERRIDE - SETGID - SETUID"),
        ("hashicorp/vault:1.17", "CHOWN - DAC_OVERRIDE - KILL - SETFCAP - SETGID - SETUID"),
        ("traefik:v3.1", "NET_BIND_SERVICE"),
        ("postgres:16", "CHOWN - DAC_OVERRIDE - FOWNER - SETGID - SETUID"),
    ] {
        assert_eq!(keeps(image), Ok(format!("cap_drop: - ALL cap_add: - {kept}")), "{image}");
    }
    for image in [
        "haproxy:3.2",
        "apache/kafka:3.9.0",
        "bitnamilegacy/kafka:3.9.0-debian-12-r5",
        "docker.elastic.co/elasticsearch/elasticsearch:8.15.3",
        "registry:2",
        "prom/prometheus:v2.54.1",
        "grafana/grafana:11.2.0",
        "adminer",
        "memcached:1.6",
    ] {
        assert_eq!(keeps(image), Ok(DROPPED.to_owned()), "{image}");
    }
    for image in ["minio/minio:latest", "registry:3", "php:8.3-cli", "haproxy:1.7"] {
        assert!(keeps(image).is_err(), "{image}");
    }
}

#[test]
fn an_image_named_by_a_variable_of_its_makefile_is_the_one_that_a_pod_runs() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: ghcr.io/acme/web:1.4\n";
    let dockerfile = "FROM debian:13\nUSER 7\nCMD [\"app\"]\n";
    let added = Ok("securityContext: capabilities: drop: - ALL".to_owned());
    for (name, builder) in [
        ("Makefile", "REG ?= ghcr.io/acme\nIMAGE := $(REG)/web:1.4\nbuild:\n\tdocker build -t $(IMAGE) web\n"),
        ("build.sh", "#!/bin/sh\nIMAGE=ghcr.io/acme/web\nTAG=${TAG:-1.4}\ndocker build -t \"$IMAGE:$TAG\" ./web\n"),
        (
            ".gitlab-ci.yml",
            "variables:\n  IMAGE: ghcr.io/acme/web:1.4\nbuild:\n  script:\n    - docker build -t $IMAGE web\n",
        ),
    ] {
        let files = vec![("pod.yaml", pod), ("web/Dockerfile", dockerfile), (name, builder)];
        assert_eq!(answer("default-capabilities", FileKind::Kubernetes, files), added, "{name}");
    }
    let hidden = "IMAGE := web\nIMAGE += x\nbuild:\n\tdocker build -t $(IMAGE) web\n";
    let files = vec![("pod.yaml", pod), ("web/Dockerfile", dockerfile), ("Makefile", hidden)];
    assert!(answer("default-capabilities", FileKind::Kubernetes, files).is_err());
}

#[test]
fn what_gains_privileges_keeps_the_right_to() {
    const SCRIPT: &str = "FROM debian:13\nCOPY entry.sh /entry.sh\nUSER 7\nENTRYPOINT [\"/entry.sh\"]\n";
    let option = |dockerfile: &str, more: &str, script: &str| {
        let compose = format!("services:\n  web:\n    build: web\n{more}");
        let files = vec![("compose.yaml", compose.as_str()), ("web/Dockerfile", dockerfile), ("web/entry.sh", script)];
        answer("privilege-escalation", FileKind::Compose, files)
    };
    let added = Ok("security_opt: - no-new-privileges:true".to_owned());
    assert_eq!(option(SCRIPT, "", "#!/bin/sh\nexec app\n"), added);
    assert!(option(SCRIPT, "", "#!/bin/sh\nsudo id\nexec app\n").is_err_and(|why| why.contains("`sudo`")));
    // Root has nothing to gain.
    assert_eq!(option(&SCRIPT.replace("USER 7\n", ""), "", "#!/bin/sh\nsudo id\nexec app\n"), added);
    let marked = |what: &str| format!("FROM debian:13\nRUN setcap {what} /app\nUSER 7\nCMD [\"/app\"]\n");
    assert_eq!(option(&marked("cap_net_bind_service=+ep"), "", ""), added);
    assert!(option(&marked("cap_net_admin=+ep"), "", "").is_err_and(|why| why.contains("line 2 of `web/Dockerfile`")));
    assert!(option("FROM debian:13\nUSER 7\n", "    command: sudo app\n", "").is_err_and(|why| why.contains("`sudo`")));
    let vault = "services:\n  web:\n    image: hashicorp/vault:1.17\n";
    let why = answer("privilege-escalation", FileKind::Compose, vec![("compose.yaml", vault)]);
    assert!(why.is_err_and(|why| why.contains("capabilities of its own")));
}
