"""JSON paths: what they select, how a wrong one is told, and that none takes for ever."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import little_work

from taskspec.jsonpaths import JsonPath, WrongPathError

VALUE = {
    "total": 5,
    "items": [{"n": 1, "tags": ["a"]}, {"n": 2, "tags": []}],
    "text": "[1, 2]",
    "a key": {"n": 3},
    "null": None,
}


def values(path, value=VALUE):
    return [found.value for found in JsonPath(path).select(value)]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.total", [5]),
        ("$['a key'].n", [3]),
        ("$.items[*].n", [1, 2]),
        ("$.items[-1].n", [2]),
        ("$.items[0:1].n", [1]),
        ("$..n", [1, 2, 3]),
        ("$.items[?@.n > 1].n", [2]),
        ("$.items[?@.n == $.total].n", []),
        ("$.items[?length(@.tags) == 0].n", [2]),
        ("$.null", [None]),
        ("$.nothing", []),
        ("$.text[0:1]", []),
        ("$.text[0]", []),
        ("$.text.*", []),
    ],
)
def test_a_path_selects_what_the_rfc_says(path, expected):
    assert values(path) == expected


@pytest.mark.parametrize("value", ['{"a": 1}', "[1", 5, None, True, "a", []])
def test_the_root_is_the_value_itself_whatever_it_is(value):
    assert values("$", value) == [value]
    assert values("$.a", value) == []


def test_each_value_is_named_by_the_one_place_where_it_stands():
    assert [found.path for found in JsonPath("$..n").select(VALUE)] == [
        "$['items'][0]['n']",
        "$['items'][1]['n']",
        "$['a key']['n']",
    ]


@pytest.mark.parametrize(
    ("path", "says", "column"),
    [
        ("total", "A path begins with `$`.", 1),
        ("", "A path begins with `$`.", 1),
        ("$.items[", "It cannot be read", 9),
        ("$.items[*", "It cannot be read", None),
        ("$.it ems", "It cannot be read", None),
        ("$.a | $.b", "It cannot be read", None),
        ("$ ", "It cannot be read", None),
        ("$[?match(@.a, '(a+)+$')]", "There is no function `match` here.", 4),
        ("$[?nosuch(@.a)]", "There is no function `nosuch` here.", 4),
        ("$[?@..a]", "A filter looks at many values", 3),
        ("$[?@[?@.a == 1]]", "A filter looks at many values", 3),
        ("$[?count(@.*) > 1]", "A filter looks at many values", 3),
        ("$" + ".a" * 500, "at most 1,000 characters", 1),
    ],
)
def test_a_wrong_path_says_what_is_wrong_and_where(path, says, column):
    with pytest.raises(WrongPathError) as caught:
        JsonPath(path)
    assert says in caught.value.message
    assert column in (None, caught.value.column)


@pytest.mark.parametrize(
    "path", ["$..*..*..*", "$" + "[0,0]" * 30, "$[*][*][*]", "$..[*]..[?@ == 1]", "$[" + "0," * 400 + "0][?@.a]"]
)
def test_no_path_takes_for_ever(path):
    deep = 1
    for _ in range(30):
        deep = [deep, deep]
    wide = [list(range(300_000))] * 2
    for value in (deep, wide, [[[1] * 300] * 300] * 300):
        with little_work(), suppress(WrongPathError):
            JsonPath(path).select(value)


pieces = st.sampled_from(
    ["$", "@", ".", "..", "[", "]", "*", "a", "'a'", "0", "-1", ":", ",", "?", "==", "&&", "(", ")"]
)
junk = st.lists(pieces | st.text(max_size=2), max_size=10).map("".join)


@given(junk | junk.map("${}".format) | junk.map("$[{}]".format) | junk.map("$[?{}]".format))
def test_junk_is_refused_by_no_other_error(text):
    try:
        values(text)
    except WrongPathError as error:
        message = error.message
        column = error.column
    else:
        message, column = ".", 1
    assert message.endswith(".")
    assert 1 <= column <= len(text) + 1
