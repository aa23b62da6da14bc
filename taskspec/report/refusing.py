"""Why a plan is refused, and the way out, in words. Refuses nothing itself."""

from typing import Final, assert_never

from taskspec.plan.refusals import Refusal, RefusalKind
from taskspec.report.text import visible

_WAY: Final = "Select fewer tasks, or go beyond it once with `--override {}`."
_WRONG_REMOTE: Final = (
    "Check the organization, the key and the base URL of the remote: this rather means a wrong one. If the runs are "
    "gone, go on with `--override {}`."
)
_POLICY: Final = "Change what it denies, select other tasks, or go beyond it once with `--override {}`."
_RISK: Final = "Change it, select other tasks, or take the risk: leave `--fail-on-risk` out."
_NAMED: Final = 5
_LIMITED: Final = {
    "maxCreate": ("start", " runs"),
    "maxStop": ("stop", " runs"),
    "maxStopPercent": ("stop the runs of", " %"),
}


def refused(refusal: Refusal) -> str:
    """Return why a plan is not carried out: what refuses it, where that stands, and the tasks that it is about."""
    named = ", ".join(refusal.addresses[:_NAMED])
    more = f" and {len(refusal.addresses) - _NAMED} more" if len(refusal.addresses) > _NAMED else ""
    return visible(f"{_said(refusal)}{f': {named}{more}' if named else ''}.")


def way_out(refusal: Refusal, way: str = "") -> str:
    """Return what a person can do about a refusal; `way` is how to go beyond a limit where it is another one."""
    match refusal.kind:
        case RefusalKind.MISSING:
            said = _WRONG_REMOTE
        case RefusalKind.RISK:
            said = _RISK
        case RefusalKind.POLICY:
            said = way or _POLICY
        case RefusalKind.LIMIT | RefusalKind.BUDGET:
            said = way or _WAY
        case _:
            assert_never(refusal.kind)
    return said.format(refusal.limit)


def _said(refusal: Refusal) -> str:
    name, place = refusal.limit, f" ({refusal.position})" if refusal.position else ""
    match refusal.kind:
        case RefusalKind.MISSING:
            return (
                f"the remote does not know {refusal.found} runs that are recorded on it, which is more than can be "
                "lost at once"
            )
        case RefusalKind.LIMIT:
            what, unit = _LIMITED[name]
            return f"it would {what} {refusal.found}{unit}, and `{name}` allows {refusal.allowed}{unit}{place}"
        case RefusalKind.BUDGET:
            what = "runs" if name == "maxRuns" else "tokens"
            return f"the budget `{name}` allows {refusal.allowed} {what}{place}; {refusal.message}"
        case RefusalKind.POLICY:
            message = " ".join(refusal.message.split()).rstrip(".")
            return f"the policy `{name}` denies it{place}{f': {message}' if message else ''}"
        case RefusalKind.RISK:
            return f"a change has the risk `{name}`, which `--fail-on-risk` refuses"
        case _:
            assert_never(refusal.kind)
