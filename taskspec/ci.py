"""The CI job that a process belongs to, as a value. Decides nothing; the event file of GitHub is all that it reads."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final


class Platform(StrEnum):
    """Whose CI it is; `OTHER` is known by its name alone, and tells less."""

    GITHUB = "github"
    GITLAB = "gitlab"
    OTHER = "other"


class Cause(StrEnum):
    """Why the job runs."""

    REQUEST = "request"  # a pull request, or a merge request
    PUSH = "push"
    SCHEDULE = "schedule"
    OTHER = "other"  # a person asked for it, a tag, another pipeline …


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeRequest:
    """A pull request of GitHub or a merge request of GitLab: what somebody asks to be merged."""

    number: int
    base: str | None
    """The commit that it is compared with; None where the platform does not tell."""
    target: str | None
    """The branch that it is to be merged into."""
    is_foreign: bool
    """Its commits are in another repository (a fork), or nobody can tell: it gets no secret, and is not trusted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CiJob:
    """The job of a CI service that a process belongs to; None is what the service does not tell."""

    platform: Platform
    cause: Cause
    commit: str | None = None
    """The commit whose change is asked for or was pushed: of a pull request its head, not the merge that is tried."""
    branch: str | None = None
    author: str | None = None
    """Who asked for the job, by the account's name."""
    url: str | None = None
    """The job's page."""
    request: ChangeRequest | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """What was checked out when something was asked for, and which job asked; None is what nobody tells."""

    commit: str | None = None
    is_dirty: bool = False
    """Files of the project differed from the commit."""
    branch: str | None = None
    author: str | None = None
    request: int | None = None
    """The number of the pull request or merge request that it is about."""
    job: str | None = None
    """The page of the CI job."""


_COMMIT: Final = re.compile(r"[0-9a-f]{40,64}")
_LONGEST_URL: Final = 500
_LONGEST_NAME: Final = 250
_PAGES: Final = (
    "CI_JOB_URL",
    "CI_PIPELINE_URL",
    "CIRCLE_BUILD_URL",
    "BUILDKITE_BUILD_URL",
    "DRONE_BUILD_LINK",
    "BUILD_URL",
)
"""What GitLab, Woodpecker, CircleCI, Buildkite, Drone and Jenkins call the page of a job."""
_OTHERS_REQUESTS: Final = (
    "CI_COMMIT_PULL_REQUEST",
    "CIRCLE_PULL_REQUEST",
    "BUILDKITE_PULL_REQUEST",
    "DRONE_PULL_REQUEST",
    "CHANGE_ID",
    "BITBUCKET_PR_ID",
    "SYSTEM_PULLREQUEST_PULLREQUESTID",
    "TRAVIS_PULL_REQUEST",
)
"""What Woodpecker, CircleCI, Buildkite, Drone, Jenkins, Bitbucket, Azure and Travis call the pull request of a job."""


def ci_job(env: Mapping[str, str]) -> CiJob | None:
    """Return the CI job that an environment tells of; None where it tells of none.

    Whether a pull request comes from a fork is in a file that GitHub names; where that cannot be read, it does.
    """
    if env.get("GITHUB_ACTIONS") == "true":
        return _of_github(env)
    if env.get("GITLAB_CI"):
        return _of_gitlab(env)
    url, asks = job_page(env), any(env.get(name, "false").lower() not in {"", "false"} for name in _OTHERS_REQUESTS)
    if url is None and not asks and env.get("CI", "").lower() not in {"true", "1"}:
        return None
    return CiJob(platform=Platform.OTHER, cause=Cause.REQUEST if asks else Cause.OTHER, url=url)


def job_page(env: Mapping[str, str]) -> str | None:
    """Return the page of a CI job; None where there is none, or where its address could hold a password.

    What stands behind the path may be a token, and names no other page.
    """
    parts = [env.get(f"GITHUB_{name}") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    url = "{}/{}/actions/runs/{}".format(*parts) if all(parts) else next(filter(None, map(env.get, _PAGES)), "")
    url = url.partition("?")[0].partition("#")[0]
    fits = url.startswith(("https://", "http://")) and len(url) <= _LONGEST_URL
    return url if fits and "@" not in url else None


_GITHUB_CAUSES: Final = {
    "pull_request": Cause.REQUEST,
    "pull_request_target": Cause.REQUEST,
    "pull_request_review": Cause.REQUEST,
    "pull_request_review_comment": Cause.REQUEST,
    "merge_group": Cause.REQUEST,  # it is tried, and not merged yet
    "push": Cause.PUSH,
    "schedule": Cause.SCHEDULE,
}
_REQUESTS: Final = frozenset(name for name, cause in _GITHUB_CAUSES.items() if cause is Cause.REQUEST)
_MAY_BE_OF_ONE: Final = frozenset({"issue_comment", "workflow_run"})
"""Events that may be about a pull request, whose content a job of theirs may have checked out."""
_QUEUED: Final = re.compile(r".*/pr-([0-9]{1,18})-[0-9a-f]{40,64}", re.DOTALL)
"""The branch of a merge queue that ends with a pull request."""
_GITLAB_CAUSES: Final = {
    "merge_request_event": Cause.REQUEST,
    "external_pull_request_event": Cause.REQUEST,
    "push": Cause.PUSH,
    "schedule": Cause.SCHEDULE,
}


def _of_github(env: Mapping[str, str]) -> CiJob:
    event = env.get("GITHUB_EVENT_NAME", "")
    cause = _GITHUB_CAUSES.get(event, Cause.OTHER)
    told = _told(env.get("GITHUB_EVENT_PATH")) if cause is Cause.REQUEST or event in _MAY_BE_OF_ONE else {}
    if (event in _MAY_BE_OF_ONE and _is_about_one(told)) or env.get("GITHUB_REF", "").startswith("refs/pull/"):
        cause = Cause.REQUEST
    request = _at(told, "pull_request")
    head = _commit(_at(request, "head", "sha"))
    return CiJob(
        platform=Platform.GITHUB,
        cause=cause,
        commit=head or _commit(env.get("GITHUB_SHA")),
        branch=_name(env.get("GITHUB_HEAD_REF") or env.get("GITHUB_REF_NAME")),
        author=_name(env.get("GITHUB_TRIGGERING_ACTOR") or env.get("GITHUB_ACTOR")),
        url=job_page(env),
        request=_pull_request(env, told) if cause is Cause.REQUEST else None,
    )


def _is_about_one(told: Any) -> bool:
    """Tell whether a comment or the end of another workflow is about a pull request, or nobody can tell."""
    if not isinstance(told, Mapping) or not {"issue", "workflow_run"} & told.keys():
        return True
    event = _text(_at(told, "workflow_run", "event"))
    return _at(told, "issue", "pull_request") is not None or event in _REQUESTS | _MAY_BE_OF_ONE


def _pull_request(env: Mapping[str, str], told: Any) -> ChangeRequest | None:
    queue = _at(told, "merge_group")
    queued = _QUEUED.fullmatch(_text(_at(queue, "head_ref")))
    number = (
        _at(told, "pull_request", "number")
        or _at(told, "issue", "number")
        or _number(queued[1] if queued else env.get("GITHUB_REF", "").removeprefix("refs/pull/"))
    )
    if not isinstance(number, int):
        return None
    here = _at(told, "repository", "full_name") or env.get("GITHUB_REPOSITORY")
    theirs = _at(told, "pull_request", "head", "repo", "full_name")
    target = _at(told, "pull_request", "base", "ref") or _text(_at(queue, "base_ref")).removeprefix("refs/heads/")
    return ChangeRequest(
        number=number,
        base=_commit(_at(told, "pull_request", "base", "sha") or _at(queue, "base_sha")),
        target=_name(env.get("GITHUB_BASE_REF") or _text(target)),
        is_foreign=here is None or theirs != here,
    )


def _of_gitlab(env: Mapping[str, str]) -> CiJob:
    cause = _GITLAB_CAUSES.get(env.get("CI_PIPELINE_SOURCE", ""), Cause.OTHER)
    number = _number(env.get("CI_MERGE_REQUEST_IID", ""))
    request = None
    if number is not None:
        cause = Cause.REQUEST
        here = env.get("CI_MERGE_REQUEST_PROJECT_ID")
        request = ChangeRequest(
            number=number,
            base=_commit(env.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA")),  # where it branched off is for it to choose
            target=_name(env.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME")),
            is_foreign=not here or env.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID") != here,
        )
    return CiJob(
        platform=Platform.GITLAB,
        cause=cause,
        commit=_commit(env.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or env.get("CI_COMMIT_SHA")),
        branch=_name(env.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME") or env.get("CI_COMMIT_REF_NAME")),
        author=_name(env.get("GITLAB_USER_LOGIN")),
        url=job_page(env),
        request=request,
    )


def _told(path: str | None) -> Any:
    """Return what a file of JSON holds; nothing where it cannot be read."""
    try:
        return json.loads(Path(path or "").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}


def _at(value: Any, *steps: str) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _commit(value: object) -> str | None:
    return value if isinstance(value, str) and _COMMIT.fullmatch(value) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _name(value: str | None) -> str | None:
    return value[:_LONGEST_NAME] if value else None


def _number(text: str) -> int | None:
    digits = text.partition("/")[0]
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 18 else None
