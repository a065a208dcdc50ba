"""The table at the end, and what it means."""

from dataclasses import asdict, dataclass, field

from application import Application
from hardening import Claim
from trial import Outcome


@dataclass
class Row:
    application: Application
    before: Outcome = field(default_factory=Outcome)
    after: Outcome | None = None
    stripped: Outcome | None = None
    claim: Claim | None = None
    trouble: list[str] = field(default_factory=list)
    seconds: float = 0

    def is_good(self) -> bool:
        return not self.complaints()

    def is_proof(self) -> bool:
        """An application that does not work as it is written says nothing about its hardening."""
        return self.before.built and self.before.answered

    def complaints(self) -> list[str]:
        if not self.before.built:
            return ["does not build before"] + self.before.trouble
        if not self.before.answered:
            return ["does not answer before"] + self.before.trouble
        found = list(self.trouble)
        if self.after is None:
            return found
        if not self.after.built:
            return found + ["does not build after"] + self.after.trouble
        if not self.after.answered:
            return found + ["does not answer after"] + self.after.trouble
        found += self.after.trouble
        if not self.claim.stable:
            found.append("a second run changes something")
        if rung(self.after) < self.claim.after:
            found.append(f"claims rung {self.claim.after} and holds {rung(self.after)}: {why(self.after)}")
        if self.stripped and self.stripped.trouble:
            found += ["does not do as a stripped image"] + self.stripped.trouble
        return found

    def line(self) -> str:
        if self.is_good():
            state = "ok"
        else:
            state = "FAILED: " + "\n    ".join("\n".join(self.complaints()).splitlines())
        return f"{self.application.name}: {state} ({self.seconds:.0f} s)"


def rung(outcome: Outcome) -> int:
    """That of the image; where nothing more can be taken from it, what its services leave it counts too."""
    reached = outcome.content.rung()
    confined = [service.confinement is not None and service.confinement.is_full() for service in outcome.services.values()]
    return 5 if reached == 4 and confined and all(confined) else reached


def why(outcome: Outcome) -> str:
    """What keeps an image from a higher rung."""
    content = outcome.content
    reasons = {
        "user": content.user or "root",
        "leaks": content.leaks,
        "caches": content.caches,
        "build tools": content.build_tools,
        "start": " ".join(content.start) if content.start_is_shell() else "",
        "shells": content.shells,
        "package managers": content.package_managers,
        "services": [f"{name}: {service.confinement}" for name, service in outcome.services.items()],
    }
    return "; ".join(f"{name} {value}" for name, value in reasons.items() if value)


def conclude(rows: list[Row], enough: int) -> bool:
    """Says at the end, where it is seen, what went wrong, and whether enough went well."""
    failed = [row for row in rows if row.is_proof() and not row.is_good()]
    without_proof = [row for row in rows if not row.is_proof()]
    for row in without_proof:
        print(f"\nNOT EXAMINED {row.application.name}: " + "\n    ".join("\n".join(row.complaints()).splitlines()[-15:]))
    for row in failed:
        print(f"\nFAILED {row.application.name}: " + "\n    ".join("\n".join(row.complaints()).splitlines()[-15:]))
    examined = len(rows) - len(without_proof)
    if examined < enough:
        print(f"\nonly {examined} applications work as they are written: at least {enough} must")
    return not failed and examined >= enough


COLUMNS = ["application", "rung", "user", "MB", "files", "shells", "set-uid", "s", "state"]


def write(rows: list[Row], workshop, both: bool):
    table = [COLUMNS] + [cells(row) for row in rows]
    widths = [max(len(line[column]) for line in table) for column in range(len(COLUMNS))]
    print()
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    print()
    for row in rows:
        if row.claim:
            for reason in row.claim.declined:
                print(f"{row.application.name} declined: {reason}")
    for row in rows:
        if row.stripped and row.stripped.content:
            bits = len(row.after.content.setuid)
            print(f"{row.application.name} stripped: {bits} -> {len(row.stripped.content.setuid)} files with set-uid bits,"
                  f" {' '.join(row.after.content.package_managers) or 'no package manager'}"
                  f" -> {' '.join(row.stripped.content.package_managers) or 'no package manager'}")  # fmt: skip
    write_services(rows)
    built = sum(row.before.built and row.before.answered for row in rows)
    print(f"\n{len(rows)} apps: {built} built and answered before", end="")
    if both:
        after = [row for row in rows if row.after and row.after.answered and row.is_good()]
        rungs = [rung(row.after) for row in after]
        print(f", {len(after)} built and answered after, rung >= 3: {sum(reached >= 3 for reached in rungs)}", end="")
        print(f", rung >= 4: {sum(reached >= 4 for reached in rungs)}", end="")
        below = [f"{row.application.name} ({rung(row.after)} of {row.application.rung})"
                 for row in after if rung(row.after) < row.application.rung]  # fmt: skip
        if below:
            print(f"\nbelow the rung that check.toml expects: {', '.join(below)}", end="")
    print()
    differing = {workshop.by_tag[tag].name: workshop.by_tag[tag].differs
                 for row in rows for tag in row.application.stand_ins if workshop.by_tag[tag].differs}  # fmt: skip
    print("\nBase images are stand-ins with Debian's versions, whatever their tags say:")
    for name, differs in sorted(differing.items()):
        print(f"  {name}: {differs}")


def write_services(rows: list[Row]):
    """What the services of compose files run with, as the kernel has it."""
    started = [(row, name) for row in rows for name in row.before.services]
    if started:
        print()
    for row, name in started:
        sides = [side.services[name] for side in (row.before, row.after) if side and name in side.services]
        states = [f"{side.confinement} ({'answers' if side.answered else 'FAILED'})" for side in sides]
        print(f"{row.application.name} service {name}: {' -> '.join(states)}")
    if started:
        answered = sum(bool(row.after) and name in row.after.services and row.after.services[name].answered for row, name in started)
        print(f"{len(started)} services of compose files, {answered} answer with their hardened options")


def cells(row: Row) -> list[str]:
    sides = [row.before] + ([row.after] if row.after else [])

    def both(value) -> str:
        return " -> ".join("?" if side.content is None else str(value(side)) for side in sides)

    return [
        row.application.name,
        both(rung),
        both(lambda side: "-" if side.user is None else side.user),
        both(lambda side: side.content.megabytes),
        both(lambda side: side.content.files),
        both(lambda side: len(side.content.shells)),
        both(lambda side: len(side.content.setuid)),
        f"{row.seconds:.0f}",
        "ok" if row.is_good() else row.complaints()[0].splitlines()[0][:60],
    ]


def record(row: Row) -> dict:
    def side(outcome: Outcome | None):
        return outcome and asdict(outcome) | {"rung": rung(outcome) if outcome.content else None}

    return {
        "application": row.application.name,
        "stack": row.application.stack,
        "before": side(row.before),
        "after": side(row.after),
        "stripped": side(row.stripped),
        "claim": row.claim and asdict(row.claim),
        "complaints": row.complaints(),
        "seconds": round(row.seconds, 1),
    }
