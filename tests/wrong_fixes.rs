//! Fixes that other tools are known to get wrong, and hardenings that had to be taken back: none of them happens here.
//!
//! Each case is a file, what must not come out of fixing it with every rule, and what must stay or be there.

mod support;

use ironhull::{rule::Safety, rules::RULES};

struct Case {
    name: &'static str,
    text: &'static str,
    never: &'static [&'static str],
    always: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        name: "an address behind a variable is no local file",
        text: "FROM debian:13\nARG SRC=https://example.com/x\nADD $SRC /x\nUSER 1000\nCMD [\"/x\"]\n",
        never: &["COPY $SRC"],
        always: &["ADD $SRC /x"],
    },
    Case {
        name: "bundler is not told where gems lie",
        text: "FROM ruby:3.3\nWORKDIR /app\nCOPY . .\nRUN bundle install\nCMD [\"rails\", \"server\"]\n",
        never: &["BUNDLE_DEPLOYMENT", "BUNDLE_PATH"],
        always: &["RUN bundle install\n"],
    },
    Case {
        name: "steps are not merged, so that no `cd` leaks",
        text: "FROM debian:13\nRUN cd lib && make\nRUN ./configure\nUSER 1000\nCMD [\"/app\"]\n",
        never: &["make && ./configure", "<<"],
        always: &["RUN cd lib && make\nRUN ./configure\n"],
    },
    Case {
        name: "dash has no pipefail",
        text: "FROM ubuntu:20.04\nRUN cat a | sort > b\nUSER 1000\nCMD [\"/app\"]\n",
        never: &["pipefail"],
        always: &["RUN cat a | sort > b\n"],
    },
    Case {
        name: "Alpine has no bash, and wget is not curl",
        text: "FROM alpine:3.22\nRUN wget -qO- https://example.com/list.txt | sort > /list\nUSER 1000\nCMD [\"/app\"]\n",
        never: &["bash", "curl"],
        always: &["wget -qO-"],
    },
    Case {
        name: "a script that is echoed is not copied with its variables expanded",
        text: "FROM debian:13\nRUN echo 'echo \"$1\"' > /usr/bin/say && chmod 755 /usr/bin/say\nUSER 1000\nCMD [\"say\"]\n",
        never: &["COPY", "<<"],
        always: &["echo 'echo \"$1\"' > /usr/bin/say"],
    },
    Case {
        name: "`exec` is no program",
        text: "FROM debian:13\nUSER 1000\nENTRYPOINT exec top -b\n",
        never: &["[\"exec\""],
        always: &["ENTRYPOINT"],
    },
    Case {
        name: "what root does stays before the new user",
        text: "FROM debian:13\nUSER root\nRUN mkdir /srv/x && chmod 750 /srv/x\nCMD [\"/usr/bin/app\"]\n",
        never: &["USER 10001:10001\nRUN"],
        always: &["USER root\nRUN mkdir /srv/x && chmod 750 /srv/x\n", "USER 10001:10001\nCMD"],
    },
    Case {
        name: "nothing is removed below a variable that may be empty",
        text: "FROM ruby:3.3\nRUN bundle install\nUSER 1000\nCMD [\"rails\", \"server\"]\n",
        never: &["rm -rf \"${", "rm -rf $"],
        always: &[],
    },
    Case {
        name: "a health check is not taken for the start, and `USER` is inserted once",
        text: "FROM node:24\nHEALTHCHECK CMD node check.js\nENTRYPOINT [\"node\"]\nCMD [\"app.js\"]\n",
        never: &["HEALTHCHECK USER", "USER non-root"],
        always: &["HEALTHCHECK CMD", "USER 1000:1000\n", "ENTRYPOINT [\"node\"]\nCMD [\"app.js\"]\n"],
    },
    Case {
        name: "a volume belongs to the user that starts (aha-secret#461, FileCodeBox#500)",
        text: "FROM python:3.13\nWORKDIR /app\nVOLUME /app/data\nCMD [\"python\", \"app.py\"]\n",
        never: &["USER app"],
        always: &["mkdir -p /app/data", "chown -R 10001:10001 /app/data", "USER 10001:10001\n"],
    },
    Case {
        name: "an image that gives root up by itself is left alone (postgres#170, rabbitmq#88)",
        text: "FROM postgres:17\nCOPY init.sql /docker-entrypoint-initdb.d/\n",
        never: &["USER", "useradd"],
        always: &["FROM postgres:17"],
    },
    Case {
        name: "a driver that mounts needs root (blob-csi-driver#255)",
        text: "FROM debian:13\nCOPY blobplugin /blobplugin\nENTRYPOINT [\"/csi-node-driver\"]\n",
        never: &["USER"],
        always: &["ENTRYPOINT [\"/csi-node-driver\"]"],
    },
    Case {
        name: "stock nginx keeps its files writable for its user (rancher#36125)",
        text: "FROM nginx:1.29\nCOPY site/ /usr/share/nginx/html/\n",
        never: &["USER nginx"],
        always: &["chown -R 101:101 /var/cache/nginx", "/run/nginx.pid", "USER 101:101\n"],
    },
    Case {
        name: "an existing user is used and not made again (dotnet 8, Ubuntu 24.04)",
        text: "FROM ubuntu:24.04\nCOPY app /usr/bin/app\nCMD [\"app\"]\n",
        never: &["useradd", "groupadd"],
        always: &["USER 1000:1000\n"],
    },
    Case {
        name: "recommended packages stay out, and what TLS needs stays in",
        text: "FROM debian:13\nRUN apt-get update && apt-get install -y curl && curl -fsSLO https://example.com/a.tar.gz\nUSER 1000\nCMD [\"/app\"]\n",
        never: &[],
        always: &["ca-certificates"],
    },
    Case {
        name: "a `USER` that a comment speaks of stays, and one that something runs under",
        text: "FROM fedora:43\n# Nothing needs root from here on.\nUSER app\nRUN sudo mkdir /app\nUSER other\nCOPY a /b\nRUN id\nRUN sudo touch /c\nUSER last\n",
        never: &["USER last\nUSER", "touch /c\nUSER other"],
        always: &[
            "here on.\nUSER app\nUSER root\nRUN mkdir /app\nUSER other\nCOPY",
            "RUN id\nUSER root\nRUN touch /c\nUSER last\n",
        ],
    },
    Case {
        name: "a base of which nothing is known may lack the authorities that a program checks with",
        text: "FROM registry.example.com/base:4\nRUN apt-get update && apt-get install -y --no-install-recommends tcl wget xz-utils && rm -rf /var/lib/apt/lists/*\nRUN wget --no-check-certificate https://example.com/x\nUSER 1000\nCMD [\"/x\"]\n",
        never: &["--no-check-certificate"],
        always: &["--no-install-recommends ca-certificates tcl wget xz-utils"],
    },
    Case {
        name: "a mode stays where a command behind it works as another user",
        text: "FROM node:24\nRUN <<EOF\nset -e\nuseradd chrome\nmkdir /testbed\nchmod -R 777 /testbed\ncd /testbed\nsu chrome -c 'npm install'\nchmod -R 777 /testbed\nEOF\nCMD [\"node\"]\n",
        never: &["755 /testbed", "chown"],
        always: &["chmod -R 777 /testbed\ncd", "install'\nchmod -R 777 /testbed\n"],
    },
    Case {
        name: "a mode stays where a later step works as another user than the owner",
        text: "FROM debian:13\nWORKDIR /app\nRUN chmod 777 /app && useradd builder\nUSER builder\nRUN make\nUSER root\nCMD [\"/app/run\"]\n",
        never: &["755"],
        always: &["chmod 777 /app"],
    },
    Case {
        name: "a mode stays where a comment speaks of any user",
        text: "FROM debian:13\nENV ZK=/zookeeper\n# Allow random UID to use it\nRUN mkdir $ZK && chmod -R g+w,o+w $ZK\nUSER 1001\nCMD [\"/zookeeper/run\"]\n",
        never: &["chmod -R g+w $ZK"],
        always: &["g+w,o+w $ZK"],
    },
    Case {
        name: "a mode stays that opens files beside their owner",
        text: "FROM debian:13\nRUN useradd tool && mkdir /home/tool && chown -R tool /home/tool && chmod -R o+rwx /home/tool\nVOLUME /home/tool/.cache\nCMD [\"tool\"]\n",
        never: &["o+rx"],
        always: &["chmod -R o+rwx /home/tool"],
    },
    Case {
        name: "a mode stays that is of a home for whoever comes",
        text: "FROM debian:13\nENV HOME=/home/tool\nRUN mkdir -p $HOME && chmod 777 $HOME\nCMD [\"tool\"]\n",
        never: &["755"],
        always: &["chmod 777 $HOME"],
    },
    Case {
        name: "a mode stays where an earlier step worked as somebody else",
        text: "FROM node:24\nRUN useradd -m chrome\nUSER chrome\nRUN npx puppeteer browsers install chrome\nUSER root\nRUN git clone https://git.example/x.git /testbed && chmod -R 777 /testbed\nCMD [\"node\"]\n",
        never: &["755"],
        always: &["chmod -R 777 /testbed"],
    },
    Case {
        name: "a mode stays where a tool keeps what it fetches",
        text: "FROM ubuntu:24.04\nENV CARGO_HOME=/opt/cargo\nRUN mkdir -p /opt/cargo && chmod -R a+rwX /opt/cargo\nCMD [\"cargo\", \"build\"]\n",
        never: &["go+rX", "a+rX"],
        always: &["chmod -R a+rwX /opt/cargo"],
    },
    Case {
        name: "a mode stays in the home of a number without an account",
        text: "FROM python:3.13-alpine\nRUN pip install --no-cache-dir yt-dlp && mkdir /.cache && chmod 777 /.cache\nCMD [\"yt-dlp\", \"--help\"]\n",
        never: &["755"],
        always: &["chmod 777 /.cache"],
    },
    Case {
        name: "a mode stays where a comment says that it is for the start",
        text: "FROM node:24\nCOPY . /app\n# Fix permissions for runtime\nRUN chmod 777 /app\nCMD [\"npm\", \"run\", \"prod\"]\n",
        never: &["755"],
        always: &["chmod 777 /app"],
    },
    Case {
        name: "a mode goes where the later user owns the files",
        text: "FROM debian:13\nWORKDIR /app\nRUN mkdir data && chmod -R 777 /app\nRUN su - root -c 'touch /app/x'\nUSER 10001:10001\nRUN touch /app/y\nCMD [\"/app/run\"]\n",
        never: &["777"],
        always: &["chmod -R 755 /app && chown -R 10001 /app"],
    },
    Case {
        name: "a build argument that callers pass is not dropped without a word (vortex#2817)",
        text: "FROM php:8.3-cli\nARG PACKAGE_TOKEN\nRUN composer config --global github-oauth.github.com \"$PACKAGE_TOKEN\" && composer install\nUSER 33:33\nCMD [\"php\", \"app.php\"]\n",
        never: &["RUN composer config --global github-oauth.github.com \"\""],
        always: &["PACKAGE_TOKEN"],
    },
];

#[test]
fn no_fix_that_others_get_wrong_happens_here() {
    let mut complaints = Vec::new();
    for case in CASES {
        let fixed = support::repaired(RULES, case.text.as_bytes(), Safety::Risky);
        let fixed = String::from_utf8(fixed).expect("the cases are UTF-8");
        for never in case.never.iter().filter(|never| fixed.contains(**never)) {
            complaints.push(format!("{}: `{never}` came out:\n{fixed}", case.name));
        }
        for always in case.always.iter().filter(|always| !fixed.contains(**always)) {
            complaints.push(format!("{}: `{always}` is missing:\n{fixed}", case.name));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn comments_and_line_endings_stay() {
    let text = "\u{feff}# syntax=docker/dockerfile:1\r\n# why\r\nFROM node:24 # not a comment\r\n\r\n# adds\r\nADD a /b\r\n# start: größer\r\nCMD node app.js\r\n";
    let text = text.replace(" # not a comment", "");
    let fixed = String::from_utf8(support::repaired(RULES, text.as_bytes(), Safety::Risky)).expect("it is UTF-8");
    assert_eq!(fixed.matches('\n').count(), fixed.matches("\r\n").count(), "{fixed:?}");
    for comment in
        ["\u{feff}# syntax=docker/dockerfile:1\r\n", "# why\r\n", "# adds\r\nCOPY a /b\r\n", "# start: größer\r\n"]
    {
        assert!(fixed.contains(comment), "{comment:?} in {fixed:?}");
    }
}
