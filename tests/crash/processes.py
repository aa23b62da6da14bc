"""Kills real applies, as many or as long as asked, and holds every project against its promises afterwards.

python tests/crash/processes.py --kills 200 --seed 7
python tests/crash/processes.py --seconds 3600          until the time is over
python tests/crash/processes.py --play hosted:123       one project again, with the same kills as far as time allows
"""

import argparse
import asyncio
import os
import tempfile
import time
from itertools import count
from pathlib import Path
from random import Random

import neighbours  # noqa: F401
from naive import PROTOCOLS
from shared_worlds import SHARED, world

KINDS = ("hosted", "hosted", "keys", "embedded", *SHARED)
KILLS = 8
"""So many applies of one project are meant to die, unless they end before."""
AT_ONCE = 4
"""So many projects are played side by side on each core: most of their time is waiting."""
COMMAND = ".venv/bin/python tests/crash/processes.py"


async def play(name: str, protocol: str = "real", meant: int = KILLS) -> tuple[int, int]:
    """Live through one project; return its kills and applies. Raises where a promise is broken."""
    kind, _, seed = name.partition(":")
    random = Random(name)
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        async with world(kind, Path(folder) / seed, random, protocol) as made:
            await made.settle_down()  # so that the remote is known to keep titles
            for number in range(meant):
                if random.random() < 0.6 or number == 0:
                    made.edit()
                await made.die()
            await made.settle_down()
            return made.kills, made.applies


class Tally:
    """What all projects came to."""

    def __init__(self):
        self.projects = self.kills = self.applies = 0
        self.broken: list[tuple[str, str]] = []


async def soak(most_kills, seconds, seed, protocol="real", most_broken=5, kinds=KINDS) -> Tally:
    """Play projects until there are so many kills, or the time is over, or so many are broken; a few side by side."""
    tally, names = Tally(), (f"{kinds[number % len(kinds)]}:{number}" for number in count(seed))
    end = time.monotonic() + seconds if seconds else float("inf")

    async def work():
        while time.monotonic() < end and (seconds or tally.kills < most_kills) and len(tally.broken) < most_broken:
            name = next(names)
            tally.projects += 1
            try:
                kills, applies = await play(name, protocol)
            except Exception as error:  # noqa: BLE001  # a bug of any kind is a finding
                tally.broken.append((name, f"{type(error).__name__}: {error}"))
            else:
                tally.kills += kills
                tally.applies += applies

    await asyncio.gather(*(work() for _ in range(AT_ONCE * (os.cpu_count() or 1))))
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="until so many processes were killed")
    parser.add_argument("--seconds", type=float, default=0.0, metavar="S", help="for so long, however many that are")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the first seed")
    parser.add_argument("--kind", choices=sorted(set(KINDS)), action="append", help="only projects of a kind")
    parser.add_argument("--play", metavar="NAME", help="play one project again")
    parser.add_argument("--protocol", choices=PROTOCOLS, default="real", help="a naive protocol, to be caught")
    given = parser.parse_args()
    if given.play:
        kills, applies = asyncio.run(play(given.play, given.protocol))
        print(f"{kills} kills in {applies} applies; every promise was kept")
        return 0
    began = time.monotonic()
    kinds = given.kind or KINDS
    tally = asyncio.run(soak(given.kills, given.seconds, given.seed, given.protocol, kinds=kinds))
    told = f"{tally.kills} kills in {tally.applies} applies of {tally.projects} projects from seed {given.seed}"
    print(f"{told}, {time.monotonic() - began:.0f} s: {len(tally.broken)} broken promises")
    for name, fault in tally.broken:
        protocol = f" --protocol {given.protocol}" if given.protocol != "real" else ""
        print(f"\n{fault}\nplay it again:  {COMMAND} --play '{name}'{protocol}")
    return 1 if tally.broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
