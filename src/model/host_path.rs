//! What lies at paths of a machine, and so what whoever has them can do.

use super::path;
use std::borrow::Cow;

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
    /// What everybody may know: the time zone, the certificates that are trusted, the name of the machine.
    Harmless,
}

/// Directories that are the machine, or hold one that is.
const NODE: [&str; 7] = ["/", "/var", "/var/lib", "/etc/kubernetes", "/var/lib/kubelet", "/var/lib/etcd", "/root"];

/// Directories of the system, with all below.
const SYSTEM: [&str; 13] =
    ["/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/root", "/sbin", "/sys", "/usr"];

/// What programs of the system keep while it runs; what lies below belongs to one of them.
const STATE: [&str; 2] = ["/run", "/var/run"];

/// Where people who are logged in keep what their programs need.
const OF_PEOPLE: [&str; 2] = ["/run/user", "/var/run/user"];

/// Where the kubelet keeps a directory for each driver of storage, which belongs to the driver.
const DRIVERS: &str = "/var/lib/kubelet/plugins";

/// Its own directory there, with what all drivers have mounted.
const DRIVERS_OF_KUBELET: &str = "/var/lib/kubelet/plugins/kubernetes.io";

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

/// The sockets that take what programs have to say for the log of the machine, and give nothing.
const LOG_SOCKETS: [&str; 2] = ["/dev/log", "/run/systemd/journal/dev-log"];

/// What of it everybody may know, and devices that are the same on every machine.
const HARMLESS: [&str; 15] = [
    "/dev/null",
    "/dev/random",
    "/dev/shm",
    "/dev/urandom",
    "/dev/zero",
    "/etc/ca-certificates",
    "/etc/hostname",
    "/etc/localtime",
    "/etc/machine-id",
    "/etc/os-release",
    "/etc/pki",
    "/etc/ssl/certs",
    "/etc/timezone",
    "/usr/share/ca-certificates",
    "/usr/share/zoneinfo",
];

/// Directories below `/dev`: everything else there is a single device, or a socket.
const DEVICE_DIRECTORIES: [&str; 21] = [
    "/dev",
    "/dev/block",
    "/dev/bus",
    "/dev/bus/usb",
    "/dev/char",
    "/dev/cpu",
    "/dev/disk",
    "/dev/dri",
    "/dev/fd",
    "/dev/hugepages",
    "/dev/infiniband",
    "/dev/input",
    "/dev/mapper",
    "/dev/mqueue",
    "/dev/net",
    "/dev/pts",
    "/dev/serial",
    "/dev/shm",
    "/dev/snd",
    "/dev/usb",
    "/dev/vfio",
];

/// Names of the sockets of container engines.
const SOCKETS: [&str; 5] = ["docker.sock", "containerd.sock", "crio.sock", "podman.sock", "dockershim.sock"];

/// What whoever has `path` can do.
pub fn reach(path: &str) -> Reach {
    let path = &*clean(path);
    let lies_in_any = |directories: &[&str]| directories.iter().any(|directory| path::is_in(path, directory));
    if SOCKETS.contains(&path::file_name(path)) {
        Reach::Socket
    } else if NODE.contains(&path) {
        Reach::Node
    } else if lies_in_any(&HARMLESS) {
        Reach::Harmless
    } else if is_of_driver(path) || LOG_SOCKETS.contains(&path) {
        Reach::Data
    } else if is_of_system(path) || lies_in_any(&ENGINES) {
        Reach::System
    } else {
        Reach::Data
    }
}

/// Whether a machine keeps its system there, what its programs keep while they run and afterwards included.
pub fn is_of_host(path: &str) -> bool {
    let path = &*clean(path);
    let lies_in_any = |directories: &[&str]| directories.iter().any(|directory| path::is_in(path, directory));
    (is_of_system(path) || lies_in_any(&STATE) || path::is_in(path, "/var")) && !lies_in_any(&OF_PEOPLE)
}

/// Whether it is of the system, and neither known to everybody nor a socket, which has rules of its own.
pub fn is_sensitive(path: &str) -> bool {
    is_of_host(path) && reach(path) != Reach::Harmless && !path.ends_with(".sock")
}

/// A path as a message names it: what begins neither at the root nor with a drive is a word in the place of one.
pub fn in_words(path: &str) -> Cow<'static, str> {
    let is_path = path.starts_with(['/', '\\']) || path.get(1..2) == Some(":");
    if is_path { Cow::Owned(format!("`{path}`")) } else { Cow::Borrowed("a path") }
}

/// Whether a path is that of a socket by its name: it holds no files, and read-only it is as open as ever.
pub fn is_socket(path: &str) -> bool {
    path.trim_end_matches('/').ends_with(".sock") || LOG_SOCKETS.contains(&&*clean(path))
}

/// Whether a path is that of a device or a socket by its name: it holds no files that could be replaced, and read-only
/// it is as open as ever.
pub fn is_device_or_socket(path: &str) -> bool {
    let is_device = |path: &str| path::is_in(path, "/dev") && !DEVICE_DIRECTORIES.contains(&path);
    is_socket(path) || is_device(&clean(path)) && !path::is_in(&clean(path), "/dev/shm")
}

/// Whether a path is one file that tells what happened on the machine and who was there, to be read and shown.
pub fn is_record(path: &str) -> bool {
    let path = &*clean(path);
    let is_log = path.strip_prefix("/var/log/").is_some_and(|name| name == "syslog" || name.ends_with(".log"));
    is_log || matches!(path, "/run/utmp" | "/var/run/utmp" | "/var/log/wtmp")
}

fn is_of_driver(path: &str) -> bool {
    path != DRIVERS && path::is_in(path, DRIVERS) && !path::is_in(path, DRIVERS_OF_KUBELET)
}

/// Whether the system of a machine, or of an image, lies there.
pub fn is_of_system(path: &str) -> bool {
    path == "/" || STATE.contains(&path) || SYSTEM.iter().any(|directory| path::is_in(path, directory))
}

/// Names that programs of an image give to what they show or keep below their own directory in `/usr`.
const DATA: [&str; 9] = ["data", "htdocs", "html", "logs", "public", "storage", "uploads", "webapps", "www"];

/// Whether a path of an image lies in `/usr` but is what one program shows or keeps: the pages of a web server, the
/// sources of an application.
pub fn is_data_of_program(path: &str) -> bool {
    let path = &*clean(path);
    if path == "/usr/share/caddy" || path.starts_with("/usr/src/") {
        return true;
    }
    let below = ["/usr/share/", "/usr/local/"].iter().find_map(|start| path.strip_prefix(start));
    // The first name is that of the program.
    below.is_some_and(|below| below.split('/').skip(1).any(|name| DATA.contains(&name)))
}

/// An absolute path without what changes nothing; any other as it is.
fn clean(path: &str) -> Cow<'_, str> {
    if path.starts_with('/') { Cow::Owned(path::join("/", path)) } else { Cow::Borrowed(path) }
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
        assert_eq!((reach("/dev/log"), reach("/dev/kmsg")), (Reach::Data, Reach::System));
    }

    #[test]
    fn what_is_the_same_or_told_everywhere_is_harmless() {
        for path in ["/dev/null", "/dev/urandom", "/etc/os-release", "/etc/hostname/", "/etc/machine-id"] {
            assert_eq!(reach(path), Reach::Harmless, "{path}");
        }
    }

    #[test]
    fn a_driver_of_storage_owns_its_directory_at_the_kubelet() {
        assert_eq!(reach("/var/lib/kubelet/plugins/nfs.csi.example.com"), Reach::Data);
        for path in ["plugins", "plugins/", "plugins/kubernetes.io/csi", "plugins_registry", "pods", "pki"] {
            assert_eq!(reach(&format!("/var/lib/kubelet/{path}")), Reach::System, "{path}");
        }
    }

    #[test]
    fn a_host_keeps_its_state_but_not_that_of_people() {
        assert!(is_of_host("/var/log") && is_of_host("/run/dbus") && is_of_host("/") && is_of_host("/etc/../usr/"));
        assert!(!is_of_host("/run/user/1000/pulse") && !is_of_host("/home/me") && !is_of_host("./etc"));
    }

    #[test]
    fn sockets_are_told_by_their_names() {
        assert!(
            is_socket("/dev/log") && is_socket("/run/agent/api.sock") && reach("/run/containerd.sock") == Reach::Socket
        );
        assert!(!is_socket("/dev/shm") && !is_socket("/run/sock"));
    }

    #[test]
    fn what_is_no_directory_of_devices_is_one_of_them() {
        for path in ["/dev/net/tun", "/dev/kmsg", "/dev/sda1", "/dev/bus/usb/001/004", "/dev/log", "/run/a.sock"] {
            assert!(is_device_or_socket(path), "{path}");
        }
        for path in ["/dev", "/dev/", "/dev/dri", "/dev/shm/a", "/etc", "/devices/a"] {
            assert!(!is_device_or_socket(path), "{path}");
        }
    }

    #[test]
    fn what_a_program_shows_or_keeps_is_its_data() {
        for path in ["/usr/share/nginx/html/", "/usr/local/apache2/htdocs", "/usr/src/app", "/usr/share/search/data/a"]
        {
            assert!(is_data_of_program(path), "{path}");
        }
        for path in ["/usr", "/usr/src", "/usr/local/bin", "/usr/share/nginx", "/usr/share/data", "/etc/nginx/html"] {
            assert!(!is_data_of_program(path), "{path}");
        }
    }

    #[test]
    fn a_word_in_the_place_of_a_path_is_not_called_one() {
        assert_eq!(["/srv", "C:\\data", "HOST_FILE"].map(in_words), ["`/srv`", "`C:\\data`", "a path"]);
    }

    #[test]
    fn records_are_single_files() {
        assert!(is_record("/var/log/auth.log") && is_record("/var/log/syslog") && is_record("/var/run/utmp"));
        assert!(!is_record("/var/log") && !is_record("/etc/shadow") && !is_record("/var/log/../../etc/x.log"));
    }
}
