"""Whom git blames for a line; and that a hostile repository has nothing of ours carried out."""

import os
import shutil
import subprocess

import pytest

from taskspec.plan.causes import CausingLine, Commit
from taskspec.runner import blaming
from taskspec.runner.blaming import blame

ENVIRON = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}


class Repository:
    def __init__(self, folder):
        self.folder = folder
        self.git("init", "-q", "-b", "main")

    def git(self, *words):
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        done = subprocess.run(["git", *identity, *words], cwd=self.folder, env=ENVIRON, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def write(self, text, name="a.yaml"):
        (self.folder / name).write_text(text, encoding="utf-8")

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change")
        return self.git("rev-parse", "HEAD")[:8]

    def blame(self, line, removed="", name="a.yaml"):
        """Return the commit of a line; None where nobody knows."""
        asked = CausingLine(str(self.folder / name), line, removed)
        return blame([asked], self.folder, ENVIRON).get(asked)


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


def test_each_line_has_the_commit_that_last_touched_it(repository):
    repository.write("one\ntwo\nthree\n")
    first = repository.commit()
    repository.write("one\n2\nthree\n")
    second = repository.commit()
    repository.write("one\n2\n3\n")
    assert repository.blame(1).id == first
    assert repository.blame(2).id == second
    assert repository.blame(2).author == "Ada"
    assert repository.blame(3) == Commit()


def test_a_line_that_is_gone_has_the_commit_that_took_it_out(repository):
    repository.write("one\ntwo\nthree\n")
    repository.commit()
    repository.write("one\nthree\n")
    assert repository.blame(2, "two") == Commit()
    second = repository.commit()
    repository.write("one\n3\n")
    repository.commit()
    assert repository.blame(2, "two").id == second
    assert repository.blame(2, "never there") is None
    assert repository.blame(0, "never there") is None


GONE = {
    # what is searched for; the lines before, after the commit that takes it out, and after a later one
    "a name that another begins with": (
        "name: sweep",
        "metadata: {name: sweep, labels: {a: b}}\n",
        "metadata: {name: sweep-all, labels: {a: b}}\n",
        "metadata: {name: sweep-all, labels: {a: c}}\n",
    ),
    "a key that others have too": (
        "name: gpt-5-mini",
        "llm: {name: gpt-5}\nllm: {name: gpt-5-mini}\n",
        "llm: {name: gpt-5}\n",
        "llm: {name: gpt-6}\n",
    ),
    "a line that stands in a longer one": ("- Be kind.", "- Be kind.\n- Be kind. Be.\n", "- Be kind. Be.\n", "x\n"),
    "a row of a table": ("…,fr,…", "a,fr,1\nfr,de,2\n", "fr,de,2\n", "xx,de,2\n"),
    "a row with commas in quotes": ('"a,b",…', '"a,b",1\na,2\n', "a,2\n", "c,2\n"),
    "an entry of a list": ("- q2", "quarter: [q1, q2, q22]\n", "quarter: [q1, q22]\n", "quarter: [q1]\n"),
    "a key in JSON": ("id: fr", '{"id": "fr", "n": 1},\n{"id": "fri"}\n', '{"id": "fri"}\n', "[]\n"),
    "a row that was moved": ("fr,…", "de,1\nfr,2\njp,3\n", "fr,2\njp,3\nde,1\n", "fr,2\njp,3\nde,4\n"),
}


@pytest.mark.parametrize("kind", GONE)
def test_what_is_gone_is_told_as_a_whole_and_never_by_a_part_of_a_word(repository, kind):
    removed, *texts = GONE[kind]
    removed = "de,…\nfr,…" if "moved" in kind else removed
    repository.write(texts[0])
    repository.commit()
    repository.write(texts[1])
    assert repository.blame(0, removed) == Commit()
    took = repository.commit()
    assert repository.blame(0, removed).id == took
    repository.write(texts[2])
    assert repository.blame(0, removed).id == took
    repository.commit()
    assert repository.blame(0, removed).id == took


def test_of_two_places_that_lost_the_same_line_nobody_is_blamed(repository):
    both = "one:\nBe kind.\ntwo:\nBe kind.\n"
    repository.write(both)
    repository.commit()
    repository.write("one:\ntwo:\nBe kind.\n")
    first = repository.commit()
    assert repository.blame(1, "Be kind.").id == first
    repository.write("one:\ntwo:\n")
    assert repository.blame(1, "Be kind.") is None
    repository.commit()
    assert repository.blame(1, "Be kind.") is None
    repository.write("one:\nBe kind.\ntwo:\n")
    repository.commit()
    repository.write("one:\ntwo:\n")
    assert repository.blame(1, "Be kind.") == Commit()
    last = repository.commit()
    assert repository.blame(1, "Be kind.").id == last


def test_however_many_lines_are_gone_each_has_its_commit(repository):
    lines = [f"name: job{number}" for number in range(100)]
    repository.write("\n".join(lines))
    repository.commit()
    repository.write("\n".join(lines[60:]))
    first = repository.commit()
    repository.write("")
    second = repository.commit()
    for _ in range(max(blaming.FARTHEST[:1])):
        repository.write(repository.folder.joinpath("a.yaml").read_text() + "more: 1\n")
        repository.commit()
    asked = [CausingLine(str(repository.folder / "a.yaml"), 0, line) for line in lines]
    found = blame(asked, repository.folder, ENVIRON)
    assert [found[line].id for line in asked] == [first] * 60 + [second] * 40


def test_a_file_as_a_whole_has_its_last_commit_also_when_it_is_gone(repository):
    repository.write("name: a\n")
    first = repository.commit()
    repository.write("name: b\n", "b.yaml")
    repository.commit()
    assert repository.blame(0).id == first
    (repository.folder / "a.yaml").unlink()
    assert repository.blame(0, "name: a") == Commit()
    gone = repository.commit()
    assert repository.blame(0, "name: a").id == gone


def test_a_file_that_git_does_not_know_is_not_committed(repository):
    repository.write("one\n")
    repository.commit()
    repository.write("one\n", "new.yaml")
    assert repository.blame(1, name="new.yaml") == Commit()


def test_a_repository_without_a_commit_has_nothing_committed(repository):
    repository.write("one\n")
    assert repository.blame(1) == Commit()


def test_what_is_ignored_is_not_told(repository):
    repository.write("*.yaml\n", ".gitignore")
    repository.commit()
    repository.write("one\n")
    assert repository.blame(1) is None


@pytest.mark.parametrize("name", ["missing.yaml", "--output=owned", "-", "a\0b.yaml", "../outside.yaml"])
def test_a_strange_file_is_not_told_and_no_error(repository, name):
    repository.write("one\n")
    repository.commit()
    lines = [CausingLine(name, line, removed) for line in (0, 1, 99) for removed in ("", "-x", "--all")]
    assert blame(lines, repository.folder, ENVIRON) == {}
    assert {path.name for path in repository.folder.iterdir()} == {".git", "a.yaml"}


def test_a_line_beyond_the_end_of_its_file_is_not_told(repository):
    repository.write("one\n")
    repository.commit()
    assert repository.blame(99) is None


def test_outside_of_a_repository_nothing_is_told(tmp_path):
    (tmp_path / "a.yaml").write_text("one\n")
    assert blame([CausingLine(str(tmp_path / "a.yaml"), 1)], tmp_path, ENVIRON) == {}


def test_what_a_shallow_clone_does_not_hold_is_not_told(repository, tmp_path):
    repository.write("one\ntwo\n")
    repository.commit()
    repository.write("one\n2\n")
    repository.commit()
    repository.write("one\n2\nthree\n")
    third = repository.commit()
    clone = tmp_path / "clone"
    repository.git("clone", "-q", "--depth", "2", f"file://{repository.folder}", str(clone))
    lines = [CausingLine(str(clone / "a.yaml"), line) for line in (1, 2, 3)]
    found = blame(lines, clone, ENVIRON)
    assert {line.line: commit.id for line, commit in found.items()} == {3: third}


HOSTILE = {
    "a file monitor": "[core]\n\tfsmonitor = {}\n",
    "hooks": "[core]\n\thooksPath = {folder}/hooks\n",
    "a pager": "[core]\n\tpager = {}\n[pager]\n\tblame = {}\n\tlog = {}\n",
    "a filter": '[filter "evil"]\n\tclean = {}\n\tprocess = {}\n\tsmudge = {}\n\trequired = true\n',
    "a filter with a strange name": '[filter "e=v il"]\n\tclean = {}\n\trequired = true\n',
    "a text converter": '[diff "evil"]\n\ttextconv = {}\n\tcommand = {}\n',
    "an external diff": "[diff]\n\texternal = {}\n",
    "a signature program": "[log]\n\tshowSignature = true\n[gpg]\n\tprogram = {}\n",
    "an alias": "[alias]\n\tblame = !{}\n\tlog = !{}\n",
    "an ssh program": '[core]\n\tsshCommand = {}\n[remote "origin"]\n\turl = ext::{}\n\tpromisor = true\n',
    "an included file": "[include]\n\tpath = more\n",
}


@pytest.mark.parametrize("setting", HOSTILE)
def test_nothing_that_a_repository_configures_is_carried_out(repository, setting):
    repository.write("one\ntwo\n")
    repository.commit()
    repository.write("one\n2\n")
    program = repository.folder / ".git" / "evil"
    program.write_text(f"#!/bin/sh\ntouch {repository.folder}/owned\ncat\n", encoding="utf-8")
    program.chmod(0o755)
    repository.write("*.yaml filter=evil diff=evil\n", ".gitattributes")
    hooks = repository.folder / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "reference-transaction", "fsmonitor-watchman"):
        shutil.copy(program, hooks / name)
    text = HOSTILE[setting].replace("{folder}", str(repository.folder)).replace("{}", str(program))
    (repository.folder / ".git" / "more").write_text(f'[filter "evil"]\n\tclean = {program}\n', encoding="utf-8")
    with (repository.folder / ".git" / "config").open("a", encoding="utf-8") as config:
        config.write(text)
    for line, removed in ((1, ""), (2, ""), (0, ""), (2, "two"), (0, "gone")):
        repository.blame(line, removed)
    assert repository.blame(2) == Commit()
    assert not (repository.folder / "owned").exists()


def test_the_environment_of_others_does_not_reach_git(repository, tmp_path):
    repository.write("one\n")
    first = repository.commit()
    asked = CausingLine(str(repository.folder / "a.yaml"), 1)
    misleading = {"GIT_DIR": "/nonexistent", "GIT_EXTERNAL_DIFF": "false", "GIT_TRACE": str(tmp_path / "trace")}
    assert blame([asked], repository.folder, ENVIRON | misleading)[asked].id == first
    assert not (tmp_path / "trace").exists()


def test_git_that_takes_too_long_is_no_error(repository, monkeypatch):
    repository.write("one\n")
    repository.commit()
    monkeypatch.setattr(blaming, "LONGEST", 0.0)
    assert repository.blame(1) is None
