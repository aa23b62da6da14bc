"""GitLab, as a desk: notes of merge requests. Sends nothing.

Facts: docs.gitlab.com/api/notes, docs.gitlab.com/api/commits#list-all-merge-requests-associated-with-a-commit.
"""

from typing import Any

from taskspec.hosting.answers import document_of, number_at, pages, text_at
from taskspec.hosting.model import Comment, Identity, writing
from taskspec.taskapi.messages import Call, Request, exchange, path_of


class GitLab:
    """A project of GitLab; `root` is the path of the API below its origin."""

    name = "GitLab"
    limit = 1_000_000

    def __init__(self, root: str, project: str) -> None:
        self._root = root
        self._project = f"{root}/projects{path_of(project)}"

    def identity(self) -> Call[Identity]:
        """Find out whose comments the token writes."""
        response = yield from exchange(Request(method="GET", path=f"{self._root}/user", repeatable=True))
        return Identity(name=text_at(document_of(response, self.name, "say whose the token is"), "username"))

    def comments(self, number: int) -> Call[list[Comment]]:
        """Read all notes of a merge request that somebody wrote, the oldest first."""
        query = (("order_by", "created_at"), ("sort", "asc"))
        request = Request(method="GET", path=self._notes(number), query=query)
        found = yield from pages(request, self.name, f"list the notes of merge request {number}", size=100)
        return [self.comment_in(item) for item in found if item.get("system") is not True]

    def create(self, number: int, body: str) -> Request:
        """Return what writes a note."""
        return writing("POST", self._notes(number), body)

    def edit(self, number: int, comment: int, body: str) -> Request:
        """Return what gives a note another text."""
        return writing("PUT", f"{self._notes(number)}/{comment}", body)

    def delete(self, number: int, comment: int) -> Request:
        """Return what deletes a note."""
        return Request(method="DELETE", path=f"{self._notes(number)}/{comment}", repeatable=True)

    def comment_in(self, document: Any) -> Comment:
        """Return the note that an answer tells of."""
        author = text_at(document, "author", "username")
        return Comment(id=number_at(document, "id"), author=author, is_bot=False, body=text_at(document, "body"))

    def request_of(self, commit: str) -> Call[int | None]:
        """Find the number of the merge request that brought a commit: one that was merged, and as that commit."""
        path = f"{self._project}/repository/commits{path_of(commit)}/merge_requests"
        what = f"list the merge requests of commit {commit}"
        found = yield from pages(Request(method="GET", path=path), self.name, what, size=100, most=1)
        merged = [
            item
            for item in found
            if text_at(item, "state") == "merged"
            and commit in {text_at(item, key) for key in ("merge_commit_sha", "squash_commit_sha", "sha")}
        ]
        return number_at(merged[0], "iid") if merged else None

    def is_open(self, number: int) -> Call[bool]:
        """Find out whether a merge request still asks for something."""
        path = f"{self._project}/merge_requests/{number}"
        response = yield from exchange(Request(method="GET", path=path, repeatable=True))
        return text_at(document_of(response, self.name, f"show merge request {number}"), "state") == "opened"

    def _notes(self, number: int) -> str:
        return f"{self._project}/merge_requests/{number}/notes"
