"""Keeps a list of errands in a database beside the program."""

import sqlite3
from pathlib import Path

from bottle import post, request, response, route, run

DATABASE = Path(__file__).parent / "errands.db"


def opened():
    connection = sqlite3.connect(DATABASE)
    connection.execute("CREATE TABLE IF NOT EXISTS errand (text TEXT)")
    return connection


@route("/")
def index():
    with opened() as connection:
        rows = connection.execute("SELECT text FROM errand ORDER BY rowid").fetchall()
    return {"errands": [text for (text,) in rows]}


@post("/errands")
def add():
    with opened() as connection:
        connection.execute("INSERT INTO errand VALUES (?)", (request.forms.get("text"),))
    (Path.home() / ".errands-history").open("a").write("added\n")
    response.status = 201
    return {"added": True}


run(host="0.0.0.0", port=8080)
