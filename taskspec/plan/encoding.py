"""Encoding: a plan → the JSON document that `schemas/plan.v1.json` describes. Knows no file and carries no secret."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from taskspec import __version__
from taskspec.diagnostics import path_text
from taskspec.observed.model import Duplicate
from taskspec.plan.causes import CausingLine, Commit, Reason
from taskspec.plan.estimates import Estimate, Spread, Total
from taskspec.plan.estimating import total_seconds, total_tokens
from taskspec.plan.keeping import Kept
from taskspec.plan.model import Change, FieldDiff, Missing, Plan, Risk
from taskspec.plan.refusals import Refusal, Spending

FORMAT: Final = 1
NO_COMMITS: Final[Mapping[CausingLine, Commit]] = MappingProxyType({})


def to_json(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain JSON values; equal plans give equal documents, in the same order."""
    return {
        "format": FORMAT,
        "toolVersion": __version__,
        "id": plan.id,
        "project": plan.project,
        "environment": plan.environment,
        "lineage": plan.lineage,
        "serial": plan.serial,
        "createdAt": moment(plan.created_at),
        "summary": summary_json(plan),
        "refusals": [_refusal(refusal) for refusal in plan.refusals],
        "duplicates": [duplicate_json(duplicate) for duplicate in plan.duplicates],
        "changes": [change_json(change, plan.commits) for change in plan.changes],
        "leftOut": [{"address": one.address, "why": one.why.value, "of": list(one.of)} for one in plan.left_out],
        "budget": spending_json(plan.spending) if plan.spending else None,
    }


def printed(plan: Plan) -> dict[str, Any]:
    """Return a plan that nobody keeps as plain JSON values: it is known by what it says, and equal to the next one."""
    return {**to_json(plan), "id": None, "createdAt": None}


def summary_json(plan: Plan) -> dict[str, Any]:
    """Return a plan in numbers, as plain JSON values."""
    counts, risks = plan.counts, plan.risks
    return {
        "counts": {action.value: counts[action] for action in sorted(counts)},
        "paidRuns": plan.paid_runs,
        "conditionalRuns": plan.conditional_runs,
        "retries": plan.retries,
        "unselected": plan.unselected,
        "risks": {category.value: risks[category] for category in sorted(risks)},
        "estimate": {"seconds": _total(total_seconds(plan)), "tokens": _total(total_tokens(plan))},
    }


def change_json(change: Change, commits: Mapping[CausingLine, Commit] = NO_COMMITS) -> dict[str, Any]:
    """Return a change as plain JSON values."""
    return {
        "address": change.address,
        "movedFrom": change.moved_from,
        "action": change.action.value,
        "reasons": [reason_json(reason, commits) for reason in change.reasons],
        "paid": change.paid,
        "conditional": change.conditional,
        "retries": change.retries,
        "after": list(change.after),
        "destructive": change.destructive,
        "health": change.health.value,
        "agent": change.agent,
        "generation": change.generation,
        "attempt": change.attempt,
        "fingerprint": change.fingerprint,
        "run": change.run,
        "verdict": None if change.verdict is None else str(change.verdict),
        "kept": None if change.kept is None else _kept(change.kept),
        "refused": change.refused,
        "inError": change.in_error,
        "diff": [_difference(diff) for diff in change.diffs],
        "risks": [_risk(risk) for risk in change.risks],
        "estimate": _estimate(change.estimate or Estimate()) if change.paid else None,
        "ownDiff": None if change.own_diffs is None else [_difference(diff) for diff in change.own_diffs],
    }


def _kept(kept: Kept) -> dict[str, Any]:
    ref = kept.result
    return {
        "generation": kept.generation,
        "run": kept.attempt.run,
        "at": moment(kept.at),
        "result": {"sha256": ref.digest, "bytes": ref.size, "format": ref.format},
    }


def spending_json(spending: Spending) -> dict[str, Any]:
    """Return how a budget stands as plain JSON values."""
    return {
        "maxRuns": spending.max_runs,
        "maxTokens": spending.max_tokens,
        "perSeconds": spending.per,
        "usedRuns": spending.runs,
        "usedTokens": spending.tokens,
        "runsOfUnknownTokens": spending.unknown,
        "plannedRuns": spending.planned,
        "estimatedTokens": spending.estimated,
        "runsWithoutEstimate": spending.not_estimated,
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    return {"seconds": _spread(estimate.seconds), "tokens": _spread(estimate.tokens)}


def _spread(spread: Spread | None) -> dict[str, Any] | None:
    return None if spread is None else {"p50": spread.p50, "p90": spread.p90, "runs": spread.runs}


def _total(total: Total) -> dict[str, Any]:
    return {"p50": total.p50, "p90": total.p90, "known": total.known, "unknown": total.unknown}


def _refusal(refusal: Refusal) -> dict[str, Any]:
    return {
        "limit": refusal.limit,
        "allowed": refusal.allowed,
        "found": refusal.found,
        "addresses": list(refusal.addresses),
        "at": refusal.position.as_json if refusal.position else None,
        "kind": refusal.kind.value,
        "message": refusal.message,
    }


def duplicate_json(duplicate: Duplicate) -> dict[str, Any]:
    """Return runs that bear one marker as plain JSON values."""
    return {"address": duplicate.address, "runs": [{"id": run.id, "status": run.status} for run in duplicate.runs]}


def reason_json(reason: Reason, commits: Mapping[CausingLine, Commit]) -> dict[str, Any]:
    """Return a reason, and what is behind it, as plain JSON values."""
    encoded: dict[str, Any] = {"code": reason.code, "text": reason.text}
    if reason.position is not None and reason.line is not None:
        commit = commits.get(reason.line)
        gone = {"removed": reason.removed} if reason.removed else {}
        encoded["at"] = {**reason.position.as_json, **gone, "commit": commit_json(commit)}
    encoded["because"] = [reason_json(one, commits) for one in reason.because]
    return encoded


def commit_json(commit: Commit | None) -> dict[str, str | None] | None:
    """Return a commit as plain JSON values; without an id, where the line is in none yet."""
    if commit is None:
        return None
    return {"id": commit.id or None, "author": commit.author or None, "at": commit.at or None}


def _risk(risk: Risk) -> dict[str, Any]:
    return {
        "category": risk.category.value,
        "text": risk.text,
        "path": path_text(risk.path),
        "at": risk.position.as_json if risk.position else None,
    }


def _difference(diff: FieldDiff) -> dict[str, Any]:
    encoded: dict[str, Any] = {"path": path_text(diff.path)}
    if diff.before is not Missing.MISSING:
        encoded["before"] = _plain(diff.before)
    if diff.after is not Missing.MISSING:
        encoded["after"] = _plain(diff.after)
    return encoded


def _plain(value: Any) -> Any:
    """Return a value with its mappings in key order, so that equal values have equal bytes."""
    if isinstance(value, Mapping):
        return {key: _plain(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def moment(seconds: float) -> str:
    """Return a time as RFC 3339 in UTC, to the millisecond."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
