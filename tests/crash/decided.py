"""Fixed scenarios of what a person decides: an apply that is cancelled, made anew, accepted, or from a saved plan.

Each is one task whose create that matters meets a fate, with two commands in a row that may be killed in a step each:
`cancel:FATE:keys|plain:LAG:STEP` is asked to end in one step, and then another apply follows. `anew:…:flag|plain` asks
for a result to be made anew, and applies again, with the flag or without. `filed:…:file|plain` carries a saved plan out
and takes it up again, or applies without it. `accept:…` takes the first result for the third text. `revert:…`
declares the first text again, behind a third one whose create meets the fate.
"""

import commanding
from apply_stages import task
from endings import settle_down
from ledger import require
from remote_runs import Life

from taskspec.report.exiting import ExitCode
from taskspec.state.model import Sending

DECISIVE = ("answered", "slow", "lost", "cut", "silent", "late", "late, cut", "throttled")
"""The fates of a create that make a difference for what a person decides."""
STEPS = (1, 2, 3, 4, 6, 8, 10, 12, 14, 17, 20, 24)
ENDINGS = {"cancel": STEPS, "anew": ("flag", "plain"), "filed": ("file", "plain")}
FIRST, OTHER, MENDED = "Write.", "Write it.", "Write it well."


def decisions():
    """Yield the beginnings of all these scenarios, but for those in pairs."""
    for kind, endings in ENDINGS.items():
        for fate in DECISIVE:
            for keys in ("plain", "keys"):
                yield from (f"{kind}:{fate}:{keys}:{_lag(kind)}:{ending}" for ending in endings)


def in_pairs():
    """Yield the beginnings of those in which two commands in a row are to be killed."""
    for kind in ("anew", "filed"):
        for fate, keys in (("cut", "plain"), ("cut", "keys"), ("late", "plain")):
            yield from (f"{kind}:{fate}:{keys}:{_lag(kind)}:{ending}" for ending in ENDINGS[kind])
    yield "accept:answered:plain:0:same"
    yield from (f"revert:{fate}:plain:0:same" for fate in ("answered", "cut"))


def _lag(kind):
    return 5 if kind == "anew" else 0


def play_decided(world, played, kind, fate, ending, kills):
    """Play one, with the remote and its lag as they are."""
    told = {"cancel": _cancel, "anew": _anew, "filed": _filed, "accept": _accept, "revert": _revert}[kind]
    deaths = [*(int(kill) or None for kill in kills), None, None][:2]

    def killed(do):
        before = world.steps
        code = do(deaths[len(played.lengths)])
        played.lengths.append(world.steps - before)
        return code

    told(world, killed, fate, ending)


def _runs_of(world, prompt):
    """Return the creates of a text that were paid for."""
    return {run.nonce for run in world.remote.runs.values() if run.prompt == prompt}


def _cancel(world, killed, fate, ending):
    tasks = [task()]
    world.faults.posts = [fate]
    killed(lambda dies_at: world.apply(tasks, cancelled_at=int(ending), dies_at=dies_at))
    killed(lambda dies_at: world.apply(tasks, dies_at=dies_at))
    settle_down(world, tasks)
    require(len(_runs_of(world, FIRST)) <= 1, "a text is paid for twice")


def _anew(world, killed, fate, ending):
    tasks = [task()]
    world.apply(tasks)
    world.faults.posts = [fate]
    code = killed(lambda dies_at: world.apply(tasks, anew=("a",), dies_at=dies_at))
    asked = world.durable.records["a"]
    is_open = asked.generation.number == 2 and asked.accepted.generation == 1
    most = 2 if ending == "plain" or is_open else 3
    code = killed(lambda dies_at: world.apply(tasks, anew=("a",) if ending == "flag" else (), dies_at=dies_at))
    if ending == "flag" and code == ExitCode.OK:
        require(world.durable.records["a"].accepted.generation >= 2, "a result was to be made anew, and is the old one")
    settle_down(world, tasks)
    paid = len(_runs_of(world, FIRST))
    require(paid <= most, f"{paid} runs are paid for, and at most {most} were asked for")
    _require_told(world, paid)


def _require_told(world, paid):
    """Raise where a run was asked for, and nothing tells that it came to nothing."""
    record, told = world.durable.records["a"], [entry.note.what for entry in world.durable.history]
    if told.count("intended") > paid:
        require({"absent", "refused"} & set(told), "a run was asked for, is not there, and nothing tells")
    require(all(one.sending is not Sending.INTENDED for one in record.generation.attempts), "an intent is left open")


def _filed(world, killed, fate, ending):
    before, tasks = [task()], [task(prompt=OTHER)]
    world.apply(before)
    world.faults.posts = [fate]
    saved = world.save(tasks)
    killed(lambda dies_at: world.apply(before, saved=saved, dies_at=dies_at))
    if ending == "plain":
        killed(lambda dies_at: world.apply(tasks, dies_at=dies_at))
    else:
        killed(lambda dies_at: world.apply(before, saved=saved, dies_at=dies_at))
    world.faults.over = True
    world.apply(before, saved=saved)
    settle_down(world, tasks)
    code = world.apply(before, saved=saved)
    require(code == ExitCode.STALE or not saved.is_begun, f"a plan was used up, and its exit code is {code}")
    require(len(_runs_of(world, OTHER)) == 1, "what was planned is paid for more than once, or not at all")


def _accept(world, killed, fate, ending):
    texts = [[task(prompt=prompt)] for prompt in (FIRST, OTHER, MENDED)]
    for tasks in texts[:2]:
        world.apply(tasks)
    world.lives[MENDED] = [Life(ends="failed")]
    for _ in range(2):
        killed(lambda dies_at: world.command(commanding.accept("a", 1), texts[2], dies_at=dies_at))
    if world.durable.records["a"].accepted.by_hand is None:
        require(world.command(commanding.accept("a", 1), texts[2]) == ExitCode.OK, "a kept result was not accepted")
    settle_down(world, texts[2])
    require(not _runs_of(world, MENDED), "a text is paid for, and a person has accepted a result for it")
    require(world.files["a"] == (world.durable.records["a"].accepted.run, f"answer to {FIRST}"), "the file is another")


def _revert(world, killed, fate, ending):
    tasks = [task(prompt=FIRST)]
    for prompt in (FIRST, OTHER):
        world.apply([task(prompt=prompt)])
    world.faults.posts = [fate]
    world.apply([task(prompt=MENDED)], dies_at=9)
    for _ in range(2):
        killed(lambda dies_at: world.apply(tasks, dies_at=dies_at))
    settle_down(world, tasks)
    require(len(_runs_of(world, FIRST)) == 1, "a text that was asked for before is paid for again")
    kept = world.durable.records["a"].accepted
    require(world.files["a"] == (kept.run, f"answer to {FIRST}"), "the file is another")
