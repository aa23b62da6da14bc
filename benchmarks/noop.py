"""Compare plans with nothing to do: octoDNS on N records, taskspec on N tasks that it has really applied before,
and Terraform on 1,000 resources.

Everything is made in a temporary folder, which is removed, or in `--work FOLDER`, which is kept and used again.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import installing
import measuring
import peer
import projects
import tabulating
import workplace
from measuring import CommandError, Subject
from workplace import Workplace

RESOURCES = 1000
"""Of Terraform, whatever the number of tasks."""


def main() -> int:
    """Prepare all sizes, measure them, and print the table."""
    options = _options()
    try:
        with workplace.opened(options) as place:
            octodns = place.folder / "octodns-venv"
            installing.install(octodns, peer.PACKAGE, peer.PROGRAM)
            versions = f"{installing.version(octodns, peer.PACKAGE)}, Python {sys.version.split()[0]}"
            print(f"{versions}, {options.rounds} rounds, medians\n")
            terraform = _terraform(place)
            sizes = {size: (*_prepare(place, octodns, size), terraform) for size in options.sizes}
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
    parser = workplace.parser(__doc__)
    parser.add_argument("sizes", type=workplace.count, nargs="*", metavar="N", help="how many tasks (1000 and 10000)")
    options = parser.parse_args()
    options.sizes = options.sizes or [1000, 10000]
    return options


def _prepare(place: Workplace, octodns: Path, size: int) -> Sequence[Subject]:
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
        peer.plan(octodns, theirs),
        Subject(name="taskspec plan", command=plan, environ=place.environ),
        Subject(name="taskspec plan --refresh full", command=[*plan, "--refresh", "full"], environ=place.environ),
    )


def _terraform(place: Workplace) -> Subject:
    """Return Terraform's plan of its resources, which it has applied."""
    folder, project = place.folder / "terraform-venv", place.folder / "terraform"
    installing.install(folder, peer.TERRAFORM_PACKAGE, "python")
    print(f"{installing.version(folder, peer.TERRAFORM_PACKAGE)}, {RESOURCES:,} resources\n")
    projects.write_terraform(project, projects.Scale(tasks=RESOURCES))
    measuring.measure(peer.terraform(folder, project, "init"))
    measuring.measure(peer.terraform(folder, project, "apply", "-auto-approve"))
    return peer.terraform(folder, project, "plan", "-input=false", expected=peer.NO_TERRAFORM_CHANGES)


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
