"""The maker of the sales files: two years of monthly sales, a file for each region. Reads nothing.

Run `python data/make_sales.py` in the example's folder to write the files again.
"""

import csv
import random
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

SEED = 20260401
HEADER = ("month", "product", "units", "revenue", "note")
YEARS = (2024, 2025)
REGIONS = {"amer": 1.3, "apac": 0.7, "emea": 1.0}
"""How large each region is."""
PRODUCTS = {"boots": (159, 58, 10), "headlamp": (39, 120, 12), "stove": (79, 71, 7), "tent": (349, 26, 5)}
"""Each product's price, its units in a common month, and the month that it sells best in."""
NOTES = {("2024-03", "tent"): "one order of a school", ("2025-11", "headlamp"): "storm warnings"}
"""What somebody wrote beside a figure. No task reads it."""


def rows(region: str) -> Iterator[tuple[str, str, int, int, str]]:
    """Yield the sales of a region, month by month."""
    chance = random.Random(f"{SEED} {region}")  # noqa: S311  # the same files for everybody; nothing is secret here
    for year in YEARS:
        for month in range(1, 13):
            for product, (price, common, peak) in PRODUCTS.items():
                away = min((month - peak) % 12, (peak - month) % 12)
                units = round(common * REGIONS[region] * (1.35 - 0.12 * away) * chance.gauss(1.0, 0.06))
                name = f"{year}-{month:02}"
                yield name, product, units, units * price, NOTES.get((name, product), "")


def write(region: str, target: TextIO) -> None:
    """Write the file of a region."""
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(rows(region))


if __name__ == "__main__":
    for name in REGIONS:
        with Path(__file__).with_name(f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            write(name, file)
