"""A pull request from its comment to its merge, with a GitHub that is played on this machine."""

import json
import subprocess
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

import pytest
from hosting_doubles import GitHubDouble

from taskspec.taskapi.messages import Request, Response

TOKEN = "gh-canary-token-4711"
PROJECT = """\
apiVersion: taskspec/v1
kind: Project
metadata: {name: shop}
spec: {agents: {cat: {command: [cat]}, bad: {command: [sh, -c, 'echo "no ink, says @ada" >&2; exit 3']}}}
---
apiVersion: taskspec/v1
kind: Task
metadata: {name: letter}
spec:
  agent: AGENT
  prompt: |
    Dear PERSON,
    the sun shines.
"""


class Hosting(GitHubDouble):
    """A repository, its jobs, and the platform that has its pull request."""

    def __init__(self, workspace):
        super().__init__()
        self.workspace, self.folder = workspace, workspace.folder
        self.is_read_only = False
        self.keys = set()
        self.git("init", "-q", "-b", "main")

    def git(self, *words):
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        done = subprocess.run(["git", *identity, *words], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, person, agent="cat"):
        self.workspace.write("taskspec.yaml", PROJECT.replace("PERSON", person).replace("AGENT", agent))
        self.workspace.write(".gitignore", ".taskspec/\nresults/\n")
        self.git("add", "-A")
        self.git("commit", "-qm", "change")
        return self.git("rev-parse", "HEAD")

    @contextmanager
    def serving(self):
        """Answer on a port of this machine."""
        double = self

        class Desk(BaseHTTPRequestHandler):
            def _answer(self):
                double.keys.add(self.headers["authorization"])
                content = self.rfile.read(int(self.headers.get("content-length") or 0))
                parts = urlsplit(self.path)
                query = tuple(parse_qsl(parts.query))
                if double.is_read_only and self.command != "GET":
                    found = Response(status=403, content=b'{"message": "Resource not accessible by integration"}')
                else:
                    asked = Request(method=self.command, path=parts.path, query=query, content=content or None)
                    found = double.answer(asked)
                self.send_response(found.status)
                self.send_header("content-length", str(len(found.content)))
                self.end_headers()
                self.wfile.write(found.content)

            do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815

            def log_message(self, *_):
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Desk) as server:
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/api/v3"
            finally:
                server.shutdown()
                thread.join()

    def job(self, event, *arguments, **environ):
        """Run the job of an event; see that the token is told nobody else."""
        files = {name: self.folder.parent / name for name in ("summary.md", "output.txt")}
        for path in files.values():
            path.unlink(missing_ok=True)
        head = {"sha": self.git("rev-parse", "HEAD"), "repo": {"full_name": "acme/growth"}}
        base = {"sha": self.git("rev-parse", "main")}
        told = {"pull_request": {"number": 7, "base": base, "head": head}, "repository": {"full_name": "acme/growth"}}
        path = self.folder.parent / "event.json"
        path.write_text(json.dumps(told))
        with self.serving() as url:
            given = {
                "GITHUB_ACTIONS": "true",
                "GITHUB_EVENT_NAME": event,
                "GITHUB_EVENT_PATH": str(path),
                "GITHUB_BASE_REF": "main" if event == "pull_request" else "",
                "GITHUB_REPOSITORY": "acme/growth",
                "GITHUB_SHA": head["sha"],
                "TASKSPEC_STATE": "local",  # the folder stays
                "GITHUB_ACTOR": "ada",
                "GITHUB_API_URL": url,
                "GITHUB_TOKEN": TOKEN,
                "GITHUB_STEP_SUMMARY": str(files["summary.md"]),
                "GITHUB_OUTPUT": str(files["output.txt"]),
            }
            done = self.workspace.taskspec("reconcile", *arguments, **{**given, **environ})
        self.summary, self.output = (path.read_text("utf-8") for path in files.values())
        assert TOKEN not in done.out + done.err + self.summary + self.output
        return done


@pytest.fixture
def hosting(workspace):
    return Hosting(workspace)


def test_a_pull_request_is_commented_on_and_its_comment_becomes_what_its_merge_did(hosting):
    hosting.commit("Ada")
    done = hosting.job("push")
    assert done.code == 0, done
    assert "there is nothing to comment on" in done.err
    assert hosting.summary.startswith("### ✅ Done · shop: 1 run started, 1 accepted")

    hosting.git("switch", "-qc", "feature")
    hosting.commit("Grace")
    done = hosting.job("pull_request")
    assert done.code == 0, done
    (comment,) = hosting.bodies
    assert comment.startswith("<!-- taskspec shop/default 1 -->\n### 📝 To be done · shop: starts 1 run")
    assert "```diff\n-Dear Ada,\n+Dear Grace,\n the sun shines.\n```" in comment
    assert "The answer that this replaces, of g1" in comment
    assert "\nto-be-done\n" in hosting.output

    hosting.git("switch", "-q", "main")
    hosting.git("merge", "-q", "--no-ff", "-m", "merge", "feature")
    merged = hosting.git("rev-parse", "HEAD")
    hosting.pulls = [{"number": 7, "merged_at": "2026-01-01", "merge_commit_sha": merged}]
    done = hosting.job("push")
    assert done.code == 0, done
    (comment,) = hosting.bodies
    assert "\n### ✅ Done · shop: 1 run started, 1 accepted" in comment
    assert f"Commit `{merged[:12]}`" in comment
    assert "asked for by `ada`" in comment
    answers = comment[comment.index("**Answer**: g2") :]
    assert "-Dear Ada,\n+Dear Grace,\n the sun shines." in answers
    assert hosting.keys == {f"Bearer {TOKEN}"}


def test_what_failed_is_red_in_the_comment_the_summary_the_outputs_and_the_annotations(hosting):
    hosting.commit("Ada", "bad")
    hosting.pulls = [{"number": 7, "merged_at": "2026-01-01"}]
    done = hosting.job("push")
    assert done.code == 3, done
    for text in (hosting.bodies[0], hosting.summary):
        assert "### ❌ Failed · shop: 1 run started, 1 without an accepted result" in text
        assert "```text\nexit code 3\nno ink, says @ada\n```" in text
    assert "\nfailed\n" in hosting.output
    assert "::error file=taskspec.yaml,line=8,col=18,title=letter%3A failed::exit code 3 no ink, says @ada" in done.err


def test_a_token_that_may_only_read_is_a_warning_and_the_summary_has_it_all(hosting):
    hosting.commit("Ada")
    hosting.is_read_only = True
    hosting.pulls = [{"number": 7, "merged_at": "2026-01-01"}]
    done = hosting.job("push")
    assert done.code == 0, done
    assert "warning: The comment of the pull request is not written: GitHub did not write a comment" in done.err
    assert hosting.summary.startswith("### ✅ Done")
    done = hosting.job("push", "--comment")
    assert done.code == 1, done
    assert "GitHub did not write a comment: it answered 403" in done.err
