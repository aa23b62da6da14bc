"""Draws docs/html-report.png: the HTML report of an apply that is made up, as a browser shows it. Edits nothing else.

    python docs/make_report_picture.py

It needs Chromium and its driver (on Debian: `apt-get install chromium chromium-driver`).
"""

import base64
import shutil
import sys
import tempfile
from pathlib import Path

from selenium import webdriver

ROOT = Path(__file__).parents[1]
PICTURE = Path(__file__).with_name("html-report.png")
WIDTH, HEIGHT = 1280, 900

sys.path.insert(0, str(ROOT / "tests" / "report"))

from told_accounts import realistic  # the tests' folder is no package

from taskspec.report.html import page


def main() -> None:
    """Draw the picture."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for option in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(option)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.html"
        file.write_text("".join(page(realistic())), encoding="utf-8")
        screen = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        driver.get(file.as_uri())
        taken = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "optimizeForSpeed": False})
    driver.quit()
    PICTURE.write_bytes(base64.b64decode(taken["data"]))


if __name__ == "__main__":
    main()
