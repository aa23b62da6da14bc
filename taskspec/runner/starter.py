"""The files of a new project, and the agents that can be offered to it, as texts. Writes nothing.

What it begins with runs offline and needs no key. The commands of the agents are those that their makers document for
use without a terminal: each reads the prompt on standard input and prints its answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from taskspec.documents.spelling import spelled

OFFLINE: Final = "clerk"
"""The agent that every new project has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentProgram:
    """A program that a project can have as an agent, and the environment variables that may hold its key."""

    name: str
    command: tuple[str, ...]
    keys: tuple[str, ...] = ()

    @property
    def declared(self) -> str:
        """Return its line under `agents`."""
        env = {"env": {"allow": list(self.keys)}} if self.keys else {}
        return f"{self.name}: {spelled({'command': list(self.command), 'timeout': '10m', **env})}"


PROGRAMS: Final = (
    AgentProgram(name="claude", command=("claude", "-p"), keys=("ANTHROPIC_API_KEY",)),
    AgentProgram(name="codex", command=("codex", "exec", "--skip-git-repo-check", "-"), keys=("CODEX_API_KEY",)),
    AgentProgram(name="gemini", command=("gemini",), keys=("GEMINI_API_KEY",)),
    AgentProgram(name="llm", command=("llm",), keys=("OPENAI_API_KEY",)),
)

_PROJECT: Final = """\
apiVersion: taskspec/v1
kind: Project
metadata: {{name: {name}}}
spec:
  manifests: ["tasks/**/*.yaml"]
  agents:
    # A small program of this project. It needs no key and no network.
    clerk: {{command: [python, agents/clerk.py], timeout: 60s}}
{others}\
  variables:
    team: {{type: string, default: growth, description: Whose notes they are}}
"""
_TASK: Final = """\
apiVersion: taskspec/v1
kind: Task
metadata: {{name: to-do}}
spec:
  agent: {agent}
  outputFormat: markdown
  prompt: |
    List in Markdown what is still to be done, and by whom. Answer with the list alone.

    Notes of the {{{{ vars.team }}}} team:
    - Ada will write to the printer.
    - The hall is booked.
    - Grace will ask the caterer for a price.
"""
_CLERK: Final = '''\
"""An agent without a model: it reads notes on standard input, and lists the lines that say who will do what."""

import sys

for line in sys.stdin:
    who, will, what = line.strip().removeprefix("- ").partition(" will ")
    if will:
        print(f"- {who}: {what}")
'''
_README: Final = """\
# {name}
`taskspec plan` shows what would run, `taskspec apply` runs it, `taskspec results to-do` shows the answer.
`tasks/to-do.yaml` is the first task: change its prompt, and plan again. A second apply without a change does nothing.
`taskspec.yaml` declares who does the tasks; `agents/clerk.py` needs no model, no key and no network.
"""
_CHOSEN: Final = "    # Its runs cost money, or count on your subscription.\n    {line}\n"
_FOUND: Final = """\
    # Installed on this machine. Remove the `#` before one, and write its name as `agent` in tasks/to-do.yaml. Its runs
    # cost money, or count on your subscription.
"""
_EXAMPLE: Final = """\
    # Every program that reads a prompt on standard input and prints its answer can be an agent, for example:
"""


def starter(name: str, found: Sequence[AgentProgram], chosen: AgentProgram | None) -> Mapping[str, str]:
    """Return the files of a new project: path → text. Who was not chosen is offered in a comment."""
    offered = [program for program in found if program is not chosen]
    others = _CHOSEN.format(line=chosen.declared) if chosen else ""
    if offered:
        others += _FOUND + _commented(offered)
    elif chosen is None:
        others += _EXAMPLE + _commented(PROGRAMS[:1])
    return {
        "taskspec.yaml": _PROJECT.format(name=spelled(name), others=others),
        "tasks/to-do.yaml": _TASK.format(agent=chosen.name if chosen else OFFLINE),
        "agents/clerk.py": _CLERK,
        ".gitignore": ".taskspec/\n",
        "README.md": _README.format(name=name),
    }


def _commented(programs: Iterable[AgentProgram]) -> str:
    return "".join(f"    # {program.declared}\n" for program in programs)
