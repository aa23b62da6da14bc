"""Whether anything can be written in a folder, as a doctor finds out without writing."""

import os

import pytest

from taskspec.runner.checking_folders import unwritable


def test_a_folder_that_is_there_or_can_be_made_is_well(tmp_path):
    (tmp_path / "state.db").touch()
    assert unwritable(tmp_path, (tmp_path / "state.db", tmp_path / "lock")) is None
    assert unwritable(tmp_path / "a" / "b") is None


def test_a_file_in_its_place_or_above_it_is_told(tmp_path):
    (tmp_path / "a").touch()
    assert unwritable(tmp_path / "a") == unwritable(tmp_path / "a" / "b") == f"{tmp_path / 'a'} is no folder"


@pytest.mark.skipif(os.geteuid() == 0, reason="root is denied nothing")
def test_what_may_not_be_written_is_named(tmp_path):
    file = tmp_path / "state.db"
    file.touch(mode=0o400)
    assert unwritable(tmp_path, (file,)) == f"{file} cannot be written by this user"
    tmp_path.chmod(0o500)
    assert unwritable(tmp_path / "a") == f"{tmp_path} cannot be written by this user"
    tmp_path.chmod(0o700)


def test_what_the_system_denies_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert unwritable(tmp_path) == f"{tmp_path} cannot be written by this user"
