"""Results written elsewhere: with their provenance, and over nobody's files."""

import json

import pytest

from taskspec.contracts import Contract, load_schema
from taskspec.errors import UsageError
from taskspec.events import ResultNotWritten
from taskspec.runner.exporting import exports, write_files


@pytest.fixture
def told(ports):
    for prompt in ("One.", "Two."):
        ports.task(prompt=prompt)
        ports.apply()
    return ports


def written(ports, folder, *addresses, all_generations=False):
    events = []
    with exports(ports.invocation(*addresses), ports, all_generations=all_generations) as found:
        whole = write_files(found, folder, events.append, all_generations=all_generations)
    return whole, events


def test_files_are_written_with_their_provenance(told, tmp_path):
    folder = tmp_path / "deep" / "out"
    assert written(told, folder)[0]
    assert sorted(path.name for path in folder.iterdir()) == ["a.provenance.json", "a.txt"]
    assert (folder / "a.txt").read_text() == "answer to Two."
    provenance = json.loads((folder / "a.provenance.json").read_text())
    assert not Contract(load_schema("provenance.v1")).violations(provenance)


def test_every_kept_generation_is_written_where_it_is_asked_for(told, tmp_path):
    assert written(told, tmp_path / "out", all_generations=True)[0]
    assert (tmp_path / "out/g1/a.txt").read_text() == "answer to One."
    assert (tmp_path / "out/g2/a.txt").read_text() == "answer to Two."
    provenance = json.loads((tmp_path / "out/g1/a.provenance.json").read_text())
    assert (provenance["generation"], provenance["run"]) == (1, "run-1")
    assert not Contract(load_schema("provenance.v1")).violations(provenance)


def test_what_was_removed_is_not_exported(told, tmp_path):
    told.task(prompt="Two.", retention="{generations: 0}")
    told.apply()
    assert written(told, tmp_path / "out", all_generations=True)[0]
    assert not (tmp_path / "out/g1").exists()


@pytest.mark.parametrize("name", ["a.txt", "a.provenance.json"])
def test_a_file_of_somebody_else_stays_and_is_told(told, tmp_path, name):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / name).write_text("mine")
    whole, events = written(told, folder)
    assert (whole, [type(event) for event in events]) == (False, [ResultNotWritten])
    assert (folder / name).read_text() == "mine"


def test_an_export_goes_over_one_of_ours(told, tmp_path):
    assert written(told, tmp_path / "out")[0]
    told.task(prompt="Three.")
    told.apply()
    assert written(told, tmp_path / "out")[0]
    assert (tmp_path / "out/a.txt").read_text() == "answer to Three."


def test_cells_are_told_by_the_axes_that_the_documents_name(ports):
    ports.write(
        "kind: Task\napiVersion: taskspec/v1\nmetadata: {name: m}\n"
        "spec: {agent: writer, prompt: '{{ matrix.region }}', matrix: {region: [eu, us], tone: [dry]}}\n"
        "---\nkind: Task\napiVersion: taskspec/v1\nmetadata: {name: e}\n"
        "spec: {agent: writer, prompt: '{{ each.key }}', forEach: [x]}\n"
    )
    ports.apply()
    with exports(ports.invocation(), ports, all_generations=False) as found:
        told = {one.address: dict(one.axes) for one in found.results}
    assert found.axes == ["key", "region", "tone"]
    assert told == {
        "e[x]": {"key": "x"},
        "m[eu,dry]": {"region": "eu", "tone": "dry"},
        "m[us,dry]": {"region": "us", "tone": "dry"},
    }
    (ports.folder / "tasks.yaml").unlink()
    with exports(ports.invocation(), ports, all_generations=False) as found:
        assert {one.address: dict(one.axes) for one in found.results}["m[eu,dry]"] == {"1": "eu", "2": "dry"}


def test_only_what_is_selected_is_exported(told, tmp_path):
    with pytest.raises(UsageError):
        written(told, tmp_path / "out", "nosuch")
