"""Tells tomorrow's temperature from today's, with a model that only its owners can decrypt."""

from wsgiref.simple_server import make_server
import json
import pathlib

MODEL = json.loads(pathlib.Path(__file__).with_name("model.json").read_text())


def application(environ, start_response):
    try:
        today = float(environ["PATH_INFO"].strip("/"))
    except ValueError:
        start_response("400 Bad Request", [("Content-Type", "text/plain")])
        return [b"a number, please\n"]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"tomorrow": MODEL["intercept"] + MODEL["slope"] * today}).encode()]


if __name__ == "__main__":
    with make_server("", 8081, application) as server:
        server.serve_forever()
