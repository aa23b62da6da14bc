"""The cache folder: what was saved is loaded, and what others could have written never is."""

import os

import pytest

from taskspec import caching


@pytest.fixture
def file(tmp_path):
    folder = caching.own_folder(tmp_path / "cache", "things")
    assert folder is not None
    caching.save(folder / "one", b"content")
    return folder / "one"


def test_what_is_saved_is_loaded_and_open_to_its_user_only(file):
    assert caching.load(file) == b"content"
    assert [path.stat().st_mode & 0o777 for path in (file, file.parent, file.parent.parent)] == [0o600, 0o700, 0o700]


def test_saving_replaces_the_whole_file_and_leaves_nothing_beside_it(file):
    caching.save(file, b"other")
    assert caching.load(file) == b"other"
    assert [path.name for path in file.parent.iterdir()] == ["one"]


@pytest.mark.parametrize("place", [0, 10, 16, 20, -1])
def test_a_changed_byte_means_nothing_was_kept(file, place):
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    assert caching.load(file) is None


@pytest.mark.parametrize("length", [0, 5, 16, 20])
def test_a_file_that_was_cut_short_means_nothing_was_kept(file, length):
    file.write_bytes(file.read_bytes()[:length])
    assert caching.load(file) is None


@pytest.mark.parametrize("mode", [0o604, 0o660, 0o602])
def test_a_file_that_is_open_to_others_is_not_loaded(file, mode):
    file.chmod(mode)
    assert caching.load(file) is None


def test_a_link_a_pipe_and_a_folder_are_not_loaded(file, tmp_path):
    (tmp_path / "link").symlink_to(file)
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert [caching.load(tmp_path / name) for name in ("link", "pipe", ".")] == [None, None, None]


def test_a_file_of_another_user_is_not_loaded(file, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: file.stat().st_uid + 1)
    assert caching.load(file) is None
    assert caching.own_folder(file.parent.parent, "things") is None


@pytest.mark.parametrize("which", ["cache", "cache/things"])
def test_a_folder_that_others_can_write_is_not_used(file, tmp_path, which):
    (tmp_path / which).chmod(0o777)
    assert caching.own_folder(tmp_path / "cache", "things") is None


def test_a_folder_behind_a_link_is_not_used(tmp_path):
    (tmp_path / "cache").mkdir(mode=0o700)
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "cache" / "things").symlink_to(tmp_path / "elsewhere")
    assert caching.own_folder(tmp_path / "cache", "things") is None


def test_where_nothing_can_be_written_nothing_is_kept_and_nothing_fails(tmp_path):
    (tmp_path / "file").touch()
    assert caching.own_folder(tmp_path / "file" / "cache", "things") is None
    caching.save(tmp_path / "file" / "one", b"content")
    caching.thin_out(tmp_path / "none", 1)


def test_the_files_that_were_written_longest_ago_go_first(tmp_path):
    for age, name in enumerate(["new", "middle", "old"]):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1_000_000 - age, 1_000_000 - age))
    caching.thin_out(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["middle", "new"]


def test_an_edition_lasts_as_long_as_the_program(monkeypatch):
    edition = caching.edition()
    caching.edition.cache_clear()
    assert caching.edition() == edition
    caching.edition.cache_clear()
    monkeypatch.setattr(caching.sys, "version", "another Python")
    other = caching.edition()
    caching.edition.cache_clear()
    assert other != edition
