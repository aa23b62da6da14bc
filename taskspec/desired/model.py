"""What the documents ask for, with nothing left to look up. Renders nothing, opens nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from taskspec.address import Address
from taskspec.documents.model import Document, Policies, Project


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalFile:
    """A file of the project that goes with a run; `path` is relative to the project folder."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredTask:
    """One declared task, rendered.

    `spec` holds the run-relevant fields by their manifest names, normalised (absent equal to default), secrets masked:
    it is what the fingerprint covers, what plan and state show. `request` holds the same fields with the real values
    (and `eventsStreaming`, `source`): it goes nowhere but into the request.
    """

    address: Address
    agent: str
    title: str
    spec: Mapping[str, Any]
    fingerprint: str
    request: Mapping[str, Any] = field(repr=False)
    files: tuple[LocalFile | str, ...] = ()
    """Local files, and URLs as they are."""
    labels: Mapping[str, str] = field(default_factory=dict)
    policies: Policies = field(default_factory=Policies)
    document: Document = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Desired:
    """Every declared task of a project, by address, in the order of the documents."""

    project: Project
    tasks: Mapping[Address, DesiredTask]
