"""Posting: texts → the comments of a pull request that are ours, made, changed in place or deleted. Sends nothing.

A comment is ours by its marker, which is its first line, and by its author: what a person wrote is never touched,
whatever it quotes. A comment is not written twice: where nobody knows whether one was, the list is looked at first.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from taskspec.errors import OutcomeUnknownError, UnreachableError
from taskspec.hosting.answers import document_of, is_denied, is_done, is_gone, refused
from taskspec.hosting.model import Comment, Desk, Identity
from taskspec.taskapi.classifying import is_transient, requested_wait
from taskspec.taskapi.messages import Call, Pause, Response, exchange

TRIES: Final = 3
_PAUSE: Final = 2.0
_LONGEST: Final = 30.0


class Posted(NamedTuple):
    """How many comments were made, changed and deleted."""

    made: int
    changed: int
    deleted: int


def post(desk: Desk, number: int, texts: Sequence[str]) -> Call[Posted]:
    """Make the comments of a pull request these texts, each of which begins with the line of its marker."""
    identity = yield from desk.identity()
    marks = [first_line(text) for text in texts]
    name = marks[0].rpartition(" ")[0].rpartition(" ")[0] + " "
    there = _ours((yield from desk.comments(number)), identity, name)
    made = changed = deleted = 0
    kept: set[int] = set()
    for mark, text in zip(marks, texts, strict=True):
        own = [comment for comment in there if first_line(comment.body) == mark]
        if own and (yield from _edited(desk, number, own[0], text)):
            kept.add(own[0].id)
            changed += 1
        else:
            kept.add((yield from _made(desk, number, text, identity)))
            made += 1
    for comment in there:
        if comment.id not in kept:
            deleted += yield from _deleted(desk, number, comment)
    return Posted(made, changed, deleted)


def first_line(body: str) -> str:
    """Return the first line of a comment, which is the marker of one of ours."""
    return body.partition("\n")[0].rstrip("\r")


def _ours(comments: Sequence[Comment], identity: Identity, name: str) -> list[Comment]:
    return [one for one in comments if identity.wrote(one) and first_line(one.body).startswith(name)]


def _edited(desk: Desk, number: int, comment: Comment, text: str) -> Call[bool]:
    """Give a comment another text; False where it is gone, or was not ours to change."""
    if comment.body.replace("\r\n", "\n").rstrip() == text.rstrip():
        return True
    response = yield from exchange(desk.edit(number, comment.id, text))
    if is_gone(response):
        return False
    if not is_done(response):
        raise refused(response, desk.name, "change a comment")
    return True


def _made(desk: Desk, number: int, text: str, identity: Identity) -> Call[int]:
    """Write a comment, and return its id; where nobody knows whether it was, look for it before the next try."""
    tries = 0
    while True:
        tries += 1
        response: Response | None = None
        try:
            response = yield from exchange(desk.create(number, text))
        except (UnreachableError, OutcomeUnknownError):
            if tries == TRIES:
                raise
        if response is not None and is_done(response):
            return desk.comment_in(document_of(response, desk.name, "write a comment")).id
        if response is not None and (tries == TRIES or not is_transient(response)):
            raise refused(response, desk.name, "write a comment")
        wait = requested_wait(response) if response is not None else None
        yield Pause(seconds=min(wait if wait is not None else _PAUSE * tries, _LONGEST))
        found = [
            comment
            for comment in (yield from desk.comments(number))
            if identity.wrote(comment) and first_line(comment.body) == first_line(text)
        ]
        if found:
            return found[0].id


def _deleted(desk: Desk, number: int, comment: Comment) -> Call[int]:
    """Delete a comment that is too many; 0 where it is gone, or may not be deleted."""
    response = yield from exchange(desk.delete(number, comment.id))
    if is_gone(response) or is_denied(response):
        return 0
    if not is_done(response):
        raise refused(response, desk.name, "delete a comment")
    return 1
