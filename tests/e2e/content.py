"""What an image is made of, read from its files: the judge of the rung that a rewrite claims."""

import functools
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from engine import Engine

SHELLS = {"sh", "bash", "dash", "ash", "busybox", "ksh", "zsh"}
PACKAGE_MANAGERS = {"apt", "apt-get", "dpkg", "apk", "rpm", "yum", "dnf", "microdnf"}
BUILD_TOOLS = {
    "as", "c++", "cargo", "cc", "cc1", "cmake", "cpp", "g++", "gcc", "git", "go", "gradle", "javac", "ld", "make",
    "mvn", "rustc", "tsc",
}  # fmt: skip
PACKAGE_CACHES = [
    "root/.cache/pip", "root/.cache/go-build", "root/.cache/node-gyp", "root/.cache/pypoetry", "root/.cache/uv",
    "root/.cargo/registry", "root/.m2/repository", "root/.npm/_cacache", "usr/local/cargo/registry", "go/pkg/mod/cache",
]  # fmt: skip
PROGRAM_DIRECTORIES = ("bin", "sbin")


@dataclass
class Content:
    user: str
    start: list[str]
    health: bool
    megabytes: int
    files: int
    shells: list[str]
    package_managers: list[str]
    build_tools: list[str]
    caches: list[str]
    setuid: list[str]
    leaks: list[str]
    base: str | None
    base_has_tools: bool

    def rung(self) -> int:
        """The rung of the ladder that the content allows; whether the image works as its user is proved by asking."""
        user = self.user.partition(":")[0]
        if not user.isdigit() or int(user) == 0:
            return 0
        if self.leaks or self.caches or (self.build_tools and not self.base_has_tools):
            return 1
        if self.base_has_tools or self.start_is_shell():
            return 2
        return 3 if self.shells or self.package_managers else 4

    def unstripped(self) -> list[str]:
        """What a stripped image still has and should not."""
        left = {"package managers": self.package_managers, "set-uid files": self.setuid}
        return [f"it still has {name}: {' '.join(found)}" for name, found in left.items() if found]

    def start_is_shell(self) -> bool:
        return self.start[:2] == ["/bin/sh", "-c"]


def read(engine: Engine, image: str, secrets: list[str], bases: dict[str, str]) -> Content:
    """`bases` maps the digest of each stand-in's last layer to its name."""
    description = engine.image(image)
    configuration = description["Config"]
    base = base_of(description, bases)
    with engine.mounted(image) as root:
        programs, files, setuid = walk(root)
        caches = [directory for directory in PACKAGE_CACHES if holds_files(root / directory)]
        caches += [".deb lists"] if holds_files(root / "var/lib/apt/lists", beyond={"lock", "auxfiles", "partial"}) else []
    text = json.dumps([configuration, description.get("History", [])])
    tools = sorted(programs & BUILD_TOOLS)
    return Content(
        user=configuration.get("User", ""),
        start=(configuration.get("Entrypoint") or []) + (configuration.get("Cmd") or []),
        health=(configuration.get("Healthcheck") or description.get("HealthCheck") or {}).get("Test", ["NONE"]) != ["NONE"],
        megabytes=round(description["Size"] / 1e6),
        files=files,
        shells=sorted(programs & SHELLS),
        package_managers=sorted(programs & PACKAGE_MANAGERS),
        build_tools=tools,
        caches=caches,
        setuid=setuid,
        leaks=[secret for secret in secrets if secret in text],
        base=base,
        base_has_tools=bool(tools) and base is not None and bool(base_tools(engine, base)),
    )


def base_of(description: dict, bases: dict[str, str]) -> str | None:
    """The stand-in with the most layers in common."""
    for layer in reversed(description["RootFS"]["Layers"]):
        if layer in bases:
            return bases[layer]
    return None


@functools.cache
def base_tools(engine: Engine, base: str) -> set[str]:
    with engine.mounted(base) as root:
        return walk(root)[0] & BUILD_TOOLS


def walk(root: Path) -> tuple[set[str], int, list[str]]:
    """The names of the programs, the number of files, and the files that run as another user than the caller."""
    programs, files, setuid = set(), 0, []
    for directory, _, names in os.walk(root):
        in_path = os.path.basename(directory) in PROGRAM_DIRECTORIES
        for name in names:
            path = os.path.join(directory, name)
            files += 1
            mode = os.lstat(path).st_mode
            if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
                setuid.append(os.path.relpath(path, root))
            if in_path and (stat.S_ISLNK(mode) or mode & 0o111):
                programs.add(name)
    return programs, files, sorted(setuid)


def holds_files(directory: Path, beyond: set[str] = frozenset()) -> bool:
    return directory.is_dir() and any(entry.name not in beyond for entry in directory.iterdir())
