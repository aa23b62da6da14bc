"""validate: whether the documents are right, the short way where that is known already. Changes nothing anywhere."""

from dataclasses import dataclass

from taskspec.diagnostics import Diagnostic
from taskspec.documents.remembering import Memory
from taskspec.runner.model import Invocation, Ports
from taskspec.runner.planning import selected_tasks
from taskspec.runner.preparing import prepare
from taskspec.runner.recognising import project_of, recognised, vouch, vouchers_of
from taskspec.runner.vouching import Valid

_KIND = "valid"


@dataclass(frozen=True, kw_only=True, slots=True)
class Validated:
    """Documents that are right, how many of their tasks are selected, and what is to be said of them nevertheless."""

    valid: Valid
    selected: int
    warnings: tuple[Diagnostic, ...] = ()


def validate(invocation: Invocation, ports: Ports) -> Validated:
    """Read, parse, check and render the documents; raise ManifestError with everything that is wrong."""
    memory = Memory(invocation.settings.cache_folder, invocation.target)
    vouchers = vouchers_of(invocation, _KIND)
    if vouchers is not None and not vouchers.nothing and (project := project_of(invocation)) is not None:
        known = recognised(vouchers, project, memory, invocation, ports)
        if known is not None:
            return Validated(valid=known, selected=known.tasks)
    prepared = prepare(invocation, ports, memory)
    desired = prepared.desired
    selected = len(selected_tasks(prepared, invocation, ports))
    valid = Valid(project=desired.project.name, tasks=len(desired.tasks), skipped=prepared.skipped)
    if vouchers is not None:
        vouch(vouchers, valid, prepared, memory, invocation, ports)
    return Validated(valid=valid, selected=selected, warnings=prepared.warnings)
