"""A strict server of Terraform's HTTP state protocol, in a process of its own, that can be told to fail. Tests nothing.

Written from the published behaviour of three servers, told apart by the path of a state:

- GitLab (`/api/v4/projects/ID/terraform/state/NAME`): POST and DELETE on `NAME/lock`; a serial is taken once (422),
  all versions are kept (`NAME/versions/SERIAL`), a wrong lock is an unhandled error (500), and a lock in the way
  is told with the `Info` and `Operation` of who asks. Project 404 does not exist. Under `/open`, nobody has to say who
  they are.
- Gitea (`/api/packages/OWNER/terraform/state/NAME`): looks at all that a state of Terraform has; 423 with the lock.
- A plain one (`/plain/NAME`): LOCK and UNLOCK; writes are taken from the holder of the lock, serials are not looked at.
  `/lax/NAME` does not even look at the lock.
"""

import base64
import hashlib
import json
import re
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

USER, TOKEN, READER = "ci", "glpat-Canary/4711+x", "glpat-Reader-0815"
LARGEST = 4 * 1024 * 1024
LOCK_KEYS = ("ID", "Operation", "Info", "Who", "Version", "Created", "Path")
_GITLAB = re.compile(r"(/open)?/api/v4/projects/([^/]+)/terraform/state/([^/]+)(/lock|/versions/\d+)?")
_GITEA = re.compile(r"(/open)?/api/packages/([^/]+)/terraform/state/([^/]+)(/lock|/versions/\d+)?")
_PLAIN = re.compile(r"/(plain|lax)/([^/]+)")


class TerraformServer:
    """The running server, as tests see it."""

    def __init__(self):
        self._process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
        self.port = int(self._process.stdout.readline())
        self.root = f"http://127.0.0.1:{self.port}"

    def place(self, key):
        """Return a place, as a manifest names it, that is empty and that no other key gives."""
        return f"{self.root}/open/api/v4/projects/1/terraform/state/{key}"

    def through(self, port, key):
        """Return the place of a key, reached at another port of this machine."""
        return self.place(key).replace(f":{self.port}/", f":{port}/")

    def fail(self, url, what, *, method="POST", times=1, skip=0, **more):
        """Let the next requests to a URL fail: see `Handler.misbehave`."""
        path = urlsplit(url).path
        self._control({"path": path, "method": method, "what": what, "times": times, "skip": skip, **more})

    def relent(self, url):
        """Let no request to a URL fail any more."""
        self._control({"clear": urlsplit(url).path})

    def seen(self, url):
        """Return the requests for a URL so far, as (method, target, headers)."""
        return self._control({"seen": urlsplit(url).path})

    def kept(self, url):
        """Return the versions of a state by serial, newest first, and its lock."""
        return self._control({"kept": urlsplit(url).path})

    def close(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def _control(self, wanted):
        request = urllib.request.Request(f"{self.root}/control", json.dumps(wanted).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


@dataclass
class State:
    """A state: its versions by serial in the order of their coming, and its lock."""

    versions: dict = field(default_factory=dict)
    latest: bytes | None = None
    lock: dict | None = None
    row: bool = False


STATES, FAULTS, SEEN = {}, [], []
GUARD = threading.RLock()


def state_at(path):
    return STATES.setdefault(re.sub("/lock$|/versions/[0-9]+$", "", path), State())


def version_of(state, path):
    content = state.versions.get(int(path.rpartition("/")[2]))
    return (404, {"message": "404 Not found"}) if content is None else (200, content)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "nginx"
    disable_nagle_algorithm = True  # head and body are written one after the other

    def log_message(self, *_):
        pass

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (ConnectionError, ValueError):
            self.close_connection = True

    def parse_request(self):
        if not super().parse_request():
            return False
        setattr(self, f"do_{self.command}", self.serve)
        return True

    def serve(self):
        self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
        url = urlsplit(self.path)
        self.where, self.query = url.path, dict(parse_qsl(url.query, keep_blank_values=True))
        if self.where == "/control":
            self.control(json.loads(self.body))
            return
        with GUARD:
            SEEN.append((self.command, self.path, dict(self.headers)))
            fault = self.fault()
        if fault is None:
            self.answer(*self.handle_state())
        else:
            self.misbehave(fault["what"], fault)

    def control(self, wanted):
        with GUARD:
            if "seen" in wanted:
                found = [entry for entry in SEEN if urlsplit(entry[1]).path == wanted["seen"]]
            elif "kept" in wanted:
                state = state_at(wanted["kept"])
                found = {"versions": sorted(state.versions, reverse=True), "lock": state.lock}
            elif "clear" in wanted:
                FAULTS[:] = [fault for fault in FAULTS if fault["path"] != wanted["clear"]]
                found = None
            else:
                FAULTS.append(wanted)
                found = None
        self.answer(200, found)

    def fault(self):
        for fault in FAULTS:
            if fault["path"] == self.where and fault["method"] == self.command and fault["times"] > 0:
                if fault["skip"] > 0:
                    fault["skip"] -= 1
                    return None
                fault["times"] -= 1
                return fault
        return None

    def misbehave(self, what, fault):
        """Fail as it was asked for: `cut within` breaks off in the middle of the answer, after the write."""
        if what in {"500 after", "cut after", "cut within", "html after", "slow"}:
            time.sleep(fault.get("seconds", 0))
            status, value, *headers = self.handle_state()
        match what:
            case "500 before" | "500 after":
                self.answer(500, {"message": "500 Internal Server Error"})
            case "cut before" | "cut after":
                self.close_connection = True
            case "cut within":
                self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
                self.close_connection = True
            case "slow":
                self.answer(status, value, *headers)
            case "html" | "html after":
                self.answer(200, b"<!DOCTYPE html><title>Sign in</title>", {"content-type": "text/html"})
            case "broken lock":
                self.answer(409, b'{"ID": "', {"content-type": "application/json"})
            case "status":
                self.answer(
                    fault["status"],
                    fault["text"].encode() if "text" in fault else fault.get("body", ""),
                    fault.get("headers", {}),
                )
            case "undated":
                status, value, *_ = self.handle_state()
                self.answer(status, value, {"date": ""})

    def answer(self, status, value=None, headers=None):
        content = (
            value
            if isinstance(value, bytes)
            else b""
            if value is None and status != 200
            else json.dumps(value).encode()
        )
        given = {"content-type": "application/json", "date": self.date_time_string(), **(headers or {})}
        self.send_response_only(status)
        for name, text in given.items():
            if text:
                self.send_header(name, text)
        if status != 204:
            self.send_header("content-length", str(len(content)))
        self.end_headers()
        if status != 204 and self.command != "HEAD":
            self.wfile.write(content)

    def handle_state(self):
        """Return the status, the content and the headers of the answer."""
        for form, serve in ((_GITLAB, self.gitlab), (_GITEA, self.gitea), (_PLAIN, self.plain)):
            if found := form.fullmatch(self.where):
                with GUARD:
                    return serve(state_at(self.where), *found.groups())
        return 404, b"<html>404</html>", {"content-type": "text/html"}

    def user(self):
        scheme, _, coded = self.headers.get("authorization", "").partition(" ")
        if scheme != "Basic":
            return None
        token = base64.b64decode(coded).decode().partition(":")[2]
        return {TOKEN: "maintainer", READER: "developer"}.get(token)

    def malformed(self):
        """Return what is wrong with the bytes of a body, as a server that checks them says it."""
        digest = self.headers.get("content-md5")
        if digest != base64.b64encode(hashlib.md5(self.body).digest()).decode():
            return "Content-MD5 does not match"
        try:
            json.loads(self.body)
        except ValueError:
            return "Problem while parsing request body"
        return None

    def gitlab(self, state, opened, project, _, lock):
        user = "maintainer" if opened else self.user()
        if user is None:
            return 401, {"message": "401 Unauthorized"}
        if project == "404":
            return 404, {"message": "404 Project Not Found"}
        if self.command in {"GET", "HEAD"}:
            return version_of(state, lock) if lock else self.gitlab_read(state)
        if user != "maintainer":
            return 403, {"message": "403 Forbidden"}
        if self.body and (wrong := self.malformed()):
            return 400, {"error": wrong}
        given = json.loads(self.body) if self.body else {}
        given = {**self.query, **given} if isinstance(given, dict) else self.query
        if len(given.get("ID") or "") > 255:
            return 400, {"error": "ID is too long (maximum is 255 characters)"}
        match self.command, bool(lock):
            case "POST", False:
                return self.gitlab_write(state, given)
            case "POST", True:
                return self.gitlab_lock(state, given)
            case "DELETE", True:
                identifier = given.get("ID")
                if identifier is not None and (state.lock or {}).get("ID") != identifier:
                    return 409, None
                state.lock = None
                return 200, None
        return 405, {"error": "405 Not Allowed"}

    def gitlab_read(self, state):
        if not state.row:
            return 404, {"message": "404 Not found"}
        if state.latest is None:
            return 204, None
        return 200, state.latest, {"etag": f'W/"{hashlib.sha256(state.latest).hexdigest()[:32]}"'}

    def gitlab_write(self, state, given):
        if not self.body:
            return 204, None
        if len(self.body) > LARGEST:
            return 413, {"message": "413 Request Entity Too Large"}
        state.row = True
        if (state.lock or {}).get("ID") != given.get("ID"):
            return 500, {"message": "500 Internal Server Error"}
        serial = given.get("serial")
        if type(serial) is not int:
            return 422, {"message": "PG::NotNullViolation: version"}
        if serial in state.versions:
            said = f"(terraform_state_id, version)=(1, {serial}) already exists."
            return 422, {"message": f"PG::UniqueViolation: ERROR: duplicate key value. DETAIL: Key {said}"}
        state.versions[serial] = self.body
        state.latest = state.versions[max(state.versions)]
        return 200, None

    def gitlab_lock(self, state, given):
        for key in LOCK_KEYS:
            if not isinstance(given.get(key), str):
                return 400, {"error": f"{key} is missing"}
        status = 200 if state.lock is None else 409
        if status == 200:
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            state.lock = {"ID": given["ID"], "Who": USER, "Created": now}
        state.row = True
        return status, {**{key: given[key] for key in ("Operation", "Info", "Version", "Path")}, **state.lock}

    def gitea(self, state, opened, _, __, lock):
        if not opened and self.user() != "maintainer":
            return 401, b"reqPackageAccess", {"content-type": "text/plain"}
        if self.command == "GET" and lock:
            return version_of(state, lock)
        match self.command, bool(lock):
            case "GET" | "HEAD", False:
                return (404, b"") if state.latest is None else (200, state.latest)
            case "POST", False:
                return self.gitea_write(state)
            case "POST", True:
                if not json.loads(self.body).get("ID"):
                    return 400, b"terraform lock is missing an ID", {"content-type": "text/plain"}
                if state.lock is not None:
                    return 423, state.lock
                state.lock = json.loads(self.body)
                return 200, b""
            case "DELETE", True:
                if state.lock is not None and json.loads(self.body)["ID"] != state.lock["ID"]:
                    return 423, b"lock ID mismatch", {"content-type": "text/plain"}
                state.lock = None
                return 200, b""
        return 405, b""

    def gitea_write(self, state):
        plain = {"content-type": "text/plain"}
        if state.lock is not None and state.lock["ID"] != self.query.get("ID"):
            return 423, state.lock
        given = json.loads(self.body)
        if given.get("version") != 4 or not all(given.get(key) for key in ("serial", "terraform_version", "lineage")):
            return 400, b"state is not supported", plain
        if given.get("resources") is None or given.get("outputs") is None:
            return 400, b"state resources are missing", plain
        if given["serial"] in state.versions:
            return 409, b"package file already exists", plain
        state.versions[given["serial"]] = state.latest = self.body
        return 201, b""

    def plain(self, state, kind, _):
        if self.command not in {"GET", "HEAD"} and (wrong := self.malformed()):
            return 400, wrong.encode(), {"content-type": "text/plain"}
        match self.command:
            case "GET" | "HEAD":
                return (404, b"") if state.latest is None else (200, state.latest)
            case "POST" | "PUT":
                return self.plain_write(state, kind)
            case "LOCK":
                if state.lock is not None:
                    return 423, state.lock
                state.lock = json.loads(self.body)
                return 200, b""
            case "UNLOCK":
                if state.lock is not None and json.loads(self.body).get("ID") != state.lock["ID"]:
                    return 423, state.lock
                state.lock = None
                return 200, b""
        return 405, b""

    def plain_write(self, state, kind):
        identifier = self.query.get("ID")
        if state.lock is not None and kind == "plain":
            if identifier is None:
                return 400, b"missing ID", {"content-type": "text/plain"}
            if identifier != state.lock["ID"]:
                return 423, state.lock
        state.versions[len(state.versions) + 1] = state.latest = self.body
        return 200, b""


def main():
    ThreadingHTTPServer.daemon_threads = True
    ThreadingHTTPServer.request_queue_size = 128
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
