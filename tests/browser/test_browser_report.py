"""The HTML report in a real browser: it works by keyboard, on every screen, in both schemes, on paper and offline."""

import base64
import re
from pathlib import Path

import pytest
from told_accounts import HOSTILE

SIZES = {"phone": 390, "tablet": 820, "desktop": 1440}


@pytest.mark.parametrize("name", ["realistic", "hostile", "none"])
def test_a_page_asks_for_nothing_and_the_console_has_nothing_to_say(browser, name):
    browser.open(name)
    assert browser.logged() == []
    assert [url for url in browser.requested() if not url.startswith(("file:", "about:"))] == []
    assert browser.ask("performance.getEntriesByType('resource').length") == 0


def test_a_hostile_text_makes_no_element_and_runs_nothing(browser):
    browser.open("hostile")
    browser.driver.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert browser.ask("window.stolen") is None
    assert browser.ask("document.querySelectorAll('img, iframe, script, style, #foreign').length") == 2
    handlers = "[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()).filter(n => n.startsWith('on'))"
    assert browser.ask(handlers) == []
    assert browser.ask("[...document.links].every(a => /^(#|https?:)/.test(a.getAttribute('href')))")
    assert HOSTILE[3] in browser.ask("document.body.textContent")
    assert browser.logged() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_page_never_scrolls_sideways(browser, size, scheme):
    for name in ("realistic", "hostile"):
        browser.open(name, width=SIZES[size], scheme=scheme)
        browser.driver.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        assert browser.ask("document.documentElement.scrollWidth") <= SIZES[size]


def test_the_scheme_is_what_the_system_wants_until_the_button_says_otherwise(browser):
    paper = "getComputedStyle(document.body).backgroundColor"
    browser.open("realistic", scheme="dark")
    assert browser.ask(paper) == "rgb(23, 22, 21)"
    assert browser.ask("document.querySelector('#scheme').getAttribute('aria-pressed')") == "true"
    browser.click("#scheme")
    assert browser.ask(paper) == "rgb(252, 251, 249)"
    browser.prefer("light")
    browser.click("#scheme")
    assert browser.ask(paper) == "rgb(23, 22, 21)"
    assert browser.ask("[document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]
    browser.open("realistic", scheme="light")
    assert browser.ask(paper) == "rgb(252, 251, 249)"


def test_the_list_works_by_keyboard_alone(browser):
    from selenium.webdriver.common.keys import Keys

    browser.open("realistic")
    listed = browser.shown
    browser.press("j")
    assert browser.focused == listed[0]
    browser.press("j", Keys.ARROW_DOWN, "k")
    assert browser.focused == listed[1]
    outline = browser.ask("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    browser.press(Keys.ENTER)
    assert browser.opened == [listed[1]]
    browser.press(Keys.TAB, Keys.ESCAPE)
    assert (browser.opened, browser.focused) == ([], listed[1])
    browser.press("/")
    assert browser.focused == "filter"
    browser.press(*"islands jk")
    assert browser.ask("document.activeElement.value") == "islands jk"
    assert browser.shown == []
    browser.press(Keys.BACKSPACE, Keys.BACKSPACE, Keys.BACKSPACE)
    assert len(browser.shown) == 4
    assert browser.ask("document.querySelector('#count').textContent") == f"4 of {len(listed)} tasks"
    browser.press(Keys.ARROW_DOWN)
    assert browser.focused == browser.shown[0]
    browser.press("/", Keys.ESCAPE)
    assert browser.shown == listed


def test_the_list_is_filtered_by_text_health_and_action(browser):
    browser.open("realistic")
    browser.click("button[data-value='unhealthy']")
    assert browser.ask("[...document.querySelectorAll('.task:not([hidden])')].map(t => t.dataset.health)") == [
        "unhealthy"
    ]
    browser.click("button[data-value='needs input']")
    assert len(browser.shown) == 2
    browser.click("button[data-value='create']")
    assert browser.shown == []
    assert browser.ask("document.querySelector('.nothing').offsetParent !== null")
    browser.click("button[data-value='create']")
    browser.click("button[data-value='unhealthy']")
    browser.click("button[data-value='needs input']")
    browser.press("/", *"TEAM=desk")
    assert len(browser.shown) == 7


def test_a_link_opens_its_task_and_the_first_leads_past_the_navigation(browser):
    from selenium.webdriver.common.keys import Keys

    browser.open("realistic", fragment="#task-briefing")
    assert browser.opened == ["task-briefing"]
    browser.open("realistic")
    browser.press(Keys.TAB)
    assert browser.ask("[document.activeElement.className, document.activeElement.hash]") == ["skip", "#tasks"]
    browser.driver.execute_script("document.querySelector('a.knot[href=\"#task-headline\"]').focus()")
    browser.press(Keys.ENTER)
    assert (browser.opened, browser.focused) == (["task-headline"], "task-headline")
    browser.open("hostile")
    for place in browser.shown[:3]:
        browser.open("hostile", fragment=f"#{place}")
        assert browser.opened == [place]


def test_without_scripts_everything_can_be_read(browser):
    browser.open("realistic", scripts=False)
    dom = browser.tell("DOMSnapshot.captureSnapshot", computedStyles=["display"])
    browser.tell("Emulation.setScriptExecutionDisabled", value=False)
    assert ["assertion", "length", "failed"][0] in str(dom["strings"])
    assert len(browser.shown) == 35
    assert browser.ask("['.filter', '#scheme', '.more'].every(s => document.querySelector(s).offsetParent === null)")
    browser.click(".task > summary")
    assert browser.opened == [browser.shown[0]]
    assert "412 words" in browser.ask("document.querySelector('.task[open]').innerText")


def test_on_paper_every_task_is_open_and_nothing_that_is_pressed_is_there(browser):
    browser.open("realistic")
    browser.press("/", *"nothing fits this")
    browser.tell("Emulation.setEmulatedMedia", media="print")
    assert len(browser.shown) == 35
    assert browser.ask("['nav', '.filter'].every(s => document.querySelector(s).offsetParent === null)")
    assert browser.ask("[...document.querySelectorAll('.task > .inside')].every(e => e.offsetHeight > 50)")
    assert browser.ask("[...document.querySelectorAll('pre')].every(p => p.scrollHeight <= p.clientHeight + 1)")
    made = base64.b64decode(browser.tell("Page.printToPDF", preferCSSPageSize=True)["data"])
    browser.tell("Emulation.setEmulatedMedia", media="")
    assert made.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", made)) > 35
    assert browser.opened == []


def test_headings_landmarks_and_names_are_there(browser):
    browser.open("realistic")
    assert browser.ask("document.documentElement.lang") == "en"
    assert browser.ask("[...document.querySelectorAll('h1')].length") == 1
    assert browser.ask("['main', 'nav', 'footer', 'header'].every(s => document.querySelectorAll(s).length === 1)")
    unnamed = "[...document.querySelectorAll('button, a[href], summary')].filter(e => !e.textContent.trim()).length"
    assert browser.ask(unnamed) == 0
    repeated = (
        "(ids => ids.filter((id, at) => ids.indexOf(id) !== at))([...document.querySelectorAll('[id]')].map(e => e.id))"
    )
    assert browser.ask(repeated) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser, scheme):
    axe_core_python = pytest.importorskip("axe_core_python")
    browser.open("small", scheme=scheme)
    browser.driver.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    browser.driver.execute_script((Path(axe_core_python.__file__).parent / "axe.min.js").read_text("utf-8"))
    found = browser.driver.execute_async_script(
        "const told = arguments[arguments.length - 1];"
        "axe.run(document, {resultTypes: ['violations'], elementRef: false}).then(told, e => told(String(e)));"
    )
    assert {one["id"]: [node["html"][:200] for node in one["nodes"][:3]] for one in found["violations"]} == {}
