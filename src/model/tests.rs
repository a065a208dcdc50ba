//! What Dockerfiles mean, on the smallest of them.

use super::{
    AccountKind, Base, BaseImages, Build, BuildFailure, CopySource, DockerfileModel, Group, MountKind, RootNeedKind,
    Stage, Step, UnknownBase, UnknownUser, User, UserOrigin, expand::Cause, packages::Manager,
};
use crate::{
    knowledge::Knowledge,
    source::{FileKind, SourceFile},
    syntax::dockerfile::{self, Keyword},
    text::FileId,
};
use std::fmt::Write as _;

/// Asks about the model of `text`.
fn with<T>(text: &str, ask: impl FnOnce(&DockerfileModel<'_>) -> T) -> T {
    with_build(text, &Build::default(), ask)
}

fn with_build<T>(text: &str, build: &Build<'_>, ask: impl FnOnce(&DockerfileModel<'_>) -> T) -> T {
    let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text.as_bytes().to_vec());
    let parsed = dockerfile::parse(&file.text);
    ask(&DockerfileModel::of_build(&file, &parsed.tree, &Knowledge::builtin(), build))
}

/// The user of the last stage.
fn user(text: &str) -> User {
    with(text, |model| model.target().expect("there is a stage").user().user.clone())
}

fn named(name: &str) -> User {
    User::Named { name: name.into(), group: None }
}

#[test]
fn the_last_user_instruction_decides() {
    for (text, expected) in [
        ("FROM scratch\n", User::Root),
        ("FROM scratch\nUSER app\n", named("app")),
        ("FROM scratch\nUSER app\nUSER 0\n", User::Root),
        ("FROM scratch\nARG U=app\nUSER $U\n", named("app")),
        ("FROM scratch\nENV U=7\nUSER ${U}:8\n", User::Numeric { uid: 7, group: Some(Group::Numeric(8)) }),
        ("FROM scratch\nARG U\nUSER $U\n", User::Unknown(UnknownUser::Variable)),
        ("FROM scratch\nUSER $U\n", User::Root),
        ("FROM nobody.example/x\nUSER $U\n", User::Unknown(UnknownUser::Variable)),
        ("FROM nobody.example/x\n", User::Unknown(UnknownUser::BaseImage)),
        ("ARG B\nFROM $B\n", User::Unknown(UnknownUser::Base)),
        ("ARG V\nFROM debian:$V\n", User::Root),
        ("ARG V\nFROM docker.io/library/debian:${V}-slim\n", User::Root),
        ("ARG V\nFROM $V/debian:12\n", User::Unknown(UnknownUser::Base)),
        ("ARG V\nFROM debian$V:12\n", User::Unknown(UnknownUser::Base)),
        ("FROM mcr.microsoft.com/dotnet/aspnet:8.0\nUSER $APP_UID\n", User::Numeric { uid: 1654, group: None }),
        ("FROM mcr.microsoft.com/dotnet/aspnet:6.0\nUSER $APP_UID\n", User::Unknown(UnknownUser::Variable)),
        ("FROM debian:12\n", User::Root),
        ("FROM scratch AS a\nUSER app\nFROM a\n", named("app")),
        ("FROM scratch AS a\nUSER app\nFROM scratch\n", User::Root),
        ("FROM scratch\nRUN <<EOF\nUSER app\nEOF\n", User::Root),
        ("FROM scratch AS a\nONBUILD USER app\nFROM a\nRUN x\n", named("app")),
    ] {
        assert_eq!(user(text), expected, "{text}");
    }
}

#[test]
fn a_user_says_where_it_comes_from() {
    let text = "FROM scratch AS a\nUSER app\nFROM a\nRUN x\n";
    with(text, |model| {
        let UserOrigin::Instruction { stage, span } = model.target().expect("a stage").user().origin else {
            panic!("an instruction says so")
        };
        assert_eq!((stage, &text[span.range()]), (0, "app"));
    });
}

#[test]
fn a_step_sees_the_state_before_it() {
    let text =
        "FROM scratch\nWORKDIR /a\nWORKDIR b\nENV A=1\nENV A=2 B=$A\nUSER x\nSHELL [\"/bin/bash\", \"-c\"]\nRUN y\n";
    with(text, |model| {
        let step = |index: usize| model.step(index).expect("a step");
        assert_eq!(step(1).workdir().path.text, "/a");
        assert_eq!(step(2).workdir().path.text, "/a/b");
        let value = |index: usize, name: &str| step(index).variable(name)?.value.as_ref().map(ToString::to_string);
        assert_eq!(value(2, "A"), None);
        assert_eq!(value(3, "A").as_deref(), Some("1"));
        assert_eq!(value(4, "A").as_deref(), Some("2"));
        assert_eq!(value(4, "B").as_deref(), Some("1"));
        assert_eq!((step(4).user().user.clone(), step(4).user_behind().user.clone()), (User::Root, named("x")));
        assert_eq!(step(5).shell().words, ["/bin/sh", "-c"]);
        assert_eq!(step(6).shell().words, ["/bin/bash", "-c"]);
        assert_eq!(step(6).absolute("c/../d").as_deref(), Some("/a/b/d"));
        assert_eq!(step(6).expand("$B-${A}").map(|value| value.text.into_owned()).as_deref(), Ok("1-2"));
    });
}

#[test]
fn arguments_are_visible_where_they_are_declared() {
    let text = "ARG V=1\nARG W=$V.2\nFROM scratch AS a\nARG V\nARG W=3 X=$W\nFROM a AS b\nFROM scratch\nENV Y=$V\n";
    with(text, |model| {
        let stage = |index: usize| model.stage(index).expect("a stage");
        let value = |index: usize, name: &str| stage(index).variable(name)?.value.as_ref().map(ToString::to_string);
        assert_eq!(value(0, "V").as_deref(), Some("1"));
        assert_eq!(value(0, "X").as_deref(), Some("3"));
        assert_eq!(value(1, "X").as_deref(), Some("3"));
        assert_eq!(value(2, "V"), None);
        let known = stage(0).variable("V").and_then(|variable| variable.value.as_ref()).expect("it is set");
        assert!(known.is_known() && !known.is_fixed());
    });
    let given = [("V".to_owned(), Some("9".to_owned())), ("W".to_owned(), None)];
    with_build(text, &Build { arguments: &given, ..Build::default() }, |model| {
        let scope = model.stage(0).expect("a stage");
        assert_eq!(scope.variable("V").and_then(|v| v.value.as_ref()).map(ToString::to_string).as_deref(), Some("9"));
        assert!(scope.variable("W").expect("it is declared").value.is_none());
    });
}

#[test]
fn bases_are_stages_images_nothing_or_unknown() {
    let text = "ARG A=alpine:3\nARG M\nFROM $A AS one\nFROM one\nFROM scratch\nFROM $M\nFROM {{x}}\nFROM $NONE\nFROM ${M:-one}\n";
    with(text, |model| {
        let bases: Vec<_> = model.stages().map(|stage| stage.base().clone()).collect();
        assert!(matches!(&bases[0], Base::Image(image) if image.reference.tag() == Some("3")));
        assert_eq!(model.stage(0).expect("a stage").base_value().defaulted().collect::<Vec<_>>(), ["A"]);
        assert!(matches!(bases[1], Base::Stage(0)));
        assert!(matches!(bases[2], Base::Scratch));
        assert!(matches!(bases[3], Base::Unknown(UnknownBase::Missing)));
        assert!(matches!(bases[4], Base::Unknown(UnknownBase::Invalid(_))));
        assert!(matches!(bases[5], Base::Unknown(UnknownBase::Blank)));
        assert!(matches!(bases[6], Base::Stage(0)));
        assert_eq!(model.stage(3).expect("a stage").base_value().missing().collect::<Vec<_>>(), ["M"]);
    });
}

#[test]
fn a_platform_argument_is_taken_as_of_the_platform() {
    with("FROM --platform=$BUILDPLATFORM a.example/x-$TARGETARCH\nARG TARGETOS\nENV O=$TARGETOS\n", |model| {
        let stage = model.target().expect("a stage");
        assert_eq!(stage.base_value().text, "a.example/x-amd64");
        assert_eq!(stage.base_value().depends[0].cause, Cause::Platform);
        assert_eq!(stage.platform().map(ToString::to_string).as_deref(), Some("linux/amd64"));
        let os = stage.variable("O").and_then(|variable| variable.value.as_ref()).expect("it is set");
        assert_eq!((&*os.text, os.is_known()), ("linux", true));
    });
}

#[test]
fn only_what_the_target_needs_is_built() {
    let text = "FROM scratch AS a\nFROM scratch AS b\nFROM a AS c\nFROM scratch AS d\nCOPY --from=c /x /x\n\
                RUN --mount=type=bind,from=b,target=/y z\nFROM scratch AS e\nFROM d\nCOPY --from=0 /x /x\n";
    let built = |model: &DockerfileModel<'_>| {
        model.stages().filter(|stage| stage.is_built()).map(Stage::index).collect::<Vec<_>>()
    };
    with(text, |model| assert_eq!(built(model), [0, 1, 2, 3, 5]));
    with_build(text, &Build { target: Some("C"), ..Build::default() }, |model| assert_eq!(built(model), [0, 2]));
}

#[test]
fn files_come_from_stages_images_or_nowhere() {
    let text = "FROM scratch AS One\nFROM scratch\nCOPY --from=one a b\nCOPY --from=0 a b\nCOPY --from=7 a b\n\
                COPY --from=busybox a b\nCOPY --from=$X a b\nCOPY a b\n";
    with(text, |model| {
        let sources: Vec<_> = model.steps().map(Step::copy_source).collect();
        assert!(matches!(sources[0], Some(CopySource::Stage(0))));
        assert!(matches!(sources[1], Some(CopySource::Stage(0))));
        assert!(matches!(sources[2], Some(CopySource::Invalid)));
        assert!(matches!(&sources[3], Some(CopySource::Image(reference)) if reference.basename() == "busybox"));
        assert!(matches!(sources[4], Some(CopySource::Invalid)));
        assert!(sources[5].is_none());
    });
}

#[test]
fn a_parent_keeps_instructions_for_its_children() {
    let text = "FROM scratch AS a\nONBUILD ENV A=1\nONBUILD COPY --from=b x x\nFROM scratch AS b\nFROM a\nENV B=$A\nFROM a AS other\n";
    with_build(text, &Build { target: Some("2"), ..Build::default() }, |model| {
        let child = model.stage(2).expect("a stage");
        let steps: Vec<_> = child.steps().map(|step| (step.keyword(), step.is_trigger())).collect();
        assert_eq!(steps, [(Keyword::Env, true), (Keyword::Copy, true), (Keyword::Env, false)]);
        assert_eq!(child.variable("B").and_then(|b| b.value.as_ref()).map(ToString::to_string).as_deref(), Some("1"));
        assert!(model.stage(1).expect("a stage").is_built());
    });
}

#[test]
fn mounts_are_told_apart() {
    let text = "FROM scratch\nRUN --mount=type=cache,target=/c,id=x --mount=type=secret,id=s,required y\n";
    with(text, |model| {
        let mounts = model.step(0).expect("a step").mounts();
        let kinds: Vec<_> = mounts.iter().map(|mount| mount.kind).collect();
        assert_eq!(kinds, [MountKind::Cache, MountKind::Secret]);
        assert_eq!(mounts[0].target.as_ref().map(ToString::to_string).as_deref(), Some("/c"));
        assert!(mounts[1].required && !mounts[0].required);
    });
}

#[test]
fn builds_fail_where_buildkit_fails() {
    let fails =
        |text: &str| with(text, |model| model.image_config(BaseImages::Empty).map_err(|error| error.cause).err());
    assert_eq!(fails("FROM scratch\nEXPOSE 80\n"), None);
    assert!(matches!(fails("FROM $X\n"), Some(BuildFailure::BlankBase(word)) if word == "$X"));
    assert!(matches!(fails("ARG X=${a:b}\nFROM scratch\n"), Some(BuildFailure::Expand(_))));
    assert!(matches!(fails("FROM a@b\nFROM scratch\n"), Some(BuildFailure::Reference(_))));
    assert!(matches!(fails("FROM scratch\nCOPY --from=1 a b\n"), Some(BuildFailure::Source(_))));
    assert!(matches!(fails("FROM scratch AS a\nCOPY --from=a a b\n"), Some(BuildFailure::Source(_))));
    assert!(matches!(fails("FROM scratch\nEXPOSE http\n"), Some(BuildFailure::Port(_))));
    assert!(matches!(fails("FROM scratch\nSTOPSIGNAL x\n"), Some(BuildFailure::Signal(_))));
    assert!(matches!(fails(""), Some(BuildFailure::NoTarget)));
    for mount in [
        "type=cache,target=/c,sharing=locked,mode=0755,uid=5",
        "type=secret,id=x,required=true,mode=0400",
        "type=secret,id=x,env=Y",
        "type=tmpfs,target=/t,size=1m",
        "type=ssh",
        "target=/x,source=.,rw",
        "type=bind,from=scratch,target=x,ro=false",
    ] {
        assert_eq!(fails(&format!("FROM x\nWORKDIR /w\nRUN --mount={mount} y\n")), None, "{mount}");
    }
    for mount in [
        "type=volume,target=/x",
        "type=bind,target=/",
        "type=bind,target=/x,uid=5",
        "type=secret",
        "type=secret,id=a,source=b",
        "type=cache,target=/c,sharing=all",
        "type=cache,target=/c,required",
        "type=bind,target=/x,sharing=locked",
        "type=bind,target=/x,z=y",
        "type=bind,target=/x,readonly=maybe",
    ] {
        let failure = fails(&format!("FROM x\nRUN --mount={mount} y\n"));
        assert!(matches!(failure, Some(BuildFailure::Mount(_))), "{mount}: {failure:?}");
    }
    assert_eq!(fails("FROM scratch AS unused\nEXPOSE http\nFROM scratch\n"), None);
}

#[test]
fn an_entrypoint_takes_an_inherited_command_away() {
    let config = |text: &str| with(text, |model| model.image_config(BaseImages::Empty).expect("it builds"));
    let inherited = config("FROM scratch AS a\nCMD [\"x\"]\nFROM a\nENTRYPOINT [\"y\"]\n");
    assert_eq!((inherited.command, inherited.entrypoint), (Vec::new(), vec!["y".to_owned()]));
    let own = config("FROM scratch\nCMD [\"x\"]\nENTRYPOINT y $z\n");
    assert_eq!(own.command, ["x"]);
    assert_eq!(own.entrypoint, ["/bin/sh", "-c", "y $z"]);
}

#[test]
fn scripts_lead_back_to_the_file() {
    let text = "FROM scratch\nRUN a \\\n  && sh -c 'b c' \\\n  # no\n  && d\nRUN <<EOF\ne f\nEOF\nRUN [\"g\", \"h i\"]\nCMD sh -c \"exec j\"\n\
                RUN bash <<X\nk\nX\nHEALTHCHECK CMD l || exit 1\nHEALTHCHECK CMD [\"m\"]\n";
    with(text, |model| {
        let commands: Vec<(&str, &str)> = model
            .steps()
            .flat_map(Step::commands)
            .map(|command| (command.name().unwrap_or_default(), &text[command.span().range()]))
            .collect();
        assert_eq!(
            commands,
            [
                ("a", "a"),
                ("sh", "sh -c 'b c'"),
                ("b", "b c"),
                ("d", "d"),
                ("e", "e f"),
                ("g", "\"g\", \"h i\""),
                ("sh", "sh -c \"exec j\""),
                ("j", "exec j"),
                ("bash", "bash <<X"),
                ("k", "k"),
                ("l", "l"),
                ("exit", "exit 1"),
                ("m", "\"m\""),
            ]
        );
    });
}

#[test]
fn names_have_the_numbers_that_the_file_gives_them() {
    let ids =
        |text: &str| with(text, |model| model.target().expect("a stage").user_ids()).map(|ids| (ids.uid, ids.gid));
    for (text, expected) in [
        ("FROM debian\nRUN useradd -r -u 1001 -g 0 app\nUSER app\n", Some((1001, Some(0)))),
        ("FROM debian\nRUN groupadd -g 7 app && useradd --uid=8 -g app -m app\nUSER app\n", Some((8, Some(7)))),
        ("FROM debian\nARG ID=9\nRUN useradd -u ${ID} \"app\"\nUSER app:7\n", Some((9, Some(7)))),
        ("FROM debian\nARG ID\nRUN useradd -u $ID app\nUSER app\n", None),
        ("FROM debian\nRUN useradd app\nUSER app\n", None),
        ("FROM debian\nRUN useradd -u 5 app; usermod -u 6 app\nUSER app\n", Some((6, None))),
        ("FROM alpine\nRUN addgroup -g 4 -S g && adduser -S -D -H -u 3 -G g app\nUSER app\n", Some((3, Some(4)))),
        ("FROM debian\nRUN adduser --uid 3 --disabled-password --gecos '' app\nUSER app\n", Some((3, None))),
        ("FROM debian AS a\nRUN useradd -u 3 app\nFROM a\nUSER app\n", Some((3, None))),
        ("FROM debian AS a\nRUN useradd -u 3 app\nFROM debian\nUSER app\n", None),
        ("FROM node\nUSER node\n", Some((1000, Some(1000)))),
        ("FROM scratch\nUSER 5\n", Some((5, None))),
        ("FROM scratch\n", Some((0, Some(0)))),
    ] {
        assert_eq!(ids(text), expected, "{text}");
    }
}

#[test]
fn a_user_joins_groups() {
    let text = "FROM debian\nRUN usermod -aG docker,video app && adduser app sudo && gpasswd -a app kvm\n";
    with(text, |model| {
        let groups = model.steps().flat_map(Step::account_changes).map(|change| match change.kind {
            AccountKind::Membership { user, groups } => (user.unwrap_or_default(), groups),
            other => panic!("{other:?} is no membership"),
        });
        let groups: Vec<_> = groups.collect();
        let group = |names: &[&str]| ("app".to_owned(), names.iter().map(ToString::to_string).collect());
        assert_eq!(groups, [group(&["docker", "video"]), group(&["sudo"]), group(&["kvm"])]);
    });
}

/// What the steps of the last stage need root for.
fn root_needs(text: &str) -> Vec<RootNeedKind> {
    with(text, |model| {
        let needs = model.target().expect("a stage").root_needs();
        needs.into_iter().flat_map(|(_, needs)| needs).map(|need| need.kind).collect()
    })
}

#[test]
fn steps_that_need_root_say_why() {
    use RootNeedKind::{Accounts, Owner, Packages, Path, StepDown, System, SystemWide};
    let path = |path: &str| Path(path.to_owned());
    for (run, expected) in [
        ("apt-get update && apt-get install -y x", vec![Packages(Manager::Apt), Packages(Manager::Apt)]),
        ("apk add --no-cache x", vec![Packages(Manager::Apk)]),
        ("sudo apt-get install x", vec![]),
        ("npm ci", vec![]),
        ("npm install -g x", vec![SystemWide(Manager::Npm)]),
        ("pip install --user x", vec![]),
        ("pip install x", vec![SystemWide(Manager::Pip)]),
        ("useradd app", vec![Accounts]),
        ("chown -R app /app", vec![Owner]),
        ("update-ca-certificates", vec![System]),
        ("gosu app x", vec![StepDown]),
        ("echo x > /etc/y", vec![path("/etc/y")]),
        ("echo x > /dev/null", vec![]),
        ("mkdir -p /var/log/x /tmp/y", vec![path("/var/log/x")]),
        ("cp a b /usr/local/bin/", vec![path("/usr/local/bin")]),
        ("cp /etc/a /tmp/b", vec![]),
        ("sed -i s/a/b/ /etc/x", vec![path("/etc/x")]),
        ("sed s/a/b/ /etc/x", vec![]),
        ("rm -rf /var/lib/apt/lists/*", vec![path("/var/lib/apt/lists")]),
        ("touch $X/y", vec![]),
        ("cd /tmp && touch y", vec![]),
        ("touch y", vec![path("/opt/y")]),
        ("go build ./...", vec![]),
    ] {
        assert_eq!(root_needs(&format!("FROM debian\nWORKDIR /opt\nRUN {run}\n")), expected, "{run}");
    }
}

#[test]
fn what_a_base_image_may_have_given_away_is_not_certain() {
    let is_certain = |text: &str| {
        with(text, |model| {
            let needs = model.target().expect("a stage").root_needs();
            needs.first().and_then(|(_, needs)| needs.first()).map(|need| need.is_certain)
        })
    };
    for (text, expected) in [
        ("FROM debian\nRUN touch /etc/x\n", Some(true)),
        ("FROM debian\nRUN touch /opt/x\n", Some(false)),
        ("FROM debian\nRUN touch /home/x/y\n", None),
        ("FROM debian\nUSER app\nRUN touch /etc/x\n", Some(false)),
        ("FROM debian\nUSER app\nRUN chown app y\n", Some(false)),
        ("FROM debian\nRUN chown app y\n", Some(true)),
        ("FROM debian\nUSER app\nRUN apt-get update\n", Some(true)),
        ("FROM debian\nRUN pip install x\n", Some(false)),
    ] {
        assert_eq!(is_certain(text), expected, "{text}");
    }
}

#[test]
fn a_path_that_was_given_away_needs_no_root() {
    for (text, expected) in [
        ("FROM debian\nRUN chown app /opt/a\nRUN touch /opt/a/b\n", 1),
        ("FROM debian\nRUN chmod 777 /opt/a\nRUN touch /opt/a/b\n", 1),
        ("FROM debian\nCOPY --chown=app x /opt/a\nRUN touch /opt/a/b\n", 0),
        ("FROM debian\nUSER app\nWORKDIR /opt/a\nRUN touch b\n", 0),
        ("FROM debian\nWORKDIR /opt/a\nUSER app\nRUN touch b\n", 1),
        ("FROM debian AS a\nCOPY --chown=app x /opt/a\nFROM a\nRUN touch /opt/a/b\n", 0),
    ] {
        assert_eq!(root_needs(text).len(), expected, "{text}");
    }
}

#[test]
fn a_chain_of_many_stages_is_walked_once() {
    let mut text = String::from("FROM scratch AS s0\nENV A0=x\n");
    for index in 1..20_000 {
        let _ =
            writeln!(text, "FROM s{} AS s{index}\nENV A{}=$A{} B=$A0\nUSER u{index}", index - 1, index % 50, index % 7);
    }
    with(&text, |model| {
        let last = model.target().expect("a stage");
        assert_eq!((last.index(), last.root().index(), last.chain().count()), (19_999, 0, 20_000));
        assert!(model.stages().all(Stage::is_built));
        assert!(model.image_config(BaseImages::Empty).is_ok());
    });
}

#[test]
fn arguments_that_multiply_end_as_unknown() {
    let mut text = String::from("FROM scratch\nARG A0=aaaaaaaaaaaaaaaaaaaa\n");
    for index in 1..200 {
        let _ = writeln!(text, "ARG A{index}=${{A{0}}}${{A{0}}}", index - 1);
    }
    text.push_str("USER $A199\n");
    assert_eq!(user(&text), User::Unknown(UnknownUser::Variable));
}

#[test]
fn triggers_do_not_multiply() {
    let mut text = String::from("FROM scratch AS a\n");
    text.push_str(&"ONBUILD RUN x\n".repeat(2_000));
    text.push_str(&"FROM a\n".repeat(2_000));
    with(&text, |model| assert!(model.steps().len() < 20_000));
}
