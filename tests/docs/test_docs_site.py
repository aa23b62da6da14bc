"""The site is built strictly, has every page, leads only to what is there, and asks no other host for anything."""

import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from docs_pages import ROOT
from patience import PATIENCE

GATHERING = runpy.run_path(str(ROOT / "docs" / "make_site.py"))
SITE = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
LOADED = {
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "img": "src",
    "link": "href",
    "object": "data",
    "script": "src",
}
"""The attribute by which an element has a browser load something."""
_STYLED = re.compile(r"""(?:@import\s+|url\()\s*["']?((?:https?:)?//[^"')\s]+)""")


class Page(HTMLParser):
    """What a page of the site leads to, what it loads, and what can be led to in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.leads: set[str] = set()
        self.loads: set[str] = set(_STYLED.findall(text))
        self.anchors: set[str] = set()
        self.classes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = {name: value for name, value in attrs if value}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        self.classes |= set(given.get("class", "").split())
        self.leads |= {given["href"]} if tag == "a" and "href" in given else set()
        self.loads |= {given[LOADED[tag]]} if LOADED.get(tag) in given else set()
        self.loads |= set(_STYLED.findall(given.get("style", "")))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    GATHERING["gather"](folder / SITE["docs_dir"])
    shutil.copy(ROOT / "mkdocs.yml", folder)
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict", "--clean"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / SITE["site_dir"]


@pytest.fixture(scope="module")
def built(site):
    return {path: Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}


def _pages(nav: list) -> Iterator[str]:
    for entry in nav:
        inner = next(iter(entry.values())) if isinstance(entry, dict) else entry
        yield from [inner] if isinstance(inner, str) else _pages(inner)


def test_the_navigation_has_every_page_once():
    pages = list(_pages(SITE["nav"]))
    assert len(pages) == len(set(pages))
    missing = {place for place in GATHERING["sources"]() if place.endswith(".md")} - set(pages)
    assert not missing, "write them into the nav of mkdocs.yml (they may wait there as comments)"
    assert set(pages) <= set(GATHERING["sources"]()), "the nav of mkdocs.yml has pages that are not there"


def test_every_page_is_built(built, site):
    assert {site / page.replace(".md", ".html") for page in _pages(SITE["nav"])} <= set(built)


def test_the_links_of_the_site_lead_somewhere(built, site):
    broken = []
    for path, page in built.items():
        for target in page.leads | page.loads:
            parts = urlsplit(target)
            if parts.scheme or path.name == "404.html":
                continue
            found = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            known = built[found].anchors if found in built else set()
            if not found.is_relative_to(site) or not found.exists() or (anchor and anchor not in known):
                broken.append((str(path.relative_to(site)), target))
    assert broken == []


def test_no_page_asks_another_host_for_anything(built, site):
    foreign = {(path.name, target) for path, page in built.items() for target in page.loads if urlsplit(target).netloc}
    styles = {
        (path.name, target) for path in site.rglob("*.css") for target in _STYLED.findall(path.read_text("utf-8"))
    }
    assert foreign | styles == set()


def test_no_page_has_what_the_theme_would_draw_with_a_program_from_elsewhere(built):
    assert {path.name for path, page in built.items() if page.classes & {"mermaid", "arithmatex", "glightbox"}} == set()


def test_pages_name_each_other_by_their_titles(site):
    assert "[exit-codes.md]" in (ROOT / "docs" / "cli.md").read_text("utf-8")
    assert re.search(r'<a href="exit-codes\.html">Exit codes</a>', (site / "cli.html").read_text("utf-8"))


def test_links_are_led_to_where_the_files_stand_in_the_site():
    page, schema, recipe = (
        ROOT / "docs" / "json.md",
        ROOT / "schemas" / "plan.v1.json",
        ROOT / "docs" / "recipes" / "a.md",
    )
    places = {page: "json.md", schema: "schemas/plan.v1.json", recipe: "recipes/a.md"}
    titles = {"json.md": "JSON"}
    led = GATHERING["led"]
    assert led("[x](../schemas/plan.v1.json)", page, places, titles) == "[x](schemas/plan.v1.json)"
    assert led("[json.md](../json.md#events)", recipe, places, titles) == "[JSON](../json.md#events)"
    assert led("[x](https://json.org)", page, places, titles) == "[x](https://json.org)"
    assert led("```\n[a](json.md)\n```\n", recipe, places, titles) == "```\n[a](json.md)\n```\n"


def test_what_git_ignores_has_what_the_site_is_made_in():
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert {"/build/", "/site/", "/.cache/"} <= set(ignored)
    assert Path(SITE["docs_dir"]).parts[0] == "build"
