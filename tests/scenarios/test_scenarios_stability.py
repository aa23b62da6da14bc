"""No-op stability: an example that was applied is planned in many surroundings, and every plan says the same: nothing.

`STABILITY_ROUNDS` is how often each example is planned; every number gives the same surroundings each time.
"""

import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from scenario_workspaces import PATIENCE, Workspace

sys.path.insert(0, str(Path(__file__).parent.parent))

from fault_server import http
from scripted_remote import ScriptedRemote

EXAMPLES = Path(__file__).parents[2] / "examples"
ROUNDS = int(os.environ.get("STABILITY_ROUNDS", "4"))
ZONES = ("UTC", "Asia/Kathmandu", "Pacific/Apia", "America/St_Johns", "Europe/Berlin", "no/such-zone")
LOCALES = ("C", "C.UTF-8", "POSIX", "de_DE.UTF-8", "tr_TR.UTF-8", "ja_JP.eucJP")
UMASKS = (0o022, 0o077, 0o002, 0o027)
TRIAGE = {"severity": "high", "area": "export", "summary": "Long exports break off.", "workaround": "Month by month."}


class Hosted(ScriptedRemote):
    """A hosted remote that has one agent, whose runs end at once with a triage."""

    async def _behave(self, request, writer):
        if request.target.split("?")[0] == "/agents/list":
            writer.write(http(200, [{"id": "triager", "name": "Triager", "organization_id": "o"}]))
        else:
            await super()._behave(request, writer)

    def _apply(self, *arguments):
        run = super()._apply(*arguments)
        run.steps = [{"status": "completed", "result": json.dumps(TRIAGE)}]
        return run


@pytest.fixture(params=["quickstart", "reports", "llm-cli", "xpander"])
def applied(request, tmp_path):
    """Return an example after its first apply: its folder, and what its commands need to be told."""
    made = Workspace(tmp_path / "project", tmp_path / "cache")
    made.copy(EXAMPLES / request.param)
    made.words = ("--env", "staging") if request.param == "reports" else ()
    if request.param == "llm-cli":
        program = made.write("../bin/claude", "#!/bin/sh\ncat\n")
        program.chmod(0o755)
        made.environ["PATH"] = f"{program.parent.resolve()}:{made.environ['PATH']}"
    if request.param == "xpander":
        made.environ |= {"XPANDER_API_KEY": "k" * 32, "XPANDER_ORGANIZATION_ID": "o"}
        made.words = ("--var", "triage_agent=triager")
        asyncio.run(_apply_hosted(made))
    else:
        done = made.apply(*made.words)
        assert done.code == 0, done
    return made


async def _apply_hosted(made):
    """Apply onto a hosted remote, which is gone afterwards: of settled tasks nobody asks it anything."""
    async with Hosted().listening() as root:
        made.environ["XPANDER_BASE_URL"] = root
        done = await asyncio.to_thread(made.apply, *made.words)
        assert done.code == 0, done


def planned(made, number, tmp_path):
    """Plan in the surroundings of a number; return the exit code and the bytes of the plan."""
    chosen = random.Random(number)
    environ = made.environ | {
        "TZ": chosen.choice(ZONES),
        "LC_ALL": chosen.choice(LOCALES),
        "PYTHONHASHSEED": str(chosen.randrange(2**32)),
        "XDG_CACHE_HOME": chosen.choice([made.environ["XDG_CACHE_HOME"], str(tmp_path / f"cache-{number}")]),
    }
    folder, clone = made.folder, None
    if number % 2:
        folder = clone = tmp_path / f"clone-{number}"
        shutil.copytree(made.folder, clone, copy_function=shutil.copy)  # no times: they are those of a new clone
    where = chosen.choice([folder, tmp_path, Path("/")])
    done = subprocess.run(
        [sys.executable, "-m", "taskspec", "plan", str(folder), *made.words, "--json"],
        env=environ,
        cwd=where,
        umask=chosen.choice(UMASKS),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    if clone is not None:
        shutil.rmtree(clone)
    return done.returncode, done.stderr, done.stdout


@pytest.mark.slow
@pytest.mark.timeout(60 + 5 * ROUNDS)
def test_an_applied_example_is_planned_the_same_in_all_surroundings(applied, tmp_path):
    code, said, first = planned(applied, 0, tmp_path)
    assert (code, said) == (0, b"")
    assert {change["action"] for change in json.loads(first)["changes"]} == {"none"}
    for number in range(1, ROUNDS):
        assert planned(applied, number, tmp_path) == (0, b"", first), f"in the surroundings of {number}"
