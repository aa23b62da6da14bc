"""Projects written as YAML texts, for the tests of resolving."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from taskspec.address import Address
from taskspec.desired.assigning import GivenVariables
from taskspec.desired.model import Desired, DesiredTask
from taskspec.desired.resolving import Surroundings, resolve
from taskspec.diagnostics import Diagnostic, Position
from taskspec.documents.model import Manifests, Project, Source, TaskDocument, VariableSpec, VariableType
from taskspec.documents.parsing import parse


@dataclass(frozen=True, kw_only=True)
class Resolved:
    desired: Desired
    diagnostics: tuple[Diagnostic, ...]

    @property
    def task(self) -> DesiredTask:
        assert self.diagnostics == ()
        (task,) = self.desired.tasks.values()
        return task

    @property
    def problem(self) -> Diagnostic:
        (diagnostic,) = self.diagnostics
        assert self.desired.tasks == {}
        return diagnostic

    @property
    def words(self) -> str:
        return "\n".join(f"{d.position} {d.summary}: {d.detail} {d.hint}" for d in self.diagnostics)


@dataclass
class Workshop:
    """A project folder and its variables; `resolve` takes the YAML of task documents."""

    folder: Path
    variables: dict[str, VariableSpec] = field(default_factory=dict)
    takes_local_files: bool = True
    cache_folder: Path | None = None

    def declare(self, name: str, kind: str = "string", **more: Any) -> None:
        has_default = "default" in more
        self.variables[name] = VariableSpec(
            name=name,
            type=VariableType(kind),
            has_default=has_default,
            position=Position(file="taskspec.yaml", line=len(self.variables) + 1),
            **more,
        )

    def resolve(self, text: str, cli: dict[str, str] | None = None, environ: dict[str, str] | None = None) -> Resolved:
        project = Project(
            name="sales-ops", folder=str(self.folder), data_folder=str(self.folder / ".d"), variables=self.variables
        )
        tasks = tuple(_task(document) for document in parse(text.encode(), "tasks.yaml").documents)
        desired, diagnostics = resolve(
            Manifests(project=project, tasks=tasks),
            GivenVariables(cli=cli or {}, variables=environ or {}),
            Surroundings(takes_local_files=self.takes_local_files, cache_folder=self.cache_folder),
        )
        return Resolved(desired=desired, diagnostics=diagnostics)

    def spec(self, fields: str) -> Resolved:
        """Resolve one task of an agent, with these fields (and a prompt, where they have none)."""
        lines = fields.split("\n") if "prompt:" in fields else ["prompt: Hello", *fields.split("\n")]
        body = "\n".join(f"  {line}" for line in ["agent: writer", *lines])
        return self.resolve(f"kind: Task\nmetadata: {{name: one}}\nspec:\n{body}\n")


def _task(document: Any) -> TaskDocument:
    metadata = document.value["metadata"]
    return TaskDocument(
        address=Address(metadata["name"]),
        document=document,
        source=Source(document=document),
        spec=document.value["spec"],
        labels=metadata.get("labels", {}),
    )


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    folder = tmp_path / "project"
    folder.mkdir()
    return Workshop(folder=folder)


@pytest.fixture
def written(workshop: Workshop) -> Callable[[str, bytes], Path]:
    def write(name: str, content: bytes = b"a,b\n1,2\n") -> Path:
        path = workshop.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return write
