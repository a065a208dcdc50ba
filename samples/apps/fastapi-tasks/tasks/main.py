import json
import os
from pathlib import Path

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

STORE = Path(os.environ.get("TASKS_FILE", "data/tasks.json"))

app = FastAPI(title="Tasks")


class Task(BaseModel):
    title: str = Field(min_length=1, max_length=200)
    done: bool = False


def read() -> list[dict]:
    return json.loads(STORE.read_text()) if STORE.exists() else []


def write(tasks: list[dict]) -> None:
    STORE.parent.mkdir(parents=True, exist_ok=True)
    STORE.write_text(json.dumps(tasks))


@app.get("/tasks")
def tasks() -> list[Task]:
    return [Task(**task) for task in read()]


@app.post("/tasks", status_code=201)
def add(task: Task) -> dict[str, int]:
    every = read() + [task.model_dump()]
    write(every)
    return {"number": len(every)}


@app.put("/tasks/{number}/done")
def finish(number: int) -> Task:
    every = read()
    if not 0 < number <= len(every):
        raise HTTPException(404, "no such task")
    every[number - 1]["done"] = True
    write(every)
    return Task(**every[number - 1])
