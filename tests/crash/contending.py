"""Many whole applies at once on one state, in rounds, with nothing in common but its store and the remote.

python tests/crash/contending.py --applies 50 --rounds 3                 on every store
python tests/crash/contending.py --applies 50 --seconds 600 --kind s3    until the time is over

Exactly one of them writes at a time; the others exit with 8 and name it; nothing is paid for twice.
"""

import argparse
import asyncio
import json
import os
import re
import sys
import tempfile
import time
import uuid
from collections import Counter
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from random import Random

import neighbours  # noqa: F401
from fake_remote import CREATE_TIMEOUT, QUIET_PERIOD, FakeRemote
from ledger import require
from process_worlds import HERE, HOSTED, PATIENCE, PROJECT, TASK
from state_servers import KINDS, open_at, server

from taskspec.report.exiting import ExitCode

NAMES = ("a", "b", "c")
_HELD = re.compile(r"is locked by \S+ on \S+ since .*: process (\d+), `taskspec apply`")


class Crowd:
    """So many working copies of one project, each of its own, over one store."""

    def __init__(self, folder, kind, root, size):
        self._copies = [folder / str(number) for number in range(1 if kind == "sqlite" else size)]
        self._size = size
        self._root = root
        self._log = folder / "log"
        self._place = server(kind).place(uuid.uuid4().hex)
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("TASKSPEC", "XPANDER", "COV"))}
        times = {"QUIET_PERIOD": QUIET_PERIOD, "CREATE_TIMEOUT": 20 * CREATE_TIMEOUT, "POLL_INTERVAL": 0.05}
        self._environ = environ | {f"TASKSPEC_{name}": f"{1000 * value:.0f}ms" for name, value in times.items()}
        self._environ |= {"XPANDER_API_KEY": "k" * 32, "NO_PROXY": "127.0.0.1", "TASKSPEC_STATE": self._place}
        self._environ["TASKSPEC_TRACEBACK"] = "1"
        for copy in self._copies:
            copy.mkdir(parents=True)
            (copy / "taskspec.yaml").write_text(PROJECT + HOSTED.replace("ROOT", root))

    def write(self, version):
        """Ask for another text of every task, in every copy."""
        for copy in self._copies:
            for name in NAMES:
                text = TASK.replace("NAME", name).replace("TEXT", f"Write {name}{version}.")
                (copy / f"{name}.yaml").write_text(text)

    def order(self, size=None, *, ruthless=False):
        """Return the order to apply each copy."""
        commands = []
        for number in range(size or self._size):
            copy = self._copies[number % len(self._copies)]
            environ = self._environ | {"XDG_CACHE_HOME": str(copy / "cache")}
            said = str(copy.parent / f"said-{number}")
            commands.append({"words": ["apply", "-C", str(copy), "--yes"], "environ": environ, "said": said})
        return {"log": str(self._log), "ruthless": ruthless, "commands": commands}

    def turns(self):
        """Return who had the lock, one after the other; raise BrokenError where two had it at once."""
        lines = [line.split() for line in self._log.read_text().splitlines()]
        self._log.unlink()
        entered, left = lines[::2], lines[1::2]
        in_order = [word for word, _ in lines] == ["in", "out"] * len(left)
        require(in_order and [pid for _, pid in entered] == [pid for _, pid in left], f"two at once: {lines}")
        return [int(pid) for _, pid in entered]

    def records(self):
        store = open_at(self._place, self._copies[0] / ".taskspec", read_only=True)
        try:
            return store.read().records
        finally:
            store.close()


class Forks:
    """The process that forks the applies."""

    def __init__(self, process):
        self._process = process

    async def carry_out(self, order):
        """Start all at once; return the process, the exit code and the words of each."""
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE + 5 * len(order["commands"]))
        told = json.loads(line)
        return list(zip(told["pids"], told["codes"], map(_words, order["commands"]), strict=True))


def _words(command):
    return Path(command["said"]).read_text()


@asynccontextmanager
async def forking():
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / "witnessed.py"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Forks(process)
    finally:
        process.stdin.close()
        await process.wait()


async def contend(kind, size, rounds, *, end=float("inf"), ruthless=False):
    """Let so many applies contend in so many rounds, or until `end`; return how many ended in which way.

    Raises BrokenError where two wrote at once, a holder was not named, or a run was paid for twice.
    """
    tally = Counter()
    remote = FakeRemote(random=Random(kind), rate=0.0)
    with tempfile.TemporaryDirectory(prefix="contest-") as name:
        async with remote.listening() as root, forking() as forks:
            crowd = Crowd(Path(name), kind, root, size)
            crowd.write(0)
            await _one(crowd, forks)  # so that the remote is known to keep titles
            for version in count(1):
                if version > rounds or time.monotonic() > end:
                    break
                crowd.write(version)
                _check(crowd.turns, await forks.carry_out(crowd.order(ruthless=ruthless)), tally)
                await _one(crowd, forks)
                require(not remote.broken, "; ".join(remote.broken))
                prompts = Counter(run.prompt for run in remote.runs.runs.values())
                wanted = {f"Write {name}{number}." for name in NAMES for number in range(version + 1)}
                require(prompts == Counter(wanted), f"paid for: {prompts}")
                runs = {record.accepted.run for record in crowd.records().values()}
                require(runs <= remote.runs.runs.keys() and len(runs) == len(NAMES), "what is recorded is not there")
                tally["rounds"] += 1
    return tally


async def _one(crowd, forks):
    """Apply once more, alone: whatever the others did, all is well after it."""
    [(_, code, said)] = await forks.carry_out(crowd.order(1))
    require(code == ExitCode.OK, f"an apply alone ends with {code}: {said}")
    crowd.turns()


def _check(turns, ended, tally):
    writers, pids = turns(), {pid for pid, _, _ in ended}
    require(set(writers) <= pids, "somebody else had the lock")
    for pid, code, said in ended:
        tally[code] += 1
        if code == ExitCode.LOCKED:
            found = _HELD.search(" ".join(said.split()))
            require(found, f"the holder is not named: {said}")
            require(int(found[1]) in pids, f"the holder is none of those: {said}")
            require(pid not in writers, f"{pid} had the lock, and ends with 8: {said}")
        else:
            require(code == ExitCode.OK, f"an apply ends with {code}: {said}")
            require(pid in writers, f"{pid} did without the lock")
    require(any(code == ExitCode.OK for _, code, _ in ended), "nobody got through")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--applies", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=10**9)
    parser.add_argument("--seconds", type=float, help="for all stores together")
    parser.add_argument("--kind", choices=sorted(KINDS), action="append")
    given = parser.parse_args()
    kinds = given.kind or sorted(KINDS)
    for kind in kinds:
        began = time.monotonic()
        end = began + given.seconds / len(kinds) if given.seconds else float("inf")
        tally = asyncio.run(contend(kind, given.applies, given.rounds, end=end))
        done, waited = tally[ExitCode.OK], tally[ExitCode.LOCKED]
        told = f"{tally['rounds']} rounds of {given.applies} applies at once, {time.monotonic() - began:.0f} s"
        print(f"{kind}: {told}: {done} went through, one at a time; {waited} ended with 8 and named who had the lock")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
