"""Every field of the manifest reaches the wire, and the title ends with the marker."""

import json
from dataclasses import replace

import pytest
from apply_stages import task

from taskspec.apply.requesting import new_task, upload_reference
from taskspec.contracts import load_schema
from taskspec.desired.model import LocalFile
from taskspec.documents.defaulting import TASK_POLICIES
from taskspec.taskapi.endpoints import create_body, create_task

WIRE = {
    "outputFormat": ("json", "output_format"),
    "outputSchema": ({"type": "object"}, "output_schema"),
    "additionalContext": ("context", "additional_context"),
    "expectedOutput": ("a page", "expected_output"),
    "instructionsOverride": ("be brief", "instructions_override"),
    "source": ("ci", "source"),
    "payloadExtension": ({"a": 1}, "payload_extension"),
    "eventsStreaming": (True, "events_streaming"),
    "thinkMode": ("harder", "think_mode"),
    "toolCallLimit": (3, "tool_call_limit"),
    "mcpServers": ([{"name": "m"}], "mcp_servers"),
    "disableAttachmentInjection": (True, "disable_attachment_injection"),
    "userTokens": ({"crm": "t"}, "user_tokens"),
    "userOidcToken": ("oidc", "user_oidc_token"),
}
NESTED = {
    ("llm", "provider"): ("anthropic", "llm_model_provider"),
    ("llm", "name"): ("m", "llm_model_name"),
    ("llm", "reasoningEffort"): ("high", "llm_reasoning_effort"),
    ("harness", "cli"): ("x", "harness_cli"),
    ("harness", "permissionMode"): ("y", "permission_mode"),
}
NOT_IN_THE_BODY = {"agent", "agentVersion", "prompt", "title", "files", "user", "llm", "harness"}
TASKSPEC_ONLY = {"moved", "matrix", "forEach", "dependsOn", "assertions", *TASK_POLICIES}


def sent(declared, mark="[m]"):
    return json.loads(create_body(new_task(declared, mark)))


@pytest.mark.parametrize("name", WIRE)
def test_a_field_reaches_the_wire(name):
    value, wire_name = WIRE[name]
    assert sent(task(**{name: value}))[wire_name] == value
    assert sent(task())[wire_name] != value


@pytest.mark.parametrize("path", NESTED, ids=".".join)
def test_a_nested_field_reaches_the_wire(path):
    value, wire_name = NESTED[path]
    assert sent(task(**{path[0]: {path[1]: value}}))[wire_name] == value
    assert sent(task())[wire_name] is None


def test_a_user_reaches_the_wire_by_its_wire_names():
    user = {"email": "a@b.c", "id": "u", "firstName": "Ada", "lastName": "L", "timezone": "UTC"}
    said = sent(task(user=user | {"additionalAttributes": {"x": 1}}))["input"]["user"]
    assert said == {
        "email": "a@b.c",
        "id": "u",
        "first_name": "Ada",
        "last_name": "L",
        "timezone": "UTC",
        "additional_attributes": {"x": 1},
    }
    assert sent(task())["input"]["user"] is None


def test_the_version_of_the_agent_goes_as_a_header():
    call = create_task("writer", new_task(task(agentVersion="3"), "[m]"), idempotency_key="k")
    assert next(call).headers["x-agent-version"] == "3"


def test_prompt_title_and_files_reach_the_wire():
    file = LocalFile(path="data/sales.csv", sha256="ab" * 32, size=3)
    body = sent(task(prompt="Sum.", title="Sums", files=[file, "https://example.com/fx.csv"]), "[mark]")
    assert body["input"]["text"] == "Sum."
    assert body["title"] == "Sums [mark]"
    assert body["input"]["files"] == [f"upload:{'ab' * 32}/data/sales.csv", "https://example.com/fx.csv"]
    assert upload_reference(file) == body["input"]["files"][0]


def test_no_field_of_the_manifest_is_forgotten():
    fields = set(load_schema("manifest.v1")["$defs"]["taskSpec"]["properties"])
    assert fields == WIRE.keys() | NOT_IN_THE_BODY | TASKSPEC_ONLY


def test_nothing_is_sent_in_the_place_of_a_request_that_nobody_has():
    with pytest.raises(ValueError, match="the request of a is not known"):
        new_task(replace(task(), request={}), "[ts1]")
