"""The graph in the languages of drawing programs: whatever an address holds, it stays a label and nothing more."""

import html
import re
import shutil
import subprocess
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from patience import PATIENCE

from taskspec.address import Address, cell_address
from taskspec.desired.model import DeferredTask, DesiredTask
from taskspec.documents.model import Source
from taskspec.documents.parsing import parse
from taskspec.report.graphs import as_json, dot, mermaid

SOURCE = Source(document=parse(b"kind: Task", "t.yaml").documents[0])
HOSTILE = [
    'a"b<>',
    "&quot;",
    "#quot;",
    "x]",
    '"]; click t0 "javascript:x"',
    "\\",
    'a\\"',
    "`md`",
    "{{x}}",
    "%%",
    "\n",
    "é😀",
]
values = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
addresses = st.lists(values, min_size=1, max_size=3).map(lambda found: cell_address("report", found))
NODE = re.compile(r'  (t\d+)\["([^"]*)"\]')
EDGE = re.compile(r"  (t\d+) (-->|-\.->) (t\d+)")
QUOTED = r'"((?:[^"\\]|\\.)*)"'
DOT_NODE = re.compile(rf"  {QUOTED};")
DOT_EDGE = re.compile(rf"  {QUOTED} -> {QUOTED}( \[style=dotted\])?;")


def graph(*listed):
    """Return tasks that wait in a row: each uses the result of the one before, but for the last, which only waits."""
    found = {}
    for index, address in enumerate(listed):
        before = tuple(listed[max(0, index - 1) : index])
        common = {"address": address, "agent": "a", "title": "t", "spec": {}, "source": SOURCE, "upstream": before}
        if before and index < len(listed) - 1:
            found[address] = DeferredTask(**common, uses=frozenset(before), finish=lambda _: None)
        else:
            found[address] = DesiredTask(**common, fingerprint="f", request={})
    return found


def of_mermaid(label):
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), label)


def of_dot(text):
    return html.unescape(re.sub(r"\\(.)", r"\1", text))


def shown(address):
    return "".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in address)


@given(st.lists(addresses, min_size=1, max_size=4, unique=True))
@example([cell_address("report", [value]) for value in HOSTILE])
def test_a_flow_chart_has_a_line_for_each_task_and_each_arrow(listed):
    first, *lines = mermaid(graph(*listed))
    assert first == "flowchart LR"
    nodes = [NODE.fullmatch(line) for line in lines[: len(listed)]]
    assert all(nodes), lines
    assert [of_mermaid(node[2]) for node in nodes] == listed
    for node in nodes:
        assert not set("<>`{}\n&") & set(node[2])
        assert node[2].isprintable()
    edges = [EDGE.fullmatch(line) for line in lines[len(listed) :]]
    assert all(edges), lines
    assert len(edges) == len(listed) - 1


@given(st.lists(addresses, min_size=1, max_size=4, unique_by=shown))
@example([cell_address("report", [value]) for value in HOSTILE])
def test_a_directed_graph_has_a_line_for_each_task_and_each_arrow(listed):
    *head, last = dot(graph(*listed))
    assert (head[:3], last) == (["digraph tasks {", "  rankdir=LR;", "  node [shape=box];"], "}")
    lines = head[3:]
    nodes = [DOT_NODE.fullmatch(line) for line in lines[: len(listed)]]
    assert all(nodes), lines
    assert [of_dot(node[1]) for node in nodes] == [shown(address) for address in listed]
    edges = [DOT_EDGE.fullmatch(line) for line in lines[len(listed) :]]
    assert all(edges), lines
    pairs = [(of_dot(edge[1]), of_dot(edge[2])) for edge in edges]
    assert pairs == [(shown(one), shown(other)) for one, other in pairwise(listed)]


@pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed")
def test_graphviz_reads_every_address():
    tasks = graph(*(cell_address("report", [value]) for value in HOSTILE))
    done = subprocess.run(
        ["dot", "-Tplain"], input="\n".join(dot(tasks)), capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    assert done.stderr == ""
    assert done.stdout.count("\nnode ") == len(HOSTILE)


def test_an_arrow_is_dotted_where_only_the_order_counts():
    tasks = graph(Address("a"), Address("b"), Address("c"))
    assert list(mermaid(tasks))[4:] == ["  t0 --> t1", "  t1 -.-> t2"]
    assert list(dot(tasks))[6:8] == ['  "a" -> "b";', '  "b" -> "c" [style=dotted];']


def test_arrows_lead_only_between_tasks_that_are_shown():
    tasks = graph(Address("a"), Address("b"), Address("c"))
    del tasks[Address("a")]
    assert as_json(tasks) == {"tasks": ["b", "c"], "edges": [{"from": "b", "to": "c", "usesResult": False}]}
    assert len(list(mermaid(tasks))) == 4


def test_no_task_is_an_empty_graph():
    assert list(mermaid({})) == ["flowchart LR"]
    assert list(dot({}))[-1] == "}"
