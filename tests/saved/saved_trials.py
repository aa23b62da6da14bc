"""One saved plan, what became of the world since, and what applying it comes to: held against what the plan promised.

python tests/saved/saved_trials.py --trials 1000 --seed 7
python tests/saved/saved_trials.py --play 7:123          one of them again
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

if __name__ == "__main__":
    TESTS = Path(__file__).parents[1]
    sys.path[:0] = [str(TESTS / "saved"), str(TESTS / "crash"), str(TESTS)]

from saved_mutations import (
    BEHIND,
    MANIFEST,
    STATE,
    TARGET,
    TIME,
    active_runs_ended,
    database,
    files_changed,
    has_state,
    other_remote,
    recorded,
    secrets_gone,
    secrets_rotated,
)
from saved_oracle import BrokenError, Promise, owner, require
from saved_projects import asked, drawn

from taskspec.errors import LimitError, LockHeldError, StaleError
from taskspec.runner.model import Refresh

EACH = 10
"""So many trials are made with one plan."""
SIDES = ("state", "manifest", "manifest", "target", "target", "time", "nothing")
DOCUMENTED = {1, 3, 4, 5, 6, 7, 8, 9, 0}
"""The exit codes that an apply may end with."""


@dataclass
class Trial:
    """A copy of a world with a saved plan, and one in which only the remote changes, to compare with."""

    made: object
    random: Random
    folder: Path
    names: list = field(default_factory=list)
    moved: bool = False
    """The state is not what it was."""
    refused: bool = False
    """Something has changed that refuses the plan, whatever it holds."""
    weakened: bool = False
    """Something has changed that may take away from the plan, and nothing else."""

    def __post_init__(self):
        self.world = self.made.world.copy(self.folder / "here")
        self.other = self.made.world.copy(self.folder / "there")
        self.promise = Promise.of(self.made.document, self.made)
        self._held = []
        self._applies = 0
        self.weakened = (
            self.made.wish["refresh"] is Refresh.NONE
        )  # what is looked at now is looked at for the first time

    def mutate(self, side=None):
        """Change something on one side; only what the remote does, and what is secret, changes in both worlds."""
        random, world, other = self.random, self.world, self.other
        side = side or random.choice(SIDES)
        seed = random.random()
        if side == "state":
            self._change_state(random)
        elif side == "manifest":
            which = random.choice([*MANIFEST, *MANIFEST, "files", "rotated", "gone"])
            self.names.append(which)
            if which == "files":
                files_changed(world, random)
                self.weakened = True
            elif which == "gone":
                secrets_gone(world, random)
                self.weakened = True
            elif which == "rotated":
                secrets_rotated(world, random)
                secrets_rotated(other, random)
            else:
                MANIFEST[which](world, self.made, random)
        elif side == "target":
            which = random.choice([*TARGET, "other_remote"])
            self.names.append(which)
            self.weakened = True
            if which == "other_remote":
                other_remote(world, random)
                self.refused = True
                return
            for one in (world, other):
                TARGET[which](one, self.made, Random(seed))
        elif side == "time":
            which = random.choice(list(TIME))
            self.names.append(which)
            self.weakened = True
            self.refused = self.refused or which == "an_age"
            for one in (world, other):
                TIME[which](one, self.made, random)

    def _change_state(self, random):
        which = random.choice(list(STATE))
        if not has_state(self.world):
            return
        before = recorded(self.world)
        self.world.remote.sent, kept = [], self.world.remote.sent
        STATE[which](self.world, self.made, random)
        self.weakened = self.weakened or which in BEHIND
        self.world.remote.sent = kept
        self.moved = self.moved or recorded(self.world) != before
        self.names.append(which)

    def reference(self, times=1):
        """Return what goes out where the manifests are applied as they were, with nothing but the remote changed."""
        while len(self._held) < times:
            if self._held:
                active_runs_ended(self.other, self.made, Random(0), ends=("completed",))
            invocation = asked(self.made, self.other)
            if invocation.refresh is Refresh.NONE:  # an apply looks at no fewer runs, unless it is told to
                invocation = replace(invocation, refresh=Refresh.ACTIVE)
            self._held.append((self.other.apply(invocation), list(self.other.remote.sent)))
        return self._held[times - 1][1]

    def require_all(self, told):
        """Hold that all went out which goes out for the manifests, where the remote shows what it showed before.

        What a policy would grant to a run that the plan only waits for is not in the plan.
        """
        reference, changes = self.reference(), self.promise.changes
        there = self._held[0][0]
        now, here = ({owner(c.address): _essence(c) for c in t.plan.changes} if t.plan else {} for t in (there, told))
        then = {whose: (c["action"], c["paid"], c["generation"], c["attempt"]) for whose, c in changes.items()}
        if now != then:
            return
        require(here in ({}, then), f"decided otherwise than planned:\n{here}\n{then}")
        wanted = [one for one in reference if one.method != "POST" or changes[one.owner]["paid"]]
        sent, meant = (Counter(one.essence for one in those) for those in (self.world.remote.sent, wanted))
        require(sent == meant, f"sent other requests than planned:\n{sent - meant}\n{meant - sent}")
        if wanted == reference:
            require(told.code == there.code, f"ended with {told.code}, not {there.code}: {told.error}")

    def apply(self, **options):
        """Apply the plan, and hold what was sent up to now."""
        before = len(self.world.remote.sent)
        told = self.world.carry_out(**options)
        self._applies += 1
        sent = self.world.remote.sent
        if sent:
            try:
                self.promise.hold(self.world, sent, self.reference(self._applies))
            except BrokenError:  # what waits for a run that does not end may be taken up in another order
                self.promise.hold(self.world, sent, self.reference(self._applies + 2))
        if isinstance(told.error, StaleError | LimitError | LockHeldError) and not self.is_begun():
            require(len(sent) == before, f"refused, and {sent[before:]} was sent: {told.error.message}")
        require(told.code is None or told.code in DOCUMENTED, f"an exit code that no apply has: {told.code}")
        return told

    def notes(self, what):
        """Return how often the history says something of the plan as a whole."""
        if recorded(self.world) is None:
            return 0
        with database(self.world) as connection:
            told = connection.execute("SELECT note FROM history WHERE address = ''").fetchall()
        plan = self.made.document["id"]
        return sum(plan in note and f'"{what}"' in note for (note,) in told)

    def is_begun(self):
        return self.notes("begun") > 0


def play(made, seed, folder):
    """Try one plan once; return what it came to, and what was changed. Raises BrokenError."""
    folder.mkdir()
    trial = Trial(made=made, random=Random(f"trial {made.seed}.{seed}"), folder=folder)
    random = trial.random
    dies_at = random.randrange(1, 25) if random.random() < 0.3 else None
    try:
        if dies_at is None or random.random() < 0.5:
            for _ in range(random.choice([1, 1, 1, 2, 3])):
                trial.mutate()
        return _played(trial, random, dies_at), trial.names
    except Exception as error:
        said = f"--play {made.seed}:{seed}, dies at {dies_at}: {', '.join(trial.names)}"
        raise AssertionError(f"{said}\n{type(error).__name__}: {error}") from error
    finally:
        shutil.rmtree(folder)


def _played(trial, random, dies_at):
    first = trial.apply(dies_at=dies_at)
    must = trial.moved or trial.refused
    if must:
        require(first.code in {1, 6, 7, 8}, f"to be refused, and ended with {first.code}")
        require(not trial.world.remote.sent, f"to be refused, and sent {trial.world.remote.sent}")
    if first.code is None:
        _resumed(trial, random)
        return "killed"
    done = trial.notes("done")
    sent = len(trial.world.remote.sent)
    if not must and not trial.weakened:
        trial.require_all(first)
    kind = _kind(trial, first)
    second = trial.apply()
    if done:
        require(second.code == 7, f"applied twice: {second}")
        require(len(trial.world.remote.sent) == sent, "a plan that was done sends more")
    return kind


def _essence(change):
    return (change.action.value, change.paid, change.generation, change.attempt)


def _kind(trial, told):
    if told.error is not None and not trial.is_begun():
        return "refused"
    sent, meant = (Counter(one.essence for one in those) for those in (trial.world.remote.sent, trial.reference()))
    return "without effect" if sent == meant else "weakened"


def _resumed(trial, random):
    """Take up again a plan that was killed, as often as it takes, with a changed world or without."""
    changed = random.random() < 0.4
    before, known = recorded(trial.world), len(trial.names)
    if changed:
        trial.mutate()
    moved = recorded(trial.world) != before and (not trial.is_begun() or not BEHIND & {*trial.names[known:]})
    sent = len(trial.world.remote.sent)
    for number in range(4):
        told = trial.apply(dies_at=random.randrange(1, 25) if number == 0 and random.random() < 0.3 else None)
        if moved or trial.refused:
            require(told.code in {1, 6, 7, 8}, f"changed since it was begun, and ended with {told.code}")
            require(len(trial.world.remote.sent) == sent, f"to be refused, and sent {trial.world.remote.sent[sent:]}")
            return
        if trial.notes("done"):
            return


def plans(folder, seed):
    """Yield plans without end."""
    while True:
        yield drawn(seed, folder)
        seed += 1


def trials(folder, count, seed):
    """Make so many trials, some with each plan; yield what each came to, and what was changed, or what is wrong."""
    for number, made in zip(range(0, count, EACH), plans(folder, seed), strict=False):
        for which in range(min(EACH, count - number)):
            try:
                yield play(made, which, folder / f"trial-{made.seed}-{which}")
            except AssertionError as error:
                yield error, ()
        shutil.rmtree(made.world.folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1000, metavar="N", help="so many of them")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the first plan")
    parser.add_argument("--play", metavar="SEED:N", help="one of them again")
    given = parser.parse_args()
    began, found, changed, wrong = time.monotonic(), Counter(), Counter(), 0
    with tempfile.TemporaryDirectory(prefix="saved-") as name:
        folder = Path(name)
        if given.play:
            seed, which = map(int, given.play.split(":"))
            print(*play(drawn(seed, folder), which, folder / "trial"))
            return 0
        for kind, names in trials(folder, given.trials, given.seed):
            if isinstance(kind, AssertionError):
                print(kind, flush=True)
                wrong += 1
            else:
                found[kind] += 1
                changed.update(names)
    print(f"{sum(found.values())} trials in {time.monotonic() - began:.0f} s: {dict(found)}; {wrong} wrong")
    print(dict(changed.most_common()))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
