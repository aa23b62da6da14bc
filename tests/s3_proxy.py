"""A proxy in front of an S3 server, which spoils what a test asks for. Tests nothing."""

import http.client
import threading
from collections import deque
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_DROPPED = {"connection", "transfer-encoding", "content-length", "date", "server"}


class Proxy:
    """What to spoil, and what was asked for."""

    def __init__(self, port):
        self.port = port
        self.spoils = deque()
        """For each of the next writes of a page: `500 after` it, `cut after` it, `cut before` it, `503 before` it, a
        whole answer (a status and a body) instead of it, or None."""
        self.asked = []
        self.deny = lambda method, path: None
        """An answer instead of that of the server."""
        self.strip = False
        """Hide the conditions of writes from the server."""
        self.answers = threading.Event()
        """Cleared, nothing is answered any more until it is set."""
        self.answers.set()
        self.guard = threading.Lock()


@contextmanager
def proxy_of(port):
    """Yield a proxy in front of the server at a port, and where it listens."""
    proxy = Proxy(port)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(proxy))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield proxy, f"http://127.0.0.1:{server.server_port}"
    finally:
        proxy.answers.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(proxy):
    methods = ("GET", "PUT", "POST", "DELETE", "HEAD")
    return type("Handler", (_Handler,), {"proxy": proxy} | {f"do_{method}": _Handler.pass_on for method in methods})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        is_page = self.command == "PUT" and self.path.endswith("/state.json")
        with self.proxy.guard:
            self.proxy.asked.append((self.command, self.path, len(body)))
            spoil = self.proxy.spoils.popleft() if is_page and self.proxy.spoils else None
        if not self.proxy.answers.is_set():
            self.proxy.answers.wait()
            self.cut()
            return
        answer = self.proxy.deny(self.command, self.path) or (spoil if isinstance(spoil, tuple) else None)
        if answer is not None:
            self.answer(answer[0], {}, answer[1])
        elif spoil == "cut before":
            self.cut()
        elif spoil == "503 before":
            self.answer(503, {}, b"<Error><Code>SlowDown</Code></Error>")
        else:
            self.spoil(spoil, *self.forwarded(body))

    def spoil(self, spoil, status, headers, content):
        if spoil == "cut after":
            self.cut()
        elif spoil == "500 after":
            self.answer(500, {}, b"<Error><Code>InternalError</Code></Error>")
        else:
            self.answer(status, headers, content)

    def forwarded(self, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.port)
        hidden = {"if-match", "if-none-match"} if self.proxy.strip else set()
        headers = {name: value for name, value in self.headers.items() if name.lower() not in hidden}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), content

    def answer(self, status, headers, content):
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in _DROPPED:
                self.send_header(name, value)
        length = next((value for name, value in headers.items() if name.lower() == "content-length"), len(content))
        self.send_header("content-length", length if self.command == "HEAD" else len(content))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def cut(self):
        self.close_connection = True
        self.connection.close()

    def log_message(self, *_):
        pass
