"""Layout: how the same tasks are written, and in which files, changes no fingerprint; what they say does."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from taskspec.desired.assigning import GivenVariables
from taskspec.desired.resolving import Surroundings, resolve
from taskspec.documents.loading import load

PROJECT = {
    "apiVersion": "taskspec/v1",
    "kind": "Project",
    "metadata": {"name": "p"},
    "spec": {"agents": {"writer": {"command": ["cat"]}}, "variables": {"tone": {"default": "plain"}}},
}
TEXTS = st.sampled_from(
    ["Hello", "Two\nlines", "no", "012", "a: b # c", "- x", "{ y }", "é 🎈", "tab\tin it", "'q' \"q\""]
)
SPECS = st.fixed_dictionaries(
    {"agent": st.just("writer"), "prompt": TEXTS},
    optional={
        "additionalContext": TEXTS,
        "toolCallLimit": st.integers(1, 9),
        "llm": st.fixed_dictionaries({"provider": TEXTS}, optional={"name": TEXTS}),
        "payloadExtension": st.dictionaries(st.sampled_from("abc"), TEXTS | st.integers(-99, 99), min_size=1),
    },
)
TASKS = st.dictionaries(st.sampled_from(["a", "b", "c", "d", "e"]), SPECS, min_size=1)


def document(name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "taskspec/v1", "kind": "Task", "metadata": {"name": name}, "spec": dict(spec)}


def flow(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def block(value: Any, margin: str = "") -> str:
    """Write a value in block style with a comment at each key, texts in single quotes where they can stand in such."""
    if isinstance(value, dict) and value:
        lines = [
            f"{margin}{key}: # {key}\n{block(item, margin + '  ')}"
            if isinstance(item, dict) and item
            else f"{margin}{key}:   {block(item, margin + '  ')}   # here"
            for key, item in value.items()
        ]
        return "\n".join(lines)
    if isinstance(value, str) and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return json.dumps(value, ensure_ascii=False)


def fingerprints(project: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "taskspec.yaml").write_text(flow(project))
        for name, text in files.items():
            path = Path(folder) / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        loaded = load(Path(folder))
        desired, found = resolve(loaded.manifests, GivenVariables(), Surroundings(takes_local_files=True))
        assert (loaded.diagnostics, found) == ((), ())
        return {address: task.fingerprint for address, task in desired.tasks.items()}


def one_file(tasks: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {"tasks.yaml": "\n---\n".join(flow(document(name, spec)) for name, spec in tasks.items())}


@settings(max_examples=25)
@given(TASKS, st.randoms(use_true_random=False))
def test_files_order_style_and_comments_change_nothing(tasks: dict[str, Any], chance: Any) -> None:
    files: dict[str, list[str]] = {}
    for name, spec in chance.sample(sorted(tasks.items()), len(tasks)):
        shuffled = document(name, dict(chance.sample(sorted(spec.items()), len(spec))))
        whole = dict(chance.sample(sorted(shuffled.items()), len(shuffled)))
        text = chance.choice([flow, block])(whole)
        files.setdefault(chance.choice(["x.yaml", "deep/y.yml", "z.yaml"]), []).append(f"# {name}\n{text}\n")
    laid_out = {file: "---\n".join(texts) for file, texts in files.items()}
    assert fingerprints(PROJECT, laid_out) == fingerprints(PROJECT, one_file(tasks))


@settings(max_examples=25)
@given(TASKS, st.randoms(use_true_random=False))
def test_who_gives_a_value_changes_nothing(tasks: dict[str, Any], chance: Any) -> None:
    common = {name: value for name, value in tasks[min(tasks)].items() if chance.random() < 0.5}
    shared = {name: value for name, value in common.items() if all(spec.get(name) == value for spec in tasks.values())}
    project = {**PROJECT, "spec": {**PROJECT["spec"], "defaults": [{"spec": shared}]}}  # type: ignore[dict-item]
    shorter = {name: {k: v for k, v in spec.items() if k not in shared} for name, spec in tasks.items()}
    assert fingerprints(project, one_file(shorter)) == fingerprints(PROJECT, one_file(tasks))


@settings(max_examples=25)
@given(TASKS, TEXTS)
def test_a_prompt_of_another_text_changes_its_own_task_alone(tasks: dict[str, Any], text: str) -> None:
    first = min(tasks)
    changed = {**tasks, first: {**tasks[first], "prompt": tasks[first]["prompt"] + f" {text}."}}
    before, after = fingerprints(PROJECT, one_file(tasks)), fingerprints(PROJECT, one_file(changed))
    assert {address for address in before if before[address] != after[address]} == {first}


def test_a_cell_is_what_a_task_of_its_own_would_be() -> None:
    cells = {"a": {"agent": "writer", "matrix": {"x": ["1", "2"]}, "prompt": "{{ vars.tone }} {{ matrix.x }}"}}
    plain = {"b": {"agent": "writer", "prompt": "plain 1"}, "c": {"agent": "writer", "prompt": "plain 2"}}
    found, told = fingerprints(PROJECT, one_file(cells)), fingerprints(PROJECT, one_file(plain))
    assert [found["a[1]"], found["a[2]"]] == [told["b"], told["c"]]
