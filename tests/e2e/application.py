"""What `check.toml` of an application says: how it is built and started, and what it must answer."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Ask:
    """One request over HTTP. The body is compared before and after unless `varies`."""

    get: str | None = None
    post: str | None = None
    body: str = ""
    type: str = "application/x-www-form-urlencoded"
    upload: str | None = None
    status: int = 200
    contains: str = ""
    varies: bool = False

    @property
    def path(self) -> str:
        return self.get or self.post

    def words(self, port: int) -> list[str]:
        url = f"http://127.0.0.1:{port}{self.path}"
        if self.get is not None:
            return [url]
        if self.upload is not None:
            field_name, _, name = self.upload.partition("=")
            return ["--form", f"{field_name}=@-;filename={name};type=text/plain", url]
        return ["--request", "POST", "--header", f"Content-Type: {self.type}", "--data-binary", self.body, url]


@dataclass
class Look:
    """A file that the running container has written."""

    file: str
    contains: str = ""


@dataclass
class Job:
    """A container that ends by itself: its code, and what it prints or leaves in a volume."""

    exit: int = 0
    args: list[str] = field(default_factory=list)
    prints: str = ""


@dataclass
class Application:
    directory: Path
    stack: str
    rung: int
    stand_ins: list[str]
    shows: str = ""
    port: int | None = None
    env: dict[str, str] = field(default_factory=dict)
    build_args: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    volume: str | None = None
    asks: list[Ask] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    job: Job | None = None
    strip: bool = False

    @property
    def name(self) -> str:
        return self.directory.name


def load(directory: Path) -> Application:
    table = tomllib.loads((directory / "check.toml").read_text())
    asks = [Ask(**entry) for entry in table.pop("ask", [])]
    looks = [Look(**entry) for entry in table.pop("look", [])]
    job = Job(**table.pop("job")) if "job" in table else None
    fields = {name.replace("-", "_"): value for name, value in table.items()}
    return Application(directory=directory, asks=asks, looks=looks, job=job, **fields)


def load_all(directory: Path) -> list[Application]:
    return [load(file.parent) for file in sorted(directory.glob("*/check.toml"))]
