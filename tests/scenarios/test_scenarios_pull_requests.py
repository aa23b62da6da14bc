"""Pull requests from their comments to their merges, and back: a bare repository, a checkout for each job, a GitHub.

The platform is played on this machine, and the state is on a server, as no job finds what another one has written.
"""

import json
import subprocess
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

import pytest
from hosting_doubles import GitHubDouble
from scenario_workspaces import Workspace
from state_servers import server

from taskspec.taskapi.messages import Request, Response

TOKEN = "gh-canary-token-4711"
PROJECT = """\
apiVersion: taskspec/v1
kind: Project
metadata: {name: shop}
spec:
  agents:
    cat: {command: [sh, -c, 'echo asked >> "$0"; cat', COUNTER]}
    bad: {command: [sh, -c, 'echo "no ink, says @ada" >&2; exit 3']}
"""
MARKET = """\
apiVersion: taskspec/v1
kind: Task
metadata: {name: market}
spec: {agent: cat, matrix: {region: [emea, apac]}, prompt: "Sum up {{ matrix.region }}."}
"""
LETTER = """\
apiVersion: taskspec/v1
kind: Task
metadata: {name: letter}
spec:
  agent: AGENT
  prompt: |
    Dear Ada,
    the sun shines.
"""
REPLY = """\
---
apiVersion: taskspec/v1
kind: Task
metadata: {name: reply}
spec: {agent: cat, prompt: "In reply to: {{ tasks.letter.result }}"}
"""


class Hosting(GitHubDouble):
    """A bare repository, the clone of an author, and the platform that has their pull requests and runs the jobs."""

    def __init__(self, workspace):
        super().__init__()
        self.author, self.root = workspace, workspace.folder.parent
        self.is_read_only = False
        self.keys = set()
        self.state = server("http").place(self.root.name)
        self.jobs = 0
        self.git("init", "-q", "--bare", "-b", "main", self.root / "origin.git", at=self.root)
        self.git("clone", "-q", self.root / "origin.git", workspace.folder, at=self.root)
        self.git("switch", "-q", "-c", "main")
        self.commit({"taskspec.yaml": PROJECT.replace("COUNTER", str(self.root / "counter")), "market.yaml": MARKET})

    def runs(self):
        """Return how often the agent was asked, as it counts itself."""
        return len(self.author.lines(self.root / "counter"))

    def git(self, *words, at=None):
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        at = at or self.author.folder
        done = subprocess.run(["git", *identity, *words], cwd=at, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, files, *, branch=None):
        """Push a commit to a branch: a new one of main, or the one that is checked out."""
        if branch is not None:
            self.git("switch", "-q", "-c", branch, "main")
        for name, text in files.items():
            self.author.write(name, text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "Change")
        self.git("push", "-q", "origin", "HEAD")

    def merge(self, number, branch, *, squash=False):
        """Merge a pull request, as its button does."""
        self.git("switch", "-q", "main")
        self.git("merge", "-q", *(["--squash"] if squash else ["--no-ff", "-m", f"Merge #{number}"]), branch)
        if squash:
            self.git("commit", "-q", "-m", f"Change (#{number})")
        self.git("push", "-q", "origin", "main")
        merged = self.git("rev-parse", "HEAD")
        self.pulls.append({"number": number, "merged_at": "2026-01-01", "merge_commit_sha": merged})

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

        with ThreadingHTTPServer(("127.0.0.1", 0), Desk) as served:
            thread = Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{served.server_port}/api/v3"
            finally:
                served.shutdown()
                thread.join()

    def proposed(self, number, branch):
        """Run the job of a pull request; return how it ended, and the comment that is there then."""
        words = ("--since", "origin/main", "--out", f"../plan{number}.json", "--report", "html=../report.html")
        done = self.job("pull_request", *words, of=(number, branch))
        self.page = (self.root / "report.html").read_text("utf-8")
        assert TOKEN not in self.page
        (comment,) = self.bodies_of(number)
        return done, comment

    def applied(self, number):
        """Run the job of a merge with the plan of its pull request; return how it ended, and the comment."""
        done = self.job("push", "--plan", f"../plan{number}.json")
        (comment,) = self.bodies_of(number)
        return done, comment

    def job(self, event, *arguments, of=None):
        """Run the job of an event in a checkout of its own; see that the token is told nobody else."""
        self.jobs += 1
        checkout = self.root / f"job{self.jobs}"
        self.git("clone", "-q", self.root / "origin.git", checkout, at=self.root)
        base = self.git("rev-parse", "origin/main", at=checkout)
        head, told = base, {"repository": {"full_name": "acme/growth"}}
        if of is not None:
            number, branch = of
            head = self.git("rev-parse", f"origin/{branch}", at=checkout)
            self.git("merge", "-q", "--no-ff", "-m", f"Merge {head} into {base}", head, at=checkout)
            theirs = {"sha": head, "repo": {"full_name": "acme/growth"}}
            told["pull_request"] = {"number": number, "base": {"sha": base}, "head": theirs}
        files = {name: self.root / name for name in ("event.json", "summary.md", "output.txt")}
        for path in files.values():
            path.unlink(missing_ok=True)
        files["event.json"].write_text(json.dumps(told))
        self.runner = Workspace(checkout, self.root / "cache")
        with self.serving() as url:
            done = self.runner.taskspec(
                "reconcile",
                *arguments,
                GITHUB_ACTIONS="true",
                GITHUB_EVENT_NAME=event,
                GITHUB_EVENT_PATH=str(files["event.json"]),
                GITHUB_BASE_REF="main" if of else "",
                GITHUB_REPOSITORY="acme/growth",
                GITHUB_SHA=self.git("rev-parse", "HEAD", at=checkout),
                GITHUB_ACTOR="ada",
                GITHUB_API_URL=url,
                GITHUB_TOKEN=TOKEN,
                GITHUB_STEP_SUMMARY=str(files["summary.md"]),
                GITHUB_OUTPUT=str(files["output.txt"]),
                TASKSPEC_STATE=self.state,
            )
        self.summary, self.output = (path.read_text("utf-8") for path in [*files.values()][1:])
        assert TOKEN not in done.out + done.err + self.summary + self.output
        return done

    def result(self, name):
        """Return a file of the results of the last job."""
        return self.runner.result(name)


@pytest.fixture
def hosting(workspace):
    return Hosting(workspace)


def test_a_change_is_proposed_applied_and_reverted_and_its_comments_tell_each_step(hosting):
    done = hosting.job("push")
    assert done.code == 0, done
    assert "there is nothing to comment on" in done.err
    assert hosting.summary.startswith("### ✅ Done · shop: 2 runs started, 2 accepted")

    letters = LETTER.replace("AGENT", "cat") + REPLY
    hosting.commit({"letters.yaml": letters}, branch="letters")
    done, comment = hosting.proposed(1, "letters")
    assert done.code == 0, done
    assert comment.startswith(
        "<!-- taskspec shop/default 1 -->\n### 📝 To be done · shop: starts 1 run, and up to 1 more"
    )
    assert "| Not selected | 2 |" in comment
    assert "market" not in comment
    hosting.merge(1, "letters")
    done, comment = hosting.applied(1)
    assert done.code == 0, done
    assert "\n### ✅ Done · shop: 2 runs started, 2 accepted" in comment
    first = {name: hosting.result(name) for name in ("letter.txt", "reply.txt")}
    asked_by = json.loads(hosting.result("reply.provenance.json"))
    assert asked_by["revision"]["commit"] == hosting.git("rev-parse", "main")

    flawed = letters.replace("Ada", "Grace").replace("prompt: |", "prompts: |")
    project = (hosting.author.folder / "taskspec.yaml").read_text()
    hosting.commit({"letters.yaml": flawed, "taskspec.yaml": project + "  nonsense: 1\n"}, branch="grace")
    done, comment = hosting.proposed(2, "grace")
    assert done.code == 1, done
    assert comment.startswith("<!-- taskspec shop/default 1 -->\n### ❌ Error · shop: the manifests are wrong\n\n- ")
    assert "asked for by `ada`" in comment
    hosting.commit({"letters.yaml": letters.replace("Ada", "Grace"), "taskspec.yaml": project})
    done, comment = hosting.proposed(2, "grace")
    assert done.code == 0, done
    assert "### 📝 To be done · shop: starts 1 run, and up to 1 more" in comment
    assert "```diff\n-Dear Ada,\n+Dear Grace,\n the sun shines.\n```" in comment
    assert "`prompt`: as before, but for what `letter` answers" in comment
    assert comment.count("The answer that this replaces, of g1") == 2
    assert "\nto-be-done\n" in hosting.output
    hosting.merge(2, "grace", squash=True)
    done, comment = hosting.applied(2)
    assert done.code == 0, done
    merged = hosting.git("rev-parse", "main")
    assert "\n### ✅ Done · shop: 2 runs started, 2 accepted" in comment
    assert f"Commit `{merged[:12]}`" in comment
    assert "asked for by `ada`" in comment
    for address, answers in _sections(comment).items():
        words = "In reply to: " if address == "reply" else ""
        found = answers[answers.index("**Answer**: g2") :]
        assert f"-{words}Dear Ada,\n+{words}Dear Grace,\n the sun shines." in found
    assert hosting.runs() == 6

    hosting.git("switch", "-q", "-c", "back", "main")
    hosting.git("revert", "--no-edit", "HEAD")
    hosting.git("push", "-q", "origin", "HEAD")
    done, comment = hosting.proposed(3, "back")
    assert done.code == 0, done
    assert "Plan: starts no run." in done.out
    assert "### 📝 To be done · shop: starts no run, accepts 2 kept answers again" in comment
    assert "| **Paid runs** | **0** |" in comment
    for address, answers in _sections(comment).items():
        words = "In reply to: " if address == "reply" else ""
        assert "asked for before as g1: the result of run " in answers
        found = answers[answers.index("**Answer**: that of g1") :]
        assert f"-{words}Dear Grace,\n+{words}Dear Ada,\n the sun shines." in found
    assert "Old answer against new answer" in hosting.page
    hosting.merge(3, "back")
    done, comment = hosting.applied(3)
    assert done.code == 0, done
    assert "letter: asked for before: the result of g1 is accepted again (g3)" in done.out
    assert "### ✅ Done · shop: 0 runs started, 2 accepted" in comment
    assert hosting.runs() == 6
    assert {name: hosting.result(name) for name in first} == first
    provenance = json.loads(hosting.result("reply.provenance.json"))
    assert (provenance["acceptedAgainFrom"], provenance["revision"]) == ("g1", asked_by["revision"])

    assert [len(hosting.bodies_of(number)) for number in (1, 2, 3)] == [1, 1, 1]
    assert hosting.keys == {f"Bearer {TOKEN}"}


def _sections(comment):
    """Return what a comment tells of each task."""
    parts = {address: comment.index(f"<code>{address}</code>") for address in ("letter", "reply")}
    return {"letter": comment[parts["letter"] : parts["reply"]], "reply": comment[parts["reply"] :]}


def test_what_failed_is_red_in_the_comment_the_summary_the_outputs_and_the_annotations(hosting):
    hosting.commit({"market.yaml": LETTER.replace("AGENT", "bad")}, branch="letter")
    hosting.merge(7, "letter")
    done = hosting.job("push")
    assert done.code == 3, done
    for text in (hosting.bodies[0], hosting.summary):
        assert "### ❌ Failed · shop: 1 run started, 1 without an accepted result" in text
        assert "```text\nexit code 3\nno ink, says @ada\n```" in text
    assert "\nfailed\n" in hosting.output
    assert "::error file=market.yaml,line=3,col=18,title=letter%3A failed::exit code 3 no ink, says @ada" in done.err


def test_a_token_that_may_only_read_is_a_warning_and_the_summary_has_it_all(hosting):
    hosting.is_read_only = True
    hosting.commit({"market.yaml": f"# Ours.\n{MARKET}"}, branch="words")
    hosting.merge(7, "words")
    done = hosting.job("push")
    assert done.code == 0, done
    assert "warning: The comment of the pull request is not written: GitHub did not write a comment" in done.err
    assert hosting.summary.startswith("### ✅ Done")
    done = hosting.job("push", "--comment")
    assert done.code == 1, done
    assert "GitHub did not write a comment: it answered 403" in done.err
