"""Lines on a terminal that is not as wide as they are."""

import re

from hypothesis import given
from hypothesis import strategies as st

from taskspec.report.text import Paint
from taskspec.report.wrapping import NARROWEST, without_styles, wrapped

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


def test_a_line_breaks_only_between_words_whatever_their_colours():
    paint = Paint(color=True)
    line = f"Apply finished in 5.5s: 12 runs started, {paint('6 accepted', 'good')}, {paint('3 failed', 'error')}."
    first, second = wrapped([line], 50)
    assert first.endswith(" \x1b[32m6\x1b[0m")
    assert second == "    \x1b[32maccepted\x1b[0m, \x1b[1;31m3 failed\x1b[0m."


PIECES = st.sampled_from(["a", "word", ", ", "x" * 50, "\x1b[2m", "\x1b[1;31m", "\x1b[0m", " ", "      "])


@given(st.lists(PIECES, max_size=60), st.integers(40, 80))
def test_a_styled_line_is_broken_as_the_plain_one(pieces, width):
    line = "".join(pieces)
    styled, plain = list(wrapped([line], width)), list(wrapped([without_styles(line)], width))
    assert [without_styles(row) for row in styled] == plain


@given(st.lists(PIECES, max_size=60), st.integers(40, 80))
def test_each_character_keeps_its_style(pieces, width):
    line = "".join(pieces)
    assert "".join(_styled(" ".join(wrapped([line], width))).split()) == "".join(_styled(line).split())


def _styled(line):
    """Return a line as its words' characters, each with the style that it is seen in."""
    seen, style = [], ""
    for part in re.findall(r"\x1b\[[0-9;]*m|.", line):
        if part.startswith("\x1b"):
            style = "" if part == "\x1b[0m" else part[1:]
        else:
            seen.append(f"{part}{style}" if part.strip() else " ")
    return "".join(seen)
