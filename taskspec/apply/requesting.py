"""A declared task → the request that starts its run, with the marker in its title. Sends nothing."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from taskspec.desired.model import DesiredTask, LocalFile
from taskspec.desired.normalising import without_secrets
from taskspec.taskapi.encoding import create_body
from taskspec.taskapi.records import NewTask

_USER_FIELDS = {
    "firstName": "first_name",
    "lastName": "last_name",
    "additionalAttributes": "additional_attributes",
}


def upload_reference(file: LocalFile) -> str:
    """Return how a run's input names an uploaded file; the same on every engine and every port."""
    return f"upload:{file.sha256}/{file.path}"


def new_task(task: DesiredTask, mark: str) -> NewTask:
    """Return everything that the create call carries for a task; raise ValueError where nobody has its request.

    A saved plan has no requests of what it does not start: nothing is sent in their place.
    """
    request = task.request
    if not request:
        raise ValueError(f"the request of {task.address} is not known")
    llm: Mapping[str, Any] = request.get("llm") or {}
    harness: Mapping[str, Any] = request.get("harness") or {}
    return NewTask(
        prompt=request.get("prompt", ""),
        files=tuple(upload_reference(f) if isinstance(f, LocalFile) else f for f in task.files),
        title=f"{task.title} {mark}",
        agent_version=request.get("agentVersion"),
        output_format=request.get("outputFormat"),
        output_schema=request.get("outputSchema"),
        additional_context=request.get("additionalContext"),
        expected_output=request.get("expectedOutput"),
        instructions_override=request.get("instructionsOverride"),
        source=request.get("source"),
        payload_extension=request.get("payloadExtension"),
        user=_user(request.get("user")),
        events_streaming=bool(request.get("eventsStreaming", False)),
        think_mode=request.get("thinkMode", "default"),
        tool_call_limit=request.get("toolCallLimit"),
        mcp_servers=tuple(request.get("mcpServers", ())),
        disable_attachment_injection=bool(request.get("disableAttachmentInjection", False)),
        harness_cli=harness.get("cli"),
        permission_mode=harness.get("permissionMode"),
        llm_model_provider=llm.get("provider"),
        llm_model_name=llm.get("name"),
        llm_reasoning_effort=llm.get("reasoningEffort"),
        user_tokens=request.get("userTokens"),
        user_oidc_token=request.get("userOidcToken"),
        hidden=task.secrets,
    )


def digest_of(task: DesiredTask, mark: str) -> str:
    """Return the digest of the body of a task's create call, in which each secret counts by its place.

    A digest of what is sent would let whoever reads the state try out which short secret fits.
    """
    shown = without_secrets({name: task.spec.get(name, value) for name, value in task.request.items()})
    return hashlib.sha256(create_body(new_task(replace(task, request=shown), mark))).hexdigest()


def _user(user: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if not user:
        return None
    return {_USER_FIELDS.get(name, name): value for name, value in user.items()}
