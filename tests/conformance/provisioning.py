r"""Provides the vendor's SDK, each version in an environment of its own; changes nothing else, imports none of ours.

`python provisioning.py <folder> <version> …`. Where CI=true a version that cannot be had is an error; elsewhere it is
said, and left out. The lock of a version is made, with the uv in `<folder>/tools`, by:

    echo 'xpander-sdk[agno]==<version>' | uv pip compile - --universal --python-version 3.11 --no-header --no-annotate \
        --output-file locks/<version>.txt
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCKS = HERE / "locks"
CONSTRAINTS = HERE.parents[1] / "constraints.txt"
UV = "uv"
_LAST_WORDS = 12


def interpreter(environment: Path) -> Path:
    """Return the path of an environment's interpreter."""
    return environment / "bin" / "python"


def provide(folder: Path, version: str) -> None:
    """Make the environment of a version, or leave it as it is where it was made of the same lock."""
    lock = (LOCKS / f"{version}.txt").read_text("utf-8")
    environment = folder / version
    stamp = environment / ".provided"
    if stamp.is_file() and stamp.read_text("utf-8") == lock:
        return
    uv = _uv(folder)
    print(f"providing xpander-sdk {version} in {environment} (once; {len(lock.splitlines())} packages)", flush=True)
    stamp.unlink(missing_ok=True)
    _run([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, environment])
    _run([uv, "pip", "sync", "--quiet", "--python", interpreter(environment), LOCKS / f"{version}.txt"])
    _run([interpreter(environment), "-c", "import xpander_sdk"])
    stamp.write_text(lock, "utf-8")


def main(folder: Path, versions: list[str]) -> int:
    """Provide all versions; tell which could not be had."""
    strict = os.environ.get("CI", "").lower() in {"1", "true"}
    failed = False
    for version in versions:
        try:
            provide(folder, version)
        except subprocess.CalledProcessError as error:
            failed = True
            words = "\n".join(f"  {line}" for line in error.output.strip().splitlines()[-_LAST_WORDS:])
            told = "it is needed where CI=true" if strict else "its tests are skipped"
            print(f"xpander-sdk {version} cannot be had: {told}.\n{words}", file=sys.stderr, flush=True)
    return int(failed and strict)


def _uv(folder: Path) -> Path:
    tools = folder / "tools"
    uv = tools / "bin" / UV
    if not uv.is_file():
        _run([sys.executable, "-m", "venv", tools])
        quiet = ["--quiet", "--disable-pip-version-check"]
        _run([interpreter(tools), "-m", "pip", "install", *quiet, "--constraint", CONSTRAINTS, UV])
    return uv


def _run(command: list[str | Path]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2:]))
