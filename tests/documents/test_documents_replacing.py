"""Replacing a file's content: whole or not at all, and never over what somebody else wrote meanwhile."""

import os
import stat
from pathlib import Path

import pytest

from taskspec.documents.replacing import glimpse, replace_content


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("old")
    path.chmod(0o640)
    os.utime(path, (1, 1))
    return path


def alone(path):
    return list(path.parent.iterdir()) == [path]


def test_content_is_replaced_and_the_mode_kept(file):
    assert replace_content(file, b"new", glimpse(file)) is None
    assert file.read_text() == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert file.stat().st_mtime > 1
    assert alone(file)


@pytest.mark.parametrize("change", [lambda path: path.write_text("their"), lambda path: os.utime(path, (2, 2))])
def test_what_was_written_meanwhile_is_kept(file, change):
    before = glimpse(file)
    change(file)
    kept = file.read_text()
    trouble = replace_content(file, b"new", before)
    assert trouble is not None
    assert "changed meanwhile" in trouble.detail
    assert file.read_text() == kept
    assert alone(file)


def test_a_file_that_is_gone_is_told(file):
    before = glimpse(file)
    file.unlink()
    assert glimpse(file) is None
    trouble = replace_content(file, b"new", before)
    assert trouble is not None
    assert "No such file" in trouble.detail
    assert not file.exists()


def test_a_full_disk_leaves_the_file_as_it_was(file, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    trouble = replace_content(file, b"new", glimpse(file))
    assert trouble is not None
    assert "No space left" in trouble.detail
    assert file.read_text() == "old"
    assert alone(file)


def test_an_interruption_leaves_nothing_behind(file, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        replace_content(file, b"new", glimpse(file))
    assert file.read_text() == "old"
    assert alone(file)
