"""Answers /<one>/<other> with the distance of the two words."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from . import edit_distance


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        words = [unquote(part) for part in self.path.split("/")[1:]]
        if len(words) != 2:
            self.send_error(404)
            return
        body = f"{edit_distance(words[0].encode(), words[1].encode())}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        print(format % args, file=sys.stderr)


ThreadingHTTPServer(("", 9090), Handler).serve_forever()
