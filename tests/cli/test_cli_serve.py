"""`taskspec serve` refuses a key that no header could carry, and an address that is none."""

import os
import subprocess
import sys

import pytest
from patience import PATIENCE

PROJECT = (
    "apiVersion: taskspec.io/v1\nkind: Project\nmetadata: {name: demo}\nspec: {agents: {echo: {command: [cat]}}}\n"
)


def serve(folder, *arguments, **environ):
    (folder / "taskspec.yaml").write_text(PROJECT)
    return subprocess.run(
        [sys.executable, "-m", "taskspec", "serve", *arguments],
        cwd=folder,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.parametrize("key", ["two words", "canary\n", "\tcanary", "schlüssel-canary", "canary\x7f"])
def test_a_key_that_no_header_could_carry_is_refused_and_not_told(tmp_path, key):
    done = serve(tmp_path, "--api-key-env", "KEY_OF_MINE", KEY_OF_MINE=key)
    assert done.returncode == 64, done
    assert "KEY_OF_MINE" in done.stderr
    assert "ASCII" in done.stderr
    assert "canary" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("host", ["", " "])
def test_an_empty_host_is_refused(tmp_path, host):
    done = serve(tmp_path, "--host", host)
    assert done.returncode == 64, done
    assert "--host is empty" in done.stderr
