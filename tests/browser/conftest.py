"""A browser without a window, for the tests of the HTML report: one for each worker, which asks no network."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "report"))

from told_accounts import account, hostile, realistic, small

from taskspec.report.account import Kind
from taskspec.report.html import page

_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


def _found(*names):
    return next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    """A driver of Chromium; the tests are skipped where there is none, but not in CI."""
    chromium, chromedriver = _found("chromium", "chromium-browser", "google-chrome"), _found("chromedriver")
    if chromium is None or chromedriver is None:
        said = "the tests of the HTML report need Chromium and its driver: apt-get install chromium chromium-driver"
        if os.environ.get("NO_SKIPS"):
            pytest.fail(said)
        pytest.skip(said)
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for option in (*_OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(option)
    driven = webdriver.Chrome(options=options, service=webdriver.ChromeService(chromedriver))
    driven.set_page_load_timeout(120)
    yield driven
    driven.quit()


class Browser:
    """What the tests do with a page, and what they see of it."""

    def __init__(self, driver, pages):
        self.driver = driver
        self._pages = pages

    def open(self, name, *, width=1440, height=900, scheme="light", scripts=True, fragment=""):
        """Open a page afresh, on a screen and in a scheme."""
        self.tell("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.tell("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.prefer(scheme)
        self.driver.get("about:blank")
        self.logged()
        self.requested()
        self.driver.get(f"{self._pages[name].as_uri()}{fragment}")

    def prefer(self, scheme):
        """Set the scheme that the reader's system prefers."""
        self.tell("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def tell(self, command, **parameters):
        """Send a command to the browser."""
        return self.driver.execute_cdp_cmd(command, parameters)

    def ask(self, script, *arguments):
        """Return what a script says."""
        return self.driver.execute_script(f"return {script}", *arguments)

    def logged(self):
        """Return what the console says, and take it away."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requested(self):
        """Return the addresses that were asked for since, and take them away."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]

    def press(self, *keys):
        """Press keys where the focus is."""
        from selenium.webdriver.common.action_chains import ActionChains

        for key in keys:
            ActionChains(self.driver, duration=0).send_keys(key).perform()

    def click(self, selector):
        """Click the first element that a selector finds."""
        from selenium.webdriver.common.by import By

        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    @property
    def shown(self):
        """The tasks of the list that can be seen."""
        return self.ask("[...document.querySelectorAll('.task')].filter(t => t.offsetParent).map(t => t.id)")

    @property
    def focused(self):
        """The id of the task that has the focus, or of the element itself."""
        return self.ask("(e => e.id || (e.closest('.task') || {}).id || e.tagName)(document.activeElement)")

    @property
    def opened(self):
        """The tasks that are open."""
        return self.ask("[...document.querySelectorAll('.task[open]')].map(t => t.id)")


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """The pages that are looked at, as files."""
    folder = tmp_path_factory.mktemp("pages")
    made = {"realistic": realistic(), "small": small(), "hostile": hostile(), "none": account(kind=Kind.STANDING)}
    found = {}
    for name, told in made.items():
        found[name] = folder / f"{name}.html"
        with found[name].open("w", encoding="utf-8") as file:
            file.writelines(page(told))
    return found


@pytest.fixture
def browser(driver, pages):
    """The browser, to open a page with."""
    return Browser(driver, pages)
