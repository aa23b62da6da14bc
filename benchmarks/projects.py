"""Projects of any size: N tasks for taskspec, and N records in zones for octoDNS. Runs neither.

Both are the same for the same seed and number, whenever and wherever they are made.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import prompts

AGENTS: Final = ("extractor", "reviewer", "writer")
ZONE_RECORDS: Final = 1000
"""Records in one zone: of the layouts tried, ten such zones suited octoDNS as well as one of ten thousand records."""

PROJECT: Final = """\
apiVersion: taskspec/v1
kind: Project
metadata: {name: benchmark}
spec:
  manifests: ["tasks/*.yaml"]
  agents:
    extractor: {command: [cat]}
    reviewer: {command: [cat]}
    writer: {command: [cat]}
  variables:
    region: {type: string, default: emea, description: Sales region}
    quarter: {type: string, default: q3, description: Quarter of the year}
    strict: {type: boolean, default: true, description: Whether unchecked numbers are refused}
    topics: {type: list, default: [pricing, delivery, quality], description: What is looked at}
    house: {type: map, default: {voice: a friendly accountant, currency: EUR}, description: House style}
"""

MANIFEST_LINES: Final = 25
FILES_TO_A_FOLDER: Final = 1000
FIELDS: Final = (
    "outputFormat: markdown",
    "expectedOutput: One page of Markdown.",
    "timeout: 15m",
    "toolCallLimit: 20",
    "source: benchmark",
    "thinkMode: harder",
    "onRemove: stop",
)

EACH: Final = """\
apiVersion: taskspec/v1
kind: Task
metadata: {name: each}
spec:
  agent: writer
  forEach: {file: rows.csv, key: id}
  prompt: |
    Write to {{ each.value.company }} in the region {{ vars.region }}.

    Write in the voice of {{ vars.house.voice }}; amounts are in {{ vars.house.currency }}.
"""

OCTODNS: Final = """\
manager: {max_workers: 1}
providers:
  source: {class: octodns.provider.yaml.YamlProvider, directory: zones, escaped_semicolons: false}
  target: {class: octodns.provider.yaml.YamlProvider, directory: live, escaped_semicolons: false}
zones:
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """How large a project is: how many tasks or records, how many tasks to a file, and the seed of all choices."""

    tasks: int
    tasks_per_file: int = 10
    seed: int = 1


def write_taskspec(folder: Path, scale: Scale) -> None:
    """Write a taskspec project with that many tasks, whose agents answer with their prompt (`cat`)."""
    tasks = folder / "tasks"
    tasks.mkdir(parents=True, exist_ok=True)
    (folder / "taskspec.yaml").write_text(PROJECT, encoding="utf-8")
    for first in range(0, scale.tasks, scale.tasks_per_file):
        numbers = range(first, min(first + scale.tasks_per_file, scale.tasks))
        text = "---\n".join(_task(scale.seed, number) for number in numbers)
        (tasks / f"tasks-{first:06}.yaml").write_text(text, encoding="utf-8")


def write_manifests(folder: Path, scale: Scale) -> Path:
    """Write a taskspec project with a file of 25 lines for each task; return the folder that holds them alone."""
    tasks = folder / "tasks"
    tasks.mkdir(parents=True, exist_ok=True)
    (folder / "taskspec.yaml").write_text(PROJECT.replace("tasks/*", "tasks/**/*"), encoding="utf-8")
    for number in range(scale.tasks):
        part = tasks / f"part-{number // FILES_TO_A_FOLDER:03}"
        if number % FILES_TO_A_FOLDER == 0:
            part.mkdir(exist_ok=True)
        (part / f"task-{number:06}.yaml").write_text(_manifest(scale.seed, number), encoding="utf-8")
    return tasks


def write_octodns(folder: Path, scale: Scale) -> None:
    """Write an octoDNS project with that many records, whose live side is equal to the wanted one.

    Each record is the leanest that there is, one address with no TTL: of the records tried, the quickest for octoDNS.
    """
    config = [OCTODNS]
    for first in range(0, scale.tasks, ZONE_RECORDS):
        zone = f"zone-{first // ZONE_RECORDS:03}.example."
        numbers = range(first, min(first + ZONE_RECORDS, scale.tasks))
        text = "---\n" + "".join(_record(number) for number in numbers)
        for side in ("zones", "live"):
            (folder / side).mkdir(parents=True, exist_ok=True)
            (folder / side / f"{zone}yaml").write_text(text, encoding="utf-8")
        config.append(f"  {zone}: {{sources: [source], targets: [target]}}\n")
    (folder / "octodns.yaml").write_text("".join(config), encoding="utf-8")


def write_terraform(folder: Path, scale: Scale) -> None:
    """Write a Terraform project with that many resources of its built-in kind, which needs no provider's process."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(_resource(number) for number in range(scale.tasks))
    (folder / "main.tf").write_text(text, encoding="utf-8")


def write_cells(folder: Path, scale: Scale) -> None:
    """Write a taskspec project of one document, a `forEach` over a file of that many rows."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "taskspec.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "tasks").mkdir(exist_ok=True)
    (folder / "tasks" / "each.yaml").write_text(EACH, encoding="utf-8")
    rows = "".join(f"row-{number:06},Company {number}\n" for number in range(scale.tasks))
    (folder / "rows.csv").write_text(f"id,company\n{rows}", encoding="utf-8")


def _resource(number: int) -> str:
    return f'resource "terraform_data" "task_{number:06}" {{\n  input = "value {number}"\n}}\n'


def _task(seed: int, number: int) -> str:
    prompt = prompts.prompt(seed, number)
    return "".join(
        [
            "apiVersion: taskspec/v1\nkind: Task\n",
            f"metadata: {{name: task-{number:06}, labels: {{batch: b{number // 100}}}}}\n",
            f"spec:\n  agent: {AGENTS[number % len(AGENTS)]}\n  title: {prompt.title}\n  prompt: |\n",
            *_indented(prompt.lines),
            "  outputFormat: markdown\n",
        ]
    )


def _manifest(seed: int, number: int) -> str:
    """Return a task of exactly 25 lines: the shorter its prompt, the more fields it has."""
    prompt = prompts.prompt(seed, number)
    head = (
        "apiVersion: taskspec/v1\nkind: Task\nmetadata:\n"
        f"  name: task-{number:06}\n  labels:\n    team: growth\n    batch: b{number // 100}\n"
        f"spec:\n  agent: {AGENTS[number % len(AGENTS)]}\n  title: {prompt.title}\n  prompt: |\n"
    )
    left = MANIFEST_LINES - head.count("\n") - len(prompt.lines)
    return "".join([head, *_indented(prompt.lines), *(f"  {field}\n" for field in FIELDS[:left])])


def _indented(lines: tuple[str, ...]) -> Iterator[str]:
    for line in lines:
        yield f"    {line}\n" if line else "\n"


def _record(number: int) -> str:
    octets = f"{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return f"host-{number:06}:\n  type: A\n  value: 10.{octets}\n"
