"""The Tasks module: create, list, read, change and stop the tasks of agents. Says what is asked; sends nothing."""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Literal

from taskspec.errors import UsageError
from taskspec.taskapi import endpoints
from taskspec.taskapi.creating import create_once
from taskspec.taskapi.messages import Call
from taskspec.taskapi.pairing import paired
from taskspec.taskapi.records import AgentExecutionStatus, NewTask
from taskspec.taskapi.tasks import calls, checking
from taskspec.taskapi.tasks.clients import Client
from taskspec.taskapi.tasks.fields import status_wire
from taskspec.taskapi.tasks.listing import TasksListItem, list_item
from taskspec.taskapi.tasks.task import Task
from taskspec.taskapi.tasks.values import User

Items = list[TasksListItem]
OutputFormat = Literal["text", "markdown", "json", "voice"]
ThinkMode = Literal["default", "harder"]
ReasoningEffort = Literal["low", "medium", "high", "xhigh"]


class Tasks(Client):
    """The tasks of a remote's agents, each call in both colours: `get` blocks, `aget` is awaited.

    Wrong arguments raise UsageError before anything is sent. Every call may raise the errors under RemoteError.
    """

    def _create(
        self,
        agent_id: str,
        existing_task_id: str | None = None,
        prompt: str | None = "",
        file_urls: Iterable[str] | None = None,
        user_details: User | Mapping[str, Any] | None = None,
        principal: Mapping[str, Any] | None = None,
        agent_version: str | None = None,
        tool_call_payload_extension: Mapping[str, Any] | None = None,
        source: str | None = None,
        worker_id: str | None = None,
        run_locally: bool = False,  # noqa: FBT002 - the vendor's signature, here and below
        output_format: OutputFormat | Enum | None = None,
        output_schema: Mapping[str, Any] | None = None,
        events_streaming: bool = False,  # noqa: FBT002
        additional_context: str | None = None,
        instructions_override: str | None = None,
        test_run_node_id: str | None = None,
        user_oidc_token: str | None = None,
        expected_output: str | None = None,
        mcp_servers: Iterable[Mapping[str, Any]] | None = None,
        triggering_agent_id: str | None = None,
        title: str | None = None,
        think_mode: ThinkMode | Enum | None = "default",
        disable_attachment_injection: bool = False,  # noqa: FBT002
        return_metrics: bool = False,  # noqa: FBT002
        user_tokens: Mapping[str, Any] | None = None,
        llm_model_provider: str | None = None,
        llm_model_name: str | None = None,
        llm_reasoning_effort: ReasoningEffort | Enum | None = None,
        harness_cli: str | None = None,
        tool_call_limit: int | None = None,
        attachments: Iterable[Mapping[str, Any]] | None = None,
        permission_mode: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Call[Task]:
        """Create a task for an agent, or continue the ended task `existing_task_id`, and return it as it begins.

        It is created at most once: where its outcome stays unknown, OutcomeUnknownError says so. Remotes that honour
        `idempotency_key` (default: a fresh one) answer the same key and the same arguments with the first task.
        """
        task = NewTask(
            prompt=checking.text("prompt", "" if prompt is None else prompt),
            files=checking.urls("file_urls", file_urls),
            title=checking.optional_text("title", title),
            agent_version=None if agent_version is None else checking.header("agent_version", agent_version),
            output_format=checking.optional_text("output_format", output_format),
            output_schema=checking.json_object("output_schema", output_schema),
            additional_context=checking.optional_text("additional_context", additional_context),
            expected_output=checking.optional_text("expected_output", expected_output),
            instructions_override=checking.optional_text("instructions_override", instructions_override),
            source=checking.optional_text("source", source),
            payload_extension=checking.json_object("tool_call_payload_extension", tool_call_payload_extension),
            user=_user(user_details),
            events_streaming=checking.flag("events_streaming", events_streaming),
            think_mode=checking.text("think_mode", "default" if think_mode is None else think_mode),
            tool_call_limit=checking.count("tool_call_limit", tool_call_limit),
            mcp_servers=checking.json_objects("mcp_servers", mcp_servers),
            disable_attachment_injection=checking.flag("disable_attachment_injection", disable_attachment_injection),
            harness_cli=checking.optional_text("harness_cli", harness_cli),
            permission_mode=checking.optional_text("permission_mode", permission_mode),
            llm_model_provider=checking.optional_text("llm_model_provider", llm_model_provider),
            llm_model_name=checking.optional_text("llm_model_name", llm_model_name),
            llm_reasoning_effort=checking.optional_text("llm_reasoning_effort", llm_reasoning_effort),
            user_tokens=checking.json_object("user_tokens", user_tokens),
            user_oidc_token=checking.optional_text("user_oidc_token", user_oidc_token),
            existing_task_id=(
                None if existing_task_id is None else checking.identifier("existing_task_id", existing_task_id)
            ),
            triggering_agent_id=checking.optional_text("triggering_agent_id", triggering_agent_id),
            worker_id=checking.optional_text("worker_id", worker_id),
            run_locally=checking.flag("run_locally", run_locally),
            test_run_node_id=checking.optional_text("test_run_node_id", test_run_node_id),
            return_metrics=checking.flag("return_metrics", return_metrics),
            principal=checking.json_object("principal", principal),
            attachments=checking.json_objects("attachments", attachments),
        )
        key = self._session.fresh_key() if idempotency_key is None else idempotency_key
        record = yield from create_once(
            checking.identifier("agent_id", agent_id),
            task,
            idempotency_key=checking.header("idempotency_key", key),
            honours=self._session.honours_idempotency_keys,
            patience=self._session.patience,
            timeout=self.configuration.create_timeout,
        )
        return Task(record.raw, self._session)

    def _get(self, task_id: str) -> Call[Task]:
        """Read one task in full."""
        record = yield from endpoints.get_task(checking.identifier("task_id", task_id))
        return Task(record.raw, self._session)

    def _update(
        self,
        task_id: str,
        tool_call_payload_extension: Mapping[str, Any] | None = None,
        source: str | None = None,
        status: AgentExecutionStatus | str | None = None,
        last_executed_node_id: str | None = None,
        result: str | None = None,
    ) -> Call[Task]:
        """Change those of a task's fields that are given, and return it as it is then; None leaves a field as it is.

        Nothing given is a UsageError: to read a task there is `get`.
        """
        given = {
            "tool_call_payload_extension": checking.json_object(
                "tool_call_payload_extension", tool_call_payload_extension
            ),
            "source": checking.optional_text("source", source),
            "status": None if status is None else status_wire("status", status),
            "last_executed_node_id": checking.optional_text("last_executed_node_id", last_executed_node_id),
            "result": checking.optional_text("result", result),
        }
        sent = {name: value for name, value in given.items() if value is not None}
        if not sent:
            raise UsageError("There is nothing to change.", hint=f"Give at least one of: {', '.join(given)}.")
        record = yield from calls.change_task(checking.identifier("task_id", task_id), sent)
        return Task(record.raw, self._session)

    def _stop(self, task_id: str) -> Call[Task]:
        """Stop a task and return it as it is then; one that has ended stays as it is."""
        record = yield from endpoints.stop_task(checking.identifier("task_id", task_id))
        return Task(record.raw, self._session)

    def _list_user_tasks(self, user_id: str, filters: Mapping[str, object] | None = None) -> Call[Items]:
        """List all tasks of a user; `filters` as in `list`."""
        user = checking.identifier("user_id", user_id)
        rows = yield from calls.user_history(user, filters, self._session.pages_lists)
        return [list_item(row, "", self._session) for row in rows]

    def _list(self, agent_id: str, filters: Mapping[str, object] | None = None) -> Call[Items]:
        """List all tasks of an agent, every page of them, each id once.

        `filters` go to the remote: `status`, `internal_status`, `user_id`, `parent_task_id`, `triggering_agent_id`,
        and whatever else it knows. None leaves a filter out, a list repeats it.
        """
        agent = checking.identifier("agent_id", agent_id)
        rows = yield from calls.agent_history(agent, filters, self._session.pages_lists)
        return [list_item(row, agent, self._session) for row in rows]

    create, acreate = paired(_create)
    get, aget = paired(_get)
    update, aupdate = paired(_update)
    stop, astop = paired(_stop)
    list_user_tasks, alist_user_tasks = paired(_list_user_tasks)
    list, alist = paired(_list)


def _user(given: object) -> dict[str, Any] | None:
    if given is None or isinstance(given, User):
        return None if given is None else given.wire()
    user = checking.json_object("user_details", given)
    if user is None or not isinstance(user.get("email"), str) or not user["email"].strip():
        raise UsageError("`user_details` must be a User, or a dictionary with an `email`.")
    return user
