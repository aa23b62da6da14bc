"""Which texts and paths a glob names."""

import pytest
from patience import little_work

from taskspec.selecting.globbing import fits, path_fits


@pytest.mark.parametrize(
    ("glob", "text", "named"),
    [
        ("growth", "growth", True),
        ("growth", "growth2", False),
        ("g*h", "growth", True),
        ("*", "", True),
        ("?", "", False),
        ("", "", True),
        ("a.c", "abc", False),
        ('"*"', "*", True),
        ('"*"', "x", False),
        ('"a,b"*', "a,bc", True),
        ("a*", "a\nb", True),
    ],
)
def test_a_text_fits_as_a_whole(glob, text, named):
    assert fits(glob, text) is named


@pytest.mark.parametrize(
    ("glob", "path", "named"),
    [
        ("tasks/a.yaml", "tasks/a.yaml", True),
        ("./tasks/a.yaml", "tasks/a.yaml", True),
        ("tasks/", "tasks/deep/a.yaml", True),
        ("tasks/*.yaml", "tasks/deep/a.yaml", False),
        ("tasks/**/a.yaml", "tasks/a.yaml", True),
        ("tasks/**/a.yaml", "tasks/x/y/a.yaml", True),
        ("**/a.yaml", "a.yaml", True),
        ("**", "a.yaml", True),
        ("tasks/**", "tasks/a.yaml", True),
        ("tasks/**", "other/a.yaml", False),
        ("a.yaml", "tasks/a.yaml", False),
        ("/p/a.yaml", "/p/a.yaml", True),
        ("/p/a.yaml", "p/a.yaml", False),
        ('"tasks/a,b+1.yaml"', "tasks/a,b+1.yaml", True),
        ('"tasks/*.yaml"', "tasks/a.yaml", False),
        ("/", "a.yaml", False),
        ("**/*/b/**/c", "a/b/x/b/c", True),
    ],
)
def test_a_path_or_a_folder_above_it_fits(glob, path, named):
    assert path_fits(glob, path) is named


def test_many_stars_take_little_work():
    with little_work():
        assert not fits("*a" * 500 + "*b", "a" * 2000)
        assert not path_fits("/".join(["**", "a"] * 100) + "/b", "/".join(["a"] * 200))
