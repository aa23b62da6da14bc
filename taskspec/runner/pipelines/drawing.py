"""A surveyed project → the text of its pipeline. Writes no file.

What a manifest says comes into it in flow style, quoted where it must be; names that end up in a shell or an expression
are of letters, digits, `-` and `_` alone, as `surveying` makes sure.
"""

import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Final

from taskspec.documents.spelling import spelled
from taskspec.runner.pipelines.model import Ci, Surveyed

ACTIONS: Final = {
    "checkout": "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0",
    "setup-python": "actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0",
    "upload-artifact": "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2",
    "download-artifact": "actions/download-artifact@d3f86a106a0bac45b974a628896c90dbdf5c8093 # v4.3.0",
}
"""The actions that a workflow uses, each by the commit of a version: a tag can be moved to another one."""
_FROM_VARIABLE: Final = "${{ vars.TASKSPEC_REQUIREMENT }}"
_LINES: Final = re.compile(r"^ *«([a-z- ]+)»\n", re.MULTILINE)
_WORD: Final = re.compile(r"«([a-z- ]+)»")


def draw(ci: Ci, surveyed: Surveyed, requirement: str | None) -> str:
    """Return the text of a pipeline; `requirement` is what pip installs, None: what a variable of the service names."""
    drawn = _github(surveyed, requirement) if ci is Ci.GITHUB else _gitlab(surveyed, requirement)
    template = files(__package__).joinpath(f"{ci}.yml").read_text(encoding="utf-8")
    whole = _LINES.sub(lambda found: drawn[found[1]], template)
    return _WORD.sub(lambda found: drawn[found[1]], whole)


def _github(surveyed: Surveyed, requirement: str | None) -> Mapping[str, str]:
    return {
        **ACTIONS,
        **_common(surveyed),
        "minute": str(sum(surveyed.project.encode()) % 60),
        "requirement": spelled(requirement) if requirement else _FROM_VARIABLE,
        "workflow": _name(surveyed),
        "secrets": _lines(surveyed.secrets),
        "agents": _lines(surveyed.agent_secrets),
    }


def _gitlab(surveyed: Surveyed, requirement: str | None) -> Mapping[str, str]:
    is_below = surveyed.folder != "."
    return {
        **_common(surveyed),
        "name": _name(surveyed),
        "inside": f"{surveyed.folder}/" if is_below else "",
        "enter": f"    - cd {spelled(surveyed.folder)}\n" if is_below else "",
        "requirement": f"    TASKSPEC_REQUIREMENT: {spelled(requirement)}\n" if requirement else "",
    }


def _common(surveyed: Surveyed) -> dict[str, str]:
    return {
        "branch": spelled(surveyed.branch),
        "environments": spelled(surveyed.environments),
        "folder": spelled(surveyed.folder),
        "group": f"taskspec-{surveyed.project}",
        "secret names": ", ".join((*surveyed.secrets, *surveyed.agent_secrets)),
    }


def _name(surveyed: Surveyed) -> str:
    """Return what the pipeline is called: two projects of a repository have one each."""
    return "taskspec" if surveyed.folder == "." else f"taskspec-{surveyed.project}"


def _lines(secrets: Iterable[str]) -> str:
    return "".join(f"          {name}: ${{{{ secrets.{name} }}}}\n" for name in secrets)
