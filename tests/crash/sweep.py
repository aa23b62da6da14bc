"""Plays scenarios by the hundred thousand, on all cores; a broken promise is told with the command that plays it again.

python tests/crash/sweep.py --random 60000 --seed 7     every single kill and pair of kills, then 60,000 seeds
python tests/crash/sweep.py --play seed:123             one scenario, step by step
python tests/crash/sweep.py --protocol B                the same by a naive protocol, which has to be caught
"""

import argparse
import multiprocessing
import os
import time
import traceback
from collections.abc import Iterator
from itertools import chain, count, islice

import neighbours  # noqa: F401
from decided import decisions, in_pairs
from naive import PROTOCOLS
from scenarios import disks, play, singles

CHUNK = 200
KINDS = ("seed", "hands", "choices")
ROUND = 20 * CHUNK
SHOWN = 3
"""So many broken scenarios are shown."""
COMMAND = ".venv/bin/python tests/crash/sweep.py"


class Played:
    """What a worker brings back: how many scenarios and steps, and the names and faults of the broken ones."""

    def __init__(self):
        self.scenarios = self.steps = 0
        self.broken: list[tuple[str, str]] = []

    def play(self, name, protocol):
        """Play a scenario and return it; None where it broke a promise."""
        self.scenarios += 1
        try:
            played = play(name, protocol)
        except Exception as error:  # noqa: BLE001  # a bug of any kind is a finding
            self.broken.append((name, f"{type(error).__name__}: {error}"))
            return None
        self.steps += played.world.steps
        return played

    def add(self, other):
        self.scenarios += other.scenarios
        self.steps += other.steps
        self.broken += other.broken


def pairs_of_kills(beginning: str, protocol: str) -> Played:
    """Play a beginning with no kill, with one in each step, and with each pair of kills in two applies in a row."""
    done = Played()
    whole = done.play(beginning, protocol)
    for first in range(1, whole.lengths[0] + 1 if whole else 1):
        once = done.play(f"{beginning}:{first}:0", protocol)
        for second in range(1, once.lengths[1] + 1 if once else 1):
            done.play(f"{beginning}:{first}:{second}", protocol)
    return done


def kills(beginning: str, protocol: str) -> Played:
    """Play a beginning with no kill, and with one in each step."""
    done = Played()
    whole = done.play(beginning, protocol)
    for first in range(1, whole.lengths[0] + 1 if whole else 1):
        done.play(f"{beginning}:{first}:0", protocol)
    return done


def seeds(numbers: range, protocol: str) -> Played:
    """Play a seed of each number, of all kinds in turn: people who write, who take things in hand, and who decide."""
    done = Played()
    for number in numbers:
        done.play(f"{KINDS[number % len(KINDS)]}:{number}", protocol)
    return done


def sweep(most_random: int, seed: int, protocol: str = "", *, every: int = 1, cores: int | None = None) -> Played:
    """Play the kills in one of so many beginnings (none for 0), and so many seeds beginning with one."""
    total = Played()
    for done in _parts(_jobs(most_random, seed, protocol, every), cores or os.cpu_count() or 1):
        total.add(done)
    return total


def soak(seconds: float, seed: int, protocol: str = "") -> Played:
    """Play seeds, beginning with one, until the time is over."""
    total, end = Played(), time.monotonic() + seconds
    for first in count(seed, ROUND):
        if time.monotonic() >= end:
            break
        total.add(sweep(ROUND, first, protocol, every=0))
    return total


def _jobs(most_random, seed, protocol, every) -> Iterator[tuple]:
    ends = range(seed, seed + most_random)
    drawn = ((seeds, ends[start : start + CHUNK], protocol) for start in range(0, most_random, CHUNK))
    if not every:
        return drawn
    paired = ((pairs_of_kills, beginning, protocol) for beginning in chain(singles(), in_pairs()))
    failing = ((kills, beginning, protocol) for beginning in chain(disks(), decisions()))
    return chain(islice(chain(paired, failing), seed % every, None, every), drawn)


def _parts(jobs, cores) -> Iterator[Played]:
    if cores == 1:
        yield from map(_work, jobs)
        return
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        yield from pool.imap_unordered(_work, jobs)


def _work(job) -> Played:
    do, *arguments = job
    return do(*arguments)


def show(name: str, protocol: str) -> int:
    """Play one scenario and print its steps."""
    steps: list[str] = []
    try:
        play(name, protocol, trace=steps)
    except Exception:  # noqa: BLE001  # shown, whatever it is
        print("\n".join(steps))
        traceback.print_exc()
        return 1
    print("\n".join([*steps, "every promise was kept"]))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--play", metavar="NAME", help="play one scenario and print its steps")
    parser.add_argument("--random", type=int, default=60_000, metavar="N", help="how many seeds to play")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="kill in one of N beginnings; 0: in none")
    parser.add_argument("--seconds", type=float, default=0.0, metavar="S", help="seeds only, for so long")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the first seed")
    parser.add_argument("--protocol", choices=PROTOCOLS, default="", help="a naive protocol, which has to be caught")
    given = parser.parse_args()
    if given.play:
        return show(given.play, given.protocol)
    began = time.monotonic()
    if given.seconds:
        done = soak(given.seconds, given.seed, given.protocol)
    else:
        done = sweep(given.random, given.seed, given.protocol, every=given.every)
    took = time.monotonic() - began
    print(f"{done.scenarios} scenarios from seed {given.seed}, {done.steps} steps, {took:.0f} s: ", end="")
    print(f"{len(done.broken)} broken promises")
    for name, fault in done.broken[:SHOWN]:
        protocol = f" --protocol {given.protocol}" if given.protocol else ""
        print(f"\n{fault}\nplay it again:  {COMMAND} --play '{name}'{protocol}")
        show(name, given.protocol)
    return 1 if done.broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
