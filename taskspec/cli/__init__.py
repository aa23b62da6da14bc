"""The command line. Imports click and nothing heavy: every command is loaded when it is called."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command that the process was started with, and exit with its code."""
    if sys.platform == "win32":
        sys.exit("taskspec runs on Linux and macOS; on Windows use it inside WSL.")
    if sys.argv[1:] == ["--version"]:
        from taskspec import __version__

        try:
            sys.stdout.write(f"taskspec {__version__}\n")
            sys.stdout.flush()
        except OSError as error:
            sys.exit(f"error: {error.strerror}")
        sys.exit(0)
    try:
        from taskspec.cli.running import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while the modules are still loading
        code = 130
    sys.exit(code)
