"""The filters of taskspec: exact, the same everywhere, and clear about what they do not take."""

import datetime as dt
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.desired.converting import b64decode, b64encode, from_json, to_json, to_yaml
from taskspec.desired.dating import add_days, add_months, written_date
from taskspec.desired.rendering import Renderer
from taskspec.desired.scope import WrongTemplateError
from taskspec.documents.parsing import parse

NAMES: dict[str, Any] = {"x": {"b": [1, {"c": None}], "a": "é: 1"}, "text": "  a\n    b\n\n  c\n", "n": 5}


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(None)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("x | tojson", '{"a": "é: 1", "b": [1, {"c": null}]}'),
        ("[1] | tojson(2)", "[\n  1\n]"),
        ("x | toyaml", 'a: "é: 1"\nb:\n- 1\n- c: null'),
        ("{} | toyaml", "{}"),
        ("[[], {}, [[1, 2]]] | toyaml", "- []\n- {}\n- - - 1\n    - 2"),
        ("'no' | toyaml", '"no"'),
        ("('a', (), ('b',)) | toyaml", "- a\n- []\n- - b"),
        ("'{\"a\": [1, 2.5, null, true]}' | fromjson", {"a": [1, 2.5, None, True]}),
        ("('{\"a\": {\"b\": 7}}' | fromjson).a.b", 7),
        ("'user:sécret' | b64encode", "dXNlcjpzw6ljcmV0"),
        ("'dXNlcjpzw6ljcmV0' | b64decode", "user:sécret"),
        ("'' | b64encode | b64decode", ""),
        ("'a' | sha256", hashlib.sha256(b"a").hexdigest()),
        ("text | dedent", "a\n  b\n\nc\n"),
        ("'Q1 Report – EMEA' | slug", "q1-report-emea"),
        ("' Übergröße? 2½ ' | slug", "ubergroe-212"),
        ("n | slug", "5"),
        ("'2026-01-31' | date('%d %B %Y')", "31 January 2026"),
        ("'2026-01-31' | date", "2026-01-31"),
        ("'2026-03-01T08:05:09Z' | date('%a %A %b %e. %H:%M:%S %y %j %u W%V/%G 100%%')",
         "Sun Sunday Mar 1. 08:05:09 26 060 7 W09/2026 100%"),
        ("'2026-01-31' | add_days(1)", "2026-02-01"),
        ("'2026-01-31' | add_days(-31)", "2025-12-31"),
        ("'2026-01-31T08:30:00+02:00' | add_days(1)", "2026-02-01T08:30:00+02:00"),
        ("'2026-01-31' | add_months(1)", "2026-02-28"),
        ("'2024-01-31' | add_months(1)", "2024-02-29"),
        ("'2026-03-31' | add_months(-15)", "2024-12-31"),
        ("'9999-11-30' | add_months(1)", "9999-12-30"),
        ("'2026-01-31' | add_months(1) | date('%B')", "February"),
    ],
)  # fmt: skip
def test_a_filter_gives_what_its_row_says(renderer: Renderer, expression: str, value: Any) -> None:
    found = renderer.render("{{ " + expression + " }}", NAMES)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("n | b64encode", "`b64encode` takes a text. Write `| string | b64encode`"),
        ("x | sha256", "`sha256` takes a text."),
        ("x | dedent", "`dedent` takes a text."),
        ("'a' | b64decode", "The text is not Base64."),
        ("'ä' | b64decode", "The text is not Base64."),
        ("'/w==' | b64decode", "What stands in Base64 is not a text (UTF-8)."),
        ("n | fromjson", "`fromjson` takes a text."),
        ("'{a: 1}' | fromjson", "The text is not JSON: Expecting property name"),
        ("'NaN' | fromjson", "`NaN` is no number there."),
        ("'1e999' | fromjson", "a number that is too large"),
        ('\'{"a": 1, "a": 2}\' | fromjson', "a key twice"),
        ("'–' | slug", "`slug` finds neither a letter"),
        ("n | date", "A date is wanted, and the value is none. Write it as `2026-01-31`"),
        ("'now' | date", "A date is wanted"),
        ("'2026-02-30' | date", "There is no such date."),
        ("'2026-02-30T25:00' | date", "There is no such date."),
        ("'2026-1-1' | date", "A date is wanted"),
        ("'20260101' | date", "A date is wanted"),
        ("'2026-01-01' | date('%s')", "`date` does not know `%s`. It knows `%%` `%A`"),
        ("'2026-01-01' | date('a%')", "`date` does not know `%`."),
        ("'2026-01-01' | date(5)", "has no length"),
        ("'2026-01-01' | add_days('1')", "`add_days` takes a whole number."),
        ("'2026-01-01' | add_days(1.5)", "`add_days` takes a whole number."),
        ("'2026-01-01' | add_months(true)", "`add_months` takes a whole number."),
        ("'2026-01-01' | add_days(10 ** 12)", "not within the years 1 to 9999"),
        ("'9999-12-31' | add_months(1)", "not within the years 1 to 9999"),
        ("'0001-01-01' | add_months(-1)", "not within the years 1 to 9999"),
        ("x | tojson(99)", "`tojson` indents by 0 to 15 spaces."),
        ("x | yaml", "There is no filter `yaml`. Did you mean `toyaml`?"),
        ("'a' | base64", "There is no filter `base64`."),
    ],
)
def test_a_filter_says_what_it_does_not_take(renderer: Renderer, expression: str, words: str) -> None:
    with pytest.raises(WrongTemplateError) as caught:
        renderer.render("{{ " + expression + " }}", NAMES)
    assert words in f"{caught.value.detail} {caught.value.hint}"


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)  # no YAML text holds a NUL
SIMPLE = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**17), 10**17), TEXTS, st.sampled_from(["no", "1:30", "~"])
)
JSON: Any = st.recursive(
    SIMPLE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_yaml_is_read_back_as_the_value(value: Any) -> None:
    parsed = parse(to_yaml({"value": value}).encode(), "x.yaml")
    assert parsed.diagnostics == ()
    assert parsed.documents[0].value == {"value": value}


@given(JSON)
def test_json_is_read_back_as_the_value(value: Any) -> None:
    assert from_json(to_json(value)) == value
    assert json.loads(to_json(value, 3)) == value


@given(JSON)
def test_the_order_of_keys_changes_no_text(value: Any) -> None:
    def turned(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: turned(item[key]) for key in reversed(item)}
        return [turned(one) for one in item] if isinstance(item, list) else item

    assert to_yaml(turned(value)) == to_yaml(value)
    assert to_json(turned(value)) == to_json(value)


@given(TEXTS)
def test_base64_is_read_back_as_the_text(text: str) -> None:
    assert b64decode(b64encode(text)) == text


@given(st.dates(), st.integers(-4000, 4000), st.integers(-400, 400))
def test_dates_are_those_of_the_calendar(day: dt.date, days: int, months: int) -> None:
    assert written_date(day.isoformat(), "%a %A %b %B %d %j %m %y %u %V %G") == (
        f"{day:%a %A %b %B %d %j %m %y %u %V} {day.isocalendar().year:04}"
    )
    if 20 < day.year < 9980:
        assert add_days(day.isoformat(), days) == (day + dt.timedelta(days)).isoformat()
    if 40 < day.year < 9960:
        moved = dt.date.fromisoformat(add_months(day.isoformat(), months))
        assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
        assert moved.day == day.day or (moved + dt.timedelta(1)).day == 1
