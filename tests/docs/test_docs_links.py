"""Links between files lead somewhere, and no page says what only its author's machine can mean."""

import re
from xml.etree import ElementTree as ET

import pytest
from docs_pages import PAGES, ROOT, page, prose

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_links_of_a_page_resolve(path):
    for target in _LINK.findall(prose(path.read_text("utf-8"))):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        assert found.is_relative_to(ROOT), target
        assert found.exists(), target
        assert not anchor or anchor in _anchors(found.read_text("utf-8")), target


def test_the_readme_leads_to_every_page():
    found, new = set(), {ROOT / "README.md"}
    while new:
        found |= new
        new = {target for path in new if path.suffix == ".md" for target in _linked(path)} - found
    assert set(PAGES) <= found


def _linked(path):
    targets = (target.partition("#")[0] for target in _LINK.findall(path.read_text("utf-8")) if "://" not in target)
    return {(path.parent / target).resolve() for target in targets if target and (path.parent / target).is_file()}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_names_no_path_of_a_machine(path):
    assert not re.search(r"(?<![\w.~}])/(?:home|Users|root|tmp|work|opt)/", path.read_text("utf-8"))


@pytest.mark.parametrize("path", sorted((ROOT / "docs").rglob("*.svg")), ids=lambda path: path.name)
def test_a_picture_is_one_that_loads_nothing(path):
    text = path.read_text("utf-8")
    assert ET.fromstring(text).tag.endswith("svg")
    assert not re.search(r"""(?:href|src)=|url\(["']?http|@import""", text)


def test_the_picture_shows_an_apply():
    text = page("docs/quickstart.svg")
    assert "taskspec&#160;apply" in text
    assert "Nothing&#160;is&#160;to&#160;be&#160;done." in text
