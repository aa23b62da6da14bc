"""What creating and recording 1,000 runs costs taskspec itself: the engine is another process, `taskspec serve`.

Measured is the CPU time of `taskspec apply` alone: once it starts runs and leaves them (`--no-wait`), once it follows
each to its end, judges and keeps its result.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import measuring
import projects
import tabulating
import workplace
from measuring import CommandError, Subject
from workplace import Workplace


def main() -> int:
    """Apply a fresh project in both ways, and print the table."""
    parser = workplace.parser(__doc__, rounds=1)
    parser.add_argument("runs", type=workplace.count, nargs="?", default=1000, help="how many runs (1000)")
    options = parser.parse_args()
    try:
        with workplace.opened(options) as place:
            costs = {
                "apply --no-wait": _applied(place, options.runs, "--no-wait"),
                "apply": _applied(place, options.runs, "--wait"),
            }
            print("\n".join([*tabulating.head("runs"), *tabulating.rows(f"{options.runs:,}", costs)]))
    except CommandError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _applied(place: Workplace, runs: int, waiting: str) -> measuring.Cost:
    folder = place.folder / f"recorded{waiting}"
    projects.write_taskspec(folder, projects.Scale(tasks=runs))
    apply = [place.taskspec, "apply", str(folder), "--yes", waiting]
    with _serving(place, folder):
        return measuring.measure(Subject(name="apply", command=apply, environ=place.environ))


@contextmanager
def _serving(place: Workplace, folder: Path) -> Iterator[None]:
    """Serve a project's engine in a process of its own."""
    command = [place.taskspec, "serve", str(folder), "--json"]
    with subprocess.Popen(command, env=place.environ, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        try:
            while not (line := engine.stdout.readline()).rstrip().endswith("}"):
                if not line:
                    raise CommandError("the engine did not start")
            yield
        finally:
            engine.terminate()


if __name__ == "__main__":
    sys.exit(main())
