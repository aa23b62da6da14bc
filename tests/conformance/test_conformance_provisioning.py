"""Provisioning: what is there is left alone, and what cannot be had is said; needs no SDK."""

import subprocess
import sys

import pytest
from conformance_stages import VERSIONS, Sdk
from patience import PATIENCE
from provisioning import LOCKS, interpreter, main

OFFLINE = "#!/bin/sh\necho 'error: no such host' >&2\nexit 2\n"


@pytest.fixture
def offline(tmp_path, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    tools = tmp_path / "tools" / "bin"
    tools.mkdir(parents=True)
    (tools / "uv").write_text(OFFLINE)
    (tools / "uv").chmod(0o700)
    return tmp_path


def test_each_version_has_a_lock_that_names_it_and_no_host():
    assert {path.stem for path in LOCKS.iterdir()} >= set(VERSIONS)
    for path in LOCKS.iterdir():
        lines = path.read_text("utf-8").splitlines()
        assert f"xpander-sdk=={path.stem}" in lines
        assert all("==" in line and "/" not in line for line in lines)


def test_a_version_that_cannot_be_had_is_said_and_left_out(offline, capsys):
    assert main(offline, ["2.0.350"]) == 0
    told = capsys.readouterr().err
    assert "xpander-sdk 2.0.350 cannot be had: its tests are skipped." in told
    assert "no such host" in told


def test_a_version_that_cannot_be_had_is_an_error_where_ci_is_true(offline, capsys, monkeypatch):
    monkeypatch.setenv("CI", "true")
    assert main(offline, ["2.0.350"]) == 1
    assert "it is needed where CI=true" in capsys.readouterr().err


def test_a_version_that_is_there_is_left_alone(offline, capsys):
    environment = offline / "2.0.350"
    environment.mkdir()
    (environment / ".provided").write_text((LOCKS / "2.0.350.txt").read_text("utf-8"), "utf-8")
    assert main(offline, ["2.0.350"]) == 0
    assert capsys.readouterr() == ("", "")


def test_tests_of_a_version_that_is_not_there_are_skipped_with_the_way_out(offline, monkeypatch):
    monkeypatch.setenv("TASKSPEC_CONFORMANCE", str(offline))
    with pytest.raises(pytest.skip.Exception, match=r"2\.0\.350 is not there: `make conformance` provides it"):
        Sdk("2.0.350").need()


def test_provisioning_runs_by_itself(offline):
    command = [sys.executable, LOCKS.parent / "provisioning.py", offline, "2.0.350"]
    done = subprocess.run(command, capture_output=True, text=True, env={}, timeout=PATIENCE)
    assert (done.returncode, done.stdout.splitlines()[0][:29]) == (0, "providing xpander-sdk 2.0.350")
    assert not interpreter(offline / "2.0.350").exists()
