"""Users, agents, outages and kills in any order: hypothesis looks for the shortest story that breaks a promise.

CRASH_EXAMPLES=1000 .venv/bin/python -m pytest -q tests/crash/test_crash_machine.py     for longer
"""

import os

import commanding
import pytest
from apply_stages import task
from authors import RERUNS
from endings import require_green, settle_down
from fates import POSTS, TWICE
from hands import adoptable
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from ledger import BrokenError, require
from naive import naive
from remote_runs import NEVER, Life, Runs
from scenarios import add_others
from table import UP_TO_A_PERSON, recorded_under, row_of
from taking import accept, acceptable
from worlds import World

from taskspec.report.exiting import ExitCode
from taskspec.runner.model import Refresh

FAMILIES = st.sampled_from("ab")
STEPS = st.integers(1, 60)
KILLS = st.one_of(st.none(), STEPS)
LIVES = st.builds(
    Life,
    queued=st.sampled_from((0.0, 2.0)),
    works=st.sampled_from((0.0, 3.0, 40.0)),
    ends=st.sampled_from(("completed", "completed", "failed", "error", "stopped", "paused")),
    empty=st.sampled_from((False, False, False, True)),
)
RETRIES = st.sampled_from(({}, {"max_attempts": 3, "statuses": ("error", "failed", "stopped"), "backoff": 2.0}))
POLICIES = st.fixed_dictionaries(
    {
        "rerun": st.sampled_from(RERUNS),
        "retry": RETRIES,
        "on_remove": st.sampled_from(("stop", "forget", "hold")),
        "on_change_active": st.sampled_from(("replace", "queue", "hold")),
        "timeout": st.sampled_from((None, None, 8.0)),
    }
)
CREATES = st.lists(st.sampled_from(sorted(POSTS | TWICE)), max_size=3)
OPTIONS = st.sampled_from(
    ({}, {}, {"wait": False}, {"wait_timeout": 3.0}, {"hold_unknown": True}, {"refresh": Refresh.FULL})
)


class Project(RuleBasedStateMachine):
    """One project from its beginning; every apply is held against the decision table."""

    def __init__(self):
        super().__init__()
        self.world = World()
        self.world.lives = Lives()
        self.written = {
            family: {"name": family, "text": 1, "context": 1, "title": 1, "policies": {}, "declared": True}
            for family in "ab"
        }
        self.former = {}
        self.saved = None

    @initialize(keys=st.booleans(), lag=st.sampled_from((0.0, 5.0, 50.0)), others=st.booleans(), policies=POLICIES)
    def begin(self, keys, lag, others, policies):
        self.world.remote = Runs(honours_keys=keys, lag=lag)
        self.written["a"]["policies"] = policies
        if others:
            add_others(self.world, "ab")

    # users

    @rule(family=FAMILIES, field=st.sampled_from(("text", "context", "title")), value=st.integers(1, 3))
    def edit(self, family, field, value):
        self.written[family][field] = value

    @rule(family=FAMILIES, policies=POLICIES)
    def decide_otherwise(self, family, policies):
        self.written[family]["policies"] = policies

    @rule(family=FAMILIES)
    def remove_or_bring_back(self, family):
        self.written[family]["declared"] ^= True

    @rule(family=FAMILIES, ending=st.sampled_from(("", "x", "y")), says_so=st.booleans())
    def rename(self, family, ending, says_so):
        before, now = self.written[family]["name"], family + ending
        self.written[family]["name"] = now
        self.former = {new: old for new, old in self.former.items() if new != now and old != before}
        if says_so and now != before:
            self.former[now] = before

    @rule(options=OPTIONS, dies_at=KILLS)
    def apply(self, options, dies_at):
        self._apply(options, **({"dies_at": dies_at} if dies_at else {}))

    @rule(family=FAMILIES, text=st.integers(1, 3), life=LIVES, names=CREATES, options=OPTIONS, dies_at=KILLS)
    def edit_and_apply(self, family, text, life, names, options, dies_at):
        self.written[family]["text"] = text
        self.world.lives.coming.append(life)
        self.world.faults.posts += names
        self._apply(options, **({"dies_at": dies_at} if dies_at else {}))

    @rule()
    def apply_in_peace(self):
        self._apply({})

    @rule(after=st.sampled_from((0.0, 1.0, 7.0)))
    def apply_twice_at_once(self, after):
        self._apply({}, rival_at=after)

    @precondition(lambda self: self.world.durable.records)
    @rule(data=st.data(), after=st.sampled_from((0.0, 1.0, 7.0, 30.0)))
    def stop_during_an_apply(self, data, after):
        address = data.draw(st.sampled_from(sorted(self.world.durable.records)))
        self._apply({}, rival_at=after, rival=commanding.stop(address))

    @precondition(lambda self: self.world.durable.records)
    @rule(data=st.data(), what=st.sampled_from((commanding.stop, commanding.forget)), dies_at=KILLS)
    def take_in_hand(self, data, what, dies_at):
        address = data.draw(st.sampled_from(sorted(self.world.durable.records)))
        self.world.command(what(address), self._tasks(), dies_at=dies_at, former=self.former)

    @precondition(lambda self: self.world.durable.records)
    @rule(data=st.data(), dies_at=KILLS)
    def retry(self, data, dies_at):
        address = data.draw(st.sampled_from(sorted(self.world.durable.records)))
        self.world.apply(self._tasks(), requested=(address,), dies_at=dies_at, former=self.former)

    @precondition(lambda self: adoptable(self.world, self._tasks()))
    @rule(data=st.data(), dies_at=KILLS)
    def adopt(self, data, dies_at):
        address, run = data.draw(st.sampled_from(adoptable(self.world, self._tasks())))
        self.world.command(commanding.adopt(address, run), self._tasks(), dies_at=dies_at, former=self.former)

    @precondition(lambda self: acceptable(self.world, self._tasks()))
    @rule(data=st.data(), dies_at=KILLS)
    def accept(self, data, dies_at):
        address, generation = data.draw(st.sampled_from(acceptable(self.world, self._tasks())))
        accept(self.world, self._tasks(), address, generation, dies_at=dies_at, former=self.former)

    @rule(family=FAMILIES, options=OPTIONS, dies_at=KILLS)
    def make_anew(self, family, options, dies_at):
        anew = self._known(family)
        if anew:
            self._apply(options, anew=anew, **({"dies_at": dies_at} if dies_at else {}))

    @rule(family=st.one_of(st.none(), FAMILIES), lasts=st.sampled_from((100.0, 1e6)), dies_at=KILLS)
    def save_a_plan(self, family, lasts, dies_at):
        anew = self._known(family) if family else ()
        said = {"lasts": lasts, "dies_at": dies_at, "former": self.former}
        self.saved = self.world.save(self._tasks(), anew=anew, **said) or self.saved

    @precondition(lambda self: self.saved)
    @rule(options=OPTIONS, dies_at=KILLS)
    def carry_out_the_saved_plan(self, options, dies_at):
        options = {name: value for name, value in options.items() if name != "refresh"}
        self._apply(options, saved=self.saved, **({"dies_at": dies_at} if dies_at else {}))

    @rule(step=STEPS)
    def cancel_an_apply(self, step):
        self._apply({}, cancelled_at=step)

    # agents

    @rule(life=LIVES, passes=st.sampled_from((None, 1.0, 40.0)))
    def next_run(self, life, passes):
        life.passes = passes if life.ends == "error" else None
        self.world.lives.coming.append(life)

    # the network, the disk and time

    @rule(names=CREATES)
    def next_creates(self, names):
        self.world.faults.posts += names

    @rule(reads=st.sampled_from((0.1, 0.5, 1.0)), late=st.sampled_from((0.0, 0.3)))
    def fall_ill(self, reads, late):
        self.world.faults.rate, self.world.faults.late_rate = reads, late

    @rule()
    def recover(self):
        faults = self.world.faults
        faults.rate = faults.late_rate = 0.0
        faults.posts.clear()
        faults.commits.clear()

    @rule(commits=st.lists(st.sampled_from(("done", "unknown", "unknown-lost", "failed")), max_size=6))
    def next_commits(self, commits):
        self.world.faults.commits = commits

    @rule(seconds=st.sampled_from((1.0, 30.0, 200.0)))
    def let_time_pass(self, seconds):
        self.world.now += seconds

    # what always holds

    @invariant()
    def others_are_untouched(self):
        for run in map(self.world.remote.runs.get, self.world.ledger.foreign):
            require(run.stopped_at == NEVER and not run.titles, f"{run.id} of another project was touched")

    def teardown(self):
        self.recover()
        settle_down(self.world, self._tasks(), self.former)

    def _tasks(self):
        made = []
        for family, written in self.written.items():
            if written["declared"]:
                text, context = f"Write {family}{written['text']}.", f"context {written['context']}"
                said = {"title": f"Title {written['title']}", "policies": written["policies"]}
                made.append(task(written["name"], text, additionalContext=context, **said))
        return made

    def _known(self, family):
        """Return the address of a task that is declared and recorded, where it is."""
        name, declared = self.written[family]["name"], self.written[family]["declared"]
        return (name,) if declared and name in self.world.durable.records else ()

    def _apply(self, options, **said):
        world, tasks, former, saved = self.world, self._tasks(), self.former, said.get("saved")
        anew = said.get("anew", ())
        if saved is not None:
            tasks, former, anew = saved.tasks, saved.former, saved.anew
        faults = world.faults
        in_peace = not (options or said.keys() - {"anew", "saved"} or faults.rate or faults.late_rate or faults.posts)
        in_peace = in_peace and not faults.commits and not (saved and saved.is_begun)
        world.declared = {one.address: one for one in tasks}
        recorded = {one.address: recorded_under(world, one, former) for one in tasks}
        rows = {one.address: row_of(world, one, recorded[one.address], anew=one.address in anew) for one in tasks}
        before, commands = set(world.remote.runs), world.commands
        code = world.apply(tasks, former=former, **options, **said)
        world.tell("rows", rows)
        if world.commands != commands + 1:
            return  # the first had ended when the second began, which found other rows
        for address, row in rows.items():
            started = self._started(address, before)
            is_stopped = said.get("rival") is not None and row.name in UP_TO_A_PERSON
            most = world.declared[address].policies.retry.max_attempts if is_stopped else row.most
            require(len(started) <= most, f"`{row.name}` starts at most {most}, and {address} has {started}")
            if in_peace and code != ExitCode.STALE and (saved is None or address in saved.paid):
                require(len(started) >= row.least, f"`{row.name}` starts a run of {address}, and there is none")
        if code == ExitCode.OK and options.get("wait", True):
            require_green(world, tasks)

    def _started(self, address, before):
        """Return the runs that were paid for since, but for those that a proxy has made."""
        ledger, started = self.world.ledger, {}
        for run in self.world.remote.runs.values():
            if run.id not in before and ledger.intents[run.nonce][0] == address:
                started.setdefault(run.nonce, run.id)
        return list(started.values())


class Lives:
    """The life of each run that begins: the next that was drawn, else one that completes."""

    def __init__(self):
        self.coming = []

    def get(self, prompt):
        return [self.coming.pop(0) if self.coming else Life()]


TestProject = Project.TestCase
TestProject.settings = settings(
    max_examples=int(os.environ.get("CRASH_EXAMPLES", "40")), stateful_step_count=25, print_blob=True, deadline=None
)


@pytest.mark.parametrize("protocol", ["A", "B"])
def test_a_naive_protocol_is_caught(protocol):
    told = settings(max_examples=1000, stateful_step_count=25, deadline=None, derandomize=True, phases=[Phase.generate])
    with naive(protocol), pytest.raises(BrokenError):
        run_state_machine_as_test(Project, settings=settings(told, database=None, report_multiple_bugs=False))
