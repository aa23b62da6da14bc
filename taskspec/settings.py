"""Settings: the one place that reads the process environment. Decides nothing."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from taskspec.ci import CiJob, Platform, ci_job

VARIABLE_PREFIX = "TASKSPEC_VAR_"
TIMES = ("TASKSPEC_QUIET_PERIOD", "TASKSPEC_CREATE_TIMEOUT", "TASKSPEC_POLL_INTERVAL")
_NOT_FORCED = frozenset({"", "0", "false"})
DEFAULT_ENVIRONMENT = "default"
"""The environment of a project where nobody names one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What the environment says."""

    environ: Mapping[str, str] = field(repr=False)
    """The whole environment: for secrets that a project names, and for what agents inherit."""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """`TASKSPEC_VAR_x=…`, by variable name."""
    environment: str = DEFAULT_ENVIRONMENT
    """`TASKSPEC_ENV`: the environment where no command line names one."""
    times: Mapping[str, str] = field(default_factory=dict)
    """`TASKSPEC_QUIET_PERIOD`, `TASKSPEC_CREATE_TIMEOUT`, `TASKSPEC_POLL_INTERVAL`, as they are written."""
    state: str | None = field(default=None, repr=False)
    """`TASKSPEC_STATE`: where the state is kept, whatever the manifests say; it may hold a password."""
    needs_shared_state: bool = False
    """`TASKSPEC_REQUIRE_SHARED_STATE`: no state that stays on this machine is opened, as in a job that forgets it."""
    lease: str | None = None
    """`TASKSPEC_LEASE_TTL`: how long a lease of a shared state lasts without a sign of life, as it is written."""
    xpander_base_url: str = "https://inbound.xpander.ai"
    xpander_organization: str | None = None
    xpander_api_key: str | None = field(default=None, repr=False)
    xpander_agent: str | None = None
    cache_folder: Path | None = None
    """Where derived files that may be deleted at any time live (`$XDG_CACHE_HOME/taskspec`); None: nowhere, as with
    `TASKSPEC_NO_CACHE`."""
    github_workspace: Path | None = None
    """In a job of GitHub Actions, the folder that holds the repository: annotations name files relative to it."""
    ci: CiJob | None = None
    """The CI job that this process belongs to."""
    comment_token: str | None = field(default=None, repr=False)
    """`TASKSPEC_COMMENT_TOKEN`, or in GitHub Actions `GITHUB_TOKEN`: with it comments are written."""
    hosting_api: str | None = None
    """The API of the platform that hosts the code: `GITHUB_API_URL`, or `CI_API_V4_URL`."""
    repository: str | None = None
    """The repository there: `GITHUB_REPOSITORY`, or the number in `CI_MERGE_REQUEST_PROJECT_ID` or `CI_PROJECT_ID`."""
    github_step_summary: Path | None = None
    """In a job of GitHub Actions, the file that takes the summary of a step."""
    github_output: Path | None = None
    """In a job of GitHub Actions, the file that takes the outputs of a step."""
    color: bool = True
    """False where `NO_COLOR` is set (no-color.org) or `CLICOLOR=0`, and on a dumb terminal."""
    color_forced: bool = False
    """`FORCE_COLOR` or `CLICOLOR_FORCE`: colours also where it is no terminal, as in the log of a CI job."""
    cursor: bool = True
    """False on a dumb terminal, on which nothing can be drawn again in its place."""
    traceback: bool = False
    """`TASKSPEC_TRACEBACK`: a bug shows its traceback."""


def from_environ(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from an environment (default: this process's)."""
    env = dict(os.environ if environ is None else environ)
    staging = env.get("IS_STG") == "true"
    home = env.get("HOME")
    forced = any(env.get(name, "") not in _NOT_FORCED for name in ("FORCE_COLOR", "CLICOLOR_FORCE"))
    cache = env.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else None)
    job = ci_job(env)
    return Settings(
        environ=env,
        variables={k.removeprefix(VARIABLE_PREFIX): v for k, v in env.items() if k.startswith(VARIABLE_PREFIX)},
        environment=env.get("TASKSPEC_ENV") or DEFAULT_ENVIRONMENT,
        times={name: env[name] for name in TIMES if env.get(name)},
        state=env.get("TASKSPEC_STATE") or None,
        needs_shared_state=bool(env.get("TASKSPEC_REQUIRE_SHARED_STATE")),
        lease=env.get("TASKSPEC_LEASE_TTL") or None,
        xpander_base_url=env.get("XPANDER_BASE_URL")
        or ("https://inbound.stg.xpander.ai" if staging else "https://inbound.xpander.ai"),
        xpander_organization=env.get("XPANDER_ORGANIZATION_ID") or None,
        xpander_api_key=env.get("XPANDER_API_KEY") or None,
        xpander_agent=env.get("XPANDER_AGENT_ID") or None,
        cache_folder=Path(cache) / "taskspec" if cache and not env.get("TASKSPEC_NO_CACHE") else None,
        github_workspace=Path(env["GITHUB_WORKSPACE"]) if env.get("GITHUB_WORKSPACE") else None,
        ci=job,
        **_hosting(env, job),
        color=not env.get("NO_COLOR") and (forced or (env.get("TERM") != "dumb" and env.get("CLICOLOR") != "0")),
        color_forced=forced and not env.get("NO_COLOR"),
        cursor=env.get("TERM") != "dumb",
        traceback=bool(env.get("TASKSPEC_TRACEBACK")),
    )


def _hosting(env: Mapping[str, str], job: CiJob | None) -> dict[str, Any]:
    """Return what the environment says of the platform that hosts the code, in a job of that platform."""
    own = env.get("TASKSPEC_COMMENT_TOKEN") or None
    match job.platform if job is not None else Platform.OTHER:
        case Platform.GITHUB:
            files = {"github_step_summary": "GITHUB_STEP_SUMMARY", "github_output": "GITHUB_OUTPUT"}
            return {
                "comment_token": own or env.get("GITHUB_TOKEN") or None,
                "hosting_api": env.get("GITHUB_API_URL") or "https://api.github.com",
                "repository": env.get("GITHUB_REPOSITORY") or None,
                **{field: Path(env[name]) for field, name in files.items() if env.get(name)},
            }
        case Platform.GITLAB:
            project = env.get("CI_MERGE_REQUEST_PROJECT_ID") or env.get("CI_PROJECT_ID")  # a fork is another project
            api = env.get("CI_API_V4_URL")
            return {"comment_token": own, "hosting_api": api or None, "repository": project or None}
        case Platform.OTHER:
            return {}
