"""Policing: which policies of a project deny a plan. One that cannot be asked denies it too. Changes no plan.

`change` is an item as `plan --json` shows it, with `task` (the name without the cell) and `labels`; its `reasons` are
codes and its `risks` categories. `plan` is the summary, in which every action and every category has a number.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from taskspec.address import Address, task_name
from taskspec.documents.denying import NAMES
from taskspec.documents.model import Document, PlanPolicy, Project
from taskspec.expressions.evaluating import Expression, compile_expression
from taskspec.expressions.model import MAX_WORK, Meter, WrongExpressionError
from taskspec.judging.asserting import matches
from taskspec.plan.encoding import change_json, summary_json
from taskspec.plan.model import Action, Change, Plan, RiskCategory
from taskspec.plan.refusals import Refusal, RefusalKind

WORK_OF_A_CHANGE: Final = 10_000
"""How much a policy may do for each change, beside what one expression may do; it may spread that as it likes."""


def denials(plan: Plan, project: Project, overridden: Collection[str]) -> tuple[Refusal, ...]:
    """Return the policies that deny a plan, and those that cannot be asked, without those overridden."""
    asked = [policy for policy in project.policies if policy.name not in overridden]
    if not asked:
        return ()
    common = common_names(plan)
    items = [(change.address, {**common, "change": change_names(change)}) for change in plan.changes]
    found = (_denial(policy, project.document, common, items) for policy in asked)
    return tuple(refusal for refusals in found for refusal in refusals)


def common_names(plan: Plan) -> Mapping[str, Any]:
    """Return what every policy sees."""
    summary = summary_json(plan)
    summary["counts"] = {action.value: 0 for action in Action} | summary["counts"]
    summary["risks"] = {category.value: 0 for category in RiskCategory} | summary["risks"]
    return {"plan": summary, "project": {"name": plan.project}, "environment": plan.environment}


def change_names(change: Change) -> Mapping[str, Any]:
    """Return what a policy sees of a change."""
    shown = change_json(change)
    return {
        **shown,
        "task": task_name(change.address),
        "labels": dict(change.task.labels) if change.task is not None else {},
        "reasons": [reason.code for reason in change.reasons],
        "risks": list(dict.fromkeys(risk.category.value for risk in change.risks)),
    }


def _denial(
    policy: PlanPolicy,
    document: Document | None,
    common: Mapping[str, Any],
    items: Iterable[tuple[Address, Mapping[str, Any]]],
) -> Iterable[Refusal]:
    """Yield the refusal of a policy, and one for those changes of which it could not be asked."""
    refusal = Refusal(
        kind=RefusalKind.POLICY,
        limit=policy.name,
        allowed=0,
        found=0,
        addresses=(),
        position=document.position((*policy.path, "deny"), key=True) if document is not None else None,
        message=policy.message,
    )
    try:
        expression = compile_expression(policy.deny, NAMES)
    except WrongExpressionError as trouble:
        yield replace(refusal, message=_unasked(trouble))
        return
    listed = list(items) if "change" in expression.names else [(None, common)]
    meter = Meter(MAX_WORK + WORK_OF_A_CHANGE * len(listed))
    denied: list[Address | None] = []
    failed: list[tuple[Address | None, str]] = []
    for address, names in listed:
        try:
            if expression.holds(names, matches, meter):
                denied.append(address)
        except WrongExpressionError as trouble:
            failed.append((address, _unasked(trouble)))
    if denied:
        addresses = tuple(address for address in denied if address is not None)
        yield replace(refusal, found=len(denied), addresses=addresses)
    if failed:
        addresses = tuple(address for address, _ in failed if address is not None)
        yield replace(refusal, found=len(failed), addresses=addresses, message=failed[0][1])


def _unasked(trouble: WrongExpressionError) -> str:
    return f"it cannot be decided: {trouble.message} {trouble.hint}".rstrip()


def literal_labels(expression: Expression) -> Iterable[str]:
    """Return the labels that an expression asks for by name."""
    return {one.path[2] for one in expression.asked if one.path[:2] == ("change", "labels") and len(one.path) > 2}
