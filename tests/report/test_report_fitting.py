"""Tables for terminals that are not as wide as they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from told_accounts import attempt

from taskspec.address import Address
from taskspec.health import Health
from taskspec.report.fitting import cut, first_word, fitted, run_beginning, shorter, width_of, without
from taskspec.report.standing import Standing, not_applied, status_lines
from taskspec.report.text import Paint, columns
from taskspec.report.wrapping import without_styles
from taskspec.state.model import Accepted, ResultRef

PLAIN = Paint(color=False)
RUN = "122857ec-0856-4f9a-942a-469c8a82d3e3"
TABLE = [("NAME", "WHEN", "SIZE"), ("extract", "2026-11-29 16:21", "162"), ("summary of all", "2026-11-28 09:05", "7")]
STEPS = (without("SIZE"), shorter("WHEN", first_word), cut("NAME"))


def test_a_table_has_all_where_there_is_room_and_where_is_no_terminal():
    assert fitted(TABLE, None, *STEPS) == TABLE
    assert fitted(TABLE, width_of(TABLE), *STEPS) == TABLE


@pytest.mark.parametrize(
    ("width", "row"),
    [
        (38, "summary of all  2026-11-28 09:05  7"),
        (37, "summary of all  2026-11-28 09:05"),
        (31, "summary of all  2026-11-28"),
        (25, "summary of a…   2026-11-28"),
        (20, "summary…  2026-11-28"),
        (3, "sum…  2026-11-28"),
    ],
)
def test_the_least_important_goes_first_and_a_title_stays(width, row):
    assert columns(fitted(TABLE, width, *STEPS))[-1].split() == row.split()


@given(st.integers(16, 60))
def test_a_table_is_no_wider_than_its_terminal(width):
    found = fitted(TABLE, width, *STEPS)
    assert width_of(found) <= width
    assert len({len(row) for row in found}) == 1


def test_a_run_is_shortened_to_its_generation_and_its_beginning():
    assert [run_beginning(cell) for cell in (f"g2.3 {RUN}", "g1 -", "-")] == ["g2.3 122857ec", "g1 -", "-"]


def standing(address="extract", health=Health.HEALTHY, verdict="accepted", detail="", **more):
    result = ResultRef.of("x" * 162, None)
    accepted = Accepted(generation=1, fingerprint="f", plan="p", agent="a", attempt=attempt(), result=result, at=0.0)
    return Standing(
        **{
            "address": Address(address),
            "agent": "analyst",
            "health": health,
            "verdict": verdict,
            "generation": 1,
            "attempt": 1,
            "run": RUN,
            "status": "completed",
            "began": 0.0,
            "ended": 12.0,
            "detail": detail,
            "accepted": accepted if verdict == "accepted" else None,
            **more,
        }
    )


LONG = "exit code 3\nTraceback (most recent call last):\n" + "and so on " * 50
STANDINGS = [
    standing(),
    standing("forecast", Health.UNHEALTHY, "failed", LONG),
    standing("ask", Health.NEEDS_INPUT, "waiting"),
    standing("doubtful", Health.UNKNOWN, "unknown"),
    standing("slow", verdict="executing"),
    not_applied(Address("outlook"), "analyst"),
]


@pytest.mark.parametrize("width", [40, 50, 80, 120, None])
def test_how_things_stand_on_a_terminal(width, snapshot):
    assert snapshot == "\n".join(status_lines(STANDINGS, 60.0, PLAIN, width))


@pytest.mark.parametrize("width", [40, 50, 80, 120, 300])
def test_no_row_is_wider_than_the_terminal_nor_others_in_colour(width):
    *rows, _ = status_lines(STANDINGS, 60.0, PLAIN, width)
    *painted, _ = status_lines(STANDINGS, 60.0, Paint(color=True), width)
    assert max(map(len, rows)) <= width
    assert [without_styles(row) for row in painted] == rows
    assert any("\x1b[1;31mfailed\x1b[0m" in row for row in painted)


def test_a_reason_stands_in_its_row_where_it_has_room():
    found = list(status_lines([standing(detail="exit code 3")], 60.0, PLAIN, 120))
    assert len(found) == 2
    assert found[1].endswith("  exit code 3")


def test_one_task_is_not_summed_up():
    assert len(list(status_lines([standing()], 60.0, PLAIN, 80))) == 2
