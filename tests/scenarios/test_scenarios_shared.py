"""Runners with nothing in common but the store of a shared state, as real processes: what one has done all know."""

import re
import shutil
import signal
import uuid

import pytest
from scenario_workspaces import Workspace
from state_servers import KINDS, named, server
from terraform_server import READER, TOKEN

SHARED = sorted(set(KINDS) - {"sqlite"})
TTL = 3
"""Seconds that a lease lasts here."""


@pytest.fixture(params=SHARED)
def place(request):
    return server(request.param).place(uuid.uuid4().hex).replace("&name=team", "")


@pytest.fixture
def runner(tmp_path, place):
    """Make a runner: a fresh checkout of the manifests, an empty cache, the place of the state."""
    repository = tmp_path / "repository"
    repository.mkdir()

    def made(number=0):
        folder = tmp_path / f"checkout-{uuid.uuid4().hex}"
        shutil.copytree(repository, folder)
        workspace = Workspace(folder, tmp_path / f"cache-{folder.name}")
        workspace.environ |= {
            "TASKSPEC_STATE": place,
            "TASKSPEC_LEASE_TTL": f"{TTL}s",
            "CI_JOB_URL": f"https://ci.example/jobs/{number}",
        }
        return workspace

    made.repository = Workspace(repository, tmp_path / "no-cache")
    made.repository.shell("shouter", 'echo "$TASKSPEC_RUN_ID" >> started; tr a-z A-Z')
    made.repository.shell("slow", 'echo "$TASKSPEC_RUN_ID" >> started; while ! test -e go; do sleep 0.05; done; cat')
    made.repository.project()
    made.repository.tasks(
        a={"agent": "shouter", "prompt": "one"},
        b={"agent": "shouter", "prompt": "{{ tasks.a.result }} and two"},
    )
    return made


def test_what_one_runner_has_applied_no_other_pays_for(runner):
    first = runner(1)
    for command in (["plan"], ["apply", "--yes"]):
        done = first.taskspec(*command)
        assert done.code == 0, done
        assert re.match(r"Nothing is kept yet at .*: a state begins there, and every task runs\.$", done.err)
    assert len(first.lines("started")) == 2
    second = runner(2)
    done = second.taskspec("plan", "--detailed-exitcode")
    assert (done.code, done.err) == (0, "")
    assert second.taskspec("results", "b").out == "ONE AND TWO"
    assert not (second.folder / "results").exists()
    done = second.apply()
    assert (done.code, second.lines("started")) == (0, []), done
    for name in ("a.txt", "b.txt", "b.provenance.json"):
        assert second.result(name) == first.result(name)
    third = runner(3)
    for command in (["state", "list", "--json"], ["state", "show", "b", "--json"], ["history"], ["status", "--json"]):
        assert third.taskspec(*command).out == second.taskspec(*command).out
    assert third.taskspec("history", "verify").code == 0
    assert third.taskspec("doctor", "--offline").code == 0


def test_what_a_run_said_elsewhere_is_not_here_and_no_other_run_is_advised(runner):
    assert runner(1).apply().code == 0
    done = runner(2).taskspec("logs", "a")
    assert (done.code, "whose data folder is not here" in done.err, "retry" in done.err) == (64, True, False), done
    assert "`taskspec results a` prints" in done.err


def test_a_pull_request_plans_and_its_merge_applies_exactly_that(runner):
    assert runner(1).apply().code == 0
    runner.repository.tasks(
        a={"agent": "shouter", "prompt": "one more"}, b={"agent": "shouter", "prompt": "{{ tasks.a.result }} and two"}
    )
    request = runner(2)
    assert request.taskspec("plan", "--out", "p.plan", "--detailed-exitcode").code == 2
    merge = runner(3)
    shutil.copy(request.folder / "p.plan", merge.folder / "p.plan")
    done = merge.taskspec("apply", "p.plan", "--yes")
    assert done.code == 0, done
    assert merge.result("b.txt") == "ONE MORE AND TWO"
    assert len(merge.lines("started")) == 2
    again = runner(4)
    shutil.copy(request.folder / "p.plan", again.folder / "p.plan")
    assert again.taskspec("apply", "p.plan", "--yes").code == 7
    assert again.taskspec("plan", "--detailed-exitcode").code == 0


def test_one_works_at_a_time_and_the_others_are_told_who(runner):
    runner.repository.tasks(a={"agent": "slow", "prompt": "one"})
    first, second = runner(1), runner(2)
    running = first.start("apply", "--yes")
    first.until(lambda: first.lines("started"))
    done = second.apply()
    assert done.code == 8, done
    who = rf"process {running.process.pid}, `taskspec apply` \(https://ci\.example/jobs/1\)\. Epoch 1, last heartbeat"
    assert re.search(who, done.err)
    lock = second.apply("--json").json["error"]["lock"]
    assert (lock["pid"], lock["epoch"], lock["job"]) == (running.process.pid, 1, "https://ci.example/jobs/1")
    assert 0 < lock["expiresInSeconds"] <= TTL
    assert "an engine whose data folder is not here" in second.taskspec("plan").out
    with (second.folder / "said").open("w") as said:
        waiting = second.start("apply", "--yes", "--lock-timeout", "60s", stderr=said)
    second.until(lambda: second.lines("said"))
    first.write("go", "")
    assert running.wait().code == 0
    done = waiting.wait()
    assert done.code == 0, done
    (line,) = second.lines("said")
    assert re.search(rf"process {running.process.pid}, .*Waiting up to 1m", line)
    assert second.lines("started") == []


def test_the_lock_of_a_killed_runner_ends_by_itself_and_its_run_is_not_started_again(runner):
    runner.repository.tasks(a={"agent": "slow", "prompt": "one"}, b={"agent": "shouter", "prompt": "two"})
    first, second = runner(1), runner(2)
    running = first.start("apply", "--yes", "a")
    first.until(lambda: first.lines("started"))
    running.signal(signal.SIGKILL)
    running.wait()
    done = second.apply("--lock-timeout", "60s")
    assert done.code in {1, 9}, done
    assert "an engine whose data folder is not here" in done.out
    assert second.result("b.txt") == "TWO"
    assert len(second.lines("started")) == 1, "only what the first had not asked for"
    done = first.apply("--lock-timeout", "60s")
    assert (done.code, len(first.lines("started"))) == (3, 1), "its engine knows that the agent is gone"
    assert "`taskspec retry a`" in first.taskspec("plan").out


def test_a_runner_that_lost_its_lock_ends_with_8_and_writes_nothing_more(runner):
    runner.repository.tasks(a={"agent": "slow", "prompt": "one"})
    first, second = runner(1), runner(2)
    running = first.start("apply", "--yes")
    first.until(lambda: first.lines("started"))
    running.signal(signal.SIGSTOP)
    assert second.apply("--lock-timeout", "60s", "a").code in {1, 9}
    serial = second.taskspec("state", "list", "--json").json["serial"]
    first.write("go", "")
    running.signal(signal.SIGCONT)
    done = running.wait()
    assert done.code == 8, done
    assert "took it over" in done.err
    assert second.taskspec("state", "list", "--json").json["serial"] == serial


def test_two_environments_and_two_projects_have_two_states(runner, place):
    first = runner(1)
    assert first.apply().code == 0
    first.agents = runner.repository.agents
    first.project(environments={"staging": {}})
    staging = first.taskspec("plan", "--env", "staging", "--detailed-exitcode")
    renamed = runner(2)
    (renamed.folder / "taskspec.yaml").write_text(
        (renamed.folder / "taskspec.yaml").read_text().replace("name: stories", "name: tales")
    )
    tales = renamed.taskspec("plan", "--detailed-exitcode")
    if place.startswith("http"):  # an address is one state
        assert (staging.code, tales.code) == (1, 1)
        assert "is the state of environment `default`, not of `staging`" in staging.err
        assert "is the state of project `stories`, not of `tales`" in tales.err
    else:
        assert (staging.code, tales.code) == (2, 2)
    pinned = named(place, "stories")
    assert renamed.taskspec("plan", "--detailed-exitcode", TASKSPEC_STATE=pinned).code == 0


def test_a_job_of_gitlab_reads_and_writes_the_state_of_its_project_with_its_token(runner):
    gitlab = server("http")
    place = f"{gitlab.root}/api/v4/projects/1/terraform/state/{uuid.uuid4().hex}"
    job = {"TASKSPEC_STATE": place, "CI_SERVER_URL": gitlab.root}
    allowed, stranger, reader = runner(1), runner(2), runner(3)
    allowed.environ |= {**job, "CI_JOB_TOKEN": TOKEN}
    stranger.environ |= job
    reader.environ |= {**job, "CI_JOB_TOKEN": READER}
    assert allowed.apply().code == 0
    assert reader.taskspec("plan", "--detailed-exitcode").code == 0
    for command in (["plan"], ["apply", "--yes"], ["doctor", "--offline"]):
        done = stranger.taskspec(*command)
        assert done.code == 1
        assert "who asks is not known there" in f"{done.out}{done.err}"
    done = reader.taskspec("apply", "--yes")
    assert done.code == 1
    assert "may not do that there" in done.err
    assert not any(token in f"{done.out}{done.err}" for token in (TOKEN, READER))
    assert not stranger.lines("started")
    assert not reader.lines("started")
