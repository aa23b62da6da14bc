"""GitHub, as a desk: comments of pull requests. Sends nothing.

Facts: docs.github.com/rest/issues/comments, /rest/commits/commits#list-pull-requests-associated-with-a-commit. A token
of an app cannot ask who it is, and nor can the one that GitHub makes for a job: its comments are those of a bot.
"""

from typing import Any, Final

from taskspec.hosting.answers import document_of, number_at, pages, text_at
from taskspec.hosting.model import Comment, Identity, writing
from taskspec.taskapi.classifying import detail
from taskspec.taskapi.messages import Call, Request, exchange, path_of

_FORBIDDEN: Final = 403


class GitHub:
    """A repository of GitHub; `root` is the path of the API below its origin."""

    name = "GitHub"
    limit = 65_536

    def __init__(self, root: str, repository: str) -> None:
        self._root = root
        self._repository = root + "/repos" + path_of(*repository.split("/"))

    def identity(self) -> Call[Identity]:
        """Find out whose comments the token writes."""
        response = yield from exchange(Request(method="GET", path=f"{self._root}/user", repeatable=True))
        if response.status == _FORBIDDEN and "rate limit" not in detail(response).lower():
            return Identity(name=None)
        return Identity(name=text_at(document_of(response, self.name, "say whose the token is"), "login") or None)

    def comments(self, number: int) -> Call[list[Comment]]:
        """Read all comments of a pull request, the oldest first."""
        request = Request(method="GET", path=f"{self._repository}/issues/{number}/comments")
        found = yield from pages(request, self.name, f"list the comments of pull request {number}", size=100)
        return [self.comment_in(item) for item in found]

    def create(self, number: int, body: str) -> Request:
        """Return what writes a comment."""
        return writing("POST", f"{self._repository}/issues/{number}/comments", body)

    def edit(self, number: int, comment: int, body: str) -> Request:  # noqa: ARG002  # its id alone names it
        """Return what gives a comment another text."""
        return writing("PATCH", f"{self._repository}/issues/comments/{comment}", body)

    def delete(self, number: int, comment: int) -> Request:  # noqa: ARG002
        """Return what deletes a comment."""
        return Request(method="DELETE", path=f"{self._repository}/issues/comments/{comment}", repeatable=True)

    def comment_in(self, document: Any) -> Comment:
        """Return the comment that an answer tells of."""
        return Comment(
            id=number_at(document, "id"),
            author=text_at(document, "user", "login"),
            is_bot=text_at(document, "user", "type") == "Bot",
            body=text_at(document, "body"),
        )

    def request_of(self, commit: str) -> Call[int | None]:
        """Find the number of the pull request that brought a commit: one that was merged, and as that commit."""
        request = Request(method="GET", path=f"{self._repository}/commits{path_of(commit)}/pulls")
        found = yield from pages(request, self.name, f"list the pull requests of commit {commit}", size=100, most=1)
        merged = [item for item in found if text_at(item, "merged_at") and text_at(item, "merge_commit_sha") == commit]
        return number_at(merged[0], "number") if merged else None

    def is_open(self, number: int) -> Call[bool]:
        """Find out whether a pull request still asks for something."""
        response = yield from exchange(
            Request(method="GET", path=f"{self._repository}/pulls/{number}", repeatable=True)
        )
        return text_at(document_of(response, self.name, f"show pull request {number}"), "state") == "open"
