"""What the platform that hosts the code is asked for and tells, as values. Asks nothing."""

import json
from dataclasses import dataclass, field
from typing import Any, Protocol

from taskspec.taskapi.messages import Call, Request


@dataclass(frozen=True, kw_only=True, slots=True)
class Comment:
    """A comment of a pull request, with its author as the platform names it."""

    id: int
    author: str
    is_bot: bool
    body: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Whose comments a token writes; without a name it is an app of which only that is known."""

    name: str | None

    def wrote(self, comment: Comment) -> bool:
        """Tell whether a comment may be ours: a person who quotes us has another name, and is no app."""
        return comment.author == self.name if self.name is not None else comment.is_bot


def writing(method: str, path: str, body: str) -> Request:
    """Return what sends the text of a comment; what makes a new one is not sent twice."""
    content = json.dumps({"body": body}).encode()
    headers = {"content-type": "application/json"}
    return Request(method=method, path=path, headers=headers, content=content, repeatable=method != "POST")


class Desk(Protocol):
    """A platform: how each thing is asked for, and what the answers mean."""

    name: str
    """As people call it."""
    limit: int
    """How many bytes a comment may have."""

    def identity(self) -> Call[Identity]:
        """Find out whose comments the token writes."""

    def comments(self, number: int) -> Call[list[Comment]]:
        """Read all comments of a pull request, the oldest first."""

    def create(self, number: int, body: str) -> Request:
        """Return what writes a comment: never sent twice without a look."""

    def edit(self, number: int, comment: int, body: str) -> Request:
        """Return what gives a comment another text."""

    def delete(self, number: int, comment: int) -> Request:
        """Return what deletes a comment."""

    def comment_in(self, document: Any) -> Comment:
        """Return the comment that an answer tells of."""

    def request_of(self, commit: str) -> Call[int | None]:
        """Find the number of the pull request that brought a commit; None where there is none."""

    def is_open(self, number: int) -> Call[bool]:
        """Find out whether a pull request still asks for something: it is neither merged nor closed."""
