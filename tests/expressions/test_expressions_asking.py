"""What an expression asks for by name, and the conditions that it is made of."""

import pytest

from taskspec.expressions.evaluating import compile_expression


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("a", []),
        ("a.b", ["a.b"]),
        ("a.b.c == 1", ["a.b", "a.b.c"]),
        ("a['b'].c", ["a.b", "a.b.c"]),
        ("a[0].b", []),
        ("a[b.c].d", ["b.c"]),
        ("any(x.y for x in a.b)", ["a.b"]),
        ("len(a.b) > 0 and not a.c", ["a.b", "a.c"]),
        ("'a.b'", []),
    ],
)
def test_the_fields_of_names_from_outside_are_told(text, paths):
    assert sorted(".".join(one.path) for one in compile_expression(text).asked) == paths


def test_a_field_is_told_with_its_place():
    (found,) = compile_expression("true and\n  a.b").asked
    assert (found.line, found.column) == (2, 3)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a", [1]),
        ("a == 1 and a > 2", [True, False]),
        ("not (a == 1 or a == 2)", [True, False]),
        ("a > 0 if a == 1 else a < 0", [True, True, False]),
        ("all(x == 1 and x > 0 for x in [a])", [True]),
    ],
)
def test_conditions_are_the_parts_that_have_a_value_of_their_own(text, values):
    found = compile_expression(text).conditions
    assert [one.evaluate({"a": 1}, lambda *_: True) for one in found] == values
