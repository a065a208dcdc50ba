//! What lies at paths of a machine, and so what whoever has them can do.

/// What a path of a machine gives to the one who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The whole machine.
    Node,
    /// Its configuration, devices, programs, or the state of its engine.
    System,
    /// The socket of a container engine.
    Socket,
    /// Files of somebody.
    Data,
    /// What everybody may know: the time zone, the certificates that are trusted.
    Harmless,
}

/// Directories that are the machine, or hold one that is.
const NODE: [&str; 7] = ["/", "/var", "/var/lib", "/etc/kubernetes", "/var/lib/kubelet", "/var/lib/etcd", "/root"];

/// Directories of the system, with all below.
const SYSTEM: [&str; 13] =
    ["/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/root", "/sbin", "/sys", "/usr"];

/// What programs of the system keep while it runs; what lies below belongs to one of them.
const STATE: [&str; 2] = ["/run", "/var/run"];

/// Where engines keep images, containers and keys, with all below.
const ENGINES: [&str; 9] = [
    "/run/containerd",
    "/run/crio",
    "/run/docker",
    "/var/lib/containerd",
    "/var/lib/containers",
    "/var/lib/docker",
    "/var/lib/etcd",
    "/var/lib/kubelet",
    "/var/lib/rancher",
];

/// What of it everybody may know.
const HARMLESS: [&str; 8] = [
    "/dev/shm",
    "/etc/ca-certificates",
    "/etc/localtime",
    "/etc/pki",
    "/etc/ssl/certs",
    "/etc/timezone",
    "/usr/share/ca-certificates",
    "/usr/share/zoneinfo",
];

/// Names of the sockets of container engines.
const SOCKETS: [&str; 5] = ["docker.sock", "containerd.sock", "crio.sock", "podman.sock", "dockershim.sock"];

/// What whoever has `path` can do.
pub fn reach(path: &str) -> Reach {
    let path = if path.trim_end_matches('/').is_empty() { "/" } else { path.trim_end_matches('/') };
    if SOCKETS.contains(&path.rsplit('/').next().unwrap_or(path)) {
        Reach::Socket
    } else if NODE.contains(&path) {
        Reach::Node
    } else if HARMLESS.iter().any(|directory| lies_in(path, directory)) {
        Reach::Harmless
    } else if is_of_system(path) || ENGINES.iter().any(|directory| lies_in(path, directory)) {
        Reach::System
    } else {
        Reach::Data
    }
}

/// Whether the system of a machine, or of an image, lies there.
pub fn is_of_system(path: &str) -> bool {
    path == "/" || STATE.contains(&path) || SYSTEM.iter().any(|directory| lies_in(path, directory))
}

fn lies_in(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_begins_alike_lies_elsewhere() {
        assert_eq!(reach("/etc/"), Reach::System);
        assert_eq!(reach("/etcetera"), Reach::Data);
        assert_eq!(reach("//"), Reach::Node);
        assert_eq!(reach("/run/docker.sock"), Reach::Socket);
        assert_eq!((reach("/run"), reach("/run/agent")), (Reach::System, Reach::Data));
        assert_eq!(reach("/usr/share/zoneinfo/UTC"), Reach::Harmless);
    }
}
