"""Where a comparison keeps its things, and which taskspec it measures. Measures nothing."""

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

INHERITED = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "USER")


@dataclass(frozen=True, kw_only=True, slots=True)
class Workplace:
    """A folder, and the taskspec that is measured in it."""

    folder: Path
    taskspec: str

    @property
    def cache(self) -> Path:
        """Return the cache folder, which goes with the workplace."""
        return self.folder / "cache"

    @property
    def environ(self) -> dict[str, str]:
        """Return the environment for taskspec: none of its settings, and a cache that goes with the folder."""
        kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
        return {**kept, "XDG_CACHE_HOME": str(self.cache), "NO_COLOR": "1"}


def parser(description: str | None, rounds: int = 5) -> argparse.ArgumentParser:
    """Return a parser of the options that every comparison has."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument(
        "--rounds", type=count, default=rounds, metavar="N", help=f"how often each command runs ({rounds})"
    )
    made.add_argument("--work", type=Path, metavar="FOLDER", help="keep everything there for the next run")
    made.add_argument(
        "--taskspec",
        type=Path,
        default=Path(sys.executable).with_name("taskspec"),
        metavar="FILE",
        help="the command to measure (the one beside this Python)",
    )
    return made


def count(text: str) -> int:
    """Read an option that is a number from 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


@contextlib.contextmanager
def opened(options: argparse.Namespace) -> Iterator[Workplace]:
    """Give a workplace in the folder that is kept, or in one that is removed at the end."""
    if not options.taskspec.exists():
        sys.exit(f"{options.taskspec} is not there: run this with the Python of the virtual environment")
    with contextlib.ExitStack() as stack:
        folder = options.work or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="taskspec-bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        yield Workplace(folder=folder.resolve(), taskspec=str(options.taskspec))
