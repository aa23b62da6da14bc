"""What is wrong with a state on a server of Terraform's HTTP protocol, in words. Asks nobody."""

from typing import Final

from taskspec.errors import StateError
from taskspec.state.registers.port import AwayError
from taskspec.state.terraform.access import Access
from taskspec.state.terraform.bodies import described
from taskspec.taskapi.messages import Response

_AGAIN: Final = "Run the command again; if that does not help, ask who runs the server."
_RIGHTS: Final = (
    "To read, GitLab asks for the role Developer; to write, for Maintainer: of the user who started the job, or who "
    "made the token (scope `api`)."
)
_HINTS: Final = {
    400: _AGAIN,
    401: "Check the token: that it is right, has not expired, and, of a job of GitLab, that the job still runs. "
    "It is taken from TF_HTTP_PASSWORD, or in a job of GitLab from CI_JOB_TOKEN.",
    403: _RIGHTS,
    404: "Check the URL; a project that a token may not see looks as if there were none. A server other than GitLab or "
    "Gitea needs TF_HTTP_LOCK_ADDRESS.",
    405: "Check the URL. A server other than GitLab or Gitea may need TF_HTTP_LOCK_ADDRESS, TF_HTTP_LOCK_METHOD, "
    "TF_HTTP_UNLOCK_METHOD or TF_HTTP_UPDATE_METHOD.",
    413: "The administrator of GitLab sets how large a state may be (Terraform limits); or keep the state in "
    "PostgreSQL or an object store.",
    429: "The server is asked too often: wait a while.",
    501: "Check the URL, and whether the server speaks Terraform's HTTP state protocol.",
}
_NAMELESS: Final = (
    "Set TF_HTTP_USERNAME and TF_HTTP_PASSWORD (a token). CI_JOB_TOKEN is used by itself, at the GitLab that runs the "
    "job alone."
)
_WORDS: Final = {
    401: "who asks is not known there",
    403: "who asks may not do that there",
    404: "there is no such place",
    413: "the state is too large for the server",
}
_REDIRECTS: Final = range(300, 400)
_FAILURES: Final = range(500, 600)
TOO_OFTEN: Final = 429


def refused(access: Access, what: str, response: Response) -> StateError:
    """Return the error of an answer that is a no: `what` was asked for, as in "be read"."""
    status = response.status
    said = described(response.content)
    words = _WORDS.get(status, "")
    if status in _REDIRECTS:
        words, hint = "the server sends elsewhere, and a token is not taken there", "Give the URL that it leads to."
    elif status == 401 and not access.names_user:
        hint = _NAMELESS
    elif status in _FAILURES and status not in _HINTS:
        words, hint = "the server failed", _AGAIN
    else:
        hint = _HINTS.get(status, _AGAIN)
    details = ": ".join(filter(None, (words, f"“{said}”" if said else "")))
    kind = AwayError if status == TOO_OFTEN or (status in _FAILURES and status not in _HINTS) else StateError
    return kind(
        f"The state at {access.place} cannot {what}: {details or 'the server refuses'} (HTTP {status}).", hint=hint
    )


def unreached(access: Access, reason: str, hint: str) -> AwayError:
    """Return the error of a server that cannot be asked, or gives no answer to what only reads."""
    return AwayError(f"The state at {access.place} cannot be reached: {reason.rstrip('.')}.", hint=hint or _AGAIN)


def unknown(access: Access, what: str) -> StateError:
    """Return the error of an answer that is none of the protocol."""
    return StateError(
        f"What is at {access.place} {what}.",
        hint="Check the URL: it must be that of a state, in GitLab https://HOST/api/v4/projects/ID/terraform/state/NAME.",
    )


def foreign(access: Access) -> StateError:
    """Return the error of a state that another tool has written."""
    return StateError(
        f"What is at {access.place} is a state of Terraform or OpenTofu, not of taskspec. It was not touched.",
        hint="Give the state of taskspec a name of its own in the URL.",
    )


def newer(access: Access) -> StateError:
    """Return the error of a state whose wrapping this taskspec does not know."""
    return StateError(f"The state at {access.place} was made by a newer taskspec.", hint="Upgrade taskspec.")


def unguarded(access: Access) -> StateError:
    """Return the error of a server whose lock keeps nobody out."""
    return StateError(
        f"The server of {access.place} takes writes from whoever sends them, while another has its lock, and with a "
        "serial that it has already: two commands could undo each other's writes.",
        hint="Keep the state in a project of GitLab or Gitea, in PostgreSQL or in an object store.",
    )


def timeless(access: Access) -> StateError:
    """Return the error of a server that does not say what time it is: no lease can be judged."""
    return StateError(
        f"The server of {access.place} does not say what time it is: its answers have no `Date`.",
        hint="Without a clock that all share no lock can end by itself: let the server or its proxy send it.",
    )
