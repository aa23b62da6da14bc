"""The outputs of a step of GitHub Actions, and their text in its file. Writes no file.

A value stands between two lines of a random word, so that none can end its block and begin another.
"""

from collections.abc import Callable, Mapping

from taskspec.report.account import Account
from taskspec.report.text import in_line
from taskspec.report.unwell import is_unwell
from taskspec.report.verdicts import verdict


def outputs(account: Account) -> Mapping[str, str]:
    """Return what a later step may want to know, by name."""
    plan = account.plan
    return {
        "exit-code": str(int(account.code)),
        "outcome": verdict(account).word.lower().replace(" ", "-"),
        "plan-digest": account.digest or "",
        "changes": str(len(plan.pending)) if plan is not None else "",
        "paid-runs": str(plan.paid_runs) if plan is not None else "",
        "unhealthy": str(sum(map(is_unwell, account.tasks))),
    }


def outputs_text(account: Account, nonce: Callable[[], str]) -> str:
    """Return the outputs as GitHub reads them; `nonce` returns a word that nobody can foresee."""
    lines: list[str] = []
    for name, value in outputs(account).items():
        fence = f"taskspec-{nonce()}"
        lines += [f"{name}<<{fence}", in_line(value), fence]
    return "".join(f"{line}\n" for line in lines)
