"""A scenario: what users, agents, networks and kills do to a world, in one line of text that plays it again.

`one:FATE:keys|plain:LAG:KILL:KILL` is one task whose first create meets a fate, with the first apply killed in one
step and the second in another (0: not). `disk:N:FATE:` before the same lets the N-th commit fail. `seed:N` is drawn
from a seed: several tasks, edits, faults everywhere.
"""

from dataclasses import dataclass, field
from random import Random

from apply_stages import deferred, task
from endings import settle_down
from fates import COMMITS, POSTS, Faults
from naive import naive
from remote_runs import Life, Runs
from worlds import World

from taskspec.runner.model import Refresh

MOST_COMMITS = 6
LAGS = (0.0, 50.0)
ENDS = ("completed",) * 12 + ("failed", "error", "stopped", "paused")
REMOVALS = ("stop", "stop", "forget", "hold")


@dataclass(slots=True)
class Played:
    """How a scenario went: the steps of each apply that may be killed, and whether the world kept its promises."""

    world: World
    lengths: list = field(default_factory=list)


def play(name: str, protocol: str = "", *, trace: list | None = None) -> Played:
    """Play a scenario, by a naive protocol where one is named; raise BrokenError where a promise is broken.

    `trace` is given every step.
    """
    kind, *words = name.split(":")
    with naive(protocol):
        world = World(trace=trace, intent_first=protocol != "A")
        match kind:
            case "seed":
                return _play_seed(world, int(words[0]))
            case "disk":
                number, fate, *words = words
                world.faults.commits = ["done"] * (int(number) - 1) + [fate]
        return _play_one(world, *words)


def singles():
    """Yield the beginnings of all scenarios of one task: each fate with and without keys, lists that lag or do not."""
    for fate in POSTS:
        for keys in ("plain", "keys"):
            for lag in LAGS:
                yield f"one:{fate}:{keys}:{lag:g}"


def disks():
    """Yield the beginnings of scenarios in which one commit fails, or nobody can tell whether it has."""
    for number in range(1, MOST_COMMITS + 1):
        for fate in COMMITS:
            for post in ("answered", "cut", "late", "lost"):
                yield from (f"disk:{number}:{fate}:{post}:{keys}:0" for keys in ("plain", "keys"))


def _play_one(world, fate, keys, lag, *kills):
    world.faults.posts = [fate]
    world.remote = Runs(honours_keys=keys == "keys", lag=float(lag))
    played = Played(world)
    tasks = [task()]
    for kill in [int(kill) for kill in kills] or [0]:
        before = world.steps
        world.apply(tasks, dies_at=kill or None)
        played.lengths.append(world.steps - before)
    settle_down(world, tasks)
    return played


def _play_seed(world, seed):
    random = Random(seed)
    faults = world.faults = Faults(random=random, rate=random.choice((0.0, 0.1, 0.3)))
    faults.post_rate = random.choice((0.2, 0.5, 0.9))
    faults.commit_rate = random.choice((0.0, 0.0, 0.05))
    world.remote = Runs(honours_keys=random.random() < 0.4, lag=random.choice((0.0, 5.0, 50.0)))
    world.traits = {"keeps_titles": random.random() < 0.85}
    world.stopping = random.choice((0.0, 0.5, 20.0))
    authors = Authors(random, world)
    for _ in range(random.randint(1, 4)):
        dies_at = random.randint(1, 60) if random.random() < 0.7 else None
        rival_at = random.choice((0.0, 1.0, 7.0)) if random.random() < 0.05 else None
        world.apply(authors.tasks(), dies_at=dies_at, rival_at=rival_at, **_options(random))
        world.now += random.choice((0.0, 1.0, 30.0, 200.0))
        if random.random() < 0.4:
            authors.edit()
    settle_down(world, authors.tasks())
    return Played(world)


def _options(random):
    said = {"refresh": Refresh.FULL} if random.random() < 0.15 else {}
    if random.random() < 0.1:
        said["requested"] = True
    return said | _patience(random)


def _patience(random):
    chosen = random.random()
    if chosen < 0.1:
        return {"wait": False}
    if chosen < 0.2:
        return {"wait_timeout": random.choice((0.5, 3.0, 100.0))}
    return {"hold_unknown": chosen < 0.3, "parallelism": random.choice((1, 10))}


class Authors:
    """The people who write the tasks: they edit, remove, bring back."""

    def __init__(self, random: Random, world: World) -> None:
        self._random = random
        self._world = world
        self._versions = dict.fromkeys("abc"[: random.choice((1, 1, 2, 3))], 1)
        self._removed: set[str] = set()
        self._titles = dict.fromkeys("abc", 1)
        self._needs = random.choice((None, None, "order", "result"))
        self._policies = {name: self._drawn() for name in "abc"}

    def edit(self):
        name = self._random.choice(list(self._versions))
        match self._random.choice(("prompt", "prompt", "back", "remove", "title")):
            case "prompt":
                self._versions[name] += 1
            case "back":
                self._versions[name] = 1
            case "remove":
                self._removed ^= {name}
            case "title":
                self._titles[name] += 1

    def tasks(self):
        made, before = [], None
        for name, version in self._versions.items():
            if name in self._removed:
                continue
            prompt = f"Write {name}{version}."
            if prompt not in self._world.lives:
                self._world.lives[prompt] = [self._life() for _ in range(3)]
            said = {"title": f"Title {self._titles[name]}", "policies": self._policies[name]}
            match self._needs if before else None:
                case "order":
                    made.append(task(name, prompt, upstream=(before,), **said))
                case "result":
                    made.append(deferred(name, prompt, uses=(before,), **said))
                case _:
                    made.append(task(name, prompt, **said))
            before = name
        return made

    def _drawn(self):
        random, policies = self._random, {"on_remove": self._random.choice(REMOVALS)}
        if random.random() < 0.4:
            policies["retry"] = {"max_attempts": 3, "statuses": ("error", "failed", "stopped"), "backoff": 2.0}
        if random.random() < 0.15:
            policies["timeout"] = 8.0
        policies["on_change_active"] = random.choice(("replace", "replace", "queue", "hold"))
        policies["protect"] = random.random() < 0.15
        return policies

    def _life(self):
        random = self._random
        works = random.choice((0.0, 3.0, 12.0, 40.0))
        return Life(random.choice((0.0, 2.0)), works, random.choice(ENDS), empty=random.random() < 0.05)
