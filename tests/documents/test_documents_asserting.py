"""Assertions as they are written: each mistake is told at its place, with a way out."""

import pytest

from taskspec.documents.checking import check
from taskspec.documents.parsing import parse

HEAD = "apiVersion: taskspec/v1\nkind: Task\nmetadata: {name: a}\nspec:\n  agent: a\n  prompt: p\n  assertions:\n"


def told(written):
    (document,) = parse((HEAD + written).encode(), "f.yaml").documents
    return [
        (f"{d.position.line}:{d.position.column}", d.summary, f"{d.detail} {d.hint}".strip()) for d in check(document)
    ]


@pytest.mark.parametrize(
    "written",
    [
        "    - {path: $.total, expr: 'value > 0', message: a region cannot sell nothing}",
        "    - {regex: '^# .+'}",
        "    - {schema: {type: object, required: [total]}}",
        "    - {minLength: 10, maxLength: 20}",
        "    - {path: '$.items[*]', minLength: 1}",
        "    - {expr: \"len(words(result)) < 500 and json.total == value.total\"}",
        "    - expr: |\n        value > 0\n        and value < 9  # a remark",
        "    []",
    ],
)  # fmt: skip
def test_what_is_right_is_taken(written):
    assert told(written) == []


@pytest.mark.parametrize(
    ("written", "place", "words"),
    [
        ("    - {message: hm}", "8:7", "`spec.assertions[0]` checks nothing. Give it one of `expr`"),
        ("    - {path: $.a}", "8:7", "checks nothing"),
        ("    - {expr: 'true', regex: x}", "8:22", "has `expr` and `regex`, and an assertion has one check. Make two"),
        ("    - {minLength: 1, schema: {}}", "8:22", "has `minLength` and `schema`"),
        ("    - {minLength: 3, maxLength: 2}", "8:33", "for at least 3 and for at most 2"),
        ("    - {regex: '(a'}", "8:16", "It is no regular expression: missing ), unterminated subpattern"),
        ("    - {regex: 'a(?=b)'}", "8:16", "cannot be matched in linear time. Leave out look-around"),
        ("    - {regex: 'x{9'}\n    - {regex: 'a['}", "9:17", "`spec.assertions[1].regex`: It is no regular"),
        ("    - {path: total, expr: value > 0}", "8:14", "A path begins with `$`. Write `$.total`."),
        ("    - {path: '$.a[', expr: value > 0}", "8:19", "`spec.assertions[0].path`: It cannot be read"),
        ("    - {expr: vlaue > 0}", "8:14", "`vlaue` is not known here. Did you mean `value`?"),
        ("    - {expr: 'value > && 0'}", "8:23", "This is no expression. Write `and` for `&&`."),
        ("    - expr: |\n        value > 0\n        and totl > 1", "10:13", "`totl` is not known here."),
        ("    - {expr: 'matches(value, \"(a\")'}", "8:30", "It is no regular expression"),
        ("    - {schema: {type: nmber}}", "8:23", "is not a valid JSON Schema"),
        ("    - {schema: {pattern: '(?=a)'}}", "8:26", "Patterns in it take no look-around"),
        ("    - {exp: value}", "8:8", "`exp` is not a field of `spec.assertions[0]`. Did you mean `expr`?"),
        ("    - {expr: '{{ vars.a }} > 0'}", "8:14", "holds a template, and is not evaluated. Write the value itself."),
        ("    - {regex: 5}", "8:15", "`spec.assertions[0].regex` must be a string, found a number. Put it in quotes."),
        ("    - value > 0", "8:7", "`spec.assertions[0]` must be a mapping, found a string."),
        ("    {expr: value > 0}", "8:5", "`spec.assertions` must be a list, found a mapping."),
        ("    - {minLength: -1}", "8:19", "must be at least 0, found -1"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place(written, place, words):
    found = told(written)
    assert [one for one in found if one[0] == place and words in one[2]], found


def test_all_mistakes_are_told_at_once():
    found = told("    - {expr: vlaue}\n    - {regex: '(a', path: a}\n    - {}")
    assert [place for place, _, _ in found] == ["8:14", "9:27", "9:16", "10:7"]


@pytest.mark.parametrize("owner", ["spec:\n", "spec:\n  environments:\n    prod:\n"])
def test_assertions_that_tasks_begin_with_are_held_to_the_same(owner):
    wrong = "defaults: [{spec: {assertions: [{regex: '(a'}, {message: hm}]}}]"
    indent = "      " if "prod" in owner else "  "
    head = "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: a}\n"
    (document,) = parse(f"{head}{owner}{indent}{wrong}\n".encode(), "f.yaml").documents
    assert [(d.summary, d.position.column - len(indent)) for d in check(document)] == [
        ("Wrong regular expression", 42),
        ("Missing check", 48),
    ]


def test_a_template_in_assertions_that_tasks_begin_with_is_an_error():
    text = "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: a}\n"
    text += "spec: {defaults: [{spec: {assertions: [{regex: '{{ vars.a }}'}]}}]}\n"
    (document,) = parse(text.encode(), "f.yaml").documents
    assert [d.summary for d in check(document)] == ["Template not evaluated here"]
