"""Moments as text: in UTC, and never an error, whatever a remote or a file says."""

import pytest

from taskspec.moments import NEVER, iso, utc


def test_a_moment_is_told_in_utc():
    assert utc(1_700_000_000.9) == "2023-11-14 22:13:20 UTC"
    assert iso(1_700_000_000.25) == "2023-11-14T22:13:20.250+00:00"


@pytest.mark.parametrize("seconds", [1e30, -1e30, float("inf"), float("nan")])
def test_what_no_calendar_has_is_no_error(seconds):
    assert (utc(seconds), iso(seconds)) == (NEVER, None)
