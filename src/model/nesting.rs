//! Programs that start containers or build images within a container, which the usual limits of one forbid.

use super::reference::Reference;

/// Names of such programs, as images have them in a part of their repository.
const PROGRAMS: [&str; 8] = ["buildah", "buildkit", "dind", "docker", "img", "kaniko", "podman", "sysbox"];

/// What a text says that sets such a program up for a container without root.
const WORDS: [&[u8]; 3] = [b"rootless", b"Rootless", b"--oci-worker-no-process-sandbox"];

/// Whether an image is there to start containers or to build images.
pub(super) fn is_for_containers(image: &Reference<'_>) -> bool {
    let is_program = |part: &str| PROGRAMS.contains(&part);
    let has_part = || image.written_repository().split('/').any(is_program);
    has_part() || image.tag().is_some_and(|tag| tag.contains("dind") || tag.contains("rootless"))
}

/// Whether what is written of a container, comments included, says that it does.
pub(super) fn speaks_of_it(text: &[u8]) -> bool {
    WORDS.iter().any(|word| memchr::memmem::find(text, word).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_start_containers_are_told_by_their_names() {
        let is_for_containers =
            |text: &str| is_for_containers(&Reference::parse(text.to_owned()).expect("it is valid"));
        for name in ["moby/buildkit:rootless", "docker:28-dind", "quay.io/podman/stable", "gcr.io/kaniko/executor:v1"] {
            assert!(is_for_containers(name), "{name}");
        }
        for name in ["nginx:1.29", "example/docker-registry:2", "docker.io/library/img-proxy:1"] {
            assert!(!is_for_containers(name), "{name}");
        }
    }

    #[test]
    fn a_flag_or_a_comment_tells_it_too() {
        assert!(speaks_of_it(b"args: [--oci-worker-no-process-sandbox]"));
        assert!(!speaks_of_it(b"runAsNonRoot: true"));
    }
}
