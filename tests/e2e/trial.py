"""Builds an application, starts it, asks what its `check.toml` says, and tells what it saw."""

import re
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import compose
from application import Application, Ask
from compose import Confinement, Service
from content import Content
from engine import Container, Engine, Failure

READY_WITHIN = 30
# What differs between two starts of the same program.
MASKS = [
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b[0-9a-f]{12,}\b"), "<hex>"),
]


@dataclass
class Answer:
    status: int
    type: str
    body: str

    def masked(self) -> "Answer":
        body = self.body
        for pattern, replacement in MASKS:
            body = pattern.sub(replacement, body)
        return Answer(self.status, self.type, body)


@dataclass
class Outcome:
    """What came of one side. `trouble` is empty when everything was as `check.toml` says."""

    built: bool = False
    answered: bool = False
    user: int | None = None
    healthy: bool | None = None
    answers: list[Answer] = field(default_factory=list)
    content: Content | None = None
    trouble: list[str] = field(default_factory=list)
    # Of a service only, and of an application one for each service of its compose file.
    confinement: Confinement | None = None
    services: dict[str, "Outcome"] = field(default_factory=dict)


def build(engine: Engine, application: Application, context: Path, tag: str):
    """As the Dockerfile is written; a build argument that has become a secret is given as one."""
    text = (context / "Dockerfile").read_text()
    args, secrets = {}, {}
    with tempfile.TemporaryDirectory() as directory:
        for name, value in application.build_args.items():
            identifiers = [found for found in mounted_secrets(text) if alike(found, name)]
            for identifier in identifiers:
                secrets[identifier] = Path(directory) / identifier
                secrets[identifier].write_text(value)
            if re.search(rf"(?m)^\s*ARG\s+(\S+\s+)*{name}\b", text):
                args[name] = value
        engine.build(context, tag, args=args, secrets=secrets)


def mounted_secrets(dockerfile: str) -> set[str]:
    return set(re.findall(r"--mount=type=secret,(?:\S*,)?id=([\w.-]+)", dockerfile))


def alike(one: str, other: str) -> bool:
    return re.sub(r"[^a-z0-9]", "", one.lower()) == re.sub(r"[^a-z0-9]", "", other.lower())


def start_and_ask(engine: Engine, application: Application, image: str, outcome: Outcome, volume: str | None):
    volumes = [(volume, application.volume)] if volume else []
    if application.job:
        run_job(engine, application, image, outcome, volumes)
        return
    with engine.running(image, env=application.env, volumes=volumes) as container:
        ask_all(application, container, outcome)


def start_services(engine: Engine, application: Application, context: Path, image: str, outcome: Outcome):
    """Every service of the compose file promises what the application does, with new volumes."""
    for service in compose.services(context):
        found = outcome.services[service.name] = Outcome()
        try:
            start_service(engine, application, service, image, found)
        except (Failure, ValueError) as failure:
            found.trouble.append(str(failure))
        outcome.trouble += [f"service `{service.name}`: {trouble}" for trouble in found.trouble]
    outcome.answered = not outcome.trouble


def start_service(engine: Engine, application: Application, service: Service, image: str, outcome: Outcome):
    prefix = f"e2e-compose-{application.name}-"
    compose.remove_volumes(engine, service, prefix)
    given = dict(
        env=service.environment() | application.env,
        volumes=service.volumes(prefix),
        options=service.options(),
        args=service.command(),
    )
    with engine.running(service.image(image), **given) as container:
        outcome.confinement = compose.confinement(container)
        ask_all(application, container, outcome)


def ask_all(application: Application, container: Container, outcome: Outcome):
    try:
        outcome.user = container.user()
        wait_until_ready(application, container)
        outcome.answers = [ask(application, container, request) for request in application.asks]
        for request, answer in zip(application.asks, outcome.answers):
            outcome.trouble += complaints(request, answer)
        for look in application.looks:
            outcome.trouble += await_file(container, look.file, look.contains)
        if outcome.content and outcome.content.health:
            outcome.healthy = container.health()
            outcome.trouble += [] if outcome.healthy else ["the health check fails"]
        if container.state()[0] != "running":
            outcome.trouble.append("it ended while it was asked")
    except Failure as failure:
        outcome.trouble.append(str(failure))
    if outcome.trouble:
        outcome.trouble.append("its log ends with:\n" + container.logs())
    outcome.answered = not outcome.trouble


def run_job(engine: Engine, application: Application, image: str, outcome: Outcome, volumes: list[tuple[str, str]]):
    job = application.job
    with engine.running(image, env=application.env, volumes=volumes, args=job.args) as container:
        outcome.user = container.user()
        code = container.wait(timeout=60)
        output = container.logs()
        outcome.answers = [Answer(code, "", output)]
        if code != job.exit:
            outcome.trouble.append(f"it ended with {code}, not {job.exit}:\n{output}")
        elif job.prints not in output:
            outcome.trouble.append(f"it does not print `{job.prints}` but:\n{output}")
    outcome.answered = not outcome.trouble


def wait_until_ready(application: Application, container: Container):
    if not application.asks:
        return
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        probe = container.curl(f"http://127.0.0.1:{application.port}{application.asks[0].path}")
        if probe.returncode == 0:
            return
        status, code = container.state()
        if status != "running":
            raise Failure(f"it ended with {code} before it listened on port {application.port}")
        time.sleep(0.1)
    raise Failure(f"nothing listens on port {application.port} after {READY_WITHIN} s")


def ask(application: Application, container: Container, request: Ask) -> Answer:
    result = container.curl(*request.words(application.port), input=request.body.encode())
    if result.returncode != 0:
        raise Failure(f"{request.path}: curl ended with {result.returncode}")
    head, _, body = final_response(result.stdout.decode(errors="replace"))
    lines = head.splitlines()
    kinds = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("content-type:")]
    return Answer(int(lines[0].split()[1]), kinds[-1] if kinds else "", body)


def final_response(text: str) -> tuple[str, str, str]:
    """Head and body without the `100 Continue` before them."""
    head, separator, body = text.partition("\r\n\r\n")
    if re.match(r"HTTP/\S+ 100\b", head):
        return body.partition("\r\n\r\n")
    return head, separator, body


def complaints(request: Ask, answer: Answer) -> list[str]:
    if answer.status != request.status:
        return [f"{request.path}: status {answer.status}, not {request.status}: {answer.body[:300]}"]
    if request.contains not in answer.body:
        return [f"{request.path}: no `{request.contains}` in: {answer.body[:300]}"]
    return []


def await_file(container: Container, path: str, contains: str) -> list[str]:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and container.state()[0] == "running":
        content = container.file(path)
        if content is not None and contains in content.decode(errors="replace"):
            return []
        time.sleep(0.1)
    return [f"{path} is not there or lacks `{contains}`"]


def differences(application: Application, before: Outcome, after: Outcome) -> list[str]:
    """Where two sides answer differently, dates and numbers of instances aside."""
    found = []
    requests = application.asks or [Ask(get="the job")]
    for request, one, other in zip(requests, before.answers, after.answers):
        one, other = one.masked(), other.masked()
        if one.type != other.type:
            found.append(f"{request.path}: content type {one.type} is now {other.type}")
        if not request.varies and one.body != other.body:
            found.append(f"{request.path}: `{one.body[:200]}` is now `{other.body[:200]}`")
    if before.healthy and after.healthy is None:
        found.append("the health check is gone")
    for name, service in before.services.items():
        other = after.services.get(name)
        more = differences(application, service, other) if other else ["it is gone"]
        if other and other.confinement == service.confinement:
            more = more + ["it is confined no better"]
        found += [f"service `{name}`: {difference}" for difference in more]
    return found
