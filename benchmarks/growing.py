"""Plan with nothing to do as the number of tasks grows: time and memory, taskspec alone.

The state is that of an apply whose runs were all accepted, written without one (`settled.py`). A second table has one
document whose `forEach` makes all tasks. The last one looks at what is recorded, with ten attempts of each task.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import measuring
import projects
import tabulating
import workplace
from measuring import CommandError, Subject
from workplace import Workplace

SETTLED = Path(__file__).with_name("settled.py")
SIZES = [10_000, 30_000, 100_000]
ATTEMPTS = 10

Write = Callable[[Path, projects.Scale], None]


def main() -> int:
    """Measure each size once, of both kinds of project, and print the tables."""
    parser = workplace.parser(__doc__, rounds=1)
    parser.add_argument(
        "sizes", type=workplace.count, nargs="*", metavar="N", help="how many tasks (10000 30000 100000)"
    )
    options = parser.parse_args()
    kinds: dict[str, Write] = {"tasks": projects.write_taskspec, "cells": projects.write_cells}
    try:
        with workplace.opened(options) as place:
            for kind, write in kinds.items():
                print("\n".join(tabulating.head(kind)))
                for size in options.sizes or SIZES:
                    costs = measuring.compare(_subjects(place, _project(place, kind, write, size)), options.rounds)
                    print("\n".join(tabulating.rows(f"{size:,}", costs)), flush=True)
                print()
            print("\n".join(tabulating.head("attempts")))
            for size in (options.sizes or SIZES)[:1]:
                folder = _project(place, "attempts", projects.write_taskspec, size, ATTEMPTS)
                costs = measuring.compare(_looks(place, folder), options.rounds)
                print("\n".join(tabulating.rows(f"{size * ATTEMPTS:,}", costs)), flush=True)
    except (CommandError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _project(place: Workplace, kind: str, write: Write, size: int, attempts: int = 1) -> Path:
    """Write a settled project, unless it is there."""
    folder = place.folder / f"settled-{kind}-{size}"
    if not folder.exists():
        write(folder, projects.Scale(tasks=size))
        python = Path(place.taskspec).with_name("python")
        subprocess.run([str(python), str(SETTLED), str(folder), str(attempts)], env=place.environ, check=True)
    return folder


def _subjects(place: Workplace, folder: Path) -> Sequence[Subject]:
    return (
        _subject(place, "plan, no cache", ["plan", str(folder)], TASKSPEC_NO_CACHE="1"),
        _subject(place, "plan", ["plan", str(folder)]),
        _subject(place, "status", ["status", str(folder)]),
        _subject(place, "graph", ["graph", str(folder)]),
    )


def _looks(place: Workplace, folder: Path) -> Sequence[Subject]:
    one = ["task-000000", "-C", str(folder)]
    return (
        _subject(place, "state list", ["state", "list", str(folder)]),
        _subject(place, "state show", ["state", "show", *one]),
        _subject(place, "history", ["history", *one]),
        _subject(place, "history, the newest 50", ["history", "--limit", "50", "-C", str(folder)]),
        _subject(place, "why", ["why", *one]),
    )


def _subject(place: Workplace, name: str, command: Sequence[str], **environ: str) -> Subject:
    return Subject(name=name, command=[place.taskspec, *command], environ=place.environ | environ)


if __name__ == "__main__":
    sys.exit(main())
