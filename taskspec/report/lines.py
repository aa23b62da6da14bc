"""An account as JSON lines: what `--json` prints, line by line, with the times at which it was heard. Hides nothing."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from taskspec.plan.encoding import printed
from taskspec.report.account import Account, Kind, TaskTold
from taskspec.report.jsonlines import JsonLines


def _stands(task: TaskTold) -> dict[str, object]:
    """Return how a task stands, and which answer of it is accepted."""
    answer = task.after
    accepted = None if answer is None else {"generation": answer.generation, "run": answer.run, "sha256": answer.digest}
    return {"address": task.address, "agent": task.agent, "health": task.health, "accepted": accepted}


def page(account: Account) -> Iterator[str]:
    """Yield the plan of a command that only plans, every event, the notes, and what the command ended with."""
    if account.kind is Kind.PLAN and account.plan is not None:
        yield json.dumps(printed(account.plan), ensure_ascii=True) + "\n"
    for task in account.tasks if account.kind is Kind.STANDING else ():
        yield json.dumps(_stands(task), ensure_ascii=True) + "\n"
    written: list[str] = []
    at = account.began

    def now() -> str:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")

    view = JsonLines(written.append, now)
    for one in account.heard:
        at = one.at
        view.on(one.event)
        yield written.pop() + "\n"
    if account.notes:
        yield json.dumps({"notes": list(account.notes)}, ensure_ascii=True) + "\n"
    if account.trouble is not None:
        found = {
            "message": account.trouble.message,
            "hint": account.trouble.hint,
            "exitCode": int(account.code),
            "diagnostics": [diagnostic.as_json for diagnostic in account.diagnostics],
        }
        yield json.dumps({"error": found}, ensure_ascii=True) + "\n"
