"""Rehearsing: whether the policies of a project can be asked at all, of changes as there may be. Asks about no plan.

What an expression names literally must be there. A condition that fails for every change fails for certain; the whole
is tried as it is written, so that what guards a field (`change.run != null and …`) counts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from taskspec.address import Address
from taskspec.diagnostics import Diagnostic, Position, nearest, path_text
from taskspec.documents.denying import NAMES, policy_lists, written_policies, wrong_expression
from taskspec.documents.model import Document, PlanPolicy
from taskspec.expressions.evaluating import Expression, compile_expression
from taskspec.expressions.model import WrongExpressionError
from taskspec.health import Health
from taskspec.judging.asserting import matches
from taskspec.plan.causes import Reason
from taskspec.plan.model import Action, Change, FieldDiff, Plan, Risk, RiskCategory
from taskspec.plan.policing import change_names, common_names, literal_labels

_FIXED: Final = frozenset({"change", "plan", "project", "counts", "risks"})
"""Maps that always have the same fields."""


def unaskable(document: Document) -> Iterator[Diagnostic]:
    """Find what is wrong with the policies of a checked document, of all its environments, beyond their form."""
    for path in policy_lists(document):
        for policy in written_policies(document, path):
            try:
                expression = compile_expression(policy.deny, NAMES)
            except WrongExpressionError:
                continue  # told where the document is checked
            yield from _trouble(document, policy, expression)


def _trouble(document: Document, policy: PlanPolicy, expression: Expression) -> Iterator[Diagnostic]:
    place = (*policy.path, "deny")
    worlds = [*_worlds(expression)]
    unknown = [*_unknown_fields(expression, worlds[0])]
    for trouble in unknown:
        yield wrong_expression(document, place, trouble)
    if unknown:
        return
    for condition in expression.conditions:
        troubles = [_failure(condition, world, is_whole=False) for world in worlds]
        if all(troubles) and troubles[0] is not None:
            yield _told(document, place, troubles[0])
            return
    failures = [found for world in worlds if (found := _failure(expression, world)) is not None]
    if failures:
        wrong = _told(document, place, failures[0])
        yield wrong if len(failures) == len(worlds) else _sometimes(wrong)


def _told(document: Document, place: tuple[str | int, ...], trouble: WrongExpressionError) -> Diagnostic:
    found = wrong_expression(document, place, trouble)
    return found if found.hint else replace(found, hint="`taskspec plan --json` shows what stands in each field.")


def _sometimes(found: Diagnostic) -> Diagnostic:
    way = "; ask before: `… != null and …`" if "null" in found.detail else ""
    return replace(found, hint=f"{found.hint} It is so for some changes{way}.".lstrip())


def _failure(expression: Expression, names: Mapping[str, Any], *, is_whole: bool = True) -> WrongExpressionError | None:
    try:
        if is_whole:
            expression.holds(names, matches)
        else:
            expression.evaluate(names, matches)
    except WrongExpressionError as trouble:
        return trouble
    return None


def _unknown_fields(expression: Expression, world: Mapping[str, Any]) -> Iterator[WrongExpressionError]:
    """Find fields that are named literally, and are in no change."""
    told: set[tuple[str, ...]] = set()
    for one in sorted(expression.asked, key=lambda one: len(one.path)):
        *above, name = one.path
        whole: Any = world
        for step in above:
            whole = whole.get(step) if isinstance(whole, Mapping) else None
        if not isinstance(whole, Mapping) or name in whole or above[-1] not in _FIXED or tuple(above) in told:
            continue
        told.add(one.path)
        hint = nearest(name, whole) or f"Known: {', '.join(f'`{field}`' for field in whole)}."
        said = f"`{path_text(above)}` has no field `{name[:60]}`."
        yield WrongExpressionError(said, line=one.line, column=one.column, hint=hint)


def _worlds(expression: Expression) -> Iterator[Mapping[str, Any]]:
    """Yield what a policy may see: for each action, with all that can be there and with as little as there can be."""
    labels = dict.fromkeys(literal_labels(expression), "text")
    for change in _changes():
        plan = Plan(
            id="plan",
            project="project",
            environment="default",
            lineage="lineage",
            serial=1,
            created_at=0.0,
            changes=(change,),
        )
        seen = {**change_names(change), "labels": labels}
        yield {**common_names(plan), "change": seen}


def _changes() -> Iterator[Change]:
    place = Position(file="tasks.yaml")
    for action in Action:
        bare = Change(
            address=Address("task"),
            action=action,
            reasons=(Reason(code="not_recorded", text="text"),),
            health=Health.HEALTHY,
            agent="agent",
        )
        full = replace(
            bare,
            address=Address("task[cell]"),
            moved_from=Address("former"),
            paid=True,
            conditional=True,
            destructive=True,
            after=(Address("other"),),
            generation=1,
            attempt=1,
            fingerprint="v1:0",
            run="run",
            verdict="accepted",
            diffs=(FieldDiff(path=("prompt",), before="before", after="after"),),
            risks=(Risk(category=RiskCategory.NEW_PAID_RUN, text="text", path=("prompt",), place=place),),
        )
        yield from (full, bare, replace(bare, paid=True))
