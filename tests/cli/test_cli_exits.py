"""Every exit code over real commands against a scripted remote: one line a path, and what holds at once."""

from dataclasses import dataclass, field

import pytest

from taskspec.report.exiting import ExitCode
from taskspec.state.model import Holder
from taskspec.state.sqlite import SqliteState

OTHER = Holder(user="alice", host="laptop", pid=1, command="taskspec apply", since=0.0)
LIMITED = "  limits: {maxCreate: 1}\n"
RUNNING = ["executing"]


def done(at, name="a", **spec):
    at.task(name, ["completed"], **spec)


def failing(at, name="f"):
    at.task(name, ["failed"])


def paused(at, name="p"):
    at.task(name, ["paused"])


def strange(at, name="s"):
    at.task(name, ["dreaming"])


def running(at, name="r"):
    at.task(name, RUNNING)


def unanswered(at, name="u"):
    """Declare a task whose create is answered with nonsense, and is not found again."""
    at.task(name, ["completed"])
    at.remote.muddled.add("Write u.")
    at.remote.lists = False


def applied(*declare):
    """Return a beginning in which what is declared was applied, whatever came of it."""

    def begin(at):
        for one in declare:
            one(at)
        assert at.apply("--on-unknown=hold", "--wait-timeout=1s").code != ExitCode.USAGE
        at.remote.asked.clear()

    return begin


def later(begin, *then):
    """Return a beginning, and what happens after it."""

    def both(at):
        begin(at)
        for one in then:
            one(at)

    return both


def gone(at):
    """Let the remote forget every run."""
    for run in at.remote.runs.values():
        run.steps = [404]


def unreadable(at):
    for run in at.remote.runs.values():
        run.steps = [500]
    at.remote.lists = False


def ended(status):
    def end(at):
        for run in at.remote.runs.values():
            run.steps = [status]

    return end


def silent(at):
    at.remote.silent = True


def wrong_key(at):
    at.remote.accepts_key = False


def refusing(at):
    at.remote.sends = [422]


def broken(at):
    (at.folder / "broken.yaml").write_text(
        "apiVersion: taskspec/v1\nkind: Task\nmetadata: {name: x}\nspec: {promt: y}\n"
    )


def limited(at):
    at.project(LIMITED)


def dependent(at, upstream, name="d"):
    at.task(name, ["completed"], dependsOn=[upstream])


def edited(name):
    def edit(at):
        at.task(name, ["completed"], prompt="Write something else.")

    return edit


def undeclared(name):
    def remove(at):
        (at.folder / f"{name}.yaml").unlink()

    return remove


@dataclass
class Path:
    """One path through a command: what was before, what is called, its exit code, and words that it says."""

    before: object
    command: str
    code: int
    says: str = ""
    environ: dict = field(default_factory=dict)
    locked: bool = False


APPLY = "apply --yes --on-unknown=hold"
NOTHING = applied(done)

PATHS = {
    # apply: one thing at a time
    "accepted": Path(done, APPLY, 0, "1 accepted"),
    "nothing to do": Path(NOTHING, APPLY, 0, "Nothing is to be done"),
    "begun and not waited for": Path(running, f"{APPLY} --no-wait", 0, "left as it is: run run-1 goes on"),
    "no connection": Path(later(done, silent), APPLY, 1),
    "wrong manifests": Path(later(done, broken), APPLY, 1, "promt"),
    "a key that is refused": Path(later(done, wrong_key), APPLY, 1, "401"),
    "a create that is refused": Path(later(done, refusing), APPLY, 1, "a: failed: "),
    "an unknown status": Path(strange, APPLY, 1, "unknown status 'dreaming'"),
    "a run that cannot be read": Path(later(applied(running), unreadable), f"{APPLY} --wait-timeout=1s", 1),
    "said no": Path(done, "apply", 64, "there is no terminal to ask on"),
    "failed": Path(failing, APPLY, 3, "1 without an accepted result"),
    "stopped by somebody": Path(lambda at: at.task("a", ["stopped"]), APPLY, 3),
    "trouble of the platform": Path(lambda at: at.task("a", ["error"]), APPLY, 3),
    "an empty answer": Path(lambda at: at.task("a", [{"status": "completed", "result": ""}]), APPLY, 3, "rejected"),
    "a contract that is not met": Path(lambda at: done(at, assertions=[{"regex": "gold"}]), APPLY, 3, "rejected"),
    "a time-out": Path(lambda at: at.task("a", RUNNING, timeout="1s"), APPLY, 3, "cause: timeout"),
    "failed before, and left": Path(applied(failing), APPLY, 3, "f: left as it is: "),
    "blocked": Path(later(failing, lambda at: dependent(at, "f")), APPLY, 3, "d: blocked: "),
    "waited too long": Path(running, f"{APPLY} --wait-timeout=1s", 4, "r: not finished: the run is executing"),
    "not waited for what another needs": Path(
        later(running, lambda at: dependent(at, "r")), f"{APPLY} --no-wait", 4, "d: not started: "
    ),
    "needs a person": Path(paused, APPLY, 5, "p: left as it is: waits for a person"),
    "blocked by who needs a person": Path(later(paused, lambda at: dependent(at, "p")), APPLY, 5, "d: blocked: "),
    "beyond a limit": Path(later(done, lambda at: done(at, "b"), limited), APPLY, 6, "maxCreate"),
    "no key": Path(done, APPLY, 7, "SALES_KEY", environ={"SALES_KEY": None}),
    "locked": Path(done, APPLY, 8, "alice on laptop", locked=True),
    "an outcome that nobody knows": Path(unanswered, APPLY, 9, "u: unknown: "),
    "vanished": Path(later(applied(running), gone), APPLY, 9, "r: held: the remote does not know"),
    "vanished before, and held": Path(later(applied(running), gone, lambda at: at.apply()), APPLY, 9, "r: held: "),
    "blocked by the unknown": Path(later(unanswered, lambda at: dependent(at, "u")), APPLY, 9, "d: blocked: "),
    "nothing selected": Path(done, f"{APPLY} label:no=no", 64),
    "an option that is none": Path(done, "apply --frob", 64),
    "an address that is none": Path(done, f"{APPLY} nope", 64),
    # apply: two at once, the graver one wins
    "1 and 9": Path(later(strange, unanswered), APPLY, 1),
    "1 and 3": Path(later(failing, strange), APPLY, 1),
    "1 and 4": Path(later(strange, running), f"{APPLY} --wait-timeout=1s", 1),
    "9 and 3": Path(later(failing, unanswered), APPLY, 9),
    "9 and 5": Path(later(applied(paused), unanswered), APPLY, 9),
    "9 and 4": Path(later(applied(unanswered), running), f"{APPLY} --wait-timeout=1s", 9),
    "8 and 3": Path(applied(failing), APPLY, 8, locked=True),
    "8 and 6": Path(later(done, lambda at: done(at, "b"), limited), APPLY, 8, locked=True),
    "7 and 3": Path(later(applied(failing), done), APPLY, 7, environ={"SALES_KEY": None}),
    "6 and 3": Path(later(applied(failing), done, lambda at: done(at, "b"), limited), APPLY, 6),
    "6 and 9": Path(
        later(applied(running), gone, lambda at: at.apply(), done, lambda at: done(at, "b"), limited), APPLY, 9
    ),
    "3 and 5": Path(later(failing, paused), APPLY, 3),
    "3 and 4": Path(later(failing, running), f"{APPLY} --wait-timeout=1s", 3),
    "5 and 4": Path(later(paused, running), f"{APPLY} --wait-timeout=1s", 5),
    "0 and 3": Path(later(done, failing), APPLY, 3),
    # retry
    "retry of nothing": Path(NOTHING, "retry --yes", 64),
    "retry that is accepted": Path(later(applied(failing), lambda at: at.task("f", ["completed"])), "retry f --yes", 0),
    "retry that fails again": Path(later(applied(failing), failing), "retry f --yes", 3),
    "retry of the lost": Path(later(applied(running), gone, lambda at: at.apply()), "retry r --yes", 0),
    "retry of the never applied": Path(done, "retry a --yes", 64),
    "retry while locked": Path(applied(failing), "retry f --yes", 8, locked=True),
    # plan
    "plan of nothing": Path(NOTHING, "plan", 0),
    "plan of nothing, in detail": Path(NOTHING, "plan --detailed-exitcode", 0),
    "plan of something": Path(done, "plan", 0),
    "plan of something, in detail": Path(done, "plan --detailed-exitcode", 2),
    "plan of wrong manifests": Path(broken, "plan", 1),
    "plan with a failed task": Path(applied(failing), "plan", 3, "failed"),
    "plan with a failed task, in JSON": Path(applied(failing), "plan --json", 3, '"unhealthy"'),
    "plan with a failed task, in detail": Path(later(applied(failing), done), "plan --detailed-exitcode", 3),
    "plan that repairs": Path(later(applied(failing), edited("f")), "plan --detailed-exitcode", 2),
    "plan with a paused task": Path(applied(paused), "plan", 5),
    "plan beyond a limit": Path(later(done, lambda at: done(at, "b"), limited), "plan", 6, "Refused"),
    "plan without a key": Path(applied(running), "plan", 7, environ={"SALES_KEY": None}),
    "plan with the unknown": Path(applied(unanswered), "plan", 9),
    "plan with the lost": Path(later(applied(running), gone, lambda at: at.apply()), "plan", 9),
    "plan with what cannot be read": Path(later(applied(running), unreadable), "plan", 1),
    "plan without a connection": Path(later(applied(running), silent), "plan", 1),
    "plan with a key that is refused": Path(later(applied(running), wrong_key), "plan", 1),
    "plan while locked": Path(NOTHING, "plan", 0, locked=True),
    # status
    "status of nothing": Path(done, "status", 0, "not applied"),
    "status of the accepted": Path(NOTHING, "status", 0, "accepted"),
    "status of the active": Path(applied(running), "status", 0, "executing"),
    "status of the failed": Path(applied(failing), "status", 3),
    "status of the paused": Path(applied(paused), "status", 5),
    "status of the unknown": Path(applied(unanswered), "status --json", 9),
    "status without a connection": Path(later(applied(running), silent), "status", 9),
    "status of several": Path(later(applied(failing, paused), done), "status", 3),
    "status of what ended unseen": Path(later(applied(running), ended("failed")), "status", 9, "not judged yet"),
    # stop
    "stop of nothing": Path(NOTHING, "stop -y", 0, "No run is active"),
    "stop": Path(applied(running), "stop -y", 0, "stopped run run-1"),
    "stop without being asked": Path(applied(running), "stop", 64),
    "stop of what the remote does not know": Path(later(applied(running), gone), "stop -y", 9),
    "stop without a connection": Path(later(applied(running), silent), "stop -y", 9),
    "stop with a key that is refused": Path(later(applied(running), wrong_key), "stop -y", 1),
    # results and logs
    "results of nothing": Path(done, "results", 0),
    "a result": Path(NOTHING, "results a", 0, "answer to Write a."),
    "a result that is none": Path(applied(failing), "results f", 64),
    "logs of nothing": Path(done, "logs a", 64),
    "logs": Path(NOTHING, "logs a", 0),
    "logs without a connection": Path(later(NOTHING, silent), "logs a", 1),
    "logs without a key": Path(NOTHING, "logs a", 7, environ={"SALES_KEY": None}),
    # tasks
    "tasks list": Path(NOTHING, "tasks list writer", 0),
    "tasks list without a connection": Path(later(NOTHING, silent), "tasks list writer", 1),
    "tasks list with a key that is refused": Path(later(NOTHING, wrong_key), "tasks list writer", 1),
    "tasks get": Path(NOTHING, "tasks get run-1", 0),
    "tasks get of nothing": Path(NOTHING, "tasks get nope", 1),
    "tasks get of the failed": Path(applied(failing), "tasks get run-1", 0),
    "tasks create": Path(NOTHING, "tasks create writer hello", 0),
    "tasks create that is refused": Path(later(NOTHING, refusing), "tasks create writer hello", 1),
    "tasks create without a key": Path(NOTHING, "tasks create writer hello", 7, environ={"SALES_KEY": None}),
    "tasks stop of nothing": Path(NOTHING, "tasks stop nope", 1),
    "agents list": Path(NOTHING, "agents list", 0, "writer"),
    "agents list without a connection": Path(later(NOTHING, silent), "agents list", 1),
}


@pytest.mark.parametrize("name", PATHS)
def test_the_exit_code_says_how_the_tasks_stand(name, checkout, monkeypatch):
    path = PATHS[name]
    path.before(checkout)
    for variable in path.environ:
        monkeypatch.delenv(variable)
    other = SqliteState(checkout.folder / ".taskspec", "sales", "default", read_only=False)
    try:
        if path.locked:
            other.acquire(OTHER)
        told = checkout.taskspec(*path.command.split())
    finally:
        other.close()
    assert told.code == path.code, told
    assert path.says in told.out + told.err, told
