"""What may become of the world between a plan and its apply: to the state, to the manifests, to what is on the remote.

Each mutation is given a world, what was drawn there, and chance; it returns False where there is nothing to change.
"""

import json
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import replace

from saved_remote import JSON_ANSWER
from saved_worlds import PLAN

from taskspec.errors import TaskspecError

ENDS = ["executing", "completed", "failed", "error", "stopped", "paused", "pending"]
TROUBLE = ["drop", "late", "lose", "hang", "nonsense", "apply-503", 503, 429, 422]
STATE, MANIFEST, TARGET, TIME = {}, {}, {}, {}
BEHIND = frozenset({"a_record_gone", "a_record_edited", "the_history_cut", "results_gone"})
"""What is done to the file of the state behind the back of all that guards it."""


def _of(side):
    def register(mutation):
        side[mutation.__name__] = mutation
        return mutation

    return register


def database(world):
    """Open the file of the state, past everything that guards it."""
    connection = sqlite3.connect(world.folder / ".taskspec/default/state.db", isolation_level=None)
    return closing(connection)


def recorded(world):
    """Return what is recorded, as it lies on the disk: the lineage, the serial, and every record."""
    if not has_state(world):
        return None
    with database(world) as connection:
        head = connection.execute("SELECT lineage, serial FROM meta").fetchone()
        return head, connection.execute("SELECT address, record FROM records ORDER BY address").fetchall()


def has_state(world):
    return (world.folder / ".taskspec/default/state.db").exists()


def _some(world, random):
    names = sorted(world.records)
    return random.choice(names) if names else None


@_of(STATE)
def another_apply(world, made, random):
    world.apply(
        world.invocation(*random.sample(sorted(made.tasks), 1) if made.tasks else ()), wait=random.random() < 0.5
    )


@_of(STATE)
def apply_of_all(world, made, random):
    world.apply(wait=random.random() < 0.5)


@_of(STATE)
def policies_taken_over(world, made, random):
    """An apply that changes records, and of which the history may have nothing to tell."""
    for path in (world.folder / "tasks").glob("*.yaml"):
        document = json.loads(path.read_text())
        document["spec"] |= {"protect": True, "onRemove": "hold"}
        path.write_text(json.dumps(document))
    world.apply(wait=False)


@_of(STATE)
def a_retry_by_hand(world, made, random):
    name = _some(world, random)
    return name and world.apply(world.invocation(name), requested=True)


@_of(STATE)
def forgotten(world, made, random):
    name = _some(world, random)
    return name and world.forget(name)


@_of(STATE)
def stopped(world, made, random):
    name = _some(world, random)
    return name and world.stop(name)


@_of(STATE)
def accepted(world, made, random):
    name = _some(world, random)
    return name and world.accept(name)


@_of(STATE)
def moved(world, made, random):
    name = _some(world, random)
    return name and world.move(name, "elsewhere")


@_of(STATE)
def adopted(world, made, random):
    runs = sorted(world.remote.runs)
    if not runs or not made.tasks:
        return False
    return world.adopt(random.choice(sorted(made.tasks)), random.choice(runs))


@_of(STATE)
def pushed_back(world, made, random):
    """An apply, and then the state of before in its place."""
    file = world.folder / "pulled.json"
    with suppress(TaskspecError):
        world.pull(file)
        world.apply(wait=False)
        return world.push(file, force=True)
    return False


@_of(STATE)
def pushed_as_it_was(world, made, random):
    file = world.folder / "pulled.json"
    with suppress(TaskspecError):
        world.pull(file)
        return world.push(file, force=random.random() < 0.5)
    return False


@_of(STATE)
def deleted(world, made, random):
    shutil.rmtree(world.folder / ".taskspec")


@_of(STATE)
def of_another_lineage(world, made, random):
    with database(world) as connection:
        connection.execute("UPDATE meta SET lineage = 'another'")


@_of(STATE)
def locked_and_unlocked(world, made, random):
    from saved_worlds import HOLDER

    with world.state() as store:
        store.release(store.acquire(HOLDER))


@_of(STATE)
def a_serial_further(world, made, random):
    from saved_worlds import HOLDER

    with world.state() as store:
        store.commit(store.acquire(HOLDER), store.read().serial, [])


@_of(STATE)
def a_record_gone(world, made, random):
    """Past everything that would tell of it: not even the serial moves."""
    name = _some(world, random)
    if name is None:
        return False
    with database(world) as connection:
        connection.execute("DELETE FROM records WHERE address = ?", (name,))
    return True


@_of(STATE)
def a_record_edited(world, made, random):
    name = _some(world, random)
    if name is None:
        return False
    with database(world) as connection:
        (text,) = connection.execute("SELECT record FROM records WHERE address = ?", (name,)).fetchone()
        record = json.loads(text)
        record["protect"] = not record.get("protect", False)
        connection.execute("UPDATE records SET record = ? WHERE address = ?", (json.dumps(record), name))
    return True


@_of(STATE)
def the_history_cut(world, made, random):
    with database(world) as connection:
        connection.execute("DELETE FROM history WHERE id > (SELECT max(id) / 2 FROM history)")


@_of(STATE)
def results_gone(world, made, random):
    with database(world) as connection:
        connection.execute("DELETE FROM results")
    shutil.rmtree(world.folder / ".taskspec/default/blobs", ignore_errors=True)


@_of(MANIFEST)
def rewritten(world, made, random):
    for path in (world.folder / "tasks").glob("*.yaml"):
        path.write_text(path.read_text().replace('prompt": "', 'prompt": "No, delete everything. '))


@_of(MANIFEST)
def all_deleted(world, made, random):
    for path in world.folder.iterdir():
        if path.name not in {".taskspec", PLAN, "results", "data"}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@_of(MANIFEST)
def no_project(world, made, random):
    (world.folder / "taskspec.yaml").unlink(missing_ok=True)


@_of(MANIFEST)
def another_project(world, made, random):
    spec = {
        "remote": {"type": "xpander", "baseUrl": "https://elsewhere.test", "organization": "x"},
        "results": {"path": "answers"},
        "limits": {"maxCreate": 0, "maxStop": 0},
        "budget": {"maxRuns": 0},
        "policies": [{"name": "nothing", "deny": "true"}],
        "variables": {"tone": {"default": "loud"}, "token": {"default": "written"}},
    }
    document = {"apiVersion": "taskspec/v1", "kind": "Project", "metadata": {"name": "others"}, "spec": spec}
    (world.folder / "taskspec.yaml").write_text(json.dumps(document))


@_of(MANIFEST)
def broken(world, made, random):
    (world.folder / "tasks").mkdir(exist_ok=True)
    (world.folder / "tasks/broken.yaml").write_text("{ this is : : none")
    (world.folder / "taskspec.yaml").write_bytes(b"\xff\xfe\x00")


@_of(MANIFEST)
def more_tasks(world, made, random):
    (world.folder / "tasks").mkdir(exist_ok=True)
    for number in range(3):
        metadata, spec = {"name": f"more{number}"}, {"agent": "writer", "prompt": f"More {number}."}
        document = {"apiVersion": "taskspec/v1", "kind": "Task", "metadata": metadata, "spec": spec}
        (world.folder / f"tasks/more{number}.yaml").write_text(json.dumps(document))


@_of(MANIFEST)
def other_texts(world, made, random):
    for name in ("notes/small.md", "notes/big.md", "macros/style.md", "data/rows.csv"):
        path = world.folder / name
        if path.exists() and random.random() < 0.7:
            path.write_text("{{ vars.token }} another\n") if random.random() < 0.6 else path.unlink()


@_of(MANIFEST)
def another_environment(world, made, random):
    world.environ |= {"COMMIT": "another", "TASKSPEC_VAR_tone": "loud", "TASKSPEC_VAR_people": '["mallory"]'}


@_of(MANIFEST)
def less_environment(world, made, random):
    world.environ.pop("COMMIT", None)


def files_changed(world, random):
    """Change what is attached; the plan has its digests."""
    for name in ("data/a.txt", "data/b.txt"):
        path = world.folder / name
        if path.exists() and random.random() < 0.7:
            path.write_text("Something else.") if random.random() < 0.6 else path.unlink()


def secrets_gone(world, random):
    """Take a secret away."""
    world.environ.pop(random.choice(["TASKSPEC_VAR_token", "CRM", "HOOK"]), None)


def secrets_rotated(world, random):
    """Give other secrets."""
    world.environ |= {"TASKSPEC_VAR_token": "rotated-one", "CRM": "rotated-two", "HOOK": "rotated-three"}


def _end(run, end):
    return JSON_ANSWER if end == "completed" and "JSON" in run.body["input"]["text"] else end


@_of(TARGET)
def runs_went_on(world, made, random):
    for run in world.remote.runs.values():
        if random.random() < 0.6:
            run.steps = [_end(run, random.choice(ENDS))]


@_of(TARGET)
def active_runs_ended(world, made, random, ends=("completed", "failed", "error", "stopped")):
    for run in world.remote.runs.values():
        if run.steps[-1] in ("executing", "pending", "paused"):
            run.steps = [_end(run, random.choice(ends))]


@_of(TARGET)
def runs_came_to_life(world, made, random):
    for run in world.remote.runs.values():
        if run.steps[-1] in ("stopped", "failed", "error", "paused"):
            run.steps = ["executing", "executing", random.choice(["completed", "failed", "executing"])]


@_of(TARGET)
def runs_vanished(world, made, random):
    for name in list(world.remote.runs):
        if random.random() < 0.5:
            world.remote.unreadable[name] = 404


@_of(TARGET)
def runs_unreadable(world, made, random):
    for name in world.remote.runs:
        if random.random() < 0.5:
            world.remote.unreadable[name] = random.choice([500, 503, 403, 400])


@_of(TARGET)
def no_lists(world, made, random):
    world.remote.lists = False


@_of(TARGET)
def late_lists(world, made, random):
    world.remote.list_lag = 30.0
    for run in world.remote.runs.values():
        run.listed_at = world.now + random.choice([0.0, 60.0])


@_of(TARGET)
def agents_vanished(world, made, random):
    world.remote.agents = random.choice([[], ["writer"], ["editor"], ["others"]])


@_of(TARGET)
def titles_edited(world, made, random):
    for run in world.remote.runs.values():
        match random.choice(["none", "cut", "foreign", "kept"]):
            case "none":
                run.body["title"] = "Whatever"
            case "cut":
                run.body["title"] = run.body["title"][:-3]
            case "foreign":
                run.body["title"] = "Theirs [ts1.0ther.aaaaaaaaaaaa.bbbbbbbb.g1.00000000000000ff]"


@_of(TARGET)
def foreign_runs(world, made, random):
    for run in list(world.remote.runs.values())[:2]:
        name = f"run-{len(world.remote.runs) + 1}"
        body = run.body | {"title": "Theirs [ts1.0ther.aaaaaaaaaaaa.bbbbbbbb.g1.00000000000000ff]"}
        world.remote.runs[name] = replace(run, id=name, body=body, steps=["executing"], key="theirs")


@_of(TARGET)
def orphan_runs(world, made, random):
    """Runs that bear markers of ours, and that no record knows."""
    for run in list(world.remote.runs.values())[:2]:
        name = f"run-{len(world.remote.runs) + 1}"
        title = run.body["title"][:-9] + f"{random.randrange(16**8):08x}]"
        steps = [random.choice(["executing", "completed"])]
        world.remote.runs[name] = replace(run, id=name, body=run.body | {"title": title}, steps=steps, key="orphan")


@_of(TARGET)
def duplicate_runs(world, made, random):
    """Runs that are one create once more."""
    for run in list(world.remote.runs.values())[:2]:
        name = f"run-{len(world.remote.runs) + 1}"
        world.remote.runs[name] = replace(run, id=name, steps=["executing"])


@_of(TARGET)
def no_such_key(world, made, random):
    world.remote.accepts_key = False


@_of(TARGET)
def troubled_creates(world, made, random):
    world.remote.sends = [random.choice([*TROUBLE, "answer"]) for _ in range(random.choice([1, 3]))]
    world.remote.lateness = random.choice([5.0, 90.0])


@_of(TARGET)
def other_instance(world, made, random):
    if world.identity.instance is None:
        return False
    world.identity = replace(world.identity, instance="another")
    return True


@_of(TARGET)
def keys_are_honoured(world, made, random):
    world.remote.honours_keys = not world.remote.honours_keys


def other_remote(world, random):
    """Make it another remote."""
    said = random.choice([{"organization": "another"}, {"url": "https://other.test"}, {"type": "another"}])
    world.identity = replace(world.identity, **said)


@_of(TIME)
def an_hour(world, made, random):
    world.now += 3700.0


@_of(TIME)
def a_day(world, made, random):
    world.now += 86_400.0


@_of(TIME)
def an_age(world, made, random):
    world.now += 8 * 86_400.0
