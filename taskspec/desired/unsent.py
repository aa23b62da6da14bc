"""What only taskspec reads of a task, as plain values: never sent, and nothing that a run is started for.

What is as it is without being declared is left out.
"""

from collections.abc import Mapping
from typing import Any, Final

from taskspec.desired.model import DeferredTask, DesiredTask
from taskspec.documents.model import Policies, Retention

_USUAL: Final = Policies()


def unsent_of(task: DesiredTask | DeferredTask) -> Mapping[str, Any]:
    """Return what only taskspec reads of a task, by the names of the manifest."""
    found: dict[str, Any] = {}
    if task.labels:
        found["labels"] = dict(task.labels)
    if task.assertions:
        found["assertions"] = [dict(assertion) for assertion in task.assertions]
    return found if task.policies == _USUAL else found | _policies(task.policies)


def _policies(policies: Policies) -> dict[str, Any]:
    """Return each policy that is not as it is without being declared."""
    usual = _all(_USUAL)
    return {name: value for name, value in _all(policies).items() if value != usual[name]}


def _retention(retention: Retention) -> dict[str, Any]:
    told = {"generations": retention.generations, "age": retention.age}
    return {name: value for name, value in told.items() if value is not None}


def _all(policies: Policies) -> dict[str, Any]:
    rerun, retry = policies.rerun, policies.retry
    return {
        "rerun": {
            "when": str(rerun.when),
            **({} if rerun.after is None else {"after": rerun.after}),
            **({"ignore": sorted(rerun.ignore)} if rerun.ignore else {}),
        },
        "retry": {"maxAttempts": retry.max_attempts, "statuses": list(retry.statuses), "backoff": retry.backoff},
        "onChangeActive": str(policies.on_change_active),
        "onRemove": str(policies.on_remove),
        "protect": policies.protect,
        "sideEffects": policies.side_effects,
        "timeout": policies.timeout,
        "retention": _retention(policies.retention),
    }
