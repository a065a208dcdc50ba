"""podman and buildah with a storage of their own, set up so that they work without cgroups v2 and raised limits."""

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path

PROGRAMS = {
    "buildah": "buildah",
    "podman": "podman",
    "runc": "runc",
    "debootstrap": "debootstrap",
    "curl": "curl",
    "newuidmap": "uidmap",
}
# CNI's plug-ins are not on the PATH.
PACKAGES = {"containernetworking-plugins": Path("/usr/lib/cni/loopback")}

# Docker lets every user bind every port of a container since version 20.10; podman does so when it is told.
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
default_sysctls = ["net.ipv4.ip_unprivileged_port_start=0"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


class Failure(Exception):
    """A command of the engine that did not do what it was asked; the text is for the reader of the table."""


def install_programs():
    """Installs what is missing, as `.ci/run` does."""
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    missing += [package for package, file in PACKAGES.items() if not file.exists()]
    if not missing:
        return
    root = [] if os.geteuid() == 0 else ["sudo"]
    apt = root + ["apt-get", "-o", "DPkg::Lock::Timeout=300"]
    quiet = dict(check=True, stdout=subprocess.DEVNULL, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
    subprocess.run(apt + ["update", "-qq"], **quiet)
    subprocess.run(apt + ["install", "-y", "-qq", "--no-install-recommends", *missing], **quiet)


class Engine:
    def __init__(self, cache: Path):
        self.cache = cache
        configuration = cache / "engine"
        configuration.mkdir(parents=True, exist_ok=True)
        (configuration / "storage.conf").write_text(
            f'[storage]\ndriver = "overlay"\nrunroot = "{cache}/run"\ngraphroot = "{cache}/graph"\n'
        )
        (configuration / "containers.conf").write_text(CONTAINERS_CONF)
        (configuration / "registries.conf").write_text('unqualified-search-registries = ["docker.io"]\n')
        self.environment = os.environ | {
            "CONTAINERS_STORAGE_CONF": str(configuration / "storage.conf"),
            "CONTAINERS_CONF": str(configuration / "containers.conf"),
            "CONTAINERS_REGISTRIES_CONF": str(configuration / "registries.conf"),
        }

    def call(self, *command, timeout=600, check=True, input=None) -> subprocess.CompletedProcess:
        try:
            result = subprocess.run(
                [str(word) for word in command],
                env=self.environment,
                input=input or b"",
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            raise Failure(f"`{command[0]} {command[1]}` did not end within {timeout} s") from None
        if check and result.returncode != 0:
            lines = (result.stdout + result.stderr).decode(errors="replace").strip().splitlines()
            raise Failure("\n".join(lines[-25:]))
        return result

    def text(self, *command, **options) -> str:
        return self.call(*command, **options).stdout.decode(errors="replace").strip()

    # Images

    def exists(self, image: str) -> bool:
        return self.call("podman", "image", "exists", image, check=False).returncode == 0

    def remove(self, image: str):
        self.call("podman", "image", "rm", "--force", image, check=False)

    def tag(self, image: str, name: str):
        self.call("podman", "tag", image, name)

    def import_root(self, root: Path, tag: str):
        with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as archive:
            subprocess.run(
                ["podman", "import", "--quiet", "--change", 'CMD ["bash"]', "-", tag],
                env=self.environment,
                stdin=archive.stdout,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=True,
            )

    def build(self, context: Path, tag: str, *, dockerfile=None, target=None, args=None, secrets=None, layers=True):
        """Builds a Dockerfile. `layers` keeps a layer for each step, so that a second build takes no time."""
        command = ["buildah", "--runtime", "runc", "bud", "--isolation", "oci", "--network", "host", "--pull-never", "--force-rm"]
        command += ["--format", "docker", "--tag", tag, "--file", dockerfile or context / "Dockerfile"]
        command += ["--layers"] if layers else []
        command += ["--target", target] if target else []
        for name, value in (args or {}).items():
            command += ["--build-arg", f"{name}={value}"]
        for identifier, file in (secrets or {}).items():
            command += ["--secret", f"id={identifier},src={file}"]
        self.call(*command, context)

    def image(self, image: str) -> dict:
        return json.loads(self.text("podman", "image", "inspect", image))[0]

    def prune(self):
        """Keeps the stand-ins and the images before with their layers, and nothing else: the disk is finite."""
        self.call("podman", "image", "prune", "--force", check=False)

    @contextlib.contextmanager
    def mounted(self, image: str):
        root = Path(self.text("podman", "image", "mount", image))
        try:
            yield root
        finally:
            self.call("podman", "image", "unmount", image, check=False)

    # Containers

    @contextlib.contextmanager
    def running(self, image: str, *, env=None, volumes=(), options=(), args=()):
        """A started container, without a network; it is gone afterwards, with its unnamed volumes."""
        command = ["podman", "run", "--detach", "--network", "none", "--stop-timeout", "1", *options]
        for name, value in (env or {}).items():
            command += ["--env", f"{name}={value}"]
        for source, target in volumes:
            command += ["--volume", f"{source}:{target}"]
        container = Container(self, self.text(*command, image, *args))
        try:
            yield container
        finally:
            self.call("podman", "rm", "--force", "--volumes", "--time", "1", container.name, check=False)

    def remove_volume(self, name: str):
        self.call("podman", "volume", "rm", "--force", name, check=False)

    def volume_directory(self, name: str) -> Path:
        return Path(self.text("podman", "volume", "inspect", "--format", "{{.Mountpoint}}", name))


class Container:
    def __init__(self, engine: Engine, name: str):
        self.engine = engine
        self.name = name
        self.process = int(engine.text("podman", "inspect", "--format", "{{.State.Pid}}", name))

    def state(self) -> tuple[str, int]:
        """What podman says of it (`running`, `exited`) and its exit code."""
        text = self.engine.text("podman", "inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", self.name)
        status, code = text.split()
        return status, int(code)

    def user(self) -> int | None:
        """The effective user of the first process, as the kernel has it: a minimal image has no `id` to ask."""
        try:
            status = Path(f"/proc/{self.process}/status").read_text()
        except OSError:
            return None
        return int(next(line for line in status.splitlines() if line.startswith("Uid:")).split()[2])

    def file(self, path: str) -> bytes | None:
        try:
            return Path(f"/proc/{self.process}/root/{path.lstrip('/')}").read_bytes()
        except OSError:
            return None

    def logs(self) -> str:
        result = self.engine.call("podman", "logs", "--tail", "20", self.name, check=False)
        return (result.stdout + result.stderr).decode(errors="replace").strip()

    def wait(self, timeout: int) -> int:
        return int(self.engine.text("podman", "wait", self.name, timeout=timeout))

    def health(self) -> bool:
        return self.engine.call("podman", "healthcheck", "run", self.name, check=False).returncode == 0

    def curl(self, *words, input=None) -> subprocess.CompletedProcess:
        """curl of the host in the network of the container."""
        command = ["nsenter", "--net", "--target", str(self.process), "curl", "--silent", "--include", "--max-time", "5"]
        return self.engine.call(*command, *words, check=False, timeout=30, input=input)
