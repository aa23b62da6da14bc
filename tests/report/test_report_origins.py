"""Where values come from, in words and as JSON."""

import json

from taskspec.desired.tracing import Ingredient, Traced
from taskspec.diagnostics import Position
from taskspec.report.origins import WIDEST, as_json, lines
from taskspec.report.text import Paint

PLACE = Position(file="tasks.yaml", line=3, column=5)
TITLE = Traced(
    path=("title",),
    value="Report on emea",
    giver="task",
    position=PLACE,
    ingredients=(Ingredient(name="vars.region", value="emea", giver="--var"),),
)


def shown(*values):
    return list(lines("one", values, Paint(color=False)))


def test_each_value_has_its_line_and_each_ingredient_one_below():
    assert shown(TITLE) == [
        "one",
        '  title          "Report on emea"  task  tasks.yaml:3:5',
        '    vars.region  "emea"            --var',
    ]


def test_a_long_value_is_cut_for_people_and_whole_for_machines():
    long = Traced(path=("prompt",), value="x" * 500, giver="task", position=PLACE)
    assert f'"{"x" * (WIDEST - 2)}…' in shown(long)[1]
    assert as_json("one", [long])["values"][0]["value"] == "x" * 500


def test_no_value_is_told_as_none():
    assert shown(Traced(path=("timeout",), value=None, giver="built in"))[1].split() == [
        "timeout",
        "none",
        "built",
        "in",
    ]


def test_a_value_can_neither_steer_a_terminal_nor_make_lines():
    hostile = "\x1b]0;owned\a\n\u202e evil"
    traced = Traced(path=("user", hostile), value=hostile, giver=hostile, position=Position(file=hostile, line=1))
    text = "\n".join(shown(traced))
    assert not {"\x1b", "\a", "\u202e"} & set(text)
    assert len(text.splitlines()) == 2


def test_as_json_every_fact_has_a_key():
    (value,) = json.loads(json.dumps(as_json("one", [TITLE])))["values"]
    assert value == {
        "path": "title",
        "value": "Report on emea",
        "givenBy": "task",
        "at": {"file": "tasks.yaml", "line": 3, "column": 5},
        "uses": [{"name": "vars.region", "value": "emea", "givenBy": "--var", "at": None}],
    }
