"""Compare how many creates a second the engine takes from taskspec's library, from bare clients, and from the SDK.

Each client is a process of its own, one at a time, against one `taskspec serve` whose only agent sleeps.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from measuring import CommandError, Cost

CREATING = Path(__file__).with_name("creating.py")
PROJECT = """\
apiVersion: taskspec/v1
kind: Project
metadata: {name: throughput}
spec:
  agents:
    sleeper: {command: [sleep, "3600"]}
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """A client to measure: which one, with which Python, and with how many creates."""

    name: str
    kind: str
    python: str
    creates: int


def main() -> int:
    """Measure every client in interleaved rounds, and print the table."""
    options = _options()
    ours = [
        Client(name=name, kind=kind, python=sys.executable, creates=options.creates)
        for name, kind in (
            ("taskspec.Tasks, async", "library"),
            ("taskspec.Tasks, blocking, in threads", "blocking"),
            ("bare pooled aiohttp", "aiohttp"),
            ("bare pooled httpx", "httpx"),
        )
    ]
    vendor = [
        Client(name=f"SDK in {Path(path).parents[1].name}", kind="vendor", python=path, creates=options.sdk_creates)
        for path in map(os.path.abspath, options.sdk)
    ]
    key = secrets.token_urlsafe(16)
    try:
        with _engine(key) as url:
            costs = _compare([*ours, *vendor], url, key, options)
    except CommandError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(_table(costs, ours[0].name)))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--creates", type=int, default=5000, metavar="N", help="creates of each client (5000)")
    parser.add_argument("--in-flight", type=int, default=32, metavar="N", help="how many at once (32)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often each client runs (3)")
    parser.add_argument("--sdk", action="append", default=[], metavar="PYTHON", help="a Python with the vendor's SDK")
    parser.add_argument("--sdk-creates", type=int, default=500, metavar="N", help="creates of the SDK (500)")
    options = parser.parse_args()
    if min(options.creates, options.in_flight, options.rounds, options.sdk_creates) < 1:
        parser.error("the numbers must be 1 or more")
    return options


def _compare(clients: list[Client], url: str, key: str, options: argparse.Namespace) -> dict[str, Cost]:
    """Return the median cost of one create by client."""
    found: dict[str, list[Cost]] = {client.name: [] for client in clients}
    for turn in range(options.rounds):
        first = turn % len(clients)
        for client in (*clients[first:], *clients[:first]):
            found[client.name].append(_measure(client, url, key, options.in_flight))
    return {
        name: Cost(wall=median(each.wall for each in runs), cpu=median(each.cpu for each in runs))
        for name, runs in found.items()
    }


def _measure(client: Client, url: str, key: str, in_flight: int) -> Cost:
    command = [client.python, str(CREATING), client.kind, url, "sleeper", str(client.creates), str(in_flight)]
    environ = {**os.environ, "BENCHMARK_KEY": key, "NO_PROXY": "127.0.0.1,localhost"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CommandError(f"{' '.join(command)}\nended with exit code {done.returncode}:\n{done.stderr[-2000:]}")
    took = json.loads(done.stdout.splitlines()[-1])
    return Cost(wall=took["wall"] / client.creates, cpu=took["cpu"] / client.creates)


@contextmanager
def _engine(key: str) -> Iterator[str]:
    """Serve a project in a temporary folder; yield the engine's URL."""
    taskspec = Path(sys.executable).with_name("taskspec")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "taskspec.yaml").write_text(PROJECT)
        command = [str(taskspec), "serve", folder, "--api-key-env", "BENCHMARK_KEY", "--parallelism", "1", "--json"]
        environ = {**os.environ, "BENCHMARK_KEY": key}
        with (
            tempfile.TemporaryFile("w+") as errors,
            subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=errors, text=True) as engine,
        ):
            assert engine.stdout is not None
            try:
                said = ""
                while not said.rstrip().endswith("}"):
                    line = engine.stdout.readline()
                    if not line:
                        errors.seek(0)
                        raise CommandError(f"the engine did not start:\n{errors.read()}")
                    said += line
                yield json.loads(said)["url"]
            finally:
                engine.terminate()


def _table(costs: dict[str, Cost], against: str) -> Iterator[str]:
    """Yield the table; a ratio above 1 is a client that is slower than ours."""
    ours = costs[against]
    yield "| client | creates a second | CPU a create | time ratio | CPU ratio |"
    yield "|---|---:|---:|---:|---:|"
    for name, cost in costs.items():
        yield (
            f"| {name} | {1 / cost.wall:,.0f} | {cost.cpu * 1000:.2f} ms "
            f"| {cost.wall / ours.wall:.2f} | {cost.cpu / ours.cpu:.2f} |"
        )


if __name__ == "__main__":
    sys.exit(main())
