"""What an agent of this example is asked for: the `Name: value` lines of its prompt, and its task. Answers nothing."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class RefusalError(Exception):
    """The agent cannot do what it is asked for; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """A prompt, and the task that it belongs to (nothing, where the agent is run by hand)."""

    prompt: str
    task: Mapping[str, Any] = field(default_factory=dict)

    def value(self, name: str) -> str:
        """Return what the first line of that name says."""
        for line in self.prompt.splitlines():
            if line.startswith(f"{name}: "):
                return line.removeprefix(f"{name}: ").strip()
        raise RefusalError(f"The prompt has no line `{name}: …`.")

    def number(self, name: str) -> int:
        """Return a value that is a whole number."""
        try:
            return int(self.value(name))
        except ValueError as error:
            raise RefusalError(f"`{name}` must be a whole number, not {self.value(name)!r}.") from error

    @property
    def files(self) -> list[Path]:
        """Return the files that came with the task; by hand, those of the command line."""
        return [Path(name) for name in (self.task["input"]["files"] or [] if self.task else sys.argv[1:])]

    @property
    def last_line(self) -> str:
        """Return the line that the house style wants at the end of a page; nothing where it wants none."""
        style = str(self.task.get("additional_context") or "")
        return next(
            (line.partition("last line:")[2].strip() for line in style.splitlines() if "last line:" in line), ""
        )


def carry_out(work: Callable[[Order], str]) -> int:
    """Print what is made of the order that stands on standard input; return the exit code."""
    named = os.environ.get("TASKSPEC_TASK_FILE")
    task = json.loads(Path(named).read_text(encoding="utf-8")) if named else {}
    try:
        made = work(Order(prompt=sys.stdin.buffer.read().decode("utf-8"), task=task))
    except RefusalError as error:
        print(error, file=sys.stderr)
        return 2
    print(made)
    return 0
