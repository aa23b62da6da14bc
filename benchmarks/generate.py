"""Write a project of N tasks, or of N DNS records, into a new folder. Runs neither."""

import argparse
import sys
from pathlib import Path

import projects


def main() -> int:
    """Read the arguments and write one project."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder that does not exist yet, or is empty")
    parser.add_argument("--tasks", type=int, default=1000, metavar="N", help="how many tasks or records (1000)")
    parser.add_argument("--tasks-per-file", type=int, default=10, metavar="N", help="1 for a file for each task (10)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another seed makes other prompts (1)")
    parser.add_argument("--octodns", action="store_true", help="write zones of records for octoDNS instead")
    options = parser.parse_args()
    if options.tasks < 1 or options.tasks_per_file < 1:
        parser.error("a project has one task at least, and so has a file")
    if options.folder.exists() and (not options.folder.is_dir() or any(options.folder.iterdir())):
        parser.error(f"{options.folder} is there already; name a new folder")
    scale = projects.Scale(tasks=options.tasks, tasks_per_file=options.tasks_per_file, seed=options.seed)
    write = projects.write_octodns if options.octodns else projects.write_taskspec
    write(options.folder, scale)
    return 0


if __name__ == "__main__":
    sys.exit(main())
