"""What a plan says of names that changed: in whose words, at which place, and what an author can write."""

from dataclasses import replace

import pytest
from plan_worlds import attempt, desired, planned, record, snapshot, task

from taskspec.address import Address, cell_address, cell_values
from taskspec.desired.model import Cell
from taskspec.documents.model import Document, Marks, Source, TaskDocument

FORMATS, REGIONS = ("pdf", "html"), ("emea", "a b", 7)


def accepted(address, text="A"):
    done = attempt(address=address, status="completed", verdict="accepted", run=f"run-{address}")
    return record(address, text=text, attempts=[done], accepted=(1, text))


def said(plan, address):
    (change,) = [change for change in plan.changes if change.address == address]
    return "\n".join(reason.text for reason in change.reasons)


def matrix(**axes):
    """Declare a task with a matrix of two cells for each two values, each cell with a text of its own."""
    document = Document(file="tasks.yaml", value={}, marks=Marks(1, 1))
    source = Source(document=document)
    spec = {"matrix": {name: list(values) for name, values in axes.items()} | {"include": [], "exclude": []}}
    declared = TaskDocument(address=Address("report"), document=document, spec=spec, source=source)
    combinations = [{}]
    for name, values in axes.items():
        combinations = [{**one, name: value} for one in combinations for value in values]
    cells = {
        address: Cell(task=declared, address=address, names={"matrix": names})
        for names in combinations
        for address in [cell_address("report", map(str, names.values()))]
    }
    return replace(desired(*[task(address, address) for address in cells]), cells=cells)


def way(wanted, *olds):
    plan = planned(wanted, snapshot(*map(accepted, olds)))
    words = {said(plan, address) for address in wanted.tasks}
    assert len(words) == 1
    return words.pop().partition("to keep what is recorded: ")[2]


def test_it_is_said_which_of_several_is_not_plain():
    one = planned(desired(task("new")), snapshot(accepted("old"), accepted("older")))
    assert "`old` and `older` asked for the very same before, and nothing declares them any more" in said(one, "new")
    assert "which of them this is, is not plain. `moved: {from: old}`" in said(one, "new")
    many = planned(desired(task("new"), task("newer")), snapshot(accepted("old[q1]")))
    assert "`old[q1]` asked for the very same before, and nothing declares it any more" in said(many, "newer")
    assert "which of `new` and `newer` that is, is not plain. `moved: {from: 'old[q1]'}`" in said(many, "newer")


def test_a_move_says_how_it_is_known():
    held = snapshot(accepted("old"))
    assert "it was `old`, which asked for the very same" in said(planned(desired(task("new")), held), "new")
    declared = planned(desired(task("new", "B"), former={"new": "old"}), held)
    assert "it was `old`, as `moved` says" in said(declared, "new")


@pytest.mark.parametrize(
    ("axes", "olds", "written"),
    [
        (
            {"region": REGIONS, "format": FORMATS},
            ["report[emea]", 'report["a b"]'],
            "{% if matrix.format == 'pdf' %}report[{{ matrix.region }}]{% endif %}",
        ),
        (
            {"format": FORMATS, "year": (2024, 2025), "region": REGIONS},
            ["report[emea]"],
            "{% if matrix.format == 'pdf' and matrix.year == 2024 %}report[{{ matrix.region }}]{% endif %}",
        ),
        ({"region": REGIONS, "format": ("pdf",)}, ["report[7]"], "report[{{ matrix.region }}]"),
        (
            {"format": FORMATS, "region": REGIONS},
            ["report[emea,pdf]", "report[7,html]"],
            "report[{{ matrix.region }},{{ matrix.format }}]",
        ),
        ({"region": ("a,b", "c"), "format": ("pdf",)}, ["report[c]"], "report[{{ matrix.region | tojson }}]"),
        ({"region": REGIONS}, ["report"], "{% if matrix.region == 'emea' %}report{% endif %}"),
    ],
)
def test_the_axes_tell_what_to_write(axes, olds, written):
    assert way(matrix(**axes), *olds) == f'`moved: {{from: "{written}"}}`'


@pytest.mark.parametrize(
    ("axes", "olds"),
    [
        ({"region": REGIONS, "format": FORMATS}, ["report[latam]"]),
        ({"region": REGIONS, "format": ('"', "'")}, ["report[emea]"]),
        ({"region": REGIONS, "format": ("it's", "x")}, ["report[emea]"]),
    ],
)
def test_where_the_axes_do_not_tell_it_the_way_is_said_in_general(axes, olds):
    assert way(matrix(**axes), *olds).startswith("`moved: {from: …}` with a template")


def test_the_price_is_that_of_all_the_cells():
    wanted = matrix(region=REGIONS, format=FORMATS)
    plan = planned(wanted, snapshot(*[accepted(f"report[{number}]") for number in range(9)]))
    assert "6 runs are paid anew" in said(plan, "report[emea,pdf]")
    assert "`report[4]` and 4 more" in said(plan, "report[emea,pdf]")


@pytest.mark.parametrize("values", [("a",), ("a", "b"), ("a b", 'x"y'), ("é,", "]"), ("a\\b",)])
def test_the_values_of_a_cell_are_read_from_its_address(values):
    assert cell_values(cell_address("report", values)) == values


def test_a_task_without_cells_has_no_values():
    assert cell_values("report") == ()
