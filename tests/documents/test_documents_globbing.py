import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.documents.globbing import PathGlob

PIECES = st.lists(st.sampled_from(["**/", "**", "*", "?", "a", "b", "/", "."]), max_size=7).map("".join)
PATHS = st.lists(st.sampled_from(["a", "b", "ab", ".", "/", "a/b/", "\n"]), max_size=9).map("".join)


def simply(pattern, path):
    """Match as slowly, and as plainly, as can be."""
    ways = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.findall(r"\*\*/|\*\*|\*|\?|[^*?]", pattern)
    return re.fullmatch("".join(ways.get(piece, re.escape(piece)) for piece in pieces), path, re.DOTALL) is not None


@given(PIECES, PATHS, st.booleans())
def test_every_way_to_match_a_path_says_the_same(pattern, path, is_long):
    front = "x/" * 200 if is_long else ""
    assert PathGlob(front + pattern).fits(front + path) is simply(pattern, path)


@pytest.mark.parametrize("pattern", ["**/" * 30 + "x", "*a" * 60 + "x", "**a" * 60 + "x", "**/*a**/*a**/x"])
def test_no_pattern_takes_long(pattern):
    assert not PathGlob(pattern).fits("a" * 100 + "/" + "a" * 3900 + "/")
