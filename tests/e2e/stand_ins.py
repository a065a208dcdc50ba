"""Builds the stand-ins that are missing: each is kept under the hash of its recipe and of the recipes it stands on."""

import functools
import hashlib
import json
import re
import shutil
import subprocess
import tempfile
import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from engine import Engine, Failure

RECIPES = Path(__file__).parent / "stand-ins"
# Part of every hash: raise it when what is done to an unpacked system changes.
ROOT_RECIPE = "1"
CERTIFICATES = Path("/usr/local/share/ca-certificates")


@dataclass
class StandIn:
    tags: list[str]
    release: str | None = None
    recipe: str | None = None
    target: str | None = None
    args: dict[str, str] = field(default_factory=dict)
    differs: str | None = None

    @property
    def name(self) -> str:
        return self.tags[0]

    def dockerfile(self) -> str:
        return (RECIPES / self.recipe / "Dockerfile").read_text()

    def bases(self) -> set[str]:
        """The images that the stages up to the target stand on or copy from."""
        if self.recipe is None:
            return set()
        text = self.dockerfile()
        for name, value in self.args.items():
            text = text.replace("${" + name + "}", value)
        found, wanted = set(), False
        for stage in reversed(re.split(r"(?m)^(?=FROM )", text)[1:]):
            words = stage.split("\n", 1)[0].split()
            wanted = wanted or self.target is None or words[-1] == self.target
            if wanted and "/" in words[1]:
                found.add(words[1])
        return found


def load() -> list[StandIn]:
    table = tomllib.loads((RECIPES / "stand-ins.toml").read_text())
    return [StandIn(**entry) for entry in table["root"] + table["image"]]


def mirror() -> str:
    """The Debian mirror that this machine uses itself."""
    sources = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for file in sources:
        if file.suffix not in (".list", ".sources") or not file.exists():
            continue
        for line in file.read_text().splitlines():
            match = re.match(r"(?:URIs:|deb(?:\s+\[[^]]*\])?)\s+(\S*/debian)/?(?:\s|$)", line)
            if match:
                return match[1]
    return "http://deb.debian.org/debian"


def on_docker_hub(name: str) -> str:
    """The name in full, where it names no registry."""
    if "." in name.partition("/")[0] and "/" in name:
        return name
    return f"docker.io/{name}" if "/" in name else f"docker.io/library/{name}"


class Workshop:
    def __init__(self, engine: Engine, say):
        self.engine = engine
        self.say = say
        self.all = load()
        self.by_tag = {tag: stand_in for stand_in in self.all for tag in stand_in.tags}
        self.record = engine.cache / "stand-ins.json"
        self.lock = threading.Lock()
        self.making = threading.Lock()
        # The targets of one recipe share stages, so they are built one after the other.
        self.recipes = {stand_in.recipe: threading.Lock() for stand_in in self.all}

    def hash(self, stand_in: StandIn) -> str:
        parts = [ROOT_RECIPE, stand_in.release or "", stand_in.target or "", json.dumps(stand_in.args, sort_keys=True)]
        if stand_in.recipe:
            for file in sorted((RECIPES / stand_in.recipe).iterdir()):
                parts += [file.name, file.read_text()]
        parts += [self.hash(self.by_tag[base]) for base in sorted(stand_in.bases())]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def needed(self, tags: set[str]) -> list[StandIn]:
        """The stand-ins of these tags and what they stand on, bases first."""
        ordered, open_tags = [], list(tags)
        while open_tags:
            tag = open_tags.pop()
            if tag not in self.by_tag:
                raise Failure(f"no stand-in is called {tag}")
            stand_in = self.by_tag[tag]
            if stand_in in ordered:
                ordered.remove(stand_in)
            ordered.append(stand_in)
            open_tags += stand_in.bases()
        return list(reversed(ordered))

    def known(self) -> dict[str, str]:
        """The hash of the recipe that each stand-in was made by."""
        return json.loads(self.record.read_text()) if self.record.exists() else {}

    def last_layers(self) -> dict[str, str]:
        """The stand-ins that are there, by the digest of their last layer."""
        with self.lock:
            known = self.known()
        return {self.last_layer(name, recipe): name for name, recipe in known.items() if self.engine.exists(name)}

    @functools.cache
    def last_layer(self, name: str, _recipe: str) -> str:
        return self.engine.image(name)["RootFS"]["Layers"][-1]

    def make_bases(self, dockerfile: Path):
        """The images that a Dockerfile names: a rewrite chooses its own base."""
        named = r"(?m)^(?:FROM\s+(?:--\S+\s+)*|COPY\s+(?:--\S+\s+)*--from=)([\w./-]+(?::[\w.-]+)?)"
        names = {on_docker_hub(name if ":" in name else f"{name}:latest") for name in re.findall(named, dockerfile.read_text())}
        with self.making:
            self.make({name for name in names if name in self.by_tag}, 1)

    def make(self, tags: set[str], jobs: int):
        """Builds what is missing, several side by side where one does not stand on the other."""
        known = self.known()
        missing = {}
        for stand_in in self.needed(tags):
            current = self.hash(stand_in)
            if known.get(stand_in.name) != current or not self.engine.exists(stand_in.name):
                missing[stand_in.name] = stand_in
        finished = {name: threading.Event() for name in missing}
        broken = []

        def build(stand_in: StandIn):
            try:
                for base in stand_in.bases():
                    if (event := finished.get(self.by_tag[base].name)) is not None:
                        event.wait()
                if broken:
                    return
                started = time.monotonic()
                self.build(stand_in)
                with self.lock:
                    known[stand_in.name] = self.hash(stand_in)
                    self.record.write_text(json.dumps(known, indent=1, sort_keys=True))
                self.say(f"stand-in {stand_in.name}: {time.monotonic() - started:.0f} s")
            except (Failure, subprocess.CalledProcessError, OSError) as failure:
                broken.append(f"stand-in {stand_in.name}: {failure}")
            finally:
                finished[stand_in.name].set()

        # `needed` lists bases first, so the earliest unfinished one never waits and the pool cannot block itself.
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(build, missing.values()))
        if broken:
            raise Failure("\n".join(broken))

    def build(self, stand_in: StandIn):
        if stand_in.release:
            self.unpack(stand_in)
        else:
            with self.recipes[stand_in.recipe]:
                recipe = RECIPES / stand_in.recipe
                self.engine.build(recipe, stand_in.name, target=stand_in.target, args=stand_in.args)
        for tag in stand_in.tags[1:]:
            self.engine.tag(stand_in.name, tag)

    def unpack(self, stand_in: StandIn):
        with tempfile.TemporaryDirectory(dir=self.engine.cache) as parent:
            root = Path(parent) / "root"
            self.engine.call("debootstrap", "--variant=minbase", stand_in.release, root, mirror(), timeout=900)
            for certificate in CERTIFICATES.glob("*.crt"):
                (root / "usr/local/share/ca-certificates").mkdir(parents=True, exist_ok=True)
                shutil.copy(certificate, root / "usr/local/share/ca-certificates")
            for leftover in ("var/cache/apt", "var/lib/apt/lists"):
                for path in (root / leftover).glob("*"):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            self.engine.import_root(root, stand_in.name)
