"""An account as JUnit XML, which CI services show as tests: a task is a test case. Decides nothing.

Wherever the verdict is neither that of 0 nor that of 2, at least one case has failed: what nobody else tells of is a
case of its own.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from xml.etree import ElementTree as ET

from taskspec.diagnostics import Diagnostic, Position, Severity
from taskspec.events import Effect, Interrupted, RunEnded
from taskspec.health import Health
from taskspec.plan.model import IDLE, Action, Plan
from taskspec.report.account import Account, Kind, TaskTold
from taskspec.report.overlooking import overlooked_lines
from taskspec.report.refusing import refused, way_out
from taskspec.report.text import in_line, place_of, visible
from taskspec.report.twins import twins
from taskspec.report.unwell import GOOD, WELL, goes_on, is_unwell, place_in, reasons_of, word_of
from taskspec.report.verdicts import verdict
from taskspec.state.model import Verdict

LONGEST: Final = 20_000
"""Characters of a text."""
_FAILURES: Final = frozenset({Verdict.REJECTED, Verdict.FAILED, Verdict.STOPPED, Verdict.WAITING})
_BARRED: Final = re.compile("[\ufffe\uffff]")
"""What XML 1.0 cannot hold, beside what is made visible anyway."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Outcome:
    """What is wrong with a case; `element` is `failure`, `error` or `skipped`."""

    element: str
    type: str
    message: str
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Case:
    """One test case."""

    name: str
    classname: str
    outcome: _Outcome | None = None
    position: Position | None = None
    seconds: float = 0.0
    said: tuple[str, ...] = ()


def page(account: Account) -> str:
    """Return an account as an XML document."""
    cases = [*_cases(account)]
    if verdict(account).code not in GOOD and not any(
        case.outcome and case.outcome.element != "skipped" for case in cases
    ):
        cases.append(_untold(account))
    if not cases:  # some readers take a suite without any for one that was not run
        cases.append(_Case(name="taskspec", classname=_name(account)))
    suites = ET.Element("testsuites", _totals(cases, account) | {"name": "taskspec"})
    suite = ET.SubElement(suites, "testsuite", _totals(cases, account) | _about(account))
    suite.append(_properties({"exitCode": str(int(account.code)), **_revision(account)}))
    suite.extend(map(_element, cases))
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _cases(account: Account) -> Iterator[_Case]:
    whole = _name(account)
    if account.trouble is not None and not account.diagnostics:
        hint = f"\n→ {account.trouble.hint}" if account.trouble.hint else ""
        told = _Outcome(
            element="error",
            type=account.code.name.lower(),
            message=account.trouble.message,
            text=account.trouble.message + hint,
        )
        yield _Case(name="taskspec", classname=whole, outcome=told)
    for diagnostic in account.diagnostics:
        yield _diagnosed(diagnostic)
    if account.plan is not None:
        yield from _of_plan(account.plan, whole)
    yield from _of_twins(account, whole)
    for task in account.tasks:
        yield _of_task(task, account)
    if account.kind is Kind.VALIDATE and account.code in GOOD:
        yield _Case(name="manifests", classname=whole)


def _diagnosed(diagnostic: Diagnostic) -> _Case:
    is_error = diagnostic.severity is Severity.ERROR
    hint = f"\n→ {diagnostic.hint}" if diagnostic.hint else ""
    outcome = _Outcome(
        element="error" if is_error else "skipped",
        type=diagnostic.severity,
        message=diagnostic.summary,
        text=f"{diagnostic.position}: {diagnostic.detail or diagnostic.summary}{hint}",
    )
    place = diagnostic.position
    return _Case(name=f"{place}: {diagnostic.summary}", classname=place.file, outcome=outcome, position=place)


def _of_plan(plan: Plan, whole: str) -> Iterator[_Case]:
    for number, line in enumerate(overlooked_lines(plan), start=1):
        outcome = _Outcome(element="error", type="unread", message=line)
        yield _Case(name=f"refresh: {number}", classname=whole, outcome=outcome)
    for refusal in plan.refusals:
        said = refused(refusal)
        text = f"{said}\n→ {way_out(refusal)}"
        outcome = _Outcome(element="failure", type="refused", message=said, text=text)
        yield _Case(name=f"plan: {refusal.limit}", classname=whole, outcome=outcome, position=refusal.position)


def _of_twins(account: Account, whole: str) -> Iterator[_Case]:
    """Yield a case for each create that the remote has twice."""
    for address, said in twins(account):
        name = f"duplicates: {address or 'unknown'}"
        yield _Case(name=name, classname=whole, outcome=_Outcome(element="error", type="duplicates", message=said))


def _of_task(task: TaskTold, account: Account) -> _Case:
    declared = task.change.task if task.change is not None else None
    seconds = next((h.event.seconds for h in reversed(task.heard) if isinstance(h.event, RunEnded)), None)
    run = next((h.event.run for h in reversed(task.heard) if isinstance(h.event, RunEnded)), None)
    run = run or (task.change.run if task.change is not None else None) or ""
    return _Case(
        name=task.address,
        classname=(declared.file if declared is not None else "") or _name(account),
        outcome=_outcome(task),
        position=place_in(task),
        seconds=seconds or 0.0,
        said=tuple(f"{what}: {value}" for what, value in (("agent", task.agent), ("run", run)) if value),
    )


def _outcome(task: TaskTold) -> _Outcome | None:
    """Return what is wrong with a task; None where nothing is."""
    change, finished = task.change, task.finished
    text = "\n".join(reasons_of(task))
    message = next(iter(text.splitlines()), "")
    if is_unwell(task):
        word = word_of(task)
        told = f"{word}: {message}" if message else word
        return _Outcome(element=_element_of(task), type=word, message=told, text=text)
    if change is not None and finished is None and change.action not in IDLE:
        return _Outcome(element="skipped", type="planned", message=f"{change.action}: planned, not done")
    if goes_on(task):
        return _Outcome(element="skipped", type="begun", message=f"begun: {message or 'its run goes on'}")
    if task.health is None or (change is not None and change.action in {Action.HOLD, Action.BLOCKED}):
        return _Outcome(element="skipped", type="held", message=message or "held")
    return None


def _element_of(task: TaskTold) -> str:
    """Return `failure` where a task has failed, or a person has to decide, and `error` for all that is worse."""
    change, finished = task.change, task.finished
    if finished is None:
        is_refused = change is not None and change.refused
        is_known = is_refused or task.health in {Health.UNHEALTHY, Health.NEEDS_INPUT}
        return "failure" if is_known and not (change is not None and change.in_error) else "error"
    if finished.effect in {Effect.FAILED, Effect.UNKNOWN} or (change is not None and change.in_error):
        return "error"
    if finished.effect in {Effect.CUT, Effect.REFUSED}:
        return "failure"
    if finished.verdict in WELL:
        return "failure" if task.health in {Health.UNHEALTHY, Health.NEEDS_INPUT} else "error"
    return "failure" if finished.verdict in _FAILURES and task.health is not Health.UNKNOWN else "error"


def _untold(account: Account) -> _Case:
    """Return the case of a verdict that nothing else explains."""
    stopped = any(isinstance(one.event, Interrupted) for one in account.heard)
    found = verdict(account)
    said = "The command was interrupted." if stopped else f"{found.text} It ended with exit code {int(account.code)}."
    why = "\n".join(account.notes)
    outcome = _Outcome(element="error", type=found.code.name.lower(), message=said, text=why)
    return _Case(name="taskspec", classname=_name(account), outcome=outcome)


def _name(account: Account) -> str:
    return place_of(account.project or "taskspec", account.environment or "default")


def _totals(cases: list[_Case], account: Account) -> dict[str, str]:
    found = [case.outcome.element for case in cases if case.outcome is not None]
    return {
        "tests": str(len(cases)),
        "failures": str(found.count("failure")),
        "errors": str(found.count("error")),
        "skipped": str(found.count("skipped")),
        "time": f"{max(account.seconds, 0.0):.3f}",
    }


def _about(account: Account) -> dict[str, str]:
    at = datetime.fromtimestamp(account.began, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return {"name": _safe(_name(account)), "timestamp": at}


def _revision(account: Account) -> Mapping[str, str]:
    found = account.revision
    told = {} if found is None else {"commit": found.commit, "branch": found.branch, "job": found.job}
    return {key: value for key, value in told.items() if value}


def _properties(values: Mapping[str, str]) -> ET.Element:
    found = ET.Element("properties")
    for name, value in values.items():
        ET.SubElement(found, "property", {"name": name, "value": _safe(value)})
    return found


def _element(case: _Case) -> ET.Element:
    where = case.position
    placed = {"file": _safe(where.file), "line": str(where.line)} if where is not None and where.line else {}
    named = {"name": _safe(case.name), "classname": _safe(case.classname), "time": f"{case.seconds:.3f}"}
    found = ET.Element("testcase", named | placed)
    outcome = case.outcome
    if outcome is not None:
        told = {"message": _safe(outcome.message)}
        if outcome.element != "skipped":
            told["type"] = _safe(outcome.type)
        inner = ET.SubElement(found, outcome.element, told)
        inner.text = _barred(visible(outcome.text[:LONGEST])) or None
    if case.said:
        ET.SubElement(found, "system-out").text = "\n".join(map(_safe, case.said))
    return found


def _safe(text: str) -> str:
    return _barred(in_line(text, 1_000))


def _barred(text: str) -> str:
    return _BARRED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
