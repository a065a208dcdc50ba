import os
import sqlite3

from flask import Flask, abort, g, redirect, render_template, request, send_from_directory, url_for
from werkzeug.utils import secure_filename

BASE = os.path.dirname(os.path.abspath(__file__))
DATABASE = os.path.join(BASE, "notes.db")
UPLOADS = os.path.join(BASE, "uploads")

app = Flask(__name__)
app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY", "")
app.config["MAX_CONTENT_LENGTH"] = 4 * 1024 * 1024


def database():
    if "database" not in g:
        g.database = sqlite3.connect(DATABASE)
        g.database.row_factory = sqlite3.Row
    return g.database


@app.teardown_appcontext
def close_database(_error):
    connection = g.pop("database", None)
    if connection is not None:
        connection.close()


def prepare():
    os.makedirs(UPLOADS, exist_ok=True)
    with sqlite3.connect(DATABASE) as connection:
        connection.execute("create table if not exists notes (id integer primary key, text text not null)")


@app.get("/")
def index():
    notes = database().execute("select id, text from notes order by id").fetchall()
    return render_template("index.html", notes=notes, files=sorted(os.listdir(UPLOADS)))


@app.post("/notes")
def add_note():
    text = request.form.get("text", "").strip()
    if not text:
        abort(400)
    with database() as connection:
        connection.execute("insert into notes (text) values (?)", (text,))
    return redirect(url_for("index"))


@app.post("/upload")
def upload():
    file = request.files.get("file")
    if file is None or not file.filename:
        abort(400)
    name = secure_filename(file.filename)
    file.save(os.path.join(UPLOADS, name))
    return {"stored": name}, 201


@app.get("/uploads/<path:name>")
def uploaded(name):
    return send_from_directory(UPLOADS, name)


@app.get("/health")
def health():
    database().execute("select 1")
    return {"status": "ok"}


prepare()

if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
