//! Why it is right that an image starts as root.

use crate::{
    model::{DockerfileModel, RootReason, Stage, root_reason_of_script},
    rule::Cx,
};

/// Why it is right that the image starts as root.
pub fn why_root(cx: &Cx<'_, DockerfileModel<'_>>, target: Stage<'_>) -> Option<&'static str> {
    if let Some(reason) = target.root_reason() {
        return Some(match reason {
            RootReason::BaseStepsDown => {
                "the entry point of the base image starts as root, prepares its files and becomes another user by itself"
            }
            RootReason::StepsDown => "what starts it becomes another user by itself, which only root can do",
            RootReason::Init => "an init system starts its services, each as its own user",
            RootReason::Service => "it is a service that logs users in or runs jobs as them",
            RootReason::Engine => "a container engine or an agent of a node needs root",
            RootReason::Platform => "the platform that runs it chooses the user",
            RootReason::Windows => "Windows has other users",
        });
    }
    if is_elsewhere(cx) {
        return Some("a GitHub action must run as root, and a dev container names its own user");
    }
    steps_down_in_script(cx, target).then_some("the script that starts it becomes another user, or needs root")
}

/// Whether somebody else chooses the user: a GitHub action must be root, a dev container names its own.
fn is_elsewhere(cx: &Cx<'_, DockerfileModel<'_>>) -> bool {
    let is_action = |name| {
        cx.context.beside(name).is_some_and(|file| {
            let text = String::from_utf8_lossy(&file.text).replace(['\'', '"'], "");
            text.lines().any(|line| line.trim() == "using: docker")
        })
    };
    let path = &cx.file.path;
    let is_devcontainer =
        path.split('/').any(|part| part == ".devcontainer" || part == "devcontainer" || part == ".gitpod")
            || path.contains(".gitpod.")
            || cx.context.beside("devcontainer.json").is_some();
    is_devcontainer || is_action("action.yml") || is_action("action.yaml")
}

/// Whether a script of the build context that starts the image becomes another user or must be root.
fn steps_down_in_script(cx: &Cx<'_, DockerfileModel<'_>>, target: Stage<'_>) -> bool {
    target.start_scripts(&cx.context).iter().any(|start| root_reason_of_script(&start.script).is_some())
}
