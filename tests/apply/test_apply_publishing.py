"""Results as plain files: whole or not at all, with their provenance, made again whenever they are missing."""

import json
import os
import stat

import pytest
from apply_stages import A, B, task

from taskspec.apply.restoring import restore
from taskspec.contracts import Contract, load_schema
from taskspec.errors import StateError
from taskspec.events import ResultNotWritten, ResultWithdrawn, ResultWritten
from taskspec.state.sqlite import SqliteState

MARKDOWN = {"outputFormat": "markdown"}


@pytest.fixture
def folder(stage):
    return stage.folder / "results"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(("output_format", "suffix"), [("markdown", "md"), ("text", "txt"), ("voice", "txt")])
def test_a_result_is_named_by_its_address_and_format(stage, folder, output_format, suffix):
    stage.apply(task(outputFormat=output_format))
    assert set(names(folder)) == {"a.provenance.json", f"a.{suffix}"}
    assert [event.path for event in stage.told(ResultWritten)] == [f"results/a.{suffix}"]


def test_the_provenance_tells_where_a_result_comes_from(stage, folder):
    stage.remote.scripts["Write."] = [
        [
            {
                "status": "completed",
                "result": "née\n",
                "started_at": 1_700_000_000.0,
                "finished_at": 1_700_000_002.5,
                "tokens": {"prompt_tokens": 10, "completion_tokens": 20},
            }
        ]
    ]
    stage.apply(task(agentVersion="3"))
    told = json.loads((folder / "a.provenance.json").read_text())
    assert told["address"] == "a"
    assert (told["generation"], told["attempt"], told["run"], told["verdict"]) == (1, 1, "run-1", "accepted")
    assert (told["agent"], told["agentVersion"]) == ("writer", "3")
    assert told["fingerprint"] == stage.record().generation.fingerprint
    assert (told["startedAt"], told["seconds"]) == ("2023-11-14T22:13:20.000+00:00", 2.5)
    assert told["tokens"] == {"prompt": 10, "completion": 20}
    assert told["result"]["bytes"] == len("née\n".encode())
    assert not Contract(load_schema("provenance.v1")).violations(told)
    assert (folder / "a.txt").read_bytes() == "née\n".encode()


def test_another_format_takes_the_file_of_the_old_ending_away(stage, folder):
    stage.apply(task())
    stage.apply(task(**MARKDOWN))
    assert names(folder) == ["a.md", "a.provenance.json"]


def test_where_the_new_file_cannot_be_written_the_old_one_stays(stage, folder):
    stage.apply(task())
    (folder / "a.md").mkdir()
    stage.apply(task(**MARKDOWN))
    assert stage.told(ResultNotWritten)
    assert (folder / "a.txt").exists()
    assert not [name for name in names(folder) if name.startswith(".")]


def test_files_get_the_permissions_of_the_user_s_own_files(stage, folder):
    before = os.umask(0o027)
    try:
        stage.apply(task())
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "a.txt").stat().st_mode) == 0o640


def test_a_results_folder_that_cannot_be_written_is_one_error_before_anything_starts(stage, folder):
    folder.write_text("a file is in the way")
    with pytest.raises(StateError, match="the results folder results cannot be written"):
        stage.apply(task())
    assert stage.remote.asked["POST"] == 0
    assert stage.record() is None


@pytest.mark.parametrize("exists", [True, False])
def test_a_results_folder_that_is_a_link_out_of_the_project_starts_nothing(stage, folder, tmp_path_factory, exists):
    outside = tmp_path_factory.mktemp("elsewhere") / "docs"
    if exists:
        outside.mkdir()
    folder.symlink_to(outside)
    with pytest.raises(StateError, match="is a link out of the project"):
        stage.apply(task())
    assert stage.remote.asked["POST"] == 0
    assert outside.exists() is exists


def test_a_results_folder_that_is_a_link_to_what_git_keeps_starts_nothing(stage, folder):
    (stage.folder / ".git" / "hooks").mkdir(parents=True)
    folder.symlink_to(stage.folder / ".git" / "hooks")
    with pytest.raises(StateError, match="is a link out of the project"):
        stage.apply(task())
    assert list((stage.folder / ".git" / "hooks").iterdir()) == []


def test_a_results_folder_that_is_a_link_within_the_project_is_written(stage, folder):
    (stage.folder / "out").mkdir()
    folder.symlink_to(stage.folder / "out")
    stage.apply(task())
    assert (stage.folder / "out" / "a.txt").exists()


@pytest.mark.parametrize("name", ["a.txt", "a.provenance.json"])
def test_a_file_that_is_not_ours_is_never_replaced(stage, folder, name):
    folder.mkdir()
    (folder / name).write_text("{}")
    finished = stage.apply(task())[A]
    assert finished.verdict == stage.record().accepted.attempt.verdict == "accepted"
    (told,) = stage.told(ResultNotWritten)
    assert "results/a.txt" in told.detail
    assert not stage.told(ResultWritten)
    assert names(folder) == [name]
    assert (folder / name).read_text() == "{}"


def test_a_file_of_another_ending_that_is_not_ours_is_never_taken_away(stage, folder):
    folder.mkdir()
    (folder / "a.md").write_text("mine")
    stage.apply(task())
    stage.apply(task(outputFormat="json", prompt="Write more."))
    assert (folder / "a.md").read_text() == "mine"
    stage.apply(task(**MARKDOWN))
    assert stage.told(ResultNotWritten)
    assert (folder / "a.md").read_text() == "mine"


def test_a_file_of_ours_whose_provenance_was_cut_off_gets_it(stage, folder):
    stage.apply(task())
    (folder / "a.provenance.json").unlink()
    restore_all(stage)
    assert names(folder) == ["a.provenance.json", "a.txt"]


def test_a_result_that_a_cut_apply_could_not_write_is_written_although_the_older_file_is_as_long(stage, folder):
    stage.remote.scripts["Write."] = [[{"status": "completed", "result": "one"}]]
    stage.remote.scripts["Again."] = [[{"status": "completed", "result": "two"}]]
    stage.apply(task())
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    stage.apply(task(prompt="Again."))
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    for cut in ({**before}, {**after, "a.provenance.json": before["a.provenance.json"]}):
        for name, content in cut.items():
            (folder / name).write_bytes(content)
        assert [type(event) for event in restore_all(stage)] == [ResultWritten]
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == after
    assert restore_all(stage) == []


def test_a_result_that_is_taken_back_leaves_no_file_where_an_apply_was_cut_before_its_provenance(stage, folder):
    stage.apply(task())
    older = (folder / "a.provenance.json").read_bytes()
    stage.apply(task(prompt="Again."))
    (folder / "a.provenance.json").write_bytes(older)
    told = stage.results.withdraw(A, stage.record().accepted.result)
    assert isinstance(told, ResultWithdrawn)
    assert names(folder) == []


@pytest.mark.parametrize("text", ["", "[", "[" * 100_000, "[]", '{"result": 1}', '{"address": "a"}'])
def test_what_stands_in_the_place_of_a_provenance_is_told_and_left(stage, folder, text):
    stage.apply(task())
    (folder / "a.provenance.json").write_text(text)
    assert [type(event) for event in restore_all(stage)] == [ResultNotWritten]
    assert (folder / "a.provenance.json").read_text() == text


def test_restoring_tells_a_file_that_cannot_be_written_and_restores_the_others(stage, folder):
    stage.apply(task(), task("b"))
    for path in list(folder.iterdir()):
        path.unlink()
    (folder / "a.txt").mkdir()
    told = restore_all(stage)
    assert [(type(event), event.address) for event in told] == [(ResultNotWritten, A), (ResultWritten, B)]


def restore_all(stage):
    store, told = SqliteState(stage.folder / ".taskspec", "sales", "default", read_only=True), []
    try:
        restore(store.read(), store, stage.results, told.append)
    finally:
        store.close()
    return told


def test_a_rejected_result_is_not_published(stage, folder):
    stage.remote.scripts["Write."] = [[{"status": "completed", "result": "not json"}]]
    stage.apply(task(outputFormat="json"))
    assert names(folder) == []


def test_an_older_accepted_result_stays_in_its_file_when_the_next_fails(stage, folder):
    stage.apply(task())
    stage.remote.scripts["Write more."] = [["failed"]]
    stage.apply(task(prompt="Write more."))
    assert (folder / "a.txt").read_text() == "answer to Write."
    assert stage.record(A).accepted.generation == 1
