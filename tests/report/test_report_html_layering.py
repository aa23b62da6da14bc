"""The layout of the graph: what it promises of any graph, and that large ones are no trouble."""

from hypothesis import given
from hypothesis import strategies as st

from taskspec.report.html.layering import Bend, layered
from taskspec.report.html.placing import GAP, placed

EDGES = st.sets(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=40)


def graph(edges, *, acyclic=True):
    upstream = {number: [] for number in range(15)}
    for first, then in sorted(edges):
        if first < then or not acyclic:
            upstream[then].append(first)
    return upstream


def drawn(upstream):
    found = layered(upstream)
    return found, placed(found, {node: 40.0 + 7 * (node % 5) for node in upstream})


@given(EDGES)
def test_who_waits_stands_right_of_what_it_waits_for(edges):
    upstream = graph(edges)
    _, place = drawn(upstream)
    for then, firsts in upstream.items():
        for first in firsts:
            assert place.boxes[first].x + place.boxes[first].width < place.boxes[then].x


@given(EDGES)
def test_no_two_nodes_overlap_and_all_are_on_the_picture(edges):
    _, place = drawn(graph(edges))
    boxes = sorted(place.boxes.values(), key=lambda box: (box.x, box.y))
    for number, one in enumerate(boxes):
        assert one.x >= 0
        assert -0.01 <= one.y <= place.height - one.height + 0.01
        assert one.x + one.width <= place.width + 0.01
        for other in boxes[number + 1 :]:
            beside = one.x + one.width <= other.x or other.x + other.width <= one.x
            below = one.y + one.height + GAP / 2 <= other.y or other.y + other.height + GAP / 2 <= one.y
            assert beside or below


@given(EDGES)
def test_every_node_has_a_box_and_every_edge_a_way_from_one_to_the_other(edges):
    upstream = graph(edges)
    found, place = drawn(upstream)
    assert set(place.boxes) == set(upstream)
    assert set(place.ways) == {(first, then) for then, firsts in upstream.items() for first in firsts}
    for (first, then), way in place.ways.items():
        assert way[0] == (place.boxes[first].x + place.boxes[first].width, place.boxes[first].middle)
        assert way[-1] == (place.boxes[then].x, place.boxes[then].middle)
        assert [x for x, _ in way] == sorted(x for x, _ in way)
    assert set(found.apart) == {n for n in upstream if not upstream[n] and not any(n in f for f in upstream.values())}


@given(EDGES)
def test_equal_graphs_are_laid_out_equally(edges):
    assert drawn(graph(edges)) == drawn(graph(edges))


@given(EDGES)
def test_a_cycle_which_no_plan_has_is_still_drawn(edges):
    upstream = graph(edges, acyclic=False)
    _, place = drawn(upstream)
    assert set(place.boxes) == set(upstream)


def test_what_is_unknown_and_what_waits_for_itself_is_left_out():
    found = layered({1: [1, 7], 2: [1]})
    assert found.edges == [(1, 2)]


def test_a_long_edge_keeps_its_place_in_the_layers_between():
    found = layered({1: [], 2: [1], 3: [2], 4: [3, 1]})
    bends = [one for layer in found.layers for one in layer if isinstance(one, Bend)]
    assert [(bend.first, bend.then) for bend in bends] == [(1, 4), (1, 4)]


def test_thousands_of_nodes_are_laid_out_with_a_bounded_number_of_bends():
    chain = {number: [number - 1, 0] if number > 1 else [] for number in range(3_000)}
    chain[1] = [0]
    found = layered(chain)
    assert sum(map(len, found.layers)) < 3_000 + 4_001
    placed(found, dict.fromkeys(chain, 50.0))


def test_a_tree_is_drawn_without_crossings():
    upstream = {number: [(number - 1) // 3] if number else [] for number in range(40)}
    found, place = drawn(upstream)
    for layer in found.layers[1:]:
        parents = [place.boxes[upstream[node][0]].y for node in layer]
        assert parents == sorted(parents)
