"""Decoding: the JSON document of a plan → the plan as it is shown, without what is needed to carry it out."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from taskspec.address import Address
from taskspec.diagnostics import Position, path_of
from taskspec.health import Health
from taskspec.moments import seconds_of
from taskspec.observed.model import Duplicate, Observed
from taskspec.plan.causes import CausingLine, Commit, Reason
from taskspec.plan.estimates import Estimate, Spread
from taskspec.plan.keeping import Kept
from taskspec.plan.model import (
    Action,
    Affected,
    Basis,
    Change,
    Circumstances,
    FieldDiff,
    LeftOut,
    Missing,
    Plan,
    Risk,
    RiskCategory,
)
from taskspec.plan.refusals import Refusal, RefusalKind, Spending
from taskspec.state.model import Attempt, ResultRef, Verdict
from taskspec.taskapi.records import TaskRecord
from taskspec.taskapi.remotes import RemoteIdentity


def plan_of(document: Mapping[str, Any]) -> Plan:
    """Return the plan of a document, as it is shown: without what is needed to carry it out."""
    return Plan(
        id=document["id"],
        project=document["project"],
        environment=document["environment"],
        lineage=document["lineage"],
        serial=document["serial"],
        created_at=seconds_of(document["createdAt"]),
        changes=tuple(map(_change, document["changes"])),
        unselected=document["summary"]["unselected"],
        refusals=tuple(map(_refusal, document["refusals"])),
        basis=_basis(document),
        left_out=tuple(map(_left_out, document["leftOut"])),
        spending=None if document["budget"] is None else _spending(document["budget"]),
        commits=dict(_commits(reason for change in document["changes"] for reason in change["reasons"])),
    )


def _basis(document: Mapping[str, Any]) -> Basis:
    """Return of what a plan was decided on what is shown of it: the creates that the remote has twice."""
    observed = Observed(duplicates=tuple(map(_duplicate, document["duplicates"])))
    remote = RemoteIdentity(type="")
    now = seconds_of(document["createdAt"])
    return Basis(observed=observed, circumstances=Circumstances(now=now, plan=document["id"], remote=remote))


def _duplicate(value: Mapping[str, Any]) -> Duplicate:
    runs = tuple(TaskRecord(id=run["id"], agent_id="", status=run["status"], raw={}) for run in value["runs"])
    return Duplicate(address=None if value["address"] is None else Address(value["address"]), runs=runs)


def _change(value: Mapping[str, Any]) -> Change:
    return Change(
        address=Address(value["address"]),
        action=Action(value["action"]),
        reasons=tuple(map(_reason, value["reasons"])),
        health=Health(value["health"]),
        agent=value["agent"],
        moved_from=None if value["movedFrom"] is None else Address(value["movedFrom"]),
        paid=value["paid"],
        conditional=value["conditional"],
        retries=value["retries"],
        after=tuple(map(Address, value["after"])),
        destructive=value["destructive"],
        generation=value["generation"],
        attempt=value["attempt"],
        fingerprint=value["fingerprint"],
        run=value["run"],
        verdict=value["verdict"],
        diffs=tuple(map(_difference, value["diff"])),
        own_diffs=None if value.get("ownDiff") is None else tuple(map(_difference, value["ownDiff"])),
        kept=_kept(value.get("kept")),
        refused=value["refused"],
        in_error=value["inError"],
        risks=tuple(map(_risk, value["risks"])),
        estimate=_estimate(value["estimate"]),
    )


def _kept(value: Mapping[str, Any] | None) -> Kept | None:
    """Return a kept result as far as a plan shows it."""
    if value is None:
        return None
    at, said = seconds_of(value["at"]), value["result"]
    ref = ResultRef(digest=said["sha256"], size=said["bytes"], format=said["format"])
    attempt = Attempt(
        number=1,
        nonce="",
        marker="",
        body_digest="",
        intended_at=at,
        send_deadline=at,
        remote=RemoteIdentity(type=""),
        run=value["run"],
        verdict=Verdict.ACCEPTED,
        result=ref,
    )
    return Kept(generation=value["generation"], attempt=attempt, result=ref, agent="", at=at)


def _estimate(value: Mapping[str, Any] | None) -> Estimate | None:
    return None if value is None else Estimate(seconds=_spread(value["seconds"]), tokens=_spread(value["tokens"]))


def _spread(value: Mapping[str, Any] | None) -> Spread | None:
    return None if value is None else Spread(p50=value["p50"], p90=value["p90"], runs=value["runs"])


def _risk(value: Mapping[str, Any]) -> Risk:
    return Risk(
        category=RiskCategory(value["category"]),
        text=value["text"],
        path=path_of(value["path"]),
        place=_position(value["at"]),
    )


def _left_out(value: Mapping[str, Any]) -> LeftOut:
    return LeftOut(address=Address(value["address"]), why=Affected(value["why"]), of=tuple(map(Address, value["of"])))


def _spending(value: Mapping[str, Any]) -> Spending:
    return Spending(
        max_runs=value["maxRuns"],
        max_tokens=value["maxTokens"],
        per=value["perSeconds"],
        runs=value["usedRuns"],
        tokens=value["usedTokens"],
        unknown=value["runsOfUnknownTokens"],
        planned=value["plannedRuns"],
        estimated=value["estimatedTokens"],
        not_estimated=value["runsWithoutEstimate"],
    )


def _reason(value: Mapping[str, Any]) -> Reason:
    return Reason(
        code=value["code"],
        text=value["text"],
        position=_position(value.get("at")),
        removed=value.get("at", {}).get("removed", ""),
        because=tuple(map(_reason, value["because"])),
    )


def _commits(reasons: Iterable[Mapping[str, Any]]) -> Iterator[tuple[CausingLine, Commit]]:
    """Yield the commits of the lines that some reasons name; what a line says first is said last."""
    for value in reasons:
        yield from _commits(value["because"])
        place = value.get("at")
        if place is not None and place["commit"] is not None:
            known = {name: word or "" for name, word in place["commit"].items()}
            yield CausingLine(place["file"], place["line"], place.get("removed", "")), Commit(**known)


def _difference(value: Mapping[str, Any]) -> FieldDiff:
    return FieldDiff(
        path=path_of(value["path"]),
        before=value.get("before", Missing.MISSING),
        after=value.get("after", Missing.MISSING),
    )


def _refusal(value: Mapping[str, Any]) -> Refusal:
    return Refusal(
        limit=value["limit"],
        allowed=value["allowed"],
        found=value["found"],
        addresses=tuple(map(Address, value["addresses"])),
        position=_position(value["at"]),
        kind=RefusalKind(value["kind"]),
        message=value["message"],
    )


def _position(value: Mapping[str, Any] | None) -> Position | None:
    return None if value is None else Position(file=value["file"], line=value["line"], column=value["column"])
