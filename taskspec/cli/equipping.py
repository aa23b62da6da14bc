"""What `init --ci` writes, and what it says is still to be done by hand. Reaches no CI service."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from taskspec.documents.declaring import fitting_name
from taskspec.documents.project_files import PROJECT_FILES
from taskspec.report.text import visible
from taskspec.runner.pipelines.equipping import Equipment, equip, write_pipelines
from taskspec.runner.pipelines.model import Ci, Surveyed
from taskspec.runner.pipelines.requiring import EXAMPLE, required
from taskspec.runner.pipelines.surveying import new_project, survey


def is_project(folder: Path) -> bool:
    """Tell whether a project is in a folder already."""
    return any((folder / name).is_file() for name in PROJECT_FILES)


@dataclass(frozen=True, kw_only=True, slots=True)
class Equipped:
    """The pipelines of a project, ready to be written."""

    folder: Path
    equipment: Equipment

    @classmethod
    def of_project(cls, folder: Path, services: Sequence[str], install: str | None) -> "Equipped":
        """Return those of a project that is there; ManifestError for what is wrong with it."""
        return cls(folder=folder, equipment=_equipment(folder, survey(folder), services, install))

    @classmethod
    def of_new(cls, folder: Path, name: str | None, services: Sequence[str], install: str | None) -> "Equipped | None":
        """Return those of a project that is about to be written; None where none is wanted."""
        if not services:
            return None
        surveyed = new_project(fitting_name(name or folder.absolute().name), folder)
        return cls(folder=folder, equipment=_equipment(folder, surveyed, services, install))

    @property
    def name(self) -> str:
        """Return the project's name."""
        return self.equipment.surveyed.project

    def write(self) -> list[str]:
        """Write what is not there, and return its paths, relative to the project's folder."""
        above = os.path.relpath(self.equipment.repository, os.path.realpath(self.folder))
        return [os.path.normpath(f"{above}/{path}") for path in write_pipelines(self.equipment)]

    def told(self, files: Sequence[str]) -> "Iterator[str]":
        """Yield what was written, and what is still to be done."""
        surveyed, services = self.equipment.surveyed, self.equipment.services
        yield from (f"{os.path.normpath(self.folder / path)}: written." for path in files)
        if not files:
            yield "The pipeline is there already, as it would be written."
        many = "environment" if len(surveyed.environments) == 1 else "environments"
        yield f"It applies what is pushed to `{visible(surveyed.branch)}`: {many} {', '.join(surveyed.environments)}."
        yield "Before it can:"
        if surveyed.forgetful:
            yield f"  - Say where the state of {_listed(surveyed.forgetful)} is kept for all jobs: `spec.state`, or the"
            yield "    secret TASKSPEC_STATE. `local` is refused there: each job would forget what was paid for."
        secrets = ", ".join(surveyed.secrets + surveyed.agent_secrets)
        yield f"  - Of these secrets, set those that the project needs: {secrets}."
        if self.equipment.requirement is None:
            yield "  - Set the variable TASKSPEC_REQUIREMENT to where taskspec comes from, as pip installs it, or name"
            yield f"    it with --install: '{EXAMPLE}'."
        if Ci.GITHUB in services:
            yield f"  - GitHub, Settings → Environments: who must approve {_listed(_deployments(surveyed))}."
        if Ci.GITLAB in services:
            yield "  - GitLab: the variable TASKSPEC_COMMENT_TOKEN (a project access token), and a pipeline schedule."
        if self.equipment.is_included:
            yield "  - Include it in .gitlab-ci.yml: `include: [{local: .gitlab/taskspec.yml}]`."
        yield "What it does, needs and trusts: docs/ci.md of taskspec."


def _equipment(folder: Path, surveyed: Surveyed, services: Sequence[str], install: str | None) -> Equipment:
    requirement = required(install) if install is not None else None
    return equip(folder, surveyed, [Ci(service) for service in services], requirement)


def _deployments(surveyed: Surveyed) -> list[str]:
    return [f"taskspec-{name}" for name in surveyed.environments]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
