"""Reviewing: which revision a CI job trusts, whether it may know anything, and whether a merge is carried out in full.

Decides; starts nothing and shows nothing.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from taskspec.ci import Cause, CiJob
from taskspec.diagnostics import Severity
from taskspec.documents.loading import load_project
from taskspec.documents.locating import locate
from taskspec.documents.model import Project
from taskspec.documents.places import LOCAL_PLACE
from taskspec.documents.trusting import Base, distrusted, unlike
from taskspec.errors import LimitError, NotAcceptedError, StaleError, TaskspecError, UsageError
from taskspec.health import Health
from taskspec.plan.model import Action, Change, Plan
from taskspec.plan.prospect import gravest
from taskspec.report.refusing import refused, way_out
from taskspec.runner.basing import base_of
from taskspec.runner.locating import project_of
from taskspec.runner.model import Invocation, Ports
from taskspec.runner.planning import plan, read_state
from taskspec.runner.rewinding import first_there
from taskspec.runner.saved import SavedPlan, project_in
from taskspec.runner.telling import recorded_health
from taskspec.settings import Settings
from taskspec.taskapi.remotes import RemoteIdentity

_HASH: Final = re.compile(r"[0-9a-f]{40,64}")
_SHOWN: Final = 12
_NAMED: Final = 5
OFFLINE: Final = "Offline plan: compared with `{}`; what has been accepted is not known here."


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """How a job is to go about it."""

    invocation: Invocation
    plans_only: bool
    revision: str | None = None
    """With which revision an offline plan compares; None for one that is made of the state."""
    name: str = ""
    """How people know that revision."""
    notes: tuple[str, ...] = ()


def is_request(job: CiJob | None) -> bool:
    """Tell whether a job is one of a pull request: it plans, whatever else it is told."""
    return job is not None and job.cause is Cause.REQUEST


def reviewed(invocation: Invocation, base: str | None, *, plans_only: bool) -> Review:
    """Return how a job goes about it; TaskspecError where nobody can tell whose settings are to be trusted.

    `base` is the revision that the command line names.
    """
    job = invocation.settings.ci
    asks = is_request(job)
    offline = invocation.offline or (asks and (job is None or job.request is None or job.request.is_foreign))
    invocation = replace(invocation, offline=offline)
    plans_only = plans_only or asks or offline
    revision, name = _base(invocation, base)
    if revision is None:
        if asks:
            raise TaskspecError(
                "The job does not tell with what the pull request is compared, so nobody can tell what is trusted.",
                hint="Name the revision: --base origin/main.",
            )
        if offline and invocation.since is None:
            raise UsageError(
                "--offline compares with a revision, and none is named.", hint="Add --base REV or --since REV."
            )
        shown = shortened(invocation.since or "")
        notes = (OFFLINE.format(shown),) if offline else ()
        return Review(
            invocation=invocation,
            plans_only=plans_only,
            revision=invocation.since if offline else None,
            name=shown,
            notes=notes,
        )
    held = base_of(invocation, revision, name)
    known, told = replace(invocation, base=held), _distrust(invocation, held)
    if held.project is not None and not offline:
        return Review(invocation=known, plans_only=plans_only, notes=told)
    if held.project is None:
        told = (f"At `{name}` there is no project that could be trusted: only the manifests are looked at.",)
    return Review(
        invocation=replace(known, offline=True),
        plans_only=True,
        revision=revision,
        name=name,
        notes=(OFFLINE.format(name), *told),
    )


def shortened(revision: str) -> str:
    """Return a revision as people know it."""
    return revision[:_SHOWN] if _HASH.fullmatch(revision) else revision


def _base(invocation: Invocation, named: str | None) -> tuple[str | None, str]:
    """Return the revision that is trusted, and how people know it.

    It is the branch as it is now, where the clone has it: the commit that a job names may be what it was long ago.
    """
    if named is not None:
        return named, shortened(named)
    job = invocation.settings.ci
    request = job.request if job is not None else None
    target = request.target if request is not None else None
    known = [f"refs/remotes/origin/{target}"] if target is not None else []
    if request is not None and request.base is not None:
        known.append(request.base)
    if not known:
        return None, ""
    folder = locate(invocation.target).ground.folder
    return first_there(folder, known, invocation.settings.environ), target or shortened(known[0])


def _distrust(invocation: Invocation, base: Base) -> tuple[str, ...]:
    """Return what is to be said of settings that are not those of the base; never a value of theirs."""
    loaded = load_project(invocation.target, invocation.environment)
    is_wrong = any(finding.severity is Severity.ERROR for finding in loaded.diagnostics)
    names = () if is_wrong else distrusted(loaded.manifests.project, base)
    if not names:
        return ()
    listed = _listed(names)
    held = f"it is planned with what `{base.revision}` says; the change holds once it is merged"
    return (f"What is proposed changes {listed}: {held}.",)


def require_kept(project: Project, settings: Settings, ports: Ports) -> None:
    """Raise StaleError where a CI job would begin a state in a folder that nobody has after it.

    Each such job would pay for everything again. Who means it says `TASKSPEC_STATE=local`.
    """
    if settings.ci is None or settings.state is not None or project.state != LOCAL_PLACE:
        return
    if not read_state(project, ports).lineage:
        raise StaleError(
            "nothing was started: the state is kept in this folder, where nothing is recorded, and the next job has "
            "another one",
            hint="Keep it where all jobs find it: `spec.state` or TASKSPEC_STATE. TASKSPEC_STATE=local keeps it here.",
        )


def merged_guards(saved: SavedPlan, invocation: Invocation) -> Project:
    """Return the project of the documents, whose limits and policies a saved plan has to keep when it is carried out.

    Raises StaleError for one with other trust settings than the documents have: nothing of it is right.
    """
    merged = project_of(invocation)
    names = unlike(project_in(saved, invocation), merged)
    if names:
        listed = _listed(names)
        raise StaleError(
            f"the plan is refused: it was made with other settings than the manifests have now: {listed}",
            hint="Look at what changed, and run `taskspec reconcile` without --plan.",
        )
    return merged


def require_done(invocation: Invocation, ports: Ports, *, waits: bool) -> Plan:
    """Return what a plan of the documents would do after one was carried out; StaleError where that is anything.

    A saved plan is what was reviewed; the documents that were merged may ask for more. Where nothing is left to be
    done, raises LimitError for what is held or refused, and NotAcceptedError for a task that is not healthy, which the
    plan had not selected.
    """
    now = plan(invocation, ports)
    left = [change for change in now.pending if not _is_done(change, now, waits=waits)]
    if left:
        raise StaleError(
            f"the merged manifests ask for more than the plan that was applied: {_named(left)}",
            hint="Look at it with `taskspec plan`, and run `taskspec reconcile` without --plan.",
        )
    held = [change.address for change in now.changes if change.refused]
    if now.refusals or held:
        said = refused(now.refusals[0]) if now.refusals else f"these are held: {_listed(held)}"
        raise LimitError(
            f"the plan was applied, and more of the merged manifests is not carried out: {said}",
            hint=way_out(now.refusals[0]) if now.refusals else "`taskspec plan` tells why, and the way out.",
        )
    ill = [change for change in now.changes if change.health is not Health.HEALTHY or change.in_error]
    if ill:
        named = _listed([change.address for change in ill])
        worst = gravest(change.health if not change.in_error else Health.UNKNOWN for change in ill)
        raise NotAcceptedError(
            f"the plan was applied, and of the merged manifests these have no accepted result: {named}",
            health=worst,
            hint="`taskspec plan` tells why: the plan that was applied was about other tasks.",
        )
    return now


def left_aside(made: Plan | None, invocation: Invocation, ports: Ports) -> Iterator[str]:
    """Yield a sentence of tasks that were not selected, and of which it is recorded that they are not well."""
    if made is None or not made.unselected:
        return
    told = {change.address for change in made.changes}
    try:
        records = read_state(project_of(invocation), ports).records
    except TaskspecError:  # how the command ended is told; this was beside it
        return
    others = {address: record for address, record in records.items() if address not in told}
    ill = [address for address, record in others.items() if recorded_health(record) is not Health.HEALTHY]
    if ill:
        yield f"Without an accepted result, and not counted here as they are not selected: {_listed(ill)}."


def _is_done(change: Change, now: Plan, *, waits: bool) -> bool:
    """Tell whether what is declared has its accepted result: it would only be made anew, as its `rerun` says."""
    if change.action is Action.WAIT:
        return not waits
    record = change.record
    accepted = record.accepted if record is not None else None
    if record is None or accepted is None or not change.paid or _remote_changed(change, now):
        return False
    if recorded_health(record) is not Health.HEALTHY:
        return False
    known = now.basis.known.get(change.address) if now.basis is not None else None
    return change.declares(accepted.fingerprint) or (known is not None and known.asks_for(accepted.fingerprint))


def _remote_changed(change: Change, now: Plan) -> bool:
    accepted = change.record.accepted if change.record is not None else None
    if accepted is None or now.basis is None:
        return True
    return _place(accepted.remote) != _place(now.basis.circumstances.remote)


def _place(remote: RemoteIdentity) -> tuple[str | None, ...]:
    return remote.type, remote.url, remote.organization


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(f"`{name}`" for name in names[:_NAMED]) + more


def _named(changes: Sequence[Change]) -> str:
    more = f" and {len(changes) - _NAMED} more" if len(changes) > _NAMED else ""
    return ", ".join(f"`{one.address}` ({one.action})" for one in changes[:_NAMED]) + more
