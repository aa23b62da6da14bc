"""Compare plans with nothing to do: octoDNS on N records, taskspec on N tasks that it has really applied before.

Everything is made in a temporary folder, which is removed, or in `--work FOLDER`, which is kept and used again.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import measuring
import peer
import projects
import tabulating
from measuring import CommandError, Subject

INHERITED = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "USER")


@dataclass(frozen=True, kw_only=True, slots=True)
class Workplace:
    """Where the run keeps its things, and the taskspec that it measures."""

    folder: Path
    taskspec: str

    @property
    def environ(self) -> Mapping[str, str]:
        """Return the environment for taskspec: none of its settings, and a cache that goes with the folder."""
        kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
        return {**kept, "XDG_CACHE_HOME": str(self.folder / "cache"), "NO_COLOR": "1"}

    @property
    def octodns(self) -> Path:
        """Return octoDNS's virtual environment."""
        return self.folder / "octodns-venv"


def main() -> int:
    """Prepare all sizes, measure them, and print the table."""
    options = _options()
    try:
        with _folder(options.work) as folder:
            place = Workplace(folder=folder, taskspec=str(options.taskspec))
            peer.install(place.octodns)
            print(f"{peer.version(place.octodns)}, Python {sys.version.split()[0]}, {options.rounds} rounds, medians\n")
            sizes = {size: _prepare(place, size) for size in options.sizes}
            print("\n".join(tabulating.head("tasks")), flush=True)
            for size, subjects in sizes.items():
                costs = measuring.compare(subjects, options.rounds)
                print("\n".join(tabulating.rows(f"{size:,}", costs, against=subjects[0].name)), flush=True)
    except CommandError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", type=_count, nargs="*", metavar="N", help="how many tasks (1000 and 10000)")
    parser.add_argument("--rounds", type=_count, default=5, metavar="N", help="how often each command runs (5)")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="keep everything there for the next run")
    parser.add_argument(
        "--taskspec",
        type=Path,
        default=Path(sys.executable).with_name("taskspec"),
        metavar="FILE",
        help="the command to measure (the one beside this Python)",
    )
    options = parser.parse_args()
    options.sizes = options.sizes or [1000, 10000]
    if not options.taskspec.exists():
        parser.error(f"{options.taskspec} is not there: run this with the Python of the virtual environment")
    return options


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return count


@contextlib.contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="taskspec-bench-") as name:
        yield Path(name).resolve()


def _prepare(place: Workplace, size: int) -> Sequence[Subject]:
    ours, theirs = place.folder / f"tasks-{size}", place.folder / f"records-{size}"
    projects.write_taskspec(ours, projects.Scale(tasks=size))
    projects.write_octodns(theirs, projects.Scale(tasks=size))
    print(f"applying {size:,} tasks once …", file=sys.stderr, flush=True)
    apply = [place.taskspec, "apply", str(ours), "--yes"]
    cost = measuring.measure(Subject(name="apply", command=apply, environ=place.environ))
    print(f"applied in {cost.wall:.1f} s", file=sys.stderr, flush=True)
    _check_converged(place, ours, size)
    plan = [place.taskspec, "plan", str(ours)]
    return (
        peer.plan(place.octodns, theirs),
        Subject(name="taskspec plan", command=plan, environ=place.environ),
        Subject(name="taskspec plan --refresh full", command=[*plan, "--refresh", "full"], environ=place.environ),
    )


def _check_converged(place: Workplace, project: Path, size: int) -> None:
    command = [place.taskspec, "plan", str(project), "--json"]
    done = subprocess.run(command, env=place.environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CommandError(f"{' '.join(command)}\nended with exit code {done.returncode}:\n{done.stderr.strip()}")
    actions = Counter(change["action"] for change in json.loads(done.stdout)["changes"])
    if actions != {"none": size}:
        raise CommandError(f"There is something to do, so there is nothing to measure: {dict(actions)}")


if __name__ == "__main__":
    sys.exit(main())
