"""How long a hosted remote is given can be said in the environment; what is no duration is told at once."""

import pytest

from taskspec.cli.timing import hosted_traits
from taskspec.errors import UsageError
from taskspec.settings import from_environ
from taskspec.taskapi.remotes import Traits


def test_an_environment_that_says_nothing_leaves_the_defaults():
    assert hosted_traits(from_environ({"TASKSPEC_QUIET_PERIOD": ""})) == Traits()


def test_each_time_can_be_said():
    said = {"TASKSPEC_QUIET_PERIOD": "5m", "TASKSPEC_CREATE_TIMEOUT": "90s", "TASKSPEC_POLL_INTERVAL": "500ms"}
    assert hosted_traits(from_environ(said)) == Traits(quiet_period=300.0, create_timeout=90.0, poll_interval=0.5)


@pytest.mark.parametrize("text", ["120", "-5s", "soon", "1.5s", "0s", "0ms", "9" * 10 + "s", "9" * 400 + "d"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(UsageError, match="TASKSPEC_QUIET_PERIOD"):
        hosted_traits(from_environ({"TASKSPEC_QUIET_PERIOD": text}))
