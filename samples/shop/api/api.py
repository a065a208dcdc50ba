import os

import psycopg2
from flask import Flask, jsonify

app = Flask(__name__)


@app.get("/orders")
def orders():
    with psycopg2.connect(os.environ["DATABASE_URL"]) as connection:
        cursor = connection.cursor()
        cursor.execute("select id, total from orders order by id")
        return jsonify([{"id": id, "total": total} for id, total in cursor])
