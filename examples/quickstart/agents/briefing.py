"""What an agent of this example is told: the parameters in its prompt, and its file. Computes nothing of the answer."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


class BriefingError(Exception):
    """The agent cannot do what it was told; the message says why, for the person who wrote the prompt."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Briefing:
    """A prompt's `Name: value` lines, by lower-case name, and the files that came with the task."""

    parameters: Mapping[str, str]
    files: tuple[Path, ...]

    def text(self, name: str) -> str:
        """Return a parameter as it stands."""
        if not self.parameters.get(name):
            raise BriefingError(f"The prompt has no line `{name.capitalize()}: …`.")
        return self.parameters[name]

    def integer(self, name: str) -> int:
        """Return a parameter that is a whole number."""
        try:
            return int(self.text(name))
        except ValueError as error:
            raise BriefingError(f"`{name.capitalize()}` must be a whole number, not {self.text(name)!r}.") from error

    def number(self, name: str) -> float:
        """Return a parameter that is a number above zero."""
        try:
            number = float(self.text(name))
        except ValueError as error:
            raise BriefingError(f"`{name.capitalize()}` must be a number, not {self.text(name)!r}.") from error
        if not 0 < number < float("inf"):
            raise BriefingError(f"`{name.capitalize()}` must be above zero, not {self.text(name)}.")
        return number

    def file(self) -> Path:
        """Return the one file that the task carries."""
        if len(self.files) != 1:
            raise BriefingError(f"The task must carry one file with the sales; it carries {len(self.files)}.")
        return self.files[0]


def receive() -> Briefing:
    """Read the prompt from standard input, and the files from the task's JSON (by hand: from the command line)."""
    prompt = sys.stdin.buffer.read().decode("utf-8")
    pairs = (line.partition(":") for line in prompt.splitlines())
    parameters = {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}
    task_file = os.environ.get("TASKSPEC_TASK_FILE")
    if task_file is None:
        return Briefing(parameters=parameters, files=tuple(map(Path, sys.argv[1:])))
    task = json.loads(Path(task_file).read_text(encoding="utf-8"))
    return Briefing(parameters=parameters, files=tuple(map(Path, task["input"]["files"] or ())))


def answer(compute: Callable[[Briefing], str]) -> int:
    """Compute and print the answer; return the exit code: 0, or 2 and a sentence for the person who asked."""
    try:
        print(compute(receive()))
    except BriefingError as error:
        print(error, file=sys.stderr)
        return 2
    return 0
