"""Fingerprints: every run-relevant field counts, and nothing else does."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskspec.desired.fingerprinting import canonical_json, fingerprint
from taskspec.desired.normalising import RUN_RELEVANT, SENT_ONLY, normalised

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)

FIELDS: dict[str, tuple[Any, Any]] = {
    "agent": ("a", "b"),
    "agentVersion": ("1", "2"),
    "prompt": ("p", "q"),
    "files": (["https://x.test/1"], ["https://x.test/2"]),
    "outputFormat": ("text", "markdown"),
    "outputSchema": ({"type": "object"}, {"type": "object", "required": ["a"]}),
    "additionalContext": ("c", "d"),
    "expectedOutput": ("e", "f"),
    "instructionsOverride": ("i", "j"),
    "payloadExtension": ({"a": None}, {"a": 1}),
    "user": ({"email": "a@x.test"}, {"email": "b@x.test"}),
    "thinkMode": ("default", "harder"),
    "toolCallLimit": (1, 2),
    "mcpServers": ([{"url": "https://x.test"}], [{"url": "https://y.test"}]),
    "disableAttachmentInjection": (False, True),
    "harness": ({"cli": "x"}, {"cli": "y"}),
    "llm": ({"provider": "x"}, {"provider": "y"}),
    "userTokens": ({"a": "1"}, {"b": "1"}),
    "userOidcToken": (None, "x"),
}
SENT: dict[str, tuple[Any, Any]] = {
    "title": ("t", "u"),
    "source": ("s", "t"),
    "eventsStreaming": (False, True),
}


def task_of(workshop: Any, fields: dict[str, Any], labels: Any = None) -> Any:
    spec = {"agent": "a", "prompt": "p", **{k: v for k, v in fields.items() if v is not None}}
    document = {"metadata": {"name": "one", "labels": labels or {}}, "spec": spec}
    return workshop.resolve(json.dumps(document)).task


def test_the_tables_of_this_test_name_every_field() -> None:
    assert set(FIELDS) == set(RUN_RELEVANT)
    assert set(SENT) == set(SENT_ONLY)


@pytest.mark.parametrize("name", FIELDS)
def test_every_run_relevant_field_changes_the_fingerprint(workshop: Any, name: str) -> None:
    before, after = FIELDS[name]
    assert task_of(workshop, {name: before}).fingerprint != task_of(workshop, {name: after}).fingerprint


@pytest.mark.parametrize("name", SENT)
def test_what_is_only_sent_is_in_the_request_and_not_in_the_fingerprint(workshop: Any, name: str) -> None:
    before, after = (task_of(workshop, {name: value}) for value in SENT[name])
    assert before.fingerprint == after.fingerprint
    assert before.request != after.request
    assert name not in after.spec


def test_labels_and_policies_are_not_in_the_fingerprint(workshop: Any) -> None:
    plain = task_of(workshop, {})
    assert task_of(workshop, {}, labels={"team": "x"}).fingerprint == plain.fingerprint
    policies = {"timeout": "5m", "onRemove": "hold", "retry": {"maxAttempts": 2}}
    assert task_of(workshop, policies).fingerprint == plain.fingerprint
    assert set(task_of(workshop, policies).request) == {"agent", "prompt", "title"}


def test_of_rerun_only_the_triggers_are_in_the_fingerprint_and_they_are_not_sent(workshop: Any) -> None:
    plain = task_of(workshop, {})
    policies = {"rerun": {"when": "always", "after": "1h", "ignore": ["prompt"]}, "protect": True, "sideEffects": True}
    assert task_of(workshop, {**policies, "onChangeActive": "hold"}).fingerprint == plain.fingerprint
    first, second = (task_of(workshop, {"rerun": {"triggers": {"release": release}}}) for release in ("1", "2"))
    assert len({plain.fingerprint, first.fingerprint, second.fingerprint}) == 3
    assert first.request == plain.request
    assert first.spec["rerun"] == {"triggers": {"release": "1"}}


def test_assertions_are_neither_sent_nor_in_the_fingerprint(workshop: Any) -> None:
    plain, strict = task_of(workshop, {}), task_of(workshop, {"assertions": [{"path": "$.a", "expr": "value > 0"}]})
    assert strict.fingerprint == plain.fingerprint
    assert strict.request == plain.request
    assert strict.spec == plain.spec
    assert strict.assertions == ({"path": "$.a", "expr": "value > 0"},)


@given(
    fields=st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in FIELDS.items()}), order=st.randoms()
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=30)
def test_order_of_keys_comments_and_style_change_nothing(workshop: Any, fields: dict[str, Any], order: Any) -> None:
    document = {"agent": "a", "prompt": "p", **{k: v for k, v in fields.items() if v is not None}}
    names = list(document)
    order.shuffle(names)
    flow = json.dumps({"metadata": {"name": "one"}, "spec": document})
    block = "metadata:\n  name: 'one' # a name\nspec:\n" + "".join(
        f"  # {name}\n  '{name}':   {json.dumps(document[name])}\n\n" for name in names
    )
    assert workshop.resolve(flow).task.fingerprint == workshop.resolve(block).task.fingerprint


@pytest.mark.parametrize(
    "fields",
    [
        {"thinkMode": "default"},
        {"disableAttachmentInjection": False},
        {"eventsStreaming": False},
        {"files": []},
        {"mcpServers": []},
        {"payloadExtension": {}},
        {"user": {}},
        {"userTokens": {}},
        {"llm": {}},
        {"harness": {"cli": None}},
        {"prompt": "p \n\n"},
    ],
)
def test_a_default_that_is_written_out_changes_nothing(workshop: Any, fields: dict[str, Any]) -> None:
    assert task_of(workshop, fields).fingerprint == task_of(workshop, {}).fingerprint


def test_null_equals_absent_for_a_field_and_is_a_value_within_free_data() -> None:
    assert normalised({"title": None, "llm": {"name": None}}) == {}
    assert normalised({"payloadExtension": {"a": None}}) == {"payloadExtension": {"a": None}}


def test_white_space_within_a_prompt_counts_and_its_line_ends_do_not() -> None:
    assert normalised({"prompt": "a\r\nb  \r\n"}) == normalised({"prompt": "a\nb"})
    assert normalised({"prompt": "a \nb"}) != normalised({"prompt": "a\nb"})
    assert normalised({"prompt": " a"}) != normalised({"prompt": "a"})


def test_a_schema_without_a_format_asks_for_json(workshop: Any) -> None:
    schema = {"outputSchema": {"type": "object"}}
    assert task_of(workshop, schema).request["outputFormat"] == "json"
    assert task_of(workshop, schema).fingerprint == task_of(workshop, {**schema, "outputFormat": "json"}).fingerprint


def test_a_number_is_what_it_is_worth_and_true_is_none() -> None:
    assert canonical_json(normalised({"payloadExtension": {"a": 1.0}})) == b'{"payloadExtension":{"a":1}}'
    assert canonical_json(normalised({"payloadExtension": {"a": True}})) == b'{"payloadExtension":{"a":true}}'
    assert canonical_json(normalised({"payloadExtension": {"a": 1e300}})) == b'{"payloadExtension":{"a":1e+300}}'


@given(JSON)
def test_normalising_twice_is_normalising_once(value: Any) -> None:
    once = normalised({"payloadExtension": value, "prompt": "x"})
    assert canonical_json(normalised(once)) == canonical_json(once)


@given(st.dictionaries(st.text(), JSON, max_size=5), st.randoms())
def test_the_canonical_form_knows_no_order_and_loses_nothing(value: dict[str, Any], order: Any) -> None:
    names = list(value)
    order.shuffle(names)
    assert canonical_json({name: value[name] for name in names}) == canonical_json(value)
    assert json.loads(canonical_json(value)) == value


def test_the_fingerprint_of_a_known_spec_stays_what_it_was() -> None:
    assert canonical_json({"b": "é\n", "a": [1, None, True]}) == '{"a":[1,null,true],"b":"é\\n"}'.encode()
    assert fingerprint({"agent": "writer", "prompt": "Grüße"}) == (
        "v1:0104bf4829c361502a36f04444b006ff90a1073ecf069537680219df731fbbe2"
    )


def test_what_is_no_number_has_no_fingerprint() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        fingerprint({"a": float("nan")})
