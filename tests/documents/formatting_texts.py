"""Documents as people write them: one value in every style, with comments and blank lines anywhere. Formats nothing."""

import json

from hypothesis import strategies as st

WORDS = ("emea", "naïve", "töpfe 😀", "a b", "x:y", "it's", "true", "~", "12", "1e3", "-x", "{{ vars.x }}", "")
BAD_START = set("{}[],&*!|>'\"%@`#-?: ~") | set("0123456789")
MARGINS = st.sampled_from([1, 2, 2, 3, 4, 8])
GAPS = st.sampled_from([" ", " ", "  ", "     ", "\t", " \t "])
NOTES = st.sampled_from(["", "", "", "# note", "#", "#: {a: [b", "# - x: |", "#\ttab 😀", "# 'it"])

values = st.recursive(
    st.sampled_from(WORDS) | st.booleans() | st.none() | st.integers(-9, 99),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("a", "key", "a b", "é", "x-1", "long_name")), inner, max_size=3)
    ),
    max_leaves=10,
)


@st.composite
def texts(draw):
    """Return a file of a few documents."""
    parts = []
    for number in range(draw(st.integers(1, 3))):
        if number or draw(st.booleans()):
            parts.append(_ended(draw, "---"))
        if draw(st.integers(0, 5)):
            value = draw(st.dictionaries(st.sampled_from(("apiVersion", "kind", "spec", "z")), values, min_size=1))
            parts += [*_lone(draw, 0), *_mapping(draw, value, 0)]
    parts += _lone(draw, draw(st.integers(0, 5)))
    text = "\n".join(parts)
    if draw(st.booleans()):
        text += "\n"
    if draw(st.integers(0, 3)) == 0:
        text = text.replace("\n", "\r\n")
    return ("\ufeff" if draw(st.integers(0, 5)) == 0 else "") + text


def _ended(draw, code):
    """Return a line with a comment or trailing blanks, or without."""
    note = draw(NOTES)
    return code + (draw(GAPS) + note if note else draw(st.sampled_from(["", "", " ", "\t"])))


def _lone(draw, column):
    """Return lines without code: blank ones, and comments that stand about right, or do not."""
    lines = []
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 3]))):
        note = draw(NOTES)
        wrong = draw(st.sampled_from([0, 0, 0, 1, 2, 5]))
        lines.append(" " * (column + wrong) + note if note else draw(st.sampled_from(["", "  "])))
    return lines


def _mapping(draw, value, column):
    lines = []
    for key, inner in value.items():
        lines += _lone(draw, column)
        written = draw(st.sampled_from([key, json.dumps(key, ensure_ascii=False)]))
        colon = draw(st.sampled_from([":", ":", ":", " :", "  :"]))
        lines += _node(draw, inner, " " * column + written + colon, column, in_list=False)
    return lines


def _list(draw, value, column):
    lines = []
    for inner in value:
        lines += _lone(draw, column)
        lines += _node(draw, inner, " " * column + "-", column, in_list=True)
    return lines


def _node(draw, value, before, column, *, in_list):
    """Return the lines of a value after its key or dash."""
    block = isinstance(value, (dict, list)) and value and draw(st.integers(0, 3))
    named = draw(st.sampled_from(["", "", "", " &x", "  &x", " !!map" if isinstance(value, dict) else ""]))
    if not block:
        return _leaf(draw, value, before + named, column)
    inside = column + draw(MARGINS)
    if isinstance(value, list) and not in_list and draw(st.booleans()):
        inside = column
    write = _mapping if isinstance(value, dict) else _list
    if in_list and draw(st.booleans()):
        inside = column + 1 + draw(MARGINS)
        lines = write(draw, value, inside)
        first = next(n for n, line in enumerate(lines) if line.strip() and not line.strip().startswith("#"))
        lines[first] = before + lines[first][len(before) :]
        return lines[first:]
    return [_ended(draw, before + named), *_lone(draw, inside), *write(draw, value, inside)]


def _leaf(draw, value, before, column):
    gap = draw(GAPS)
    if isinstance(value, str) and draw(st.booleans()):
        return _block(draw, before + gap, column)
    if draw(st.integers(0, 4)) == 0 and isinstance(value, str):
        margin = " " * (column + draw(MARGINS))
        first, last = draw(st.sampled_from([('"a', 'b"'), ("'a", "b'"), ("plain text", "goes on"), ('"a \\', '\\ b"')]))
        return [before + gap + first, *[""] * draw(st.integers(0, 2)), _ended(draw, margin + last)]
    pieces = "".join(_flow(draw, value, column + 1)).split("\n")
    if not pieces[-1].strip():
        return [before + gap + pieces[0]]
    return (
        [before + gap + pieces[0], *pieces[1:-1], _ended(draw, pieces[-1])]
        if pieces[1:]
        else [_ended(draw, before + gap + pieces[0])]
    )


def _block(draw, before, column):
    digit = draw(st.sampled_from(["", "", "1", "2", "4"]))
    header = draw(st.sampled_from("|>")) + draw(st.sampled_from(["", "-", "+"])) + digit
    margin = " " * (column + (int(digit) if digit else draw(MARGINS)))
    lines = [
        draw(st.sampled_from(["text", "# none", "- x: y", "tail  ", "  deeper", "", "", "é😀", "\ttab"]))
        for _ in range(4)
    ]
    if not digit:
        lines[0] = "first"
    return [_ended(draw, before + header), *(margin + line if line or draw(st.booleans()) else "" for line in lines)]


def _flow(draw, value, column):
    """Yield pieces of a value in flow style, which may go over several lines."""
    if isinstance(value, str):
        plain = value and value[0] not in BAD_START and not set(value) & set("{}[],:#'") and value != "true"
        yield value if plain and draw(st.booleans()) else json.dumps(value, ensure_ascii=False)
        return
    if not isinstance(value, (dict, list)):
        yield json.dumps(value)
        return
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    yield opening
    items = list(value.items()) if isinstance(value, dict) else [(None, inner) for inner in value]
    for number, (key, inner) in enumerate(items):
        yield from _pause(draw, column)
        if key is not None:
            yield json.dumps(key, ensure_ascii=False) + draw(st.sampled_from([": ", ":", " : ", ":   "]))
        yield from _flow(draw, inner, column)
        if number < len(items) - 1 or draw(st.booleans()):
            yield draw(st.sampled_from([",", ", ", " , "]))
    yield from _pause(draw, column)
    yield closing


def _pause(draw, column):
    kind = draw(st.integers(0, 5))
    if kind == 0:
        yield _ended(draw, "") + "\n" + "\n".join(_lone(draw, column))
        yield "\n" + " " * (column + draw(MARGINS))
    elif kind == 1:
        yield " "
