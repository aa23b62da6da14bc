"""At which line each item of a file stands, and each of its fields."""

import pytest

from taskspec.desired.rows import rows_of, table_row

FILES = {
    # the text, the name of the file, what names the items; then the line of each item and of its fields
    "a table": ("id,name\nus,United\nit,Italy\n", "a.csv", "id", {"us": (2, 2, 2), "it": (3, 3, 3)}),
    "a table with values of several lines": (
        'id,name,end\nus,"United\n\nStates",x\n\nit,Italy,y\n',
        "a.csv",
        "id",
        {"us": (2, 2, 2, 4), "it": (6, 6, 6, 6)},
    ),
    "a table of another system": (
        "\ufeffid,name\r\nus,United\r\nit,Italy\r\n",
        "a.csv",
        "id",
        {"us": (2, 2, 2), "it": (3, 3, 3)},
    ),
    "a table with lone returns": ("id,name\rus,United\r", "a.csv", "id", {}),
    "a list in JSON": (
        '[\n {"id": "us",\n  "name": [1,\n 2]},\n {"id": "it"}]',
        "a.json",
        "id",
        {"us": (2, 2, 3), "it": (5, 5)},
    ),
    "a map in JSON": ('{"us": {"n": 1},\n"it":\n {"n": 2}}', "a.json", None, {"us": (1, 1), "it": (2, 3)}),
    "texts in JSON": ('["us",\n\n "it"]', "a.json", None, {"us": (1,), "it": (3,)}),
    "a list in YAML": (
        "- {id: us, n: 1}\n- id: it\n  n: |\n    x\n",
        "a.yaml",
        "id",
        {"us": (1, 1, 1), "it": (2, 2, 3)},
    ),
    "a map in YAML": ("us: {n: 1}\nit:\n  n: 2\n", "a.yaml", None, {"us": (1, 1), "it": (2, 3)}),
    "an alias in YAML": ("us: {n: &n 1}\nit:\n  n: *n\n", "a.yaml", None, {"us": (1, 1), "it": (2, 1)}),
    "no JSON": ('[{"id": "us"', "a.json", "id", {}),
    "no YAML": ("a: [", "a.yaml", "id", {}),
    "nothing": ("", "a.csv", "id", {}),
}


@pytest.mark.parametrize("kind", FILES)
def test_each_item_has_its_line_and_each_field_its_own(kind):
    text, file, named_by, lines = FILES[kind]
    assert {name: (row.line, *row.fields.values()) for name, row in rows_of(text, file, named_by).items()} == lines


def test_the_longest_field_that_a_name_leads_into_is_meant():
    row = rows_of('[{"a": {},\n"a.b": 1,\n"id": "x"}]', "a.json", "id")["x"]
    assert [row.of(name) for name in ("a", "a.b", "a.b.c", "a.x", "other")] == [1, 2, 2, 1, 1]


def test_a_row_that_is_gone_begins_as_far_as_its_name_tells():
    assert table_row("id,name\n", "id", "fr") == "fr,…"
    assert table_row("name,id\n", "id", 'a "b", c') == '…,"a ""b"", c"'
    assert table_row("name,id,n\r\n", "id", "fr") == "…,fr,…"
    assert table_row("id\n", "id", "fr") == "- fr"
    assert table_row("name\n", "id", "fr") == ""
