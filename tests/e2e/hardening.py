"""Runs `ironhull harden` on a copy of an application, and `ironhull fix` on its compose file."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import compose
from engine import Failure


@dataclass
class Claim:
    """What the program says that it did."""

    before: int
    after: int
    declined: list[str]
    manual: list[str]
    stable: bool


def is_known(binary: Path) -> bool:
    if not binary.exists():
        return False
    return subprocess.run([binary, "harden", "--help"], capture_output=True).returncode == 0


def copy_context(source: Path, copy: Path):
    """The application without what is said about it."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("check.toml"), symlinks=True)


def harden(binary: Path, copy: Path, *options: str) -> Claim:
    """Hardens a copy in place, twice."""
    report = run(binary, copy, *options)
    first = snapshot(copy)
    run(binary, copy, *options)
    claims = [file for file in report["files"] if Path(file["path"]).name == "Dockerfile"]
    if len(claims) != 1:
        raise Failure(f"{len(claims)} reports about the Dockerfile instead of one")
    claim = claims[0]
    return Claim(
        before=claim["rung_before"],
        after=claim["rung_after"],
        declined=[text(entry) for entry in claim.get("declined", [])],
        manual=[text(entry) for entry in claim.get("manual", [])],
        stable=snapshot(copy) == first,
    )


def run(binary: Path, directory: Path, *options: str) -> dict:
    """The image, with what runs it, and then whatever else the compose file lets be taken away."""
    report = call(binary, directory, "harden", *options, ".")
    if (directory / compose.NAME).exists():
        call(binary, directory, "fix", "--risky", "--profile", "all", compose.NAME)
    return report


def call(binary: Path, directory: Path, command: str, *words: str) -> dict:
    words = [str(binary), command, "--no-config", "--format", "json", *words]
    result = subprocess.run(words, cwd=directory, capture_output=True, timeout=60)
    if result.returncode not in (0, 1):
        raise Failure(f"`{command}` ended with {result.returncode}: {result.stderr.decode(errors='replace').strip()}")
    return json.loads(result.stdout)


def text(entry) -> str:
    if isinstance(entry, dict):
        return ": ".join(str(entry[key]) for key in ("rung", "title", "reason") if entry.get(key) is not None)
    return str(entry)


def snapshot(directory: Path) -> dict[str, bytes]:
    return {str(file.relative_to(directory)): file.read_bytes() for file in directory.rglob("*") if file.is_file()}
