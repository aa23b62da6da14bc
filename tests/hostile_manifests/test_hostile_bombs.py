"""Whatever multiplies, nests, repeats or backtracks in a project is refused within little time and memory."""

import json
import os
import socket

import pytest
from hostile_projects import HEAD

NAMES = "{{ file('n.json') | fromjson }}"


def names(hostile, count):
    hostile.write("n.json", json.dumps([f"n{i}" for i in range(count)]))


def many_tasks(hostile, count, **spec):
    """Write tasks into one file; `%d` in a text of their spec is their number."""
    documents = []
    for number in range(count):
        task = {"apiVersion": "taskspec/v1", "kind": "Task", "metadata": {"name": f"m{number}"}}
        documents.append(json.dumps({**task, "spec": {"agent": "a", "prompt": "x", **spec}}).replace("%d", str(number)))
    hostile.write("many.yaml", "\n---\n".join(documents))


TEXTS = {
    "aliases of aliases": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)),
    "a long text many times": 'a: &a "' + "x" * 200_000 + '"\nb: [' + ",".join(["*a"] * 200_000) + "]\n",
    "lists in lists": "x: " + "[" * 400_000,
    "maps in maps": "x: " + "{a: " * 200_000,
    "blocks in blocks": "x:\n" + "- " * 400_000 + "a",
    "deep indentation": "".join(" " * i + "a:\n" for i in range(1300)),
    "a key of a megabyte": "? " + "k" * 900_000 + "\n: 1\n",
    "many keys": "spec: {" + ",".join(f"k{i}: 1" for i in range(80_000)) + "}\n",
    "many anchors": "x: [" + ",".join(f"&a{i} 1" for i in range(80_000)) + ", *zz]",
    "long anchors": "x: [&" + "a" * 300_000 + "b 1, *" + "a" * 300_000 + "c]\n",
    "many documents": "---\n" * 240_000,
    "many wrong documents": "\n---\nkind: Task" * 60_000,
    "a large scalar": "x: " + "a" * 100_000_000,
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_bomb_of_yaml_is_refused(hostile, name):
    hostile.project()
    hostile.write("x.yaml", f"{HEAD}kind: Task\n{TEXTS[name]}")
    done = hostile.refused()
    assert "x.yaml:" in done.err
    assert len(done.err) < 2_000_000


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lists in lists", "many keys", "a long text many times", "a large scalar"])
def test_a_bomb_is_no_match_for_the_formatter(hostile, name):
    hostile.project()
    hostile.write("x.yaml", f"{HEAD}kind: Task\n{TEXTS[name]}")
    hostile.run("fmt", "--check")


def test_a_sparse_file_of_a_gigabyte_is_refused(hostile):
    hostile.project()
    with hostile.write("x.yaml", HEAD).open("r+b") as file:
        file.truncate(10**9)
    assert "larger than 1 MB" in hostile.refused().err


@pytest.mark.parametrize("kind", ["fifo", "socket", "zero", "folder"])
def test_what_is_no_file_is_not_waited_for(hostile, kind):
    hostile.project()
    hostile.task()
    place = hostile.folder / "x.yaml"
    if kind == "fifo":
        os.mkfifo(place)
    elif kind == "socket":
        listening = socket.socket(socket.AF_UNIX)
        here = os.open(".", os.O_RDONLY)
        os.chdir(hostile.folder)
        listening.bind("x.yaml")
        os.fchdir(here)
        os.close(here)
        listening.close()
    elif kind == "zero":
        place.symlink_to("/dev/zero")
    else:
        place.mkdir()
    hostile.run("validate")


ROWS = {
    "a column": ("rows.csv", "id\n" + "".join(f"{i:x}\n" for i in range(2_800_000))),
    "empty lists": ("rows.json", "[" + ",".join(["[]"] * 6_600_000) + "]"),
    "numbers": ("rows.json", "[" + "1," * 9_000_000 + "1]"),
    "nesting": ("rows.json", "[" * 100_000 + "]" * 100_000),
    "a row": ("rows.csv", "id\n" + "x" * 15_000_000),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_a_huge_file_of_items_is_refused(hostile, name):
    file, text = ROWS[name]
    hostile.project()
    hostile.write(file, text)
    hostile.task(forEach={"file": file, "key": "id"})
    assert "rows" in hostile.refused().err


def test_commas_within_the_texts_of_a_json_file_are_no_values(hostile):
    hostile.project()
    hostile.write("rows.json", json.dumps([{"id": "a", "text": "," * 1_500_000 + '\\"'}]))
    hostile.task(forEach={"file": "rows.json", "key": "id"})
    assert hostile.run("validate").code == 0


@pytest.mark.slow
def test_many_small_matrices_are_too_many_cells(hostile):
    hostile.project()
    names(hostile, 316)
    many_tasks(hostile, 50, matrix={"a": NAMES, "b": NAMES})
    assert "more than 100,000" in hostile.refused().err


def test_a_matrix_beyond_all_bounds_is_not_built(hostile):
    hostile.project()
    names(hostile, 1000)
    hostile.task(matrix=dict.fromkeys("abcdefgh", NAMES))
    assert "100,000 are allowed" in hostile.refused().err


def test_a_matrix_of_a_million_values_of_one_template_is_refused(hostile):
    hostile.project()
    hostile.task(matrix={"a": "{{ ['x'] * 1000000 }}"})
    hostile.refused()


def test_what_is_left_out_is_not_compared_without_end(hostile):
    hostile.project()
    names(hostile, 300)
    hostile.task(matrix={"a": NAMES, "b": NAMES, "exclude": "{{ [{'a': 'zz'}] * 100000 }}"})
    assert "are too many" in hostile.refused().err


@pytest.mark.slow
def test_loops_in_every_cell_are_too_much_work(hostile):
    hostile.project()
    names(hostile, 300)
    hostile.task(matrix={"a": NAMES, "b": NAMES}, prompt="{{ matrix.a }}{% for i in 'x' * 90000 %}{% endfor %}")
    assert "too much work" in hostile.refused().err


@pytest.mark.slow
def test_long_texts_in_every_task_are_too_much_text(hostile):
    hostile.project()
    many_tasks(hostile, 800, prompt="{{ '%d' ~ 'x' * 990000 }}")
    assert "too much text" in hostile.refused().err


def test_a_long_literal_in_every_cell_is_too_much_text(hostile):
    hostile.project()
    names(hostile, 300)
    hostile.task(matrix={"a": NAMES, "b": NAMES}, prompt="{{ matrix.a }}" + "x" * 200_000)
    hostile.refused()


def test_a_large_payload_in_every_cell_is_repeated_too_often(hostile):
    hostile.project()
    names(hostile, 300)
    hostile.task(matrix={"a": NAMES, "b": NAMES}, payloadExtension={"x": list(range(50_000))})
    assert "repeat more" in hostile.refused().err


@pytest.mark.slow
def test_large_defaults_for_every_task_are_too_many(hostile):
    fields = ",".join(f"k{i}: 1" for i in range(40_000))
    hostile.project(f"defaults: [{{spec: {{payloadExtension: {{{fields}}}}}}}]")
    many_tasks(hostile, 6000)
    hostile.refused()


@pytest.mark.slow
@pytest.mark.parametrize("entry", ["match: {labels: {l%d: x}}, spec: {timeout: 1m}", "spec: {userTokens: {k%d: x}}"])
def test_many_defaults_take_little_time(hostile, entry):
    hostile.project("defaults: [" + ",".join("{" + entry.replace("%d", str(i)) + "}" for i in range(9000)) + "]")
    many_tasks(hostile, 2000 if "match" in entry else 1)
    hostile.run("validate")


def test_cells_that_wait_for_all_other_cells_are_too_many(hostile):
    hostile.project()
    names(hostile, 60)
    hostile.task(name="u", file="u.yaml", matrix={"a": NAMES, "b": NAMES})
    hostile.task(name="d", file="d.yaml", matrix={"a": NAMES, "b": NAMES}, dependsOn=["u"])
    assert "Too many dependencies" in hostile.refused().err


def test_a_million_circles_are_not_all_told(hostile):
    hostile.project()
    many_tasks(hostile, 1000, dependsOn=["m*"])
    done = hostile.refused()
    assert "Tasks in a circle" in done.err
    assert len(done.err) < 500_000


def test_thousands_of_unknown_dependencies_take_little_time(hostile):
    hostile.project()
    many_tasks(hostile, 6000, dependsOn=["zz*%d"])
    hostile.refused()


def test_thousands_of_unknown_results_in_one_prompt_take_little_time(hostile):
    hostile.project()
    hostile.task(prompt="".join(f"{{{{ tasks.zz{i}.result }}}}" for i in range(9000)))
    hostile.refused()


@pytest.mark.slow
def test_the_files_of_all_templates_together_are_bounded(hostile):
    hostile.project()
    for number in range(400):
        hostile.write(f"f{number}.md", b"\0" * 1_000_000)
    many_tasks(hostile, 400, prompt="{% set a = file('f%d.md') %}x")
    assert "more than 50 MB" in hostile.refused().err


@pytest.mark.parametrize(
    "pattern", ["*a" * 25 + "*b.yaml", "**a" * 30 + "b.yaml", "**/" * 40 + "b.yaml", "**/*" * 9000]
)
def test_no_pattern_of_manifests_backtracks(hostile, pattern):
    hostile.project(f"manifests: [{json.dumps(pattern)}]")
    hostile.write("a/" * 60 + "a" * 240 + ".yaml", "x: 1")
    hostile.refused()


def test_there_may_not_be_any_number_of_patterns(hostile):
    hostile.project("manifests: [" + ",".join(f'"**/t{i}*.yaml"' for i in range(30_000)) + "]")
    assert "1,000 are allowed" in hostile.refused().err


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^((a{1,100}){1,100}){1,100}$", r"^(a|a|aa)*(?=b)\1c$", "(?=(a+)+$)x"])
def test_no_pattern_of_a_variable_backtracks(hostile, pattern):
    hostile.project(f"variables: {{v: {{type: string, pattern: {json.dumps(pattern)}}}}}")
    hostile.task(prompt="{{ vars.v }}")
    hostile.refused("validate", "--var", f"v={'a' * 5000}b")


SCHEMAS = {
    "itself": {"$ref": "#"},
    "many": {"allOf": [{"type": "object"}] * 20_000},
    "doubling": {
        "$ref": "#/$defs/a0",
        "$defs": {f"a{i}": {"allOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(40)} | {"a40": {}},
    },
    "a large expression": {"pattern": "(a{1000}){1000}"},
    "a slow expression": {"pattern": r"(?=(a+)+$)(x+x+)+y\1"},
    "elsewhere": {"$ref": "https://example.com/x.json"},
    "a file": {"$ref": "file:///etc/passwd"},
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_no_schema_of_an_output_takes_long_to_check(hostile, name):
    hostile.project()
    hostile.task(outputSchema=SCHEMAS[name])
    assert "root:" not in hostile.run("validate").said


@pytest.mark.slow
@pytest.mark.parametrize(
    "prompt",
    [
        "{{ 1+1 }}{{ 'a' }}" * 14_000,
        "{% set a = 1 %}" * 16_000,
        "".join(f"{{% macro a{i}() %}}{{% endmacro %}}" for i in range(7000)),
        "{% for a in [1] %}{% endfor %}" * 8000,
        "{{ " + "a." * 100_000 + "b }}",
        "{{ [" + "1," * 100_000 + "] | length }}",
        "{{ a " * 50_000,
        "{{" + " " * 200_000,
        "{# " * 60_000,
        "{% raw %}" * 20_000,
        "x\n" * 80_000 + "{{ nope }}",
    ],
    ids=str.__len__,
)
def test_no_template_takes_long_to_compile(hostile, prompt):
    hostile.project()
    hostile.task(prompt=prompt)
    hostile.run("validate")
