"""Secrets that agents on this machine are given: what is left of them when the run has ended, and while it goes on."""

import signal

import pytest
from canary_values import Search, canary, plain

SECRETS = {"option": canary("option"), "process": canary("process"), "prompt": canary("prompt")}
OTHERS = {name: plain(name) for name in ("token", "oidc", "header", "environ", "key", "job")}
TOLD = Search({name: secret for name, secret in (SECRETS | OTHERS).items() if name != "prompt"})
ENGINE = ".taskspec/engine/"
"""Where a secret of a prompt stands by right: the engine is the remote, and keeps what it is asked."""


@pytest.fixture
def guarded(workspace):
    workspace.shell(
        "keeper", 'test -n "$TASKSPEC_TASK_FILE" && cat "$TASKSPEC_TASK_FILE" > /dev/null; cat > /dev/null; echo done'
    )
    workspace.shell("failing", "cat > /dev/null; echo no >&2; exit 3")
    workspace.project(variables={name: {"sensitive": True} for name in SECRETS})
    server = {
        "name": "m",
        "headers": {"a": OTHERS["header"]},
        "env": {"b": "Bearer {{ vars.process }}"},
    }
    secret = {
        "userTokens": {"crm": OTHERS["token"], "both": "Bearer {{ vars.option }}"},
        "userOidcToken": OTHERS["oidc"],
        "mcpServers": [server],
    }
    workspace.tasks(
        kept={"agent": "keeper", "prompt": "Keep it.", **secret},
        failed={"agent": "failing", "prompt": "Fail.", **secret},
        slow={"agent": "slow", "prompt": "Slowly.", **secret},
    )
    workspace.environ |= {
        "TASKSPEC_VAR_process": SECRETS["process"],
        "TASKSPEC_VAR_prompt": SECRETS["prompt"],
        "XPANDER_API_KEY": OTHERS["key"],
        "CRM_TOKEN": OTHERS["environ"],
        "CI_JOB_URL": f"https://ci:{OTHERS['job']}@ci.test/job/1",
    }
    workspace.given = ["--var", f"option={SECRETS['option']}"]
    return workspace


def leaks_of(workspace, *done):
    """Return what commands said of secrets, and what is kept of them in the project and the cache."""
    said = [leak for one in done for leak in TOLD.leaks(one.out + one.err)]
    cache = workspace.folder.parent / "cache"
    return said, TOLD.kept(workspace.folder, cache, but={"tasks.yaml"})


def test_when_a_run_has_ended_nothing_is_left_of_its_secrets(guarded):
    done = [guarded.taskspec("apply", "--yes", "--json", "kept", "failed", *guarded.given)]
    done += [guarded.taskspec(*words.split(), *guarded.given) for words in ("plan", "logs failed")]
    done += [guarded.taskspec(*words.split()) for words in ("state pull", "tasks list keeper")]
    assert guarded.standing("kept")["verdict"] == "accepted"
    assert guarded.standing("failed")["status"] == "failed"
    assert leaks_of(guarded, *done) == ([], {})


def test_who_holds_the_lock_is_told_without_the_values_that_were_given(guarded):
    applying = guarded.start("apply", "--yes", "slow", *guarded.given)
    guarded.until(lambda: guarded.lines("started"))
    done = [
        guarded.taskspec("apply", "--yes", "kept", *guarded.given),
        guarded.taskspec("doctor", "--json", *guarded.given),
    ]
    assert done[0].code == 8
    assert "taskspec apply" in done[0].err
    lock = [path for path in guarded.folder.rglob("*lock*") if path.is_file()]
    assert {path.name: TOLD.leaks(path.read_bytes()) for path in lock} == {path.name: [] for path in lock}
    applying.signal(signal.SIGINT)
    done.append(applying.wait())
    assert leaks_of(guarded, *done) == ([], {})


def test_what_a_killed_command_leaves_of_secrets_is_gone_after_the_next_one(guarded):
    applying = guarded.start("apply", "--yes", "slow", *guarded.given)
    guarded.until(lambda: guarded.lines("started"))
    applying.signal(signal.SIGKILL)
    applying.wait()
    done = guarded.taskspec("stop", "slow", "--yes", *guarded.given)
    assert leaks_of(guarded, done) == ([], {})


def test_a_secret_of_a_prompt_is_kept_by_the_engine_alone(guarded):
    guarded.tasks(asked={"agent": "keeper", "prompt": "Keep {{ vars.prompt }}, {{ vars.prompt | b64encode }}."})
    done = guarded.taskspec("apply", "--yes", "--json", *guarded.given)
    assert done.code == 0, done
    search = Search(SECRETS)
    assert search.leaks(done.out + done.err) == []
    kept = search.kept(guarded.folder, guarded.folder.parent / "cache")
    assert [path for path in kept if not path.startswith(ENGINE)] == []


def test_a_bug_tells_no_secret(guarded):
    program = (
        "import sys, taskspec.cli.running as r, taskspec.runner.planning as p\n"
        "def broken(desired, *_, **__): raise ZeroDivisionError(repr(vars()))\n"
        "import taskspec.apply.sending as s; s.post = broken; p.decide = broken\n"
        "sys.exit(r.run(sys.argv[1:]))\n"
    )
    done = guarded.start("apply", "--yes", "kept", *guarded.given, program=("-c", program)).wait()
    assert "internal error: ZeroDivisionError" in done.err
    assert leaks_of(guarded, done) == ([], {})
