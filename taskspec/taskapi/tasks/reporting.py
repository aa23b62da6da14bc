"""What is reported to the remote: a task that was executed elsewhere, and what an execution used. Sends nothing."""

from collections.abc import Iterable
from typing import Any

from taskspec.errors import UsageError
from taskspec.taskapi.tasks import checking
from taskspec.taskapi.tasks.fields import TaskFields
from taskspec.taskapi.tasks.values import Tokens


def external_report(
    *,
    id: str | None,  # noqa: A002 - the wire's name
    input: str | None,  # noqa: A002 - the wire's name
    llm_response: object,
    tokens: Tokens | None,
    is_success: bool,
    result: str | None,
    duration: float,
    used_tools: Iterable[str] | None,
) -> dict[str, Any]:
    """Return the body that reports a task."""
    return {
        "id": None if id is None else checking.identifier("id", id),
        "input": checking.optional_text("input", input),
        "llm_response": checking.json_value("llm_response", llm_response),
        "tokens": _counted(tokens),
        "is_success": checking.flag("is_success", is_success),
        "result": checking.optional_text("result", result),
        "duration": checking.number("duration", duration),
        "used_tools": list(checking.texts("used_tools", used_tools)),
    }


def metrics(task: TaskFields) -> dict[str, Any]:
    """Return the body that tells what a task's execution used; raise UsageError where its tokens are not set."""
    if task.tokens is None:
        raise UsageError(
            "The task's `tokens` are not set.", hint="Set them first: task.tokens = Tokens(prompt_tokens=…, …)."
        )
    return {
        "execution_id": task.id,
        "source": checking.optional_text("source", task.source) or "sdk",
        "sub_executions": list(checking.texts("sub_executions", task.sub_executions)),
        "memory_thread_id": task.id,
        "task": task.input.text,
        "triggered_by": "N/A",
        "skills": [],
        "status": checking.text("status", task.status),
        "internal_status": checking.optional_text("internal_status", task.internal_status),
        "duration": checking.number("duration", task.duration),
        "ai_model": checking.optional_text("llm_model_name", task.llm_model_name) or "unknown",
        "worker": None,
        "ai_employee_id": None,
        "api_calls_made": list(checking.texts("used_tools", task.used_tools)),
        "result": checking.optional_text("result", task.result),
        "llm_tokens": {"inner": Tokens().wire(), "worker": _counted(task.tokens)},
    }


def _counted(tokens: object) -> dict[str, int] | None:
    if tokens is None:
        return None
    if not isinstance(tokens, Tokens):
        raise checking.wrong("tokens", "Tokens or None", "from taskspec import Tokens")
    return tokens.wire()
