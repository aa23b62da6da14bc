"""The language of conditions: what it says, what it refuses, and that nothing gets out of it or makes it hang."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from patience import little_work

from taskspec.contracts import Contract, InvalidSchemaError
from taskspec.expressions.evaluating import compile_expression
from taskspec.expressions.model import WrongExpressionError

NAMES = ("value", "result", "json")
VALUE = {
    "total": 5,
    "share": 0.5,
    "name": "Ada",
    "items": [{"n": 1, "ok": True}, {"n": 2, "ok": False}],
    "nothing": None,
    "yes": True,
    "a key": "x",
    "list": [3, 1, 2],
}


def matches(text, pattern):
    try:
        contract = Contract({"type": "string", "pattern": pattern}, linear=True)
    except InvalidSchemaError as trouble:
        raise ValueError(str(trouble)) from trouble
    return not contract.violations(text)


def value_of(text, value=VALUE):
    return compile_expression(text, NAMES).evaluate({"value": value}, matches)


def trouble_of(text, value):
    try:
        value_of(text, value)
    except WrongExpressionError as error:
        return error
    return None


def refused(text, value=VALUE):
    with pytest.raises(WrongExpressionError) as caught:
        value_of(text, value)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("value.total > 0", True),
        ("value['a key'] == 'x'", True),
        ("0 < value.total <= 5 < 6", True),
        ("value.items[0].n == 1 and value.items[-1].n == 2", True),
        ("all(item.n > 0 for item in value.items)", True),
        ("any(not item.ok for item in value.items)", True),
        ("sum(item.n for item in value.items if item.ok)", 1),
        ("min(x for x in value.list) + max(value.list) + max(7, 9)", 13),
        ("count(x for x in value.list if x > 1)", 2),
        ("len(y for x in value.items for y in value.list)", 6),
        ("value.list[1:] == [1, 2]", True),
        ("value.name[0]", "A"),
        ("'total' in value and 'ada' in lower(value.name) and 3 in value.list", True),
        ("value.nothing is null and value.nothing == null and value.total != null", True),
        ("value.yes is true and value.yes == True", True),
        ("1 if value.yes else 2", 1),
        ("abs(-3) + round(2.567, 2) + len('abc')", 8.57),
        ("startswith(value.name, 'A') and endswith(value.name, 'da') and contains(value.name, 'd')", True),
        ("upper(trim('  a '))", "A"),
        (r"matches('2024-01-02', r'^\d{4}-\d\d')", True),
        ("number(' 1.50 ') + number('2')", 3.5),
        ("text(3) + text(true) + text('a')", "3truea"),
        ("[type(value), type(value.list), type(1), type('a'), type(true), type(null)]",
         ["map", "list", "number", "string", "boolean", "null"]),
        ("len(words('one two  three')) == 3 and len(lines('a\\nb')) == 2", True),
        ("keys({'a': 1, 'b': 2}) + values({'c': 3})", ["a", "b", 3]),
        ("{'a': [1, {'b': true}]} == {'a': [1.0, {'b': true}]}", True),
        ("[1] == [true]", False),
        ("  value.total\n  # a remark\n  > 0 ", True),
        ("2 ** 10 // 3 % 7", 5),
    ],
)  # fmt: skip
def test_an_expression_has_the_value_that_it_seems_to_have(text, expected):
    found = value_of(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "says", "place"),
    [
        ("value.totl > 0", "There is no field `totl`", (1, 1)),
        ("1 + vlaue", "`vlaue` is not known here", (1, 5)),
        ("value.total >", "This is no expression", (1, 14)),
        ("value.total = 5", "This is no expression", (1, 1)),
        ("value.total && true", "This is no expression", (1, 13)),
        ("value.total > 'a'", "`>` cannot compare a number (5) with a string (\"a\")", (1, 1)),
        ("value.total == '5'", "never equal", (1, 1)),
        ("value.yes == 1", "`==` compares a boolean (true) with a number (1)", (1, 1)),
        ("value.nothing < 1", "`<` cannot compare null with a number", (1, 1)),
        ("value.name.upper()", "Values have no methods here", (1, 1)),
        ("lenn(value)", "There is no function `lenn`", (1, 1)),
        ("len(value, 1)", "`len` does not take 2 values", (1, 1)),
        ("all([x for x in value.list])", "A list cannot be made by `for` here", (1, 5)),
        ("'a' * 3", "`*` cannot compute with a string (\"a\") and a number (3)", (1, 1)),
        ("value.name + 1", "`+` cannot compute", (1, 1)),
        ("not value.total", "`not` takes true or false, found a number (5)", (1, 1)),
        ("value.total and true", "`and` takes true or false", (1, 1)),
        ("value.list[9]", "There is no item a number (9) in a list of 3", (1, 1)),
        ("value.items.n", "`n` is asked of a list", (1, 1)),
        ("1 / 0", "divided by 0", (1, 1)),
        ("max([])", "of nothing has no value", (1, 1)),
        ("max([1, 'a'])", "compares numbers with numbers or strings with strings, found a string", (1, 1)),
        ("matches('a', '(a')", "the regular expression is not valid", None),
        ("matches('a', '\\b')", "became a control character", (1, 14)),
        ("value.total > 0)", "A bracket is closed that was not opened", (1, 16)),
        ("1) + (2", "A bracket is closed that was not opened", (1, 2)),
        ("", "An expression is missing", (1, 1)),
        ("value.é > 0 and vlaue", "`vlaue` is not known", (1, 17)),
        ("true and\n  vlaue", "`vlaue` is not known", (2, 3)),
        ("all(x > 0 for x in value.list) and x > 1", "`x` is not known", (1, 36)),
        ("all(value > 0 for value in [1])", "`value` means something else already", (1, 19)),
        ("(1, 2)", "A list stands in brackets", (1, 1)),
        ("all(x for x in value.name)", "`for` takes a list", (1, 1)),
        ("value.total is 5", "`is` asks for null, true or false", (1, 1)),
        ("1e999 > 1", "too large", (1, 1)),
        ("number('1,5')", "that is a number in JSON", (1, 1)),
    ],
)  # fmt: skip
def test_a_wrong_expression_says_what_is_wrong_and_where(text, says, place):
    error = refused(text)
    assert says in error.message or says[:1].upper() + says[1:] in error.message
    if place:
        assert (error.line, error.column) == place


def test_the_nearest_known_name_field_and_function_are_offered():
    assert refused("vlaue").hint == "Did you mean `value`?"
    assert refused("value.totl").hint == "Did you mean `total`?"
    assert refused("lenn(value)").hint == "Did you mean `len`?"
    assert refused("value.name.upper()").hint == "Write upper(…)."


def test_a_condition_that_is_neither_true_nor_false_is_an_error():
    expression = compile_expression("value.total", NAMES)
    with pytest.raises(WrongExpressionError, match=r"gives a number \(5\)"):
        expression.holds({"value": VALUE}, matches)


def test_an_expression_tells_which_names_and_patterns_it_uses():
    expression = compile_expression("any(matches(x, 'a+') for x in json.list) and value > 0")
    assert set(expression.names) == {"json", "value"}
    assert [(p.text, p.line, p.column) for p in expression.patterns] == [("a+", 1, 16)]


INJECTIONS = [
    "__import__('os').system('true')",
    "value.__class__.__mro__",
    "value['__class__'].x",
    "().__class__.__bases__[0].__subclasses__()",
    "(lambda: 1)()",
    "[x for x in (1).__class__.__mro__]",
    "open('/etc/passwd')",
    "eval('1')",
    "exec('1')",
    "getattr(value, 'keys')",
    "f'{value}'",
    "'{0.__class__}'.format(value)",
    "'%s' % value",
    "value.keys()",
    "(x := 1)",
    "await value",
    "yield",
    "*value",
    "print(value)",
    "globals()",
    "all.__self__",
    "len.__call__",
    "len",
    "value if value",
    "b'a'",
    "...",
    "1j",
    "{1, 2}",
    "{**value}",
    "all(x async for x in value)",
    "max(value.list, key=len)",
    "max(*value.list)",
    "1 @ 2",
    "~1",
    "1 << 99",
    "import os",
    "value.total; value.total",
    "type(value)('a', (), {})",
    "\x00",
    "value.\u2024__class__",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_nothing_but_json_and_the_listed_functions_can_be_reached(text):
    assert refused(text).message


HEAVY = [
    "9 ** 9 ** 9 ** 9",
    "9 ** 999999999",
    "2.0 ** 99999",
    "all(a + b + c + d >= 0 for a in value for b in value for c in value for d in value)",
    "sum(x for a in value for b in value for c in value for x in value)",
    "max(value + value + value + value == value for x in value for y in value)",
    "any(value == [] for x in value for y in value for z in value)",
    "all(x in value for x in value for y in value)",
    "(" * 300 + "1" + ")" * 300,
    "not " * 900 + "true",
    "-" * 3_900 + "1",
    "1" + "+1" * 1_900,
    "[" * 1_900 + "]" * 1_900,
    "round(1e308, -308)",
]


@pytest.mark.parametrize("text", HEAVY)
def test_no_expression_hangs_or_fills_the_memory(text):
    with little_work():
        assert refused(text, list(range(300))).message


def test_a_text_cannot_grow_without_end():
    grown = "value" + " + value" * 60
    assert "longer than 1,000,000" in refused(grown, "x" * 20_000).message


numbers = st.integers(-20, 20) | st.sampled_from([0.5, 2.25, -1.5])
arithmetic = st.recursive(
    numbers.map(repr),
    lambda inner: st.builds(
        "({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner
    ) | inner.map("(-{})".format) | inner.map("abs({})".format),
    max_leaves=8,
)  # fmt: skip
comparisons = st.builds(
    "({} {} {})".format, arithmetic, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), arithmetic
)
conditions = st.recursive(
    comparisons | st.sampled_from(["True", "False"]),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner)
        | inner.map("(not {})".format)
        | st.builds("({} if {} else {})".format, inner, inner, inner)
    ),
    max_leaves=8,
)


@given(arithmetic | conditions)
def test_arithmetic_and_logic_agree_with_python(text):
    try:
        expected = eval(text, {"__builtins__": {}, "abs": abs})
    except ZeroDivisionError:
        assert "divided by 0" in refused(text).message
        return
    found = value_of(text)
    assert found == expected
    assert type(found) is type(expected)


NAMED = "value result json total x all any len sum max matches true null None lambda __class__ yield"
SIGNS = (
    ". [ ] ( ) { } , : + - * / % ** < > == != in is not and or if else for 'a' \"b\" 1 0 2.5 1e9 # \\ é 😀 := @ & | ~"
)
words = st.sampled_from([*NAMED.split(), *SIGNS.split(), "\n", "\t"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(words, max_size=14).map(" ".join) | st.text(max_size=30), json_values)
@example("value / 3", 10**400)
@example("value * 1.5", 10**400)
@example("sum([value, 1.5])", 10**400)
@example("value", "\ud800")
def test_junk_is_refused_by_no_other_error(text, value):
    error = trouble_of(text, value)
    assert error is None or (error.message.endswith(".") and error.line >= 1 and error.column >= 1)


@given(json_values, json_values, st.sampled_from(["<", "<=", ">", ">=", "==", "!=", "in", "+", "-", "*", "/", "%"]))
def test_values_of_two_kinds_are_compared_or_refused_and_never_silently_false(left, right, sign):
    expression = compile_expression(f"left {sign} right")
    try:
        found = expression.evaluate({"left": left, "right": right}, matches)
    except WrongExpressionError:
        return
    alike = type(left) is type(right) or {type(left), type(right)} <= {int, float}
    assert alike or sign in {"in", "==", "!="}
    if sign == "==" and found is False:
        assert alike or None in (left, right)
