"""Starts the services of an application's compose file with the options that the file gives them, one by one.

Docker is what compose files are written for; the engine here is podman, and where its defaults are kinder than Docker's
they are taken away.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from engine import Container, Engine, Failure

NAME = "compose.yaml"
# What says nothing about how a container is confined, or needs the network that a container here does not have.
NOT_TRANSLATED = {"build", "image", "ports", "expose", "restart", "depends_on", "networks", "profiles"}
LISTS = {"cap_drop": "--cap-drop", "cap_add": "--cap-add", "devices": "--device"}
TEXTS = {"user": "--user", "working_dir": "--workdir", "pids_limit": "--pids-limit", "mem_limit": "--memory", "cpus": "--cpus"}
SWITCHES = {"privileged": "--privileged", "init": "--init"}


@dataclass
class Confinement:
    """What the kernel says of the first process of a container."""

    user: int
    capabilities: int
    no_new_privileges: bool
    read_only: bool

    def is_full(self) -> bool:
        """Whether nothing is left that rung 5 takes away."""
        return self.user != 0 and self.capabilities == 0 and self.no_new_privileges and self.read_only

    def __str__(self) -> str:
        count = self.capabilities.bit_count()
        parts = [f"user {self.user}", f"{count} capabilities" if count else "no capabilities"]
        parts += ["no new privileges"] if self.no_new_privileges else []
        parts += ["read-only"] if self.read_only else []
        return ", ".join(parts)


@dataclass
class Service:
    name: str
    settings: dict
    directory: Path

    @property
    def is_built(self) -> bool:
        return "build" in self.settings

    def image(self, built: str) -> str:
        return built if self.is_built else f"docker.io/library/{self.settings['image']}"

    def environment(self) -> dict[str, str]:
        given = self.settings.get("environment", {})
        pairs = given.items() if isinstance(given, dict) else (line.split("=", 1) for line in given)
        return {name: interpolated(str(value)) for name, value in pairs}

    def volumes(self, prefix: str) -> list[tuple[str, str]]:
        """Sources and targets with their options; a name is that of a volume, and begins with `prefix`."""
        found = []
        for mount in self.settings.get("volumes", []):
            source, _, target = mount.partition(":")
            found.append((str(self.directory / source) if source.startswith(".") else prefix + source, target))
        return found

    def options(self) -> list[str]:
        """What `podman run` has to be told so that the container is as the file wants it."""
        words = []
        for key, value in self.settings.items():
            if key in NOT_TRANSLATED or key in ("environment", "volumes", "command"):
                continue
            elif key in LISTS:
                words += [word for item in value for word in (LISTS[key], str(item))]
            elif key in TEXTS:
                words += [TEXTS[key], str(value)]
            elif key in SWITCHES:
                words += [SWITCHES[key]] if value else []
            elif key == "read_only":
                # podman would mount memory at /tmp and /run, which Docker does not.
                words += ["--read-only", "--read-only-tmpfs=false"] if value else []
            elif key == "tmpfs":
                for item in [value] if isinstance(value, str) else value:
                    path, _, flags = item.partition(":")
                    # podman would copy into it what the image has there, which Docker does not.
                    words += ["--tmpfs", f"{path}:{flags + ',' if flags else ''}notmpcopyup"]
            elif key == "security_opt":
                words += [word for item in value for word in security_option(item)]
            elif key == "sysctls":
                pairs = value.items() if isinstance(value, dict) else (line.split("=", 1) for line in value)
                words += [word for name, setting in pairs for word in ("--sysctl", f"{name}={setting}")]
            else:
                raise Failure(f"{NAME}: `{key}` of `{self.name}` is not translated for podman")
        return words

    def command(self) -> list[str]:
        command = self.settings.get("command", [])
        return command.split() if isinstance(command, str) else command


def services(directory: Path) -> list[Service]:
    """Those of the application's compose file, if it has one."""
    file = directory / NAME
    if not file.exists():
        return []
    try:
        import yaml
    except ImportError:
        raise Failure("compose files are read with PyYAML, which this Python does not have") from None
    table = yaml.safe_load(file.read_text())
    return [Service(name, settings, directory) for name, settings in table["services"].items()]


def interpolated(text: str) -> str:
    """`${NAME:-default}` where nothing is set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def security_option(text: str) -> list[str]:
    name, _, value = re.sub("[:=]", "=", text, count=1).partition("=")
    if name == "no-new-privileges":
        return ["--security-opt", name] if value in ("", "true") else []
    return ["--security-opt", f"{name}={value}"]


def confinement(container: Container) -> Confinement:
    directory = Path(f"/proc/{container.process}")
    status = dict(line.split(":\t", 1) for line in (directory / "status").read_text().splitlines() if ":\t" in line)
    mounts = [line.split() for line in (directory / "mountinfo").read_text().splitlines()]
    root = next(fields for fields in mounts if fields[4] == "/")
    return Confinement(
        user=int(status["Uid"].split()[1]),
        # The bounding set: what no program of the container can ever have.
        capabilities=int(status["CapBnd"], 16),
        no_new_privileges=status["NoNewPrivs"].strip() == "1",
        read_only="ro" in root[5].split(","),
    )


def remove_volumes(engine: Engine, service: Service, prefix: str):
    for source, _ in service.volumes(prefix):
        if source.startswith(prefix):
            engine.remove_volume(source)
