"""Where a state is kept, through the command line: what cannot be used is told, what is not needed is not loaded."""

import sys

import pytest
from test_cli_commands import probe

OPTIONAL = {"obstore", "psycopg", "boto3"}


def project(checkout, state):
    checkout.task("a")
    (checkout.folder / "taskspec.yaml").write_text(
        "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: sales}\nspec:\n"
        f"  agents: {{writer: {{command: [cat]}}}}\n  state: {state}\n"
    )


@pytest.mark.parametrize(
    ("place", "module", "extra"),
    [
        ("postgresql://db.example/x", "psycopg", "postgres"),
        ("s3://bucket/prefix", "obstore", "objectstore"),
    ],
)
def test_a_store_whose_extra_is_missing_names_it(checkout, monkeypatch, place, module, extra):
    project(checkout, place)
    monkeypatch.setitem(sys.modules, module, None)
    for command in (["plan"], ["apply", "--yes"], ["status"], ["results"], ["history"]):
        done = checkout.taskspec(*command)
        assert (done.code, done.out) == (1, ""), command
        assert f"pip install '.[{extra}]'" in done.err
        assert place in done.err
    assert checkout.taskspec("validate").code == 0


def test_a_local_state_loads_nothing_of_the_others(checkout):
    checkout.task("a")
    done, modules = probe("plan", XDG_CACHE_HOME="/nonexistent")
    assert done.returncode == 0, done.stderr
    assert not OPTIONAL & {name.partition(".")[0] for name in modules}


def test_the_environment_says_where_the_state_is_whatever_the_manifests_say(checkout, monkeypatch):
    project(checkout, "postgresql://db.example/x")
    monkeypatch.setenv("TASKSPEC_STATE", "local")
    assert checkout.taskspec("plan").code == 0


@pytest.mark.parametrize("text", ["mysql://u:hunter2@db/x", "https://u:hunter2@/x", "http://u:hunter2@db/x"])
def test_a_place_of_the_environment_that_cannot_be_used_is_told_without_its_password(checkout, monkeypatch, text):
    checkout.task("a")
    monkeypatch.setenv("TASKSPEC_STATE", text)
    done = checkout.taskspec("plan")
    assert done.code == 64
    assert "of TASKSPEC_STATE" in done.err
    assert "hunter2" not in done.out + done.err


def test_a_state_that_the_next_job_does_not_find_is_refused_where_it_must_be_shared(checkout, monkeypatch):
    checkout.task("a")
    monkeypatch.setenv("TASKSPEC_REQUIRE_SHARED_STATE", "1")
    for command in (["plan"], ["apply", "--yes"], ["plan", "--json"]):
        done = checkout.taskspec(*command)
        assert done.code == 64
        assert "stays on this machine" in done.out + done.err
    assert checkout.taskspec("validate").code == 0
    monkeypatch.setenv("TASKSPEC_STATE", "local")
    assert checkout.taskspec("plan").code == 64


@pytest.mark.parametrize("text", ["soon", "0s"])
def test_a_lease_that_is_no_time_is_told(checkout, monkeypatch, text):
    checkout.task("a")
    monkeypatch.setenv("TASKSPEC_LEASE_TTL", text)
    done = checkout.taskspec("plan")
    assert done.code == 64
    assert "TASKSPEC_LEASE_TTL" in done.err


def test_a_password_in_a_manifest_is_refused_with_its_place_and_not_repeated(checkout):
    project(checkout, "postgresql://u:hunter2@db.example/x")
    for command in (["validate"], ["plan"], ["validate", "--json"]):
        done = checkout.taskspec(*command)
        assert done.code == 1
        assert "hunter2" not in done.out + done.err
    assert "taskspec.yaml:6:10: error: Secret in a manifest" in checkout.taskspec("validate").err
