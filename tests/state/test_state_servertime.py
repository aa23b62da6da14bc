"""What time it is at a server that tells it to a second."""

from email.utils import formatdate

from hypothesis import given
from hypothesis import strategies as st

from taskspec.state.terraform.servertime import heard

MOMENTS = st.lists(st.tuples(st.floats(0, 30), st.floats(0, 2), st.floats(0, 1)), min_size=1, max_size=8)


@given(moments=MOMENTS, ahead=st.floats(1.7e9, 1.8e9))
def test_the_time_of_the_server_is_within_the_bounds_whenever_it_is_asked(moments, ahead):
    bounds, now, width = None, 0.0, []
    for pause, took, part in moments:
        asked = now + pause
        answered = asked + took
        date = formatdate(int(asked + took * part + ahead), usegmt=True)
        bounds, now = heard(bounds, date, asked=asked, answered=answered), answered
        assert bounds.earliest(now) <= now + ahead + 1e-6
        assert bounds.latest(now) >= now + ahead - 1e-6
        width.append(bounds.most - bounds.least)
    assert width == sorted(width, reverse=True)


def test_a_clock_that_was_set_is_believed():
    first = heard(None, formatdate(1_800_000_000, usegmt=True), asked=1.0, answered=1.1)
    second = heard(first, formatdate(1_700_000_000, usegmt=True), asked=2.0, answered=2.1)
    assert second.earliest(2.1) == 1_700_000_000.0


def test_an_answer_without_a_date_tells_nothing():
    assert heard(None, "", asked=1.0, answered=2.0) is None
    first = heard(None, formatdate(1_800_000_000, usegmt=True), asked=1.0, answered=1.1)
    assert heard(first, "soon", asked=3.0, answered=4.0) == first
