"""Lines on a terminal that is not as wide as they are."""

import re

from hypothesis import given
from hypothesis import strategies as st

from taskspec.report.text import Paint
from taskspec.report.wrapping import NARROWEST, wrapped

WORDS = "      `prompt` changed since g1  tasks/sources.yaml:10:26 (d09f9da7 2026-10-09 Barbara Ek)"


def test_the_rest_of_a_line_is_indented():
    assert list(wrapped([WORDS], 60)) == [
        "      `prompt` changed since g1  tasks/sources.yaml:10:26",
        "          (d09f9da7 2026-10-09 Barbara Ek)",
    ]


def test_what_is_no_terminal_gets_lines_as_they_are():
    assert list(wrapped([WORDS], None)) == [WORDS]
    assert list(wrapped([WORDS], NARROWEST - 1)) == [WORDS]


def test_a_word_that_is_too_long_is_left_whole():
    long = "x" * 100
    assert list(wrapped([f"  a {long} b"], 50)) == ["  a", f"      {long}", "      b"]


def test_a_style_ends_with_its_row_and_goes_on_in_the_next():
    painted = f"      why  {Paint(color=True)('a place that is long and dim, and goes on and on', 'dim')}"
    first, second = wrapped([painted], 40)
    assert first.endswith("\x1b[0m")
    assert second.startswith("          \x1b[2m")
    assert second.endswith("\x1b[0m")


@given(st.lists(st.sampled_from(["a", "word", "x" * 70, "\x1b[2m", "\x1b[0m", "  "]), max_size=60), st.integers(40, 80))
def test_no_word_is_lost_and_no_row_is_wider_than_its_words_need(parts, width):
    line = "  " + " ".join(parts)
    rows = list(wrapped([line], width))
    plain = [re.sub(r"\x1b\[\d+m", "", row) for row in rows]
    assert " ".join(plain).split() == re.sub(r"\x1b\[\d+m", "", line).split()
    assert all(len(row) <= width or len(row.split()) == 1 for row in plain)
