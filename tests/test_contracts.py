"""Contracts: both engines say the same, in our words, and fetch nothing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.contracts import Contract, InvalidSchemaError, load_schema

ENGINES = ("jsonschema_rs", "jsonschema")

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"$ref": "#/$defs/name"},
        "count": {"type": "integer", "minimum": 1},
        "tone": {"enum": ["formal", "plain"]},
        "list": {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "minItems": 1},
        "either": {"anyOf": [{"type": "string"}, {"const": 3}]},
        "named": {"propertyNames": {"pattern": "^[a-z]+$"}},
        "form": {"if": {"type": "string"}, "then": {"maxLength": 2}, "else": {"type": "object"}},
    },
    "required": ["name"],
    "additionalProperties": False,
    "$defs": {"name": {"type": "string", "pattern": "^[a-z]+$", "patternErrorMessage": "must be lower-case"}},
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "abc", "A", "formal"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "B", "name"]), inner, max_size=3),
    max_leaves=6,
)


def said(instance, engine, *, masked=False, schema=SCHEMA):
    return [(v.path, v.keyword, v.message) for v in Contract(schema, engine=engine).violations(instance, masked=masked)]


@given(st.dictionaries(st.sampled_from([*SCHEMA["properties"], "other"]), json_values, max_size=4))
def test_both_engines_find_the_same_and_say_the_same(instance):
    assert said(instance, "jsonschema_rs") == said(instance, "jsonschema")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_violation_says_what_is_wrong_and_where(engine):
    found = said({"count": "1", "list": [1], "nmae": "x", "named": {"A": 1}}, engine)
    assert found == [
        ((), "additionalProperties", "has fields that are not known: `nmae`"),
        ((), "required", "lacks `name`"),
        (("count",), "type", "must be a whole number, found a string"),
        (("list", 0), "type", "must be a string, found a number"),
        (("named",), "propertyNames", "has a name that cannot be: `A`"),
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_schema_may_bring_its_own_words_for_a_pattern(engine):
    assert said({"name": "X"}, engine) == [(("name",), "pattern", 'must be lower-case, found "X"')]


@pytest.mark.parametrize("engine", ENGINES)
def test_masked_messages_hold_no_value(engine):
    instance = {"name": "S3CRET", "tone": "S3CRET", "either": ["S3CRET"], "form": "S3CRET", "count": 0}
    assert "S3CRET" in str(said(instance, engine))
    assert "S3CRET" not in str(said(instance, engine, masked=True))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_detail_holds_no_value_of_the_instance(engine):
    for violation in Contract(SCHEMA, engine=engine).violations({"name": "S3CRET", "either": ["S3CRET"]}):
        assert "S3CRET" not in str(violation.detail)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"type": "strin"}, ("type",)),
        ({"properties": {"a": {"type": 5}}}, ("properties", "a", "type")),
        ({"pattern": "("}, ("pattern",)),
        ({"$schema": 5}, ("$schema",)),
    ],
)
def test_an_invalid_schema_is_refused_with_its_place(engine, schema, path):
    with pytest.raises(InvalidSchemaError) as caught:
        Contract(schema, engine=engine)
    assert caught.value.path == path


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("reference", ["http://127.0.0.1:9/x", "file:///etc/hostname", "#/$defs/absent"])
def test_a_reference_out_of_the_schema_is_refused_and_not_fetched(engine, reference):
    with pytest.raises(InvalidSchemaError):
        Contract({"$ref": reference}, engine=engine).violations(1)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("schema", [{"items": {"$ref": "#"}, "type": "array"}, {"not": {"type": "array"}}])
def test_a_value_that_is_too_deep_to_check_does_not_fit(engine, schema):
    value = 1
    for _ in range(900):
        value = [value]
    assert Contract(schema, engine=engine).violations(value, masked=True)


def test_the_manifest_schema_is_valid_for_both_engines():
    for engine in ENGINES:
        assert Contract(load_schema("manifest.v1"), engine=engine).violations({"kind": "Task"})


def subschemas(node):
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from subschemas(value)
    elif isinstance(node, list):
        for value in node:
            yield from subschemas(value)


def test_every_property_of_the_manifest_schema_has_a_title_and_a_description():
    schema = load_schema("manifest.v1")
    conditions = json.dumps([part["if"] for part in schema["allOf"]])
    for node in subschemas({key: value for key, value in schema.items() if key != "allOf"}):
        for name, field in node.get("properties", {}).items():
            if isinstance(node["properties"], dict) and isinstance(field, dict) and "examples" not in name:
                described = {"title", "description"} <= field.keys()
                assert described or node.get("required") == ["total"] or name in conditions, name


def test_every_object_of_the_manifest_schema_that_names_its_fields_is_strict():
    for name, definition in load_schema("manifest.v1")["$defs"].items():
        if "properties" in definition:
            assert definition["additionalProperties"] is False, name


def test_a_linear_contract_takes_no_pattern_that_could_run_for_ever():
    Contract({"pattern": "(?=a)b"})
    with pytest.raises(InvalidSchemaError):
        Contract({"pattern": "(?=a)b"}, linear=True)
    assert Contract({"pattern": "^(a+)+$"}, linear=True).violations("a" * 100 + "b")
