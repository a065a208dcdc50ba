"""The command `.ci/e2e`."""

import argparse
import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import application
import content
import hardening
import report
import trial
from application import Application
from engine import Engine, Failure, install_programs
from stand_ins import Workshop

PROJECT = Path(__file__).resolve().parent.parent.parent
# Two builds side by side keep two cores busy: one compiles while the other waits for a registry.
JOBS = 2
# Fewer applications than these prove too little, whatever the reason that the others do not build as they are written.
ENOUGH = 14


def main() -> int:
    options = arguments()
    started = time.monotonic()
    install_programs()
    cache = Path(os.environ.get("IRONHULL_E2E_CACHE", PROJECT / "target/e2e")).resolve()
    cache.mkdir(parents=True, exist_ok=True)
    alone = open(cache / "lock", "w")
    fcntl.flock(alone, fcntl.LOCK_EX)
    engine = Engine(cache)
    workshop = Workshop(engine, say)
    applications = chosen(options.only)
    tags = {tag for one in applications for tag in one.stand_ins}
    try:
        workshop.make(set(workshop.by_tag) if options.side == "stand-ins" else tags, JOBS)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    say(f"{time.monotonic() - started:.0f} s: every stand-in is there")
    if options.side == "stand-ins":
        return 0
    both = options.side == "both" and hardening.is_known(options.binary)
    if options.side == "both" and not both:
        say(f"{options.binary} has no `harden` yet: only the side before")
    binary = options.binary if both else None
    with ThreadPoolExecutor(JOBS) as pool:
        rows = list(pool.map(lambda one: examine(engine, workshop, one, binary), applications))
    engine.prune()
    (cache / "last.json").write_text(json.dumps([report.record(row) for row in rows], indent=1))
    report.write(rows, workshop, both)
    say(f"{time.monotonic() - started:.0f} s in all")
    return 0 if report.conclude(rows, min(ENOUGH, len(rows))) else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", nargs="?", default="both", choices=["both", "before", "stand-ins"])
    parser.add_argument("--only", nargs="+", metavar="NAME", default=[])
    parser.add_argument("--binary", type=Path, default=PROJECT / "target/release/ironhull")
    return parser.parse_args()


def chosen(names: list[str]) -> list[Application]:
    every = application.load_all(PROJECT / "samples/apps")
    unknown = set(names) - {one.name for one in every}
    if unknown:
        sys.exit(f"no such application: {', '.join(sorted(unknown))}")
    return [one for one in every if not names or one.name in names]


def examine(engine: Engine, workshop: Workshop, one: Application, binary: Path | None) -> report.Row:
    started = time.monotonic()
    row = report.Row(one)
    written = engine.cache / "written" / one.name
    hardening.copy_context(one.directory, written)
    row.before = examine_side(engine, workshop, one, written, None)
    if not row.before.answered:
        say(f"{one.name}: once more, because as it is written: {row.complaints()[-1]}")
        row.before = examine_side(engine, workshop, one, written, None)
    if binary and row.before.answered:
        hardened = engine.cache / "hardened" / one.name
        hardening.copy_context(one.directory, hardened)
        try:
            row.claim = hardening.harden(binary, hardened)
            row.after = examine_side(engine, workshop, one, hardened, row)
            if one.strip and row.is_good():
                row.stripped = examine_stripped(engine, workshop, one, hardened, row, binary)
        except (Failure, subprocess.SubprocessError, ValueError) as failure:
            row.trouble.append(f"harden: {failure}")
        finally:
            engine.remove(image_name(one, is_after=True))
    row.seconds = time.monotonic() - started
    say(row.line())
    return row


def examine_stripped(engine, workshop, one: Application, context: Path, row: report.Row, binary: Path) -> trial.Outcome:
    """The side after once more, without package manager, network tools and set-uid bits: a layer on top of it."""
    hardening.copy_context(one.directory, context)
    claim = hardening.harden(binary, context, "--strip")
    outcome = examine_side(engine, workshop, one, context, row)
    if not claim.stable:
        outcome.trouble.append("a second run changes something")
    if outcome.content:
        outcome.trouble += outcome.content.unstripped()
        if report.rung(outcome) < claim.after:
            outcome.trouble.append(f"claims rung {claim.after} and holds {report.rung(outcome)}")
    return outcome


def image_name(one: Application, is_after: bool) -> str:
    return f"localhost/e2e/{one.name}:{'after' if is_after else 'before'}"


def examine_side(engine, workshop, one: Application, context: Path, row: report.Row | None) -> trial.Outcome:
    """The side before, or, with the row of the side before, the side after."""
    outcome = trial.Outcome()
    image = image_name(one, is_after=row is not None)
    volume = f"e2e-{one.name}" if one.volume else None
    try:
        workshop.make_bases(context / "Dockerfile")
        build(engine, one, context, image)
        outcome.built = True
        outcome.content = content.read(engine, image, one.secrets, workshop.last_layers())
        if volume and row is None:
            engine.remove_volume(volume)
        if volume and row is not None:
            hand_over(engine, volume, outcome.content.user)
        trial.start_and_ask(engine, one, image, outcome, volume)
        trial.start_services(engine, one, context, image, outcome)
    except (Failure, ValueError) as failure:
        outcome.trouble.append(str(failure))
    if row is not None and outcome.answered:
        outcome.trouble += trial.differences(one, row.before, outcome)
    return outcome


def build(engine: Engine, one: Application, context: Path, image: str):
    """Tries twice: packages come over a network."""
    try:
        trial.build(engine, one, context, image)
    except Failure as failure:
        say(f"{one.name}: builds once more, because: {failure}")
        trial.build(engine, one, context, image)


def hand_over(engine: Engine, volume: str, user: str):
    """What the note of a rewrite asks for: the old container's volume gets the new user as its owner."""
    owner = user.partition(":")[0]
    if owner.isdigit():
        engine.call("chown", "--recursive", owner, engine.volume_directory(volume))


output = threading.Lock()


def say(text: str):
    with output:
        print(text, flush=True)
