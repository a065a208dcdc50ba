//! A fix of a Dockerfile carries the edits of the files that depend on it, all or none.

#![allow(clippy::disallowed_methods, reason = "the support code reads the shared data")]

mod support;

use ironhull::{
    rule::{Builtin, Finding, Safety},
    rules::RULES,
};
use support::{findings_of, repaired};

fn rule(id: &str) -> &'static Builtin {
    RULES.iter().copied().find(|rule| rule.meta.id == id).expect("the rule exists")
}

const DOCKERFILE: &str = "-- Dockerfile --\n# syntax=docker/dockerfile:1\nFROM node:22\nARG NPM_TOKEN\nRUN npm config set //npm.example.com/:_authToken=${NPM_TOKEN} && npm ci\n";

const MOUNTED: &str = "-- Dockerfile --\n# syntax=docker/dockerfile:1\nFROM node:22\nRUN --mount=type=secret,id=npm_token,env=NPM_TOKEN,required=true npm config set //npm.example.com/:_authToken=${NPM_TOKEN} && npm ci\n";

/// What becomes of the files beside the Dockerfile.
#[track_caller]
fn becomes(callers: &str, expected: &str) {
    let text = format!("{DOCKERFILE}{callers}");
    let fixed = repaired(&[rule("secret-in-arg")], text.as_bytes(), Safety::Risky);
    assert_eq!(String::from_utf8(fixed).expect("the texts are UTF-8"), format!("{MOUNTED}{expected}"));
}

/// Nothing changes, and the reason says where somebody has to look and why.
#[track_caller]
fn stays(callers: &str, place: &str, why: &str) {
    let text = format!("{DOCKERFILE}{callers}");
    let fixed = repaired(&[rule("secret-in-arg")], text.as_bytes(), Safety::Risky);
    assert_eq!(String::from_utf8_lossy(&fixed), text);
    let found: Vec<Finding> = findings_of(rule("secret-in-arg"), text.as_bytes());
    let fix = &found[0].fixes[0];
    assert_eq!(fix.safety, Safety::Manual);
    assert!(fix.companions.is_empty());
    assert!(fix.reason.contains(&format!("{place} must hand it in as a secret")), "{}", fix.reason);
    assert!(fix.reason.contains(why), "{}", fix.reason);
}

#[test]
fn arguments_of_a_service_become_secrets_of_its_build() {
    becomes(
        "-- compose.yaml --\n# the shop\nservices:\n  web:\n    build:\n      context: .   # here\n      args:\n        - NPM_TOKEN\n        - VERSION=1\n    ports: ['80:80']\n",
        "-- compose.yaml --\n# the shop\nservices:\n  web:\n    build:\n      context: .   # here\n      args:\n        - VERSION=1\n      secrets:\n        - npm_token\n    ports: ['80:80']\nsecrets:\n  npm_token:\n    environment: NPM_TOKEN\n",
    );
    becomes(
        "-- compose.yaml --\nservices:\n  web:\n    build: {context: ., args: {NPM_TOKEN: '${TOKEN:-}', A: b}}\nsecrets:\n  other:\n    file: ./other\n",
        "-- compose.yaml --\nservices:\n  web:\n    build: {context: ., args: {A: b}, secrets: [npm_token]}\nsecrets:\n  other:\n    file: ./other\n  npm_token:\n    environment: TOKEN\n",
    );
    becomes(
        "-- compose.yaml --\r\nservices:\r\n  a:\r\n    build:\r\n      context: .\r\n      args:\r\n        NPM_TOKEN: $NPM_TOKEN\r\n  b:\r\n    build:\r\n      context: .\r\n      args:\r\n        NPM_TOKEN:\r\n",
        "-- compose.yaml --\nservices:\r\n  a:\r\n    build:\r\n      context: .\r\n      secrets:\r\n        - npm_token\r\n  b:\r\n    build:\r\n      context: .\r\n      secrets:\r\n        - npm_token\r\nsecrets:\r\n  npm_token:\r\n    environment: NPM_TOKEN\r\n",
    );
}

#[test]
fn services_that_build_something_else_keep_their_arguments() {
    let other = "  other:\n    build:\n      context: ./other\n      args:\n        - NPM_TOKEN\n";
    becomes(
        &format!(
            "-- compose.yaml --\nservices:\n  web:\n    build:\n      context: .\n      args: [NPM_TOKEN]\n{other}"
        ),
        &format!(
            "-- compose.yaml --\nservices:\n  web:\n    build:\n      context: .\n      secrets:\n        - npm_token\n{other}secrets:\n  npm_token:\n    environment: NPM_TOKEN\n"
        ),
    );
}

#[test]
fn a_step_of_a_workflow_hands_the_secret_in() {
    let step = "-- .github/workflows/ci.yml --\njobs:\n  build:\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n";
    becomes(
        &format!(
            "{step}          context: .\n          build-args: |\n            VERSION=1\n            NPM_TOKEN=${{{{ secrets.NPM_TOKEN }}}}\n          push: true\n"
        ),
        &format!(
            "{step}          context: .\n          build-args: |\n            VERSION=1\n          secrets: |\n            npm_token=${{{{ secrets.NPM_TOKEN }}}}\n          push: true\n"
        ),
    );
    becomes(
        &format!(
            "{step}          build-args: NPM_TOKEN=${{{{ secrets.NPM_TOKEN }}}}\n          secrets: |\n            other=${{{{ secrets.OTHER }}}}\n"
        ),
        &format!(
            "{step}          secrets: |\n            other=${{{{ secrets.OTHER }}}}\n            npm_token=${{{{ secrets.NPM_TOKEN }}}}\n"
        ),
    );
    becomes(
        &format!("{step}          build-args: |\n            NPM_TOKEN\n"),
        &format!("{step}          secret-envs: |\n            npm_token=NPM_TOKEN\n"),
    );
}

#[test]
fn commands_hand_the_secret_in() {
    becomes(
        "-- build.sh --\n#!/bin/sh\nset -e\ndocker build \\\n  --build-arg NPM_TOKEN=\"$NPM_TOKEN\" \\\n  -t web .\n",
        "-- build.sh --\n#!/bin/sh\nset -e\ndocker build \\\n  --secret id=npm_token,env=NPM_TOKEN \\\n  -t web .\n",
    );
    becomes(
        "-- Makefile --\nbuild:\n\t@docker buildx build --build-arg=NPM_TOKEN=$(TOKEN) -t web .\n",
        "-- Makefile --\nbuild:\n\t@docker buildx build --secret id=npm_token,env=TOKEN -t web .\n",
    );
    becomes(
        "-- .gitlab-ci.yml --\nbuild:\n  script:\n    - docker build --build-arg NPM_TOKEN=${NPM_TOKEN} -t web .\n",
        "-- .gitlab-ci.yml --\nbuild:\n  script:\n    - docker build --secret id=npm_token,env=NPM_TOKEN -t web .\n",
    );
}

#[test]
fn whoever_builds_without_it_can_go_on() {
    let text = format!(
        "{DOCKERFILE}-- compose.yaml --\nservices:\n  web:\n    build:\n      context: .\n      args: [NPM_TOKEN]\n  job:\n    build: .\n"
    );
    let fixed = repaired(&[rule("secret-in-arg")], text.as_bytes(), Safety::Risky);
    let fixed = String::from_utf8(fixed).expect("the texts are UTF-8");
    assert!(fixed.contains("id=npm_token,env=NPM_TOKEN npm config"), "{fixed}");
}

#[test]
fn an_argument_that_nobody_reads_is_handed_in_by_nobody() {
    let text = "-- Dockerfile --\nFROM alpine:3.22\nARG DB_PASSWORD\nENV DB_PASSWORD=${DB_PASSWORD}\n-- compose.yaml --\nservices:\n  web:\n    build:\n      context: .\n      args:\n        DB_PASSWORD: hunter22hunter\n-- build.sh --\ndocker build --build-arg DB_PASSWORD=x$1 -t web .\n";
    let fixed = repaired(&[rule("secret-in-arg")], text.as_bytes(), Safety::Risky);
    let expected = "-- Dockerfile --\nFROM alpine:3.22\n-- compose.yaml --\nservices:\n  web:\n    build:\n      context: .\n-- build.sh --\ndocker build -t web .\n";
    assert_eq!(String::from_utf8_lossy(&fixed), expected);
}

#[test]
fn two_credentials_are_handed_over_one_after_the_other() {
    let text = "-- Dockerfile --\nFROM node:22\nARG NPM_TOKEN\nARG GIT_TOKEN\nRUN a \"${NPM_TOKEN}\" \"${GIT_TOKEN}\"\n-- compose.yaml --\nservices:\n  web:\n    build:\n      context: .\n      args:\n        - NPM_TOKEN\n        - GIT_TOKEN\n";
    let fixed = String::from_utf8(repaired(&[rule("secret-in-arg")], text.as_bytes(), Safety::Risky))
        .expect("the texts are UTF-8");
    let compose = "services:\n  web:\n    build:\n      context: .\n      secrets:\n        - npm_token\n        - git_token\nsecrets:\n  npm_token:\n    environment: NPM_TOKEN\n  git_token:\n    environment: GIT_TOKEN\n";
    assert!(fixed.ends_with(&format!("-- compose.yaml --\n{compose}")), "{fixed}");
    assert!(!fixed.contains("ARG"), "{fixed}");
}

#[test]
fn what_cannot_be_edited_keeps_everything_as_it_is() {
    let service = "-- compose.yaml --\nservices:\n  web:\n    build:\n      context: .\n      args:\n";
    let literal = format!("{service}        NPM_TOKEN: aK3j9ZpQ1xL7aK3j9ZpQ1xL7\n");
    stays(&literal, "compose.yaml:6", "its value is no variable of the environment");
    let defaulted = format!("{service}        NPM_TOKEN: ${{NPM_TOKEN:-none}}\n");
    stays(&defaulted, "compose.yaml:6", "its value is no variable of the environment");
    let anchored = "-- compose.yaml --\nx-args: &args\n  NPM_TOKEN:\nservices:\n  web:\n    build:\n      context: .\n      args: *args\n";
    stays(anchored, "compose.yaml:2", "an alias");
    let merged = "-- compose.yaml --\nx-args: &args\n  NPM_TOKEN:\nservices:\n  web:\n    build:\n      context: .\n      args:\n        <<: *args\n        A: b\n";
    stays(merged, "compose.yaml:4", "the argument comes from another place than the service itself");
    let taken = format!("{service}        - NPM_TOKEN\nsecrets:\n  npm_token:\n    file: ./token\n");
    stays(&taken, "compose.yaml:6", "the file has another secret `npm_token`");
    let on_top = "-- compose.yaml --\nservices:\n  web:\n    build: .\n-- compose.override.yaml --\nservices:\n  web:\n    build:\n      args: [NPM_TOKEN]\n";
    stays(on_top, "compose.override.yaml:4", "the file is read on top of another one");
    let variable = "-- build.sh --\nNPM_TOKEN=$(cat token)\ndocker build --build-arg NPM_TOKEN=$NPM_TOKEN .\n";
    stays(variable, "build.sh:2", "does not export it");
    let sudo = "-- build.sh --\nsudo docker build --build-arg NPM_TOKEN .\n";
    stays(sudo, "build.sh:1", "another program starts the build");
    let hidden = "-- build.sh --\ndocker build --build-arg NPM_TOKEN $DIR\n";
    stays(hidden, "build.sh:1", "nobody can tell here what it builds");
    let several = "-- build.sh --\nfor dir in . other; do docker build --build-arg NPM_TOKEN $dir; done\n-- other/Dockerfile --\nFROM scratch\n";
    stays(several, "build.sh:1", "the call builds other Dockerfiles as well");
    let workflow = "-- .github/workflows/ci.yml --\njobs:\n  build:\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          build-args: |\n            NPM_TOKEN=aK3j9ZpQ1xL7aK3j9ZpQ1xL7\n";
    stays(workflow, ".github/workflows/ci.yml:7", "its value is written out there");
    // One that could be edited does not help.
    stays(&format!("{service}        - NPM_TOKEN\n{sudo}"), "build.sh:1", "another program");
}

const COPIES_KEY: &str = "-- Dockerfile --\nFROM alpine:3.22\nRUN apk add --no-cache git openssh-client\nCOPY id_rsa /root/.ssh/id_rsa\nRUN chmod 600 /root/.ssh/id_rsa && ssh-keyscan github.com >> /root/.ssh/known_hosts\nRUN git clone git@github.com:acme/shop.git && rm -f /root/.ssh/id_rsa\nUSER 1000\nCMD [\"./shop\"]\n";
const LENDS_AGENT: &str = "-- Dockerfile --\nFROM alpine:3.22\nRUN apk add --no-cache git openssh-client\nRUN mkdir -p -m 0700 /root/.ssh\nRUN ssh-keyscan github.com >> /root/.ssh/known_hosts\nRUN --mount=type=ssh git clone git@github.com:acme/shop.git\nUSER 1000\nCMD [\"./shop\"]\n";

#[track_caller]
fn lends(callers: &str, expected: &str) {
    let fixed = repaired(&[rule("secret-copied")], format!("{COPIES_KEY}{callers}").as_bytes(), Safety::Risky);
    assert_eq!(String::from_utf8_lossy(&fixed), format!("{LENDS_AGENT}{expected}"));
}

#[test]
fn a_private_key_gives_way_to_the_agent_of_whoever_builds() {
    lends("", "");
    lends(
        "-- compose.yaml --\nservices:\n  shop:\n    build: .   # here\n    ports: ['80:80']\n  other:\n    build: ./other\n",
        "-- compose.yaml --\nservices:\n  shop:\n    build:\n      context: .\n      ssh:\n        - default   # here\n    ports: ['80:80']\n  other:\n    build: ./other\n",
    );
    lends(
        "-- compose.yaml --\nservices:\n  shop:\n    build: {context: ., ssh: [other=./a]}\n  job:\n    build:\n      context: .\n      ssh: [default]\n",
        "-- compose.yaml --\nservices:\n  shop:\n    build: {context: ., ssh: [other=./a, default]}\n  job:\n    build:\n      context: .\n      ssh: [default]\n",
    );
    lends(
        "-- build.sh --\n#!/bin/sh\ndocker buildx build -t shop .\ndocker build -t other other\n-- other/Dockerfile --\nFROM scratch\n",
        "-- build.sh --\n#!/bin/sh\ndocker buildx build --ssh default -t shop .\ndocker build -t other other\n-- other/Dockerfile --\nFROM scratch\n",
    );
    lends(
        "-- .github/workflows/ci.yml --\njobs:\n  a:\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          context: .\n      - run: docker build .\n",
        "-- .github/workflows/ci.yml --\njobs:\n  a:\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          context: .\n          ssh: default\n      - run: docker build --ssh default .\n",
    );
}

#[test]
fn a_key_that_something_else_needs_stays() {
    let why = |text: &str| {
        let found = findings_of(rule("secret-copied"), text.as_bytes());
        let fix = found[0].fixes.first();
        assert!(fix.is_none_or(|fix| fix.safety == Safety::Manual), "{fix:?}");
        found[0].declined.clone().map_or_else(|| fix.expect("there is a reason").reason.to_string(), Into::into)
    };
    let head = "FROM alpine:3.22\nCOPY id_rsa /root/.ssh/id_rsa\n";
    for (rest, part) in [
        ("RUN eval $(ssh-agent) && ssh-add /root/.ssh/id_rsa && git clone git@a:b\n", "by its name"),
        ("RUN chmod 600 /root/.ssh/* && git clone git@a:b\n", "by its name"),
        ("ENV GIT_SSH_COMMAND=\"ssh -i /root/.ssh/id_rsa\"\nRUN git clone git@a:b\n", "by its name"),
        ("RUN echo IdentityFile x >> /etc/ssh/ssh_config && git clone git@a:b\n", "says which key is used"),
        ("RUN git clone git@a:b\nCMD git pull\n", "may use the key"),
        ("RUN ls\n", "no `RUN` behind it"),
        ("RUN git clone git@a:b\nFROM alpine:3.22\nCOPY --from=0 /root /root\n", "another stage copies the key"),
    ] {
        let reason = why(&format!("{head}{rest}"));
        assert!(reason.contains(part), "{rest}: {reason}");
    }
    let clone = "RUN git clone git@a:b\n";
    let sudo = format!("-- Dockerfile --\n{head}{clone}-- build.sh --\nsudo docker build .\n");
    assert!(why(&sudo).contains("build.sh:1 must lend the agent"));
    let bake =
        format!("-- Dockerfile --\n{head}{clone}-- docker-bake.hcl --\ntarget \"a\" {{\n  context = \".\"\n}}\n");
    assert!(why(&bake).contains("bake files are not edited"), "{}", why(&bake));
}

/// The Dockerfile with that bake file beside it; `{NPM}` stands for a variable without a value of its own.
fn bake(text: &str) -> String {
    let variable = "variable \"NPM_TOKEN\" {\n  default = \"\"\n}\n";
    format!("-- docker-bake.hcl --\n{}", text.replace("{NPM}", variable))
}

#[test]
fn targets_of_a_bake_file_hand_the_secret_in() {
    let to = |before: &str, after: &str| becomes(&bake(before), &bake(after));
    to(
        "{NPM}target \"web\" {\n  context = \".\" # here\n  args = {\n    NPM_TOKEN = NPM_TOKEN\n  }\n  tags = [\"a\"]\n}\n",
        "{NPM}target \"web\" {\n  context = \".\" # here\n  secret = [\"id=npm_token,env=NPM_TOKEN\"]\n  tags = [\"a\"]\n}\n",
    );
    to(
        "{NPM}target \"web\" {\n  args = {\n    A = \"1\"\n    // for npm\n    NPM_TOKEN = \"${NPM_TOKEN}\"\n    B = f(\"x, y\")\n  }\n}\n",
        "{NPM}target \"web\" {\n  secret = [\"id=npm_token,env=NPM_TOKEN\"]\n  args = {\n    A = \"1\"\n    // for npm\n    B = f(\"x, y\")\n  }\n}\n",
    );
    to(
        "{NPM}target \"web\" {\n  args   = { NPM_TOKEN = NPM_TOKEN, A = \"1\" }\n  secret = [\n    \"id=aws,src=.aws\",\n  ]\n}\n",
        "{NPM}target \"web\" {\n  args   = { A = \"1\" }\n  secret = [\n    \"id=aws,src=.aws\",\n    \"id=npm_token,env=NPM_TOKEN\",\n  ]\n}\n",
    );
    to(
        "{NPM}target \"web\" {\r\n  args = { A = \"1\", NPM_TOKEN = NPM_TOKEN }\r\n  secret = [\"id=aws\"]\r\n}\r\n",
        "{NPM}target \"web\" {\r\n  args = { A = \"1\" }\r\n  secret = [\"id=aws\", \"id=npm_token,env=NPM_TOKEN\"]\r\n}\r\n",
    );
    // What all inherit changes once.
    let others = "target \"web\" {\n  inherits = [\"_base\"]\n  tags = [\"web\"]\n}\ntarget \"dev\" {\n  inherits = [\"_base\"]\n  target = \"dev\"\n}\ntarget \"docs\" {\n  context = \"docs\"\n  args = { NPM_TOKEN = NPM_TOKEN }\n}\n";
    to(
        &format!("{{NPM}}target \"_base\" {{\n  args = {{ NPM_TOKEN = NPM_TOKEN }}\n}}\n{others}"),
        &format!("{{NPM}}target \"_base\" {{\n  secret = [\"id=npm_token,env=NPM_TOKEN\"]\n}}\n{others}"),
    );
}

#[test]
fn a_bake_file_in_json_stays_json() {
    let to = |before: &str, after: &str| {
        let whole = |target: &str| {
            format!(
                "-- docker-bake.json --\n{{\n  \"variable\": {{\"NPM_TOKEN\": {{\"default\": \"\"}}}},\n  \"target\": {{\n    \"web\": {target}\n  }}\n}}\n"
            )
        };
        becomes(&whole(before), &whole(after));
    };
    to(
        "{\n      \"args\": {\n        \"A\": \"1\",\n        \"NPM_TOKEN\": \"${NPM_TOKEN}\"\n      }\n    }",
        "{\n      \"secret\": [\"id=npm_token,env=NPM_TOKEN\"],\n      \"args\": {\n        \"A\": \"1\"\n      }\n    }",
    );
    to(
        "{\"context\": \".\", \"args\": {\"NPM_TOKEN\": \"${NPM_TOKEN}\"}}",
        "{\"context\": \".\", \"secret\": [\"id=npm_token,env=NPM_TOKEN\"]}",
    );
    to(
        "{\"args\": {\"NPM_TOKEN\": \"${NPM_TOKEN}\", \"A\": \"1\"}, \"secret\": []}",
        "{\"args\": {\"A\": \"1\"}, \"secret\": [\"id=npm_token,env=NPM_TOKEN\"]}",
    );
    to(
        "{\n      \"secret\": [\"id=a\"],\n      \"args\": {\"NPM_TOKEN\": \"${NPM_TOKEN}\"}\n    }",
        "{\n      \"secret\": [\"id=a\", \"id=npm_token,env=NPM_TOKEN\"]\n    }",
    );
}

#[test]
fn what_a_bake_file_leaves_open_is_not_edited() {
    let undeclared = "target \"web\" {\n  args = {\n    NPM_TOKEN = NPM_TOKEN\n  }\n}\n";
    stays(&bake(undeclared), "docker-bake.hcl:3", "its value is no variable of the environment");
    let with_value = "variable \"NPM_TOKEN\" { default = \"aK3j9ZpQ\" }\n".to_owned() + undeclared;
    stays(&bake(&with_value), "docker-bake.hcl:4", "its variable has a value of its own");
    let web = |rest: &str| format!("{{NPM}}target \"web\" {{\n  args = {{ NPM_TOKEN = NPM_TOKEN }}\n{rest}}}\n");
    let made = web("").replace("= NPM_TOKEN ", "= trimspace(NPM_TOKEN) ");
    stays(&bake(&made), "docker-bake.hcl:5", "its value is no variable of the environment");
    stays(&bake(&web("  context = DIR\n")), "docker-bake.hcl:5", "nobody can tell here what it builds");
    stays(&bake(&web("  matrix = { NPM_TOKEN = [\"a\"] }\n")), "docker-bake.hcl:5", "a matrix");
    stays(&bake(&web("  inherits = [\"elsewhere\"]\n")), "docker-bake.hcl:5", "other targets have a say");
    stays(&bake(&web("  secret = concat([], [])\n")), "docker-bake.hcl:5", "a form that is not edited");
    let child = |rest: &str| bake(&(web("") + "target \"b\" {\n  inherits = [\"web\"]\n" + rest + "}\n"));
    stays(&child("  context = \"b\"\n"), "docker-bake.hcl:5", "builds of other Dockerfiles");
    stays(&child("  tags = [\"b\"]\n  secret = [\"id=b\"]\n"), "docker-bake.hcl:5", "other targets have a say");
    let inline = web("") + "target \"c\" {\n  dockerfile-inline = <<END\nFROM a\nRUN echo }\nEND\n}\n";
    stays(&bake(&inline), "docker-bake.hcl:5", "a form that is not edited");
    let set = "-- build.sh --\ndocker buildx bake --set '*.args.NPM_TOKEN'=$NPM_TOKEN\n";
    stays(set, "build.sh:1", "nobody can tell here what it builds");
}
