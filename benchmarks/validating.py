"""Compare the validation of N manifests of 25 lines: check-jsonschema, the sourcemeta CLI, and `taskspec validate`.

The peers check each file against our schema; taskspec does that, finds places, renders, and checks what it rendered.
Everything is made in a temporary folder, which is removed, or in `--work FOLDER`, which is kept and used again.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import installing
import measuring
import projects
import tabulating
import workplace
from measuring import CommandError, Subject
from workplace import Workplace

SCHEMA = Path(__file__).parents[1] / "schemas" / "manifest.v1.json"
NO_CACHE = {"TASKSPEC_NO_CACHE": "1"}
SMALL_STEP = 10


def main() -> int:
    """Write the manifests, measure the three side by side, then taskspec alone as the number grows."""
    options = _options()
    try:
        with workplace.opened(options) as place:
            peers = _peers(place)
            print(f"{', '.join(peers)}, Python {sys.version.split()[0]}, {options.rounds} rounds, medians\n")
            subjects = (*_checkers(place, options.files), *_ours(place, options.files))
            costs = measuring.compare(subjects, options.rounds)
            print("\n".join([*tabulating.head("files"), *tabulating.rows(f"{options.files:,}", costs)]), flush=True)
            print()
            print("\n".join(tabulating.head("files")))
            for size in _steps(options.growth):
                costs = measuring.compare(_ours(place, size), rounds=1)
                print("\n".join(tabulating.rows(f"{size:,}", costs)), flush=True)
    except CommandError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _options() -> argparse.Namespace:
    parser = workplace.parser(__doc__)
    parser.add_argument("files", type=workplace.count, nargs="?", default=10_000, help="how many files (10000)")
    parser.add_argument(
        "--growth", type=workplace.count, default=100_000, metavar="N", help="up to how many alone (100000)"
    )
    return parser.parse_args()


def _steps(largest: int) -> Sequence[int]:
    return [size for size in (largest // SMALL_STEP**2, largest // SMALL_STEP, largest) if size]


def _peers(place: Workplace) -> Sequence[str]:
    """Install the peers, each in its own environment, as both bring a program of the same name; return the versions."""
    installing.install(_python_peer(place), "check-jsonschema", "check-jsonschema")
    installing.install(_native_peer(place), "sourcemeta-jsonschema", "jsonschema")
    return (
        installing.version(_python_peer(place), "check-jsonschema"),
        installing.version(_native_peer(place), "sourcemeta-jsonschema"),
    )


def _python_peer(place: Workplace) -> Path:
    return place.folder / "check-jsonschema-venv"


def _native_peer(place: Workplace) -> Path:
    return place.folder / "sourcemeta-venv"


def _project(place: Workplace, size: int) -> Path:
    folder = place.folder / f"manifests-{size}"
    if not folder.exists():
        projects.write_manifests(folder, projects.Scale(tasks=size))
    return folder


def _checkers(place: Workplace, size: int) -> Sequence[Subject]:
    folder = _project(place, size)
    files = [str(path.relative_to(folder)) for path in sorted(folder.glob("tasks/*/*.yaml"))]
    python = [str(_python_peer(place) / "bin" / "check-jsonschema"), "--schemafile", str(SCHEMA)]
    native = [str(_native_peer(place) / "bin" / "jsonschema"), "validate"]
    passed = f"{size} validated, {size} passed"
    return (
        Subject(name="check-jsonschema", command=[*python, *files], folder=folder, expected="ok"),
        Subject(
            name="jsonschema validate (sourcemeta)",
            command=[*native, str(SCHEMA), "tasks"],
            folder=folder,
            expected=passed,
        ),
        Subject(
            name="jsonschema validate --fast (sourcemeta)",
            command=[*native, "--fast", str(SCHEMA), "tasks"],
            folder=folder,
            expected=passed,
        ),
    )


def _ours(place: Workplace, size: int) -> Sequence[Subject]:
    folder = _project(place, size)
    command = [place.taskspec, "validate", str(folder)]
    said = f"{size} task"
    return (
        Subject(name="taskspec validate, no cache", command=command, environ=place.environ | NO_CACHE, expected=said),
        Subject(
            name="taskspec validate, empty cache",
            command=command,
            environ=place.environ | {"XDG_CACHE_HOME": str(place.folder / "fresh")},
            expected=said,
            before=lambda: shutil.rmtree(place.folder / "fresh", ignore_errors=True),
        ),
        Subject(name="taskspec validate, unchanged", command=command, environ=place.environ, expected=said),
    )


if __name__ == "__main__":
    sys.exit(main())
