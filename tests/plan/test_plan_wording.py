"""Which words of a line differ, in bounded work."""

from hypothesis import given
from hypothesis import strategies as st
from plan_worlds import UNHURRIED

from taskspec.plan.diffing import Line, LineKind, changed_lines, edits
from taskspec.plan.wording import MOST_PAIRS, MOST_WORDS, Worded, worded, words

TEXTS = st.text("ab \n", max_size=40)
MARKS = {LineKind.SAME: "{}", LineKind.REMOVED: "[-{}-]", LineKind.ADDED: "{{+{}+}}"}


def marked(found):
    return "".join(MARKS[word.kind].format(word.text) for word in found)


def rows(before, after):
    lines = worded(changed_lines(before, after))
    return [marked(row.words) if isinstance(row, Worded) else f"{row.kind} {row.text}" for row in lines]


def side(found, hidden):
    """Return the lines of one side, without the order in which they stand and without empty ones."""
    parts = (row.words if isinstance(row, Worded) else [row] for row in found)
    return sorted(filter(None, ("".join(one.text for one in part if one.kind is not hidden) for part in parts)))


def test_the_words_that_differ_are_marked():
    assert marked(words("Compare with last year.", "Compare with the last year.")) == "Compare with{+ the+} last year."
    assert marked(words("at most 3 of them", "at most 12 of them")) == "at most [-3-]{+12+} of them"


def test_the_placeholder_of_a_secret_is_one_word():
    before, after = "Hand over to the night shift.", "Hand over to the night shift (sensitive: vars.crm_token)."
    assert marked(words(before, after)) == "Hand over to the night shift{+ (sensitive: vars.crm_token)+}."


def test_a_word_is_not_divided_at_its_dots():
    assert marked(words("a rate of 1.19 for it", "a rate of 1.07 for it")) == "a rate of [-1.19-]{+1.07+} for it"
    before, after = "This is a letter for {{ vars.a }} alone.", "This is a letter for {{ vars.b }} alone."
    assert marked(words(before, after)) == "This is a letter for [-{{ vars.a }}-]{+{{ vars.b }}+} alone."


def test_lines_with_hardly_a_word_in_common_are_no_pair():
    assert words("first", "second") is None
    assert words("", "new") is None
    assert rows("first\nsame", "second\nsame") == ["- first", "+ second", "  same"]


def test_a_line_that_took_the_place_of_another_is_one_row():
    assert rows("a b c d\nx", "a b e d\nx") == ["a b [-c-]{+e+} d", "  x"]


def test_lines_of_many_words_are_not_compared():
    long = "word " * (MOST_WORDS + 1)
    assert words(long, long + "more") is None


def test_no_more_than_so_many_pairs_are_compared():
    count = MOST_PAIRS * 3
    before = tuple(Line(LineKind.REMOVED, f"a b c {n}") for n in range(count))
    after = tuple(Line(LineKind.ADDED, f"a b c {n}!") for n in range(count))
    found = list(worded((*before, *after)))
    assert sum(isinstance(row, Worded) for row in found) == MOST_PAIRS
    assert len(found) == MOST_PAIRS + 2 * (count - MOST_PAIRS)


@UNHURRIED
@given(TEXTS, TEXTS)
def test_the_words_of_a_difference_are_those_of_both_sides(before, after):
    lines = changed_lines(before, after, context=100)
    found = list(worded(lines))
    for hidden in (LineKind.ADDED, LineKind.REMOVED):
        assert side(found, hidden) == side(lines, hidden)


@UNHURRIED
@given(TEXTS, TEXTS)
def test_an_edit_tells_where_the_second_text_begins_to_differ(before, after):
    found = edits(before, after)
    assert bool(found) is (before != after)
    for one in found:
        assert 0 <= one.offset <= len(after)
        assert one.lines or one.removed


def test_the_place_of_an_edit_is_its_first_character_that_differs():
    (one,) = edits("a\nthe last year\nz", "a\nthe past year\nz")
    assert one.offset == len("a\nthe ")
    (gone,) = edits("a\nb\nc\n", "a\nc\n")
    assert (gone.offset, gone.lines, gone.removed) == (2, (), ("b\n",))


def test_a_text_of_a_megabyte_is_compared_in_bounded_work():
    before = "\n".join(f"line {n} of many" for n in range(60_000))
    after = before.replace("of many", "of all")
    assert len(edits(before, after)) == 1
    assert len(changed_lines(before, after)) <= 201
