"""Compare the time of `taskspec --help` with that of a Python that only imports click. Looks at nothing else."""

import argparse
import sys
from pathlib import Path

import measuring
import tabulating
from measuring import CommandError, Subject


def main() -> int:
    """Measure both, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, metavar="N", help="how often each command runs (20)")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    taskspec = Path(sys.executable).with_name("taskspec")
    if not taskspec.exists():
        parser.error(f"{taskspec} is not there: run this with the Python of the virtual environment")
    subjects = (
        Subject(name='python -c "import click"', command=[sys.executable, "-c", "import click"]),
        Subject(name="taskspec --help", command=[str(taskspec), "--help"], expected="Usage"),
    )
    try:
        costs = measuring.compare(subjects, options.rounds)
    except CommandError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join([*tabulating.head("start"), *tabulating.rows("-", costs, against=subjects[0].name)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
