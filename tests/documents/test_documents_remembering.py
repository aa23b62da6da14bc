"""The memory of manifests: it spares work, and changes nothing about what is found."""

import marshal
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskspec import caching
from taskspec.documents import sifting
from taskspec.documents.loading import load
from taskspec.documents.remembering import Memory

PROJECT = "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: sales}\nspec: {agents: {a: {command: [cat]}}}\n"
TASK = "apiVersion: taskspec/v1\nkind: Task\nmetadata: {name: NAME}\nspec:\n  agent: a\n  prompt: Do it.\n"
CONTENTS = (
    TASK,
    TASK.replace("Do", "Redo"),
    TASK.replace("  prompt", "  title: &t 'x'\n  source: *t\n  prompt"),
    TASK + "---\n" + TASK.replace("NAME", "NAME-2"),
    TASK.replace("prompt", "promt"),
    TASK.replace("agent: a", "agent: b"),
    TASK.replace("Do it.", "{{ x"),
    TASK + "  prompt: again\n",
    "kind: Deployment\n",
    "just: text\n",
    "apiVersion: taskspec/v1\nkind: [\n",
    "apiVersion: taskspec/v9\nkind: Task\n",
    TASK + "---\nkind: Deployment\n",
)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "project"
    made.mkdir()
    (made / "taskspec.yaml").write_text(PROJECT)
    (made / "a.yaml").write_text(TASK.replace("NAME", "a"))
    return made


def remembered(folder):
    memory = Memory(folder.parent / "cache", folder)
    loaded = load(folder, memory=memory)
    memory.close()
    return loaded


def places(loaded):
    return [task.document.places for task in loaded.manifests.tasks]


def kept_file(folder):
    (file,) = (folder.parent / "cache" / "manifests").iterdir()
    return file


def parses(monkeypatch):
    """Watch which tasks are parsed; the project is each time, as it may hold secrets."""
    seen = []
    really = sifting.parse

    def parse(content, file):
        if file == "" and b"kind: Task" in content:
            seen.append(re.search(rb"name: ([\w-]+)", content)[1].decode())
        return really(content, file)

    monkeypatch.setattr(sifting, "parse", parse)
    return seen


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from((None, *CONTENTS))), min_size=1, max_size=6))
def test_after_any_edits_the_same_is_found_with_a_memory_and_without(folder, edits):
    for name, content in edits:
        if content is None:
            (folder / f"{name}.yaml").unlink(missing_ok=True)
        else:
            (folder / f"{name}.yaml").write_text(content.replace("NAME", name))
        fresh, known = load(folder), remembered(folder)
        assert known == fresh
        assert places(known) == places(fresh)


def test_what_has_not_changed_is_not_parsed_again(folder, monkeypatch):
    remembered(folder)
    seen = parses(monkeypatch)
    remembered(folder)
    assert seen == []
    (folder / "a.yaml").write_text(TASK.replace("NAME", "a") + "  title: x\n")
    remembered(folder)
    assert seen == ["a"]


def test_a_file_that_was_moved_is_known_by_its_content_and_shown_by_its_name(folder, monkeypatch):
    remembered(folder)
    (folder / "a.yaml").rename(folder / "b.yaml")
    seen = parses(monkeypatch)
    (task,) = remembered(folder).manifests.tasks
    assert (seen, task.document.file.rpartition("/")[2]) == ([], "b.yaml")


def test_a_file_with_a_finding_is_not_kept(folder, monkeypatch):
    (folder / "a.yaml").write_text(TASK.replace("NAME", "a").replace("prompt", "promt"))
    remembered(folder)
    seen = parses(monkeypatch)
    assert [finding.summary for finding in remembered(folder).diagnostics] == ["Unknown field"]
    assert seen == ["a"]


@pytest.mark.parametrize(
    "field", ["userTokens: {crm: s3cret}", "userOidcToken: s3cret", "mcpServers: [{env: {k: s3cret}}]"]
)
def test_what_may_hold_a_secret_is_not_kept(folder, field):
    (folder / "a.yaml").write_text(TASK.replace("NAME", "a") + f"  {field}\n")
    project = PROJECT.replace("}}\n", "}, variables: {k: {sensitive: true, default: s3cret}}}\n")
    (folder / "taskspec.yaml").write_text(project)
    (folder / "b.yaml").write_text(TASK.replace("NAME", "b"))
    assert remembered(folder).diagnostics == ()
    assert b"s3cret" not in kept_file(folder).read_bytes()


def test_another_edition_of_the_program_knows_nothing(folder, monkeypatch):
    remembered(folder)
    monkeypatch.setattr(caching, "edition", lambda: b"another")
    seen = parses(monkeypatch)
    remembered(folder)
    assert seen == ["a"]


def test_a_memory_that_was_tampered_with_is_not_believed(folder):
    right = remembered(folder)
    file = kept_file(folder)
    forged = marshal.dumps((caching.edition(), {caching.digest((folder / "a.yaml").read_bytes()): marshal.dumps([])}))
    for content in (b"", b"x" * 40, file.read_bytes()[:-1], forged, b"\0" * 16 + forged):
        file.write_bytes(content)
        assert remembered(folder) == right


@pytest.mark.parametrize("which", ["cache", "cache/manifests"])
def test_a_folder_that_others_can_write_means_no_memory(folder, monkeypatch, which):
    remembered(folder)
    (folder.parent / which).chmod(0o777)
    seen = parses(monkeypatch)
    assert remembered(folder) == load(folder)
    assert seen == ["a", "a"]


def test_a_cache_that_cannot_be_written_harms_nothing(folder, monkeypatch):
    right = load(folder)
    (folder.parent / "cache").touch()
    assert remembered(folder) == right


def test_two_at_once_leave_a_memory_that_is_whole(folder, monkeypatch):
    one, other = (Memory(folder.parent / "cache", folder) for _ in range(2))
    load(folder, memory=one)
    (folder / "b.yaml").write_text(TASK.replace("NAME", "b"))
    load(folder, memory=other)
    other.close()
    one.close()
    assert remembered(folder) == load(folder)
    seen = parses(monkeypatch)
    remembered(folder)
    assert seen == []


def test_a_memory_forgets_what_is_no_longer_used(folder, monkeypatch):
    monkeypatch.setattr("taskspec.documents.remembering._SPARE", 0)
    for number in range(20):
        (folder / "a.yaml").write_text(TASK.replace("NAME", "a") + f"  title: t{number}\n")
        remembered(folder)
    _, known = marshal.loads(caching.load(kept_file(folder)))
    assert len(known) == 2
    assert caching.digest((folder / "a.yaml").read_bytes()) in known


def test_a_memory_that_grows_too_large_is_not_written(folder, monkeypatch):
    monkeypatch.setattr("taskspec.documents.remembering.MOST_BYTES", 10)
    remembered(folder)
    assert not list((folder.parent / "cache" / "manifests").iterdir())


def test_in_batches_and_in_several_processes_the_same_is_found(folder, monkeypatch):
    for number, content in enumerate(CONTENTS * 3):
        (folder / f"n{number}.yaml").write_text(content.replace("NAME", f"n{number}"))
    whole = load(folder)
    monkeypatch.setattr(sifting, "BATCH", 1000)
    monkeypatch.setattr("taskspec.documents.remembering.MOST_AHEAD", 500)
    monkeypatch.setattr("taskspec.documents.sharing.FEWEST", 2)
    monkeypatch.setattr("taskspec.documents.sharing._processes", lambda: 3)
    assert [load(folder), remembered(folder), remembered(folder)] == [whole] * 3
    assert places(remembered(folder)) == places(whole)


def test_nothing_is_written_into_the_project(folder):
    remembered(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["a.yaml", "taskspec.yaml"]


def test_a_program_that_is_changed_while_it_works_passes_for_what_it_was(folder, monkeypatch):
    asked = []
    monkeypatch.setattr(caching, "edition", lambda: asked.append(1) or b"edition")
    Memory(folder.parent / "cache", folder)
    assert asked
