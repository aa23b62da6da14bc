"""An account as JSON lines: what `--json` prints, line by line, with the times at which it was heard. Hides nothing."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from taskspec.plan.encoding import printed
from taskspec.report.account import Account, Kind
from taskspec.report.jsonlines import JsonLines


def page(account: Account) -> Iterator[str]:
    """Yield the plan of a command that only plans, every event, and what the command ended with."""
    if account.kind is Kind.PLAN and account.plan is not None:
        yield json.dumps(printed(account.plan), ensure_ascii=True) + "\n"
    written: list[str] = []
    at = account.began

    def now() -> str:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")

    view = JsonLines(written.append, now)
    for one in account.heard:
        at = one.at
        view.on(one.event)
        yield written.pop() + "\n"
    if account.trouble is not None:
        found = {
            "message": account.trouble.message,
            "hint": account.trouble.hint,
            "exitCode": int(account.code),
            "diagnostics": [diagnostic.as_json for diagnostic in account.diagnostics],
        }
        yield json.dumps({"error": found}, ensure_ascii=True) + "\n"
