"""What a command proposes can be taken over as it is: quoted for the shell, and for the same environment."""

import re
import shlex

import pytest

ODD = 'lot["a b"]'


@pytest.fixture
def odd(checkout, remote):
    checkout.project("  environments: {prod: {}}\n")
    checkout.task("lot", prompt="Write {{ matrix.who }}.", matrix={"who": ["a b", "it's"]})
    return checkout


def proposed(told):
    """Return the commands that an output names, as a shell would take them apart."""
    return [shlex.split(found) for found in re.findall(r"`taskspec ([^`]*)`", told.out + told.err)]


def test_what_forget_and_orphans_propose_is_for_the_same_environment(odd):
    odd.apply("--env", "prod", "--no-wait")
    told = odd.taskspec("forget", "--env", "prod", ODD, "--yes")
    assert ["stop", "--env", "prod", ODD] in proposed(told)
    told = odd.taskspec("orphans", "--env", "prod")
    assert ["adopt", "--env", "prod", ODD, "run-1"] in proposed(told)
    assert odd.taskspec(*proposed(told)[0], "--yes").code == 0


def test_a_refusal_proposes_it_for_the_same_environment(odd):
    odd.apply("--env", "prod", "--no-wait")
    told = odd.taskspec("results", "--env", "prod", ODD)
    assert told.code == 64
    assert proposed(told) == [["status", "--env", "prod", ODD]]
    assert "not judged yet: `taskspec apply --env prod`" in odd.taskspec(*proposed(told)[0]).out


def test_where_the_shell_names_the_environment_no_command_has_to(odd, monkeypatch):
    monkeypatch.setenv("TASKSPEC_ENV", "prod")
    odd.apply("--no-wait")
    told = odd.taskspec("results", ODD)
    assert proposed(told) == [["status", ODD]]
