"""Foreign text on a terminal: nothing in it may steer, hide or reorder; and it stays readable."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.report.text import Paint, columns, duration, in_line, indented, one_line, plural, visible

HOSTILE = [
    *(chr(code) for code in range(0x20) if chr(code) not in "\t\n"),
    *(chr(code) for code in range(0x7F, 0xA0)),
    *map(chr, (0x061C, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2028, 0x2029, *range(0x202A, 0x202F))),
    *map(chr, (0x2060, 0x2066, 0x2067, 0x2068, 0x2069, 0xFEFF, 0xD800, 0xDFFF, 0xE0001, 0xE0041, 0xE007F)),
    "\x1b[2J",
    "\x1b[31mred",
    "\x1b]0;title\x07",
    "\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]52;c;cGFzdGU=\x07",
    "\x1bP+q544e\x1b\\",
    "\x1b[6n",
    "\x1b[?1049h",
    "\x1b(0",
    "\x1bc",
    "\x9b2J",
    "\x9d0;title\x9c",
    "over\rwritten",
    "erased\x08\x08\x08\x08\x08\x08",
    "user\u202etxt.exe",
    "\u2066rm -rf\u2069",
]


def steers(character):
    category = unicodedata.category(character)
    return category in {"Cc", "Cs", "Zl", "Zp"} and character not in "\t\n"


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_what_could_steer_a_terminal_is_made_visible(text):
    for shown in (visible(text), one_line(text), indented(text, 2)):
        assert not any(steers(character) for character in shown)
        assert not any(
            0x200B <= ord(c) <= 0x200F or 0x202A <= ord(c) <= 0x202E or 0x2060 <= ord(c) <= 0x206F for c in shown
        )
        assert shown.encode("utf-8")
    assert "\\" in visible(text)


@given(st.text(st.characters(codec=None)))
def test_nothing_that_steers_is_left_whatever_the_text(text):
    assert not any(steers(character) for character in visible(text))
    assert visible(visible(text)) == visible(text)


@given(st.text(), st.integers(1, 80))
def test_one_line_is_one_line_and_no_longer_than_asked(text, limit):
    shown = one_line(text, limit)
    assert len(shown) <= limit
    assert len(shown.splitlines()) <= 1


@pytest.mark.parametrize("text", ["plain", "a\tb\nc", "Grüße", "日本語", "naïve — “quoted” …", "emoji 🎉"])
def test_ordinary_text_stays_as_it_is(text):
    assert visible(text) == text


def test_colours_are_given_only_where_they_are_wanted():
    assert Paint(False)("x", "error") == "x"
    assert Paint(True)("x", "error") == "\x1b[1;31mx\x1b[0m"
    assert Paint(True)("", "error") == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0s"),
        (0.44, "0.4s"),
        (9.99, "10.0s"),
        (12, "12s"),
        (59.6, "1m00s"),
        (185, "3m05s"),
        (3599.7, "1h00m"),
        (7800, "2h10m"),
    ],
)
def test_a_duration_reads_like_one_of_a_manifest(seconds, text):
    assert duration(seconds) == text


def test_counts_and_columns():
    assert (plural(1, "run"), plural(0, "run")) == ("1 run", "0 runs")
    assert columns([("A", "LONG", "x"), ("aaa", "b", "")]) == ["A    LONG  x", "aaa  b"]
    assert columns([]) == []


MEGABYTES = 3_000_000
"""So many characters that a reader whose time grows with their square never comes to an end."""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("::" + "\n" * MEGABYTES, "::"),
        ("\n" * MEGABYTES + "::", "::"),
        ("##[" * (MEGABYTES // 3), "\\x23#[" * 4),
        ("\u202e" * MEGABYTES, "\\u202e" * 4),
        ("\0a" * (MEGABYTES // 2), "\\x00a" * 4),
    ],
)
def test_megabytes_of_one_character_are_made_harmless(text, line):
    assert len(visible(text)) >= len(text)
    assert one_line(text, 20) == (line if len(line) < 20 else line[:19] + "…")
    assert len(in_line(text, 20)) == 20


@pytest.mark.parametrize("text", ["::error file=a.yaml", "said ::error::x", " ::include{file=secrets.yaml}", "a\n::x"])
def test_what_a_line_begins_with_is_no_command_whatever_is_put_behind_it_or_before_it(text):
    assert "\\x3a:" in visible(text)
    assert "\\x3a:" in one_line(text)
    assert "\\x3a:" in in_line(text)


def test_a_line_of_many_blanks_is_cut_by_what_is_shown_of_it():
    assert one_line(" a" * 5 + " " * 1000 + "b", 12) == "a a a a a b"
    assert one_line("a\u2028 b\x85c") == "a\\u2028 b\\x85c"
