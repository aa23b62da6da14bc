"""moto's S3 server, in a process of its own: a bucket for each server, a prefix for each state. Tests nothing."""

import os
import subprocess
import sys
import urllib.request

BUCKET = "states"
for _name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
    os.environ.setdefault(_name, "testing")  # so that every process of a test has them, whenever it was started
_SERVES = """
import io, sys, threading
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

moto, turn = DomainDispatcherApplication(create_backend_app), threading.Lock()

class Quiet(WSGIRequestHandler):
    def log_request(self, *_): pass

def one_at_a_time(environ, start):
    # moto looks at a condition first and writes then: two at once could both be let through, which S3 never does
    environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
    with turn:
        return list(moto(environ, start))

server = make_server("127.0.0.1", 0, one_at_a_time, threaded=True, request_handler=Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
"""


class S3Server:
    """A running server, and its bucket."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVES],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.port = int(self._process.stdout.readline())
        self.endpoint = f"http://127.0.0.1:{self.port}"
        make_bucket(self.endpoint, BUCKET)

    def place(self, key):
        """Return a place, as a manifest names it, that is empty and that no other key gives."""
        return place_at(self.endpoint, key)

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.kill()
        self._process.wait()


def place_at(endpoint, key, bucket=BUCKET):
    """Return the place of a state at an endpoint."""
    return f"s3://{bucket}/{key}?endpoint={endpoint}&region=us-east-1"


def make_bucket(endpoint, bucket):
    request = urllib.request.Request(f"{endpoint}/{bucket}", method="PUT")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
