"""A new task as the exact bytes of a create call's body. Sends nothing."""

import json
from collections.abc import Mapping
from typing import Any

from taskspec.errors import UsageError
from taskspec.taskapi.records import NewTask


def create_body(task: NewTask) -> bytes:
    """Return the body of a create call: equal tasks give equal bytes, so that a caller can hash what is sent.

    The body always has the 27 keys that the vendor's own client sends (docs/protocol.md, "Create").
    """
    return canonical_json(
        {
            "id": task.existing_task_id,
            "input": _input(task),
            "payload_extension": task.payload_extension,
            "source": task.source,
            "worker_id": task.worker_id,
            "output_format": task.output_format,
            "output_schema": task.output_schema,
            "run_locally": task.run_locally,
            "events_streaming": task.events_streaming,
            "additional_context": task.additional_context,
            "instructions_override": task.instructions_override,
            "test_run_node_id": task.test_run_node_id,
            "user_oidc_token": task.user_oidc_token,
            "expected_output": task.expected_output,
            "mcp_servers": list(task.mcp_servers),
            "triggering_agent_id": task.triggering_agent_id,
            "title": task.title,
            "think_mode": task.think_mode,
            "disable_attachment_injection": task.disable_attachment_injection,
            "tool_call_limit": task.tool_call_limit,
            "user_tokens": task.user_tokens,
            "return_metrics": task.return_metrics,
            "llm_model_provider": task.llm_model_provider,
            "llm_model_name": task.llm_model_name,
            "llm_reasoning_effort": task.llm_reasoning_effort,
            "harness_cli": task.harness_cli,
            "permission_mode": task.permission_mode,
        }
    )


def _input(task: NewTask) -> dict[str, Any]:
    """Return the input; like the vendor's own client it names attachments and a principal only where there are any."""
    given: dict[str, Any] = {"text": task.prompt, "files": list(task.files), "user": task.user}
    if task.attachments:
        given["attachments"] = list(task.attachments)
    return given if task.principal is None else {**given, "principal": task.principal}


def canonical_json(value: Any) -> bytes:
    """Return JSON with sorted keys, no white space and ASCII only, so that every text can be sent."""
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)
    except ValueError as error:
        raise UsageError(
            "The task holds a number that JSON cannot carry (infinity, not-a-number, or thousands of digits).",
            hint="Write it as a string, or leave it out.",
        ) from error
    return text.encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} cannot be sent as JSON")
