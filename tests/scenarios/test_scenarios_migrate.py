"""The state goes from one place to another, through the command line, between every two kinds of places."""

import json
import re
import uuid
from itertools import pairwise

import pytest
from state_servers import KINDS, server

SHARED = sorted(set(KINDS) - {"sqlite"})
CANARY = "c4n4ry-s3cret-9f"


def somewhere(kind):
    return server(kind).place(uuid.uuid4().hex)


@pytest.fixture(autouse=True, scope="module")
def _servers():
    """Start the servers before a workspace takes the environment over, in which they leave their credentials."""
    for kind in SHARED:
        server(kind)


@pytest.fixture
def applied(workspace):
    """A project with two tasks that are accepted, one of which was given a secret."""
    workspace.shell("deaf", "cat > /dev/null; echo heard")
    workspace.project(variables={"key": {"type": "string", "sensitive": True}})
    workspace.tasks(
        a={"agent": "deaf", "prompt": "Use {{ vars.key }}", "userTokens": {"crm": CANARY}},
        b={"agent": "echo", "prompt": "{{ tasks.a.result }}" * 3},
    )
    workspace.environ["TASKSPEC_VAR_key"] = CANARY
    done = workspace.apply()
    assert done.code == 0, done
    return workspace


def pulled(workspace, place):
    done = workspace.taskspec("state", "pull", TASKSPEC_STATE=place)
    assert done.code == 0, done
    assert CANARY not in done.out
    document = json.loads(done.out)
    return document["records"], document["results"], document["lineage"]


def test_a_state_goes_round_all_places_and_nothing_is_lost_or_paid_twice(applied):
    places = ["local", *map(somewhere, SHARED), "local"]
    before = pulled(applied, "local")
    for old, new in pairwise(places):
        done = applied.taskspec("state", "migrate", "--to", new, "--yes", TASKSPEC_STATE=old)
        assert done.code == 0, done
        assert "all of it read back and compared" in done.out
        assert pulled(applied, new) == before
        refused = applied.taskspec("plan", TASKSPEC_STATE=old)
        assert (refused.code, "was moved to" in refused.err) == (7, True), refused
        assert applied.taskspec("plan", "--detailed-exitcode", TASKSPEC_STATE=new).code == 0
    assert applied.taskspec("history", "verify").code == 0
    assert applied.taskspec("results", "a").out.strip() == "heard"
    for path in applied.folder.rglob(".taskspec/default/*"):
        if path.is_file():
            assert CANARY.encode() not in path.read_bytes()


@pytest.fixture(params=SHARED)
def place(request):
    return somewhere(request.param)


def test_what_is_to_be_done_next_is_said(applied, place):
    shown = applied.taskspec("state", "migrate", "--to", place, "--dry-run")
    assert shown.code == 0, shown
    assert re.search(r"2 tasks, 7 entries of the history, 2 results, at serial \d+\n  there: nothing yet", shown.out)
    asked = applied.taskspec("state", "migrate", "--to", place)
    assert (asked.code, "--yes" in asked.err) == (64, True)
    done = applied.taskspec("state", "migrate", "--to", place, "--yes")
    assert done.code == 0, done
    assert f"  state: {place}\n" in done.out or "TASKSPEC_STATE" in done.out
    again = applied.taskspec("state", "migrate", "--from", "local", "--to", place, "--yes", "--json")
    assert (again.code, again.json["migrated"], again.json["left"]) == (0, False, "nothing")
    assert applied.apply().code == 7
    assert applied.taskspec("apply", "--yes", TASKSPEC_STATE=place).code == 0


def test_a_place_with_another_lineage_is_refused(applied, place):
    assert applied.taskspec("apply", "--yes", TASKSPEC_STATE=place).code == 0
    theirs = pulled(applied, place)
    done = applied.taskspec("state", "migrate", "--to", place, "--yes", "--json")
    assert (done.code, "of the lineage" in done.err, done.json["error"]["exitCode"]) == (7, True, 7)
    assert pulled(applied, place) == theirs
    assert applied.taskspec("plan").code == 0
    forced = applied.taskspec("state", "migrate", "--to", place, "--yes", "--force")
    assert (forced.code, "! forced" in forced.out) == (0, True), forced
    assert pulled(applied, place) == pulled(applied, "local")


def test_the_same_place_is_refused_however_it_is_spelled(applied, place):
    assert applied.taskspec("state", "migrate", "--to", place, "--yes").code == 0
    spelled = place.replace("postgresql:", "postgres:").replace("?endpoint", "/?endpoint")
    done = applied.taskspec("state", "migrate", "--to", spelled, "--yes", TASKSPEC_STATE=place)
    assert (done.code, "the same place" in done.err) == (64, True), done
    assert applied.taskspec("plan", TASKSPEC_STATE=place).code == 0


@pytest.mark.parametrize("kind", sorted({"s3", "http"} & set(SHARED)))
def test_the_place_that_is_told_at_the_old_one_is_what_a_manifest_names(applied, kind):
    place = somewhere(kind)
    assert applied.taskspec("state", "migrate", "--to", place, "--yes").code == 0
    done = applied.taskspec("plan")
    assert "name that place." in done.err
    told = re.search(r"was moved to (\S+)", done.err)[1]
    assert applied.taskspec("plan", "--detailed-exitcode", TASKSPEC_STATE=told).code == 0
    assert applied.taskspec("state", "migrate", "--to", "local", "--yes", TASKSPEC_STATE=place).code == 0
    assert "without `state` in taskspec.yaml" in applied.taskspec("plan", TASKSPEC_STATE=place).err


@pytest.mark.parametrize("wrong", ["ftp://x/y", "nowhere", "http://example.com/state"])
def test_what_is_no_place_is_told(applied, wrong):
    done = applied.taskspec("state", "migrate", "--to", wrong, "--yes")
    assert (done.code, "must" in done.err) == (64, True), done


def test_a_large_result_goes_along(workspace, place):
    workspace.shell("long", "head -c 700000 /dev/zero | tr '\\0' x")
    workspace.project()
    workspace.tasks(a={"agent": "long", "prompt": "x"})
    assert workspace.apply().code == 0
    assert workspace.taskspec("state", "migrate", "--to", place, "--yes").code == 0
    assert workspace.taskspec("results", "a", TASKSPEC_STATE=place).out == "x" * 700_000
