"""GitHub and GitLab, played by hand: comments in memory, and whatever goes wrong with a request. Opens no socket."""

import json

from taskspec.errors import RemoteError
from taskspec.hosting.github import GitHub
from taskspec.hosting.gitlab import GitLab
from taskspec.taskapi.flow import advance
from taskspec.taskapi.messages import Pause, Response

OURS = "github-actions[bot]"


class Double:
    """A platform that answers requests; `faults` are what becomes of the next ones, None for an answer as usual."""

    def __init__(self, *, me=None):
        self.me = me
        self.comments = []
        self.pulls = []
        self.closed = set()
        self.faults = []
        self.asked = []
        self.paused = []
        self._next = 100

    def add(self, body, author=OURS, kind="Bot", number=None):
        """Add a comment to a pull request; without a number, to each."""
        self._next += 1
        self.comments.append({"id": self._next, "body": body, "by": author, "kind": kind, "of": number})
        return self._next

    @property
    def bodies(self):
        return [comment["body"] for comment in self.comments]

    def bodies_of(self, number):
        return [comment["body"] for comment in self.comments if comment["of"] == str(number)]

    def run(self, call):
        """Carry out a call; a fault is an exception, a response, or one of these behind the word `done`."""
        told = None
        while True:
            try:
                step = advance(call, told)
            except StopIteration as end:
                return end.value
            told = None
            if isinstance(step, Pause):
                self.paused.append(step.seconds)
                continue
            self.asked.append((step.method, step.path))
            fault = self.faults.pop(0) if self.faults else None
            if isinstance(fault, tuple):  # it was done, and the answer was lost
                self.answer(step)
                told = fault[1]
            else:
                told = fault if fault is not None else self.answer(step)
            assert isinstance(told, Response | RemoteError)

    def answer(self, request):
        parts = request.path.strip("/").split("/")
        body = json.loads(request.content)["body"] if request.content else ""
        if parts[-1] == "user":
            return self._say(self.me) if self.me else Response(status=403, content=b'{"message": "by integration"}')
        if parts[-1] in {"pulls", "merge_requests"}:
            return self._say(self.pulls)
        if parts[-2] in {"pulls", "merge_requests"}:
            return self._say({"state": "closed" if int(parts[-1]) in self.closed else self.open})
        if parts[-1] in {"comments", "notes"}:
            if request.method == "POST":
                self.add(body, *(self._author() if self.me else ()), number=parts[-2])
                return self._say(self._shown(self.comments[-1]), 201)
            size, page = (int(dict(request.query)[key]) for key in ("per_page", "page"))
            found = [one for one in self.comments if one["of"] in {None, parts[-2]}]
            return self._say([self._shown(one) for one in found[(page - 1) * size : page * size]])
        found = next((one for one in self.comments if str(one["id"]) == parts[-1]), None)
        if found is None:
            return Response(status=404)
        if request.method == "DELETE":
            self.comments.remove(found)
            return Response(status=204)
        found["body"] = body
        return self._say(self._shown(found))

    def _say(self, document, status=200):
        return Response(status=status, content=json.dumps(document).encode())


class GitHubDouble(Double):
    desk = GitHub("/api/v3", "acme/growth")
    open = "open"

    def _author(self):
        return self.me["login"], "User"

    def _shown(self, one):
        return {"id": one["id"], "body": one["body"], "user": {"login": one["by"], "type": one["kind"]}}


class GitLabDouble(Double):
    desk = GitLab("/api/v4", "7")
    open = "opened"

    def __init__(self, **more):
        super().__init__(me={"username": "project_7_bot"}, **more)

    def _author(self):
        return self.me["username"], "User"

    def _shown(self, one):
        author = {"username": one["by"]}
        return {"id": one["id"], "body": one["body"], "author": author, "system": one["kind"] == "System"}
