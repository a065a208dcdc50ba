//! What commands leave behind, on the smallest Dockerfiles.

use super::{Effect, Filled, Kind, Places, filled_outside, first_unknown, of_stage};
use crate::{
    knowledge::Knowledge,
    model::DockerfileModel,
    source::{FileKind, SourceFile},
    syntax::dockerfile,
    text::FileId,
};

fn with<T>(text: &str, ask: impl FnOnce(Vec<Effect<'_>>) -> T) -> T {
    let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text.as_bytes().to_vec());
    let parsed = dockerfile::parse(&file.text);
    let model = DockerfileModel::new(&file, &parsed.tree, &Knowledge::builtin());
    ask(of_stage(model.target().expect("there is a stage")))
}

fn places(places: &Places) -> String {
    let hidden = places.is_hidden.then_some("?");
    places.known.iter().map(String::as_str).chain(hidden).collect::<Vec<_>>().join(" ")
}

fn said(effect: &Effect<'_>) -> String {
    let text = match &effect.kind {
        Kind::Packages { names, is_complete, .. } => {
            format!("packages {}{}", names.join(" "), if *is_complete { "" } else { " ?" })
        }
        Kind::PackagesRemoved { names, .. } => format!("removed {}", names.join(" ")),
        Kind::Upgrade(_) => "upgrade".to_owned(),
        Kind::LanguagePackages { ecosystem, program, names } => {
            format!("{ecosystem:?} {program} {}", names.join(" "))
        }
        Kind::Build { tool, to } => format!("build {tool}: {}", places(to)),
        Kind::Files(to) => format!("files {}", places(to)),
        Kind::Directories(to) => format!("directories {}", places(to)),
        Kind::Copied { sources, to, .. } => format!("copied {} > {}", sources.join(" "), places(to)),
        Kind::Modes(to) => format!("modes {}", places(to)),
        Kind::Accounts => "accounts".to_owned(),
        Kind::Removes(to) => format!("removes {}", places(to)),
        Kind::System(program) => format!("system {program}"),
        Kind::Download { to, .. } => format!("download {}", places(to)),
        Kind::Transient => "-".to_owned(),
        Kind::Unknown(what) => format!("unknown {what}"),
    };
    text.trim_end().to_owned()
}

/// What one `RUN` in `/app` does, as root.
fn run(command: &str) -> Vec<String> {
    with(&format!("FROM debian:12\nARG V=1.2\nENV DIR=/opt/dir\nWORKDIR /app\nRUN {command}\n"), |effects| {
        effects.iter().filter(|effect| effect.command.is_some()).map(said).collect()
    })
}

#[track_caller]
fn check(cases: &[(&str, &[&str])]) {
    for (command, expected) in cases {
        assert_eq!(run(command), *expected, "{command}");
    }
}

#[test]
fn packages() {
    check(&[
        ("apt-get update && apt-get install -y --no-install-recommends gcc git=1:2", &["-", "packages gcc git"]),
        ("apt-get install -y $EXTRA curl", &["packages curl ?"]),
        ("apt-get upgrade -y && apt-get clean", &["upgrade", "-"]),
        ("apt-get purge -y gcc && apt-get autoremove -y", &["removed gcc", "removed"]),
        ("xargs apt-get install -y < packages.txt", &["packages  ?"]),
        ("apk add --no-cache --virtual .build gcc && apk del .build", &["packages gcc", "removed .build"]),
        ("dpkg -i /tmp/x.deb", &["packages /tmp/x.deb"]),
        ("pip install --no-cache-dir -r requirements.txt flask==2", &["Python pip flask"]),
        ("python3 -m pip install -U pip", &["Python pip pip"]),
        ("npm ci --omit=dev && npm cache clean --force", &["Node npm", "-"]),
        ("yarn install --frozen-lockfile && yarn build", &["Node yarn", "build yarn build: /app"]),
        ("npm run build:prod", &["build npm build:prod: /app"]),
        ("npm run seed", &["unknown npm seed"]),
        ("bundle config set without test && bundle install", &["system bundle config", "Ruby bundle"]),
        ("bundle exec rake assets:precompile", &["build rake assets:precompile: /app"]),
        ("bundle exec rake db:setup", &["unknown rake db:setup"]),
        ("composer install --no-dev && docker-php-ext-install gd", &["Php composer", "Php docker-php-ext-install gd"]),
        ("mix local.hex --force && mix deps.get", &["Elixir mix local.hex", "Elixir mix deps.get"]),
    ]);
}

#[test]
fn builds() {
    check(&[
        ("go mod download", &["Go go"]),
        ("CGO_ENABLED=0 go build -o /srv/app ./cmd/app", &["build go build: /srv/app"]),
        ("go build ./...", &["build go build: /app"]),
        ("go install example.com/tool@latest", &["build go install: /app"]),
        ("cargo build --release", &["build cargo build: /app"]),
        (
            "./configure --prefix=/usr && make -j4 && make install",
            &["build configure: /app", "build make: /app", "build make install: /app ?"],
        ),
        (
            "cmake -B build && cmake --build build && sudo cmake --install build",
            &["build cmake: /app", "build cmake: /app", "build cmake --install: /app ?"],
        ),
        ("mvn -B package -DskipTests", &["build mvn package: /app"]),
        ("./gradlew bootJar --no-daemon", &["build gradlew bootJar: /app"]),
        (
            "dotnet restore && dotnet publish -c Release -o /out",
            &["DotNet dotnet restore", "build dotnet publish: /out"],
        ),
        ("npx tsc", &["build tsc: /app"]),
        ("gcc -o /usr/local/bin/x x.c", &["build gcc: /usr/local/bin/x"]),
        ("python manage.py collectstatic --noinput", &["build python manage.py collectstatic: /app"]),
        ("python manage.py migrate", &["unknown python manage.py"]),
        ("cd /tmp/x && make clean", &["-", "-"]),
    ]);
}

#[test]
fn files_and_directories() {
    check(&[
        ("cp -r target/*.jar /srv/", &["files /srv"]),
        ("cp -t /a b c && cp --target-directory=/d e", &["files /a", "files /d"]),
        ("mv /tmp/x /opt/x", &["files /opt/x", "removes /tmp/x"]),
        ("ln -s /opt/x/bin/y", &["files /app/y"]),
        ("ln -sf /opt/x /usr/bin/x", &["files /usr/bin/x"]),
        (
            "install -m 755 x /usr/local/bin/x && install -d -o 7 /data",
            &["files /usr/local/bin/x", "directories /data"],
        ),
        ("mkdir -p /a/b $DIR/c d", &["directories /a/b /opt/dir/c /app/d"]),
        ("mkdir -p /a/{b,c}", &["directories /a/b /a/c"]),
        ("echo a > /etc/x && echo b >> y 2>&1 && echo c > /dev/null", &["-", "files /etc/x", "-", "files /app/y", "-"]),
        ("cat a | tee -a /etc/b > /dev/null", &["-", "files /etc/b"]),
        ("sed -i 's/a/b/' /etc/x && sed -i.bak -e s/a/b/ y && sed s/a/b/ z", &["files /etc/x", "files /app/y", "-"]),
        (
            "tar -xzf x.tgz -C /opt && tar xf y.tar && tar -czf /tmp/z.tgz a",
            &["files /opt", "files /app", "files /tmp/z.tgz"],
        ),
        ("unzip -q x.zip -d /opt && unzip y.zip", &["files /opt", "files /app"]),
        ("touch /a ~/b $HOME/c", &["files /a /root/b /root/c"]),
        ("cp x /opt/app-$UNKNOWN/y && cp x $UNKNOWN", &["files /opt", "files ?"]),
        ("V=3 && cp x /opt/$V/y", &["files /opt"]),
        ("dd if=/dev/zero of=/swap bs=1 count=1", &["files /swap"]),
        (
            "git clone https://github.com/a/b.git && git clone -b x https://github.com/a/b /src",
            &["files /app/b", "files /src"],
        ),
        ("git config --global user.name x && git describe", &["system git config", "-"]),
        ("openssl req -x509 -keyout /a.key -out /a.crt", &["files /a.key /a.crt"]),
        ("python3 -m venv /venv && . /venv/bin/activate", &["files /venv", "-"]),
    ]);
}

#[test]
fn the_rest() {
    check(&[
        ("chmod +x /a && chmod -R 777 b && chown -R x:y /c/*", &["modes /a", "modes /app/b", "modes /c/*"]),
        ("find /a -name x -exec chmod 644 {} +", &["-", "modes ?"]),
        ("find / -name '*.pyc' -delete", &["removes ?"]),
        ("rm -rf /var/lib/apt/lists/* /tmp/x", &["removes /var/lib/apt/lists/* /tmp/x"]),
        ("useradd -m x && groupadd y && echo x:y | chpasswd", &["accounts", "accounts", "-", "accounts"]),
        ("a2enmod rewrite && locale-gen", &["system a2enmod", "system locale-gen"]),
        ("curl -fsSL https://x.example/a -o /usr/local/bin/a", &["download /usr/local/bin/a"]),
        ("curl -L https://x.example/a-$V.tgz | tar xz -C /opt", &["download", "files /opt"]),
        ("wget https://x.example/a.zip", &["download /app/a.zip"]),
        ("curl https://x.example/i.sh | sh", &["download", "unknown sh"]),
        ("./setup.sh --all", &["unknown ./setup.sh"]),
        ("set -eux; test -f x || exit 1; export A=b; cd /", &["-", "-", "-", "-", "-"]),
        ("node --version && java -version && foo --help", &["-", "-", "-"]),
        ("$CMD x", &["unknown $CMD"]),
        ("sh -c 'mkdir /a && frobnicate'", &["directories /a", "unknown frobnicate"]),
        ("curl https://x.example/i.sh | bash -s -- -y", &["download", "unknown bash"]),
        ("bash install.sh && python3 x.py", &["unknown bash install.sh", "unknown python3 x.py"]),
        ("command -v node", &["-"]),
        (
            "php -r \"copy('https://x.example/i', 'composer-setup.php');\" && php composer-setup.php --install-dir=/usr/bin",
            &["download /app/composer-setup.php", "files /usr/bin"],
        ),
        (
            "php -r \"if (hash_file('sha384', 'x') !== 'y') { exit(1); }\" && php -r \"unlink('x');\" && php -r 'f();'",
            &["-", "removes /app/x", "unknown php"],
        ),
        ("f() { mkdir /a; }; f", &["directories /a", "-"]),
        ("mysqld_safe & sleep 1", &["unknown mysqld_safe", "-"]),
    ]);
}

#[test]
fn the_directory_follows_cd() {
    check(&[
        ("cd /a && touch x; cd b && touch y", &["-", "files /a/x", "-", "files /a/b/y"]),
        ("(cd /a && touch x) && touch y", &["-", "files /a/x", "files /app/y"]),
        ("if true; then cd /a; touch x; fi; touch y", &["-", "-", "files /a/x", "files ?"]),
        ("for d in a b; do cd $d; touch x; done; touch y", &["-", "files ?", "files ?"]),
        ("pushd /a; touch x; popd; touch y", &["-", "files /a/x", "-", "files /app/y"]),
        ("cd /a; cd -; touch x", &["-", "-", "files /app/x"]),
        ("cd && touch x", &["-", "files /root/x"]),
        ("cd /a && sh -c 'touch x'", &["-", "files /a/x"]),
        ("cd $UNKNOWN && touch x /y", &["-", "files /y ?"]),
        ("echo x | cd /a; touch y", &["-", "-", "files /app/y"]),
        ("{ cd /a; }; touch y", &["-", "files /a/y"]),
    ]);
}

#[test]
fn instructions_fill_places_too() {
    let text = "FROM debian:12\nWORKDIR /app\nCOPY a b /srv/\nCOPY c .\nADD d $X/e\nVOLUME /data\nENV A=b\nCMD x\n";
    let all = with(text, |effects| effects.iter().map(said).collect::<Vec<_>>());
    assert_eq!(all, ["directories /app", "copied a b > /srv", "copied c > /app", "copied d > ?", "directories /data"]);
}

#[test]
fn what_lies_in_a_mount_is_not_kept() {
    let text = "FROM debian:12\nRUN --mount=type=cache,target=/cache touch /cache/x /y\n";
    assert_eq!(with(text, |effects| said(&effects[0])), "files /y");
}

#[test]
fn a_script_in_another_language_is_unknown() {
    for text in ["FROM a\nSHELL [\"pwsh\", \"-c\"]\nRUN x\n", "FROM a\nRUN <<E\n#!/usr/bin/env python\nprint(1)\nE\n"] {
        assert!(with(text, |effects| first_unknown(&effects).is_some()), "{text}");
    }
}

#[test]
fn what_is_removed_or_temporary_does_not_fill() {
    let text = "FROM debian:12\nWORKDIR /app\nCOPY . .\nRUN wget https://x.example/a.tgz -O /opt/a.tgz && tar xf /opt/a.tgz -C /opt/a \\\n && rm /opt/a.tgz && mkdir -p /tmp/z /data/y && rm -rf /data/* && cp x /usr/local/bin/\nRUN make install\n";
    let filled = with(text, |effects| filled_outside(&effects, "/app"));
    let paths: Vec<Option<&str>> = filled.iter().map(|Filled { path, .. }| path.as_deref()).collect();
    assert_eq!(paths, [Some("/opt/a"), Some("/usr/local/bin"), None]);
}
