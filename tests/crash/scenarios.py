"""A scenario: what users, agents, networks and kills do to a world, in one line of text that plays it again.

`one:FATE:keys|plain:LAG:KILL:KILL` is one task whose first create meets a fate, with the first apply killed in one
step and the second in another (0: not). `disk:N:FATE:` before the same lets the N-th commit fail. `seed:N` is drawn
from a seed: several tasks, edits, faults everywhere. `hands:N` is too, with people who also rename, stop, retry, forget
and adopt by hand, with `rerun`, late answers, another project on the same agent, and a proxy that repeats requests.
`choices:N` adds people who accept and cancel, have results made anew, and save plans to carry them out later. The
others are in `decided`.
"""

from dataclasses import dataclass, field
from random import Random

from apply_stages import task
from authors import Authors, Renamers
from decided import play_decided
from endings import settle_down
from fates import COMMITS, POSTS, Faults
from hands import Decider, by_hand, patience
from naive import naive
from remote_runs import Life, Run, Runs
from worlds import World

from taskspec.address import address_hash
from taskspec.runner.model import Refresh

MOST_COMMITS = 6
LAGS = (0.0, 50.0)


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
                return _play_seed(world, Random(int(words[0])))
            case "hands":
                return _play_hands(world, Random(int(words[0])))
            case "choices":
                return _play_hands(world, Random(int(words[0])), decides=True)
            case "accept" | "anew" | "cancel" | "filed" | "revert":
                fate, keys, lag, ending, *kills = words
                world.remote = Runs(honours_keys=keys == "keys", lag=float(lag))
                played = Played(world)
                play_decided(world, played, kind, fate, ending, kills)
                return played
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


def _play_seed(world, random):
    _draw(world, random)
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


def _play_hands(world, random, *, decides=False):
    _draw(world, random)
    world.faults.late_rate = random.choice((0.0, 0.2))
    world.faults.repeats = random.random() < 0.2
    authors, decider = Renamers(random, world), Decider(world, random) if decides else None
    if random.random() < 0.5:
        add_others(world, "abc")
    for _ in range(random.randint(2, 6)):
        dies_at = random.randint(1, 60) if random.random() < 0.5 else None
        tasks = authors.tasks()
        if decider is not None and random.random() < 0.5:
            decider.decide(tasks, authors.former, dies_at)
        elif world.durable.records and random.random() < 0.4:
            by_hand(world, random, tasks, authors.former, dies_at)
        else:
            world.apply(tasks, dies_at=dies_at, former=authors.former, **_options(random))
        world.now += random.choice((0.0, 1.0, 30.0, 200.0))
        if random.random() < 0.5:
            authors.edit()
    settle_down(world, authors.tasks(), authors.former)
    return Played(world)


def add_others(world, names):
    """Let another project have runs of equal addresses on the same agent: one at work, one that has ended."""
    for number, name in enumerate(names):
        mark = f"[ts1.07be500.{address_hash(name)}.00c0ffee.g1.f{number:015x}]"
        body = {"title": f"Title 1 {mark}", "input": {"text": f"Write {name}1."}}
        life = Life(0.0, 3.0 if number % 2 else 1e9)
        run = Run(f"other-{name}", "writer", body, f"f{number:015x}", life, world.now - 100.0)
        world.remote.runs[run.id] = run
        world.ledger.foreign.add(run.id)


def _draw(world, random):
    faults = world.faults = Faults(random=random, rate=random.choice((0.0, 0.1, 0.3)))
    faults.post_rate = random.choice((0.2, 0.5, 0.9))
    faults.commit_rate = random.choice((0.0, 0.0, 0.05))
    world.remote = Runs(honours_keys=random.random() < 0.4, lag=random.choice((0.0, 5.0, 50.0)))
    world.traits = {"keeps_titles": random.random() < 0.85}
    world.stopping = random.choice((0.0, 0.5, 20.0))


def _options(random):
    said = {"refresh": Refresh.FULL} if random.random() < 0.15 else {}
    if random.random() < 0.1:
        said["requested"] = ()
    return said | patience(random)
