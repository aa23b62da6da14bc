"""The fields of the language as the schema has them: nothing is lost, and their examples hold."""

from itertools import pairwise

import pytest

from taskspec.contracts import Contract, load_schema
from taskspec.documents.checking import check
from taskspec.documents.describing import describe, manifest_fields
from taskspec.documents.language import ITEM, NAME, Field, field_names, find
from taskspec.documents.parsing import parse
from taskspec.documents.spelling import spelled

SCHEMA = load_schema("manifest.v1")
FIELDS = [field for root in manifest_fields() for field in root.whole if not field.is_slot and len(field.path) > 1]
WITH_EXAMPLE = [(field, example) for field in FIELDS for example in field.examples]
OF_ASSERTION = {"path": {"expr": "value > 0"}, "message": {"minLength": 1}}
COMPANIONS = {
    "project.spec.agents.NAME": {"timeout": {"command": ["cat"]}, "env": {"command": ["cat"]}},
    "task.spec.assertions[]": OF_ASSERTION,
    "project.spec.defaults[].spec.assertions[]": OF_ASSERTION,
    "project.spec.environments.NAME.defaults[].spec.assertions[]": OF_ASSERTION,
}
"""What a field needs beside it, where no schema says so but `check` does."""


def wholly(names):
    return [".".join(path) for path in names]


def annotated(node):
    """Yield every schema that has examples, wherever it stands."""
    if isinstance(node, list):
        for item in node:
            yield from annotated(item)
    elif isinstance(node, dict):
        if isinstance(node.get("examples"), list):
            yield node
        for key, value in node.items():
            if key not in {"examples", "default"}:
                yield from annotated(value)


def above(field):
    """Return the fields that lead to one, from the kind of document on."""
    found = [next(root for root in manifest_fields() if root.path == field.path[:1])]
    for length in range(2, len(field.path) + 1):
        found.append(next(below for below in found[-1].fields if below.path == field.path[:length]))
    return found


def document_with(field, example):
    """Return the smallest document in which a field has a value."""
    value, way = example, above(field)
    for parent, child in reversed(list(pairwise(way))):
        if child.name == ITEM:
            value = [value]
        elif child.name == NAME:
            value = {"sample": value}
        else:
            others = {other.name: other.examples[0] for other in parent.fields if other.required and other is not child}
            value = {**others, **COMPANIONS.get(parent.written, {}).get(child.name, {}), child.name: value}
    return value


def described(schema):
    """Return the fields of a task's spec that has one field, `it`, of a given schema."""
    root = {
        "properties": {"kind": {"enum": ["Task"]}, "spec": {"$ref": "#/$defs/spec"}},
        "$defs": {
            "template": {"type": "string"},
            "node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}, "value": {"type": "integer"}}},
            "spec": {"type": "object", "properties": {"it": schema}},
        },
    }
    return find(describe(root), "task.spec.it")[0]


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.written)
def test_every_field_has_a_title_a_description_and_an_example(field):
    assert field.title
    assert field.title != field.name
    assert field.description.endswith((".", ")"))
    assert field.examples


def test_every_example_fits_its_own_schema():
    found = list(annotated(SCHEMA))
    assert len(found) > 50
    for schema in found:
        contract = Contract({**schema, "$schema": SCHEMA["$schema"], "$defs": SCHEMA["$defs"]})
        for example in schema["examples"]:
            assert contract.violations(example) == [], example


def test_every_default_fits_its_own_schema():
    for field, example in [(field, field.default) for field in FIELDS if field.has_default]:
        assert not field.required
        assert refusals(document_with(field, example)) == [], field.written


def refusals(value):
    parsed = parse(spelled(value).encode(), "example.yaml")
    assert parsed.diagnostics == ()
    (document,) = parsed.documents
    assert document.value == value
    return check(document)


@pytest.mark.parametrize(("field", "example"), WITH_EXAMPLE, ids=lambda it: it.written if isinstance(it, Field) else "")
def test_every_example_is_accepted_in_a_document(field, example):
    assert refusals(document_with(field, example)) == []


def test_an_example_that_is_wrong_would_be_found():
    (field,) = find(manifest_fields(), "task.spec.retry.backoff")
    assert [finding.summary for finding in refusals(document_with(field, "soon"))] == ["Wrong value"]


def test_a_field_that_may_be_one_template_says_so_and_what_it_has_to_give():
    field = described({"if": {"$ref": "#/$defs/template"}, "else": {"type": "integer", "minimum": 2}})
    assert (field.template, field.kinds, field.limits) == (True, ("whole number",), ("at least 2",))


@pytest.mark.parametrize(
    "forms",
    [
        {"if": {"type": "string"}, "then": {"enum": ["a", "b"]}, "else": {"$ref": "#/$defs/node"}},
        {"oneOf": [{"enum": ["a", "b"]}, {"$ref": "#/$defs/node"}]},
        {"anyOf": [{"enum": ["a", "b"]}, {"allOf": [{"$ref": "#/$defs/node"}]}]},
    ],
)
def test_a_field_of_several_forms_has_the_words_of_one_and_the_fields_of_the_other(forms):
    field = described(forms)
    assert field.kinds == ("text", "map")
    assert field.allowed == ("a", "b")
    assert [below.name for below in field.fields] == ["next", "value"]


def test_what_refers_to_itself_is_followed_once():
    field = described({"$ref": "#/$defs/node"})
    assert wholly(below.path for below in field.whole) == [
        "task.spec.it",
        "task.spec.it.next",
        "task.spec.it.value",
    ]
    assert [below.kinds for below in field.fields] == [("map",), ("whole number",)]
    whole = described({"$ref": "#"})
    assert len(list(whole.whole)) < 10


def test_a_reference_out_of_the_schema_is_anything():
    assert described({"$ref": "https://example.com/schema"}).kinds == ()


def test_a_schema_that_is_true_is_anything_and_one_that_is_false_is_no_field():
    shape = {"type": "object", "properties": {"a": True, "b": False}, "additionalProperties": True, "items": False}
    assert [(below.name, below.kinds) for below in described(shape).fields] == [("a", ())]
    assert described({"anyOf": [True, False, {"type": "string"}]}).kinds == ("text",)
    assert described({"if": {"type": "string"}, "then": False, "else": True, "type": "array"}).kinds == ("list",)


def test_what_holds_under_a_condition_is_read_too():
    field = described(
        {
            "type": "object",
            "properties": {"kind": {"enum": ["x", "y"]}},
            "allOf": [
                {
                    "if": {"properties": {"kind": {"const": "x"}}},
                    "then": {"properties": {"more": {"type": "integer"}}, "required": ["more"]},
                    "else": {"$ref": "#/$defs/node"},
                }
            ],
        }
    )
    assert {below.name: below.kinds for below in field.fields} == {
        "kind": ("text",),
        "more": ("whole number",),
        "next": ("map",),
        "value": ("whole number",),
    }
    assert not any(below.required for below in field.fields)


def test_only_what_every_form_requires_is_required():
    shape = {"type": "object", "properties": {"a": {}, "b": {}, "c": {}}}
    field = described({**shape, "anyOf": [{"required": ["a", "c"]}, {"required": ["b", "c"]}]})
    assert [below.name for below in field.fields if below.required] == ["c"]


def test_what_a_parent_says_of_runs_and_secrets_holds_below_it():
    schema = {"$ref": "#/$defs/node", "runRelevant": "only the names", "writeOnly": True}
    value = described(schema).fields[1]
    assert (value.run_relevant, value.secret) == ("only the names", True)


def test_words_beside_a_reference_take_the_place_of_its_own():
    field = described({"title": "It", "$ref": "#/$defs/node"})
    assert field.title == "It"
    assert field.kinds == ("map",)


def test_what_stands_under_free_names_or_in_a_list_has_a_slot():
    node = {"$ref": "#/$defs/node"}
    named = described({"type": "object", "additionalProperties": node})
    listed = described({"type": "array", "items": node})
    assert (named.kinds, wholly(f.path for f in named.fields)) == (("map of maps",), ["task.spec.it.NAME"])
    assert (listed.kinds, [f.written for f in listed.fields]) == (("list of maps",), ["task.spec.it[]"])
    plain = described({"type": "array", "items": {"enum": ["a"]}})
    assert (plain.kinds, plain.allowed, plain.fields) == (("list of texts",), ("a",), ())


@pytest.mark.parametrize(
    ("word", "paths"),
    [
        ("task.spec.retry", ["task.spec.retry"]),
        ("spec.manifests", ["project.spec.manifests"]),
        ("manifests", ["project.spec.manifests"]),
        ("task", ["task"]),
        ("project.spec.variables.type", ["project.spec.variables.NAME.type"]),
        ("project.spec.variables.NAME.type", ["project.spec.variables.NAME.type"]),
        ("spec.agents.NAME.command", ["project.spec.agents.NAME.command"]),
        ("spec.agents.command", ["project.spec.agents.NAME.command"]),
        ("spec.defaults[0].spec", ["project.spec.defaults[].spec"]),
        ("spec.defaults[q1].spec", []),
        ("", []),
        (".", []),
        ("task.spec.promt", []),
        ("ask.spec", []),
    ],
)
def test_a_word_names_a_field_by_its_path_or_by_the_end_of_it(word, paths):
    assert [field.written for field in find(manifest_fields(), word)] == paths


def test_a_name_that_stands_in_several_places_names_them_all():
    found = [field.written for field in find(manifest_fields(), "retry")]
    assert found[0] == "task.spec.retry"
    assert {"task.spec.retry", "project.spec.retry"} < set(found)


def test_fields_that_mean_the_same_in_two_places_are_told_alike():
    task, *others = find(manifest_fields(), "retry")
    assert all(other.told == task.told for other in others)
    (timeout,) = find(manifest_fields(), "project.spec.agents.timeout")
    assert timeout.told != find(manifest_fields(), "task.spec.timeout")[0].told


def test_every_word_that_is_said_to_name_a_field_does():
    roots = manifest_fields()
    for word in field_names(roots):
        assert find(roots, word), word
