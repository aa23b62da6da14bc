"""The maker of `sales.csv`: three years of a shop's monthly sales, the same for every run. Reads nothing.

Run `python data/make_sales.py` in the example's folder to write the file again.
"""

import csv
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

SEED = 20260101
YEARS = (2023, 2024, 2025)
HEADER = ("month", "region", "channel", "product", "units", "revenue")
RETURNED_SHARE = 0.045


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """What is sold: its price, how many leave a shelf in a common month, and how its demand moves."""

    name: str
    price: float
    units: float
    growth: float
    """Growth of demand in a year, as a share."""
    swing: float
    """How far a season lifts or lowers demand, as a share."""
    peak: int
    """The month of highest demand in the north."""


PRODUCTS = (
    Product(name="backpack", price=129.0, units=64, growth=0.06, swing=0.30, peak=6),
    Product(name="boots", price=159.0, units=58, growth=0.03, swing=0.22, peak=10),
    Product(name="headlamp", price=39.0, units=120, growth=0.12, swing=0.35, peak=12),
    Product(name="rain-jacket", price=189.0, units=47, growth=0.01, swing=0.28, peak=4),
    Product(name="sleeping-bag", price=149.0, units=39, growth=-0.05, swing=0.45, peak=7),
    Product(name="stove", price=79.0, units=71, growth=0.08, swing=0.25, peak=7),
    Product(name="tent", price=349.0, units=26, growth=0.04, swing=0.60, peak=6),
    Product(name="trekking-poles", price=69.0, units=53, growth=0.15, swing=0.30, peak=8),
    Product(name="water-filter", price=45.0, units=88, growth=0.21, swing=0.20, peak=7),
)
REGIONS = {"amer": (1.25, 0), "apac": (0.70, 6), "emea": (1.00, 0)}
"""Each region's size, and by how many months its seasons are shifted."""
CHANNELS = {"marketplace": (0.55, 0.09), "partner": (0.40, -0.04), "store": (0.90, -0.02), "web": (1.15, 0.11)}
"""Each channel's size and its growth in a year."""
INCIDENTS = {
    ("2024-03", "emea", "partner", "tent"): 5.5,
    ("2024-11", "apac", "web", "headlamp"): 4.0,
    ("2025-02", "amer", "store", "stove"): 0.0,
    ("2025-05", "apac", "marketplace", "water-filter"): 3.5,
    ("2025-08", "emea", "web", "boots"): 0.05,
    ("2025-09", "emea", "store", "backpack"): 4.2,
    ("2025-10", "amer", "web", "trekking-poles"): 3.8,
}
"""Bulk orders and empty shelves: by what the common demand of one month was multiplied."""

Row = tuple[str, str, str, str, int, str]


def rows() -> Iterator[Row]:
    """Yield the sales of every month, each followed by what was returned of it, if anything."""
    chance = random.Random(SEED)  # noqa: S311  # the same file for everybody is the point; nothing is secret here
    for elapsed in range(len(YEARS) * 12):
        year, month = YEARS[elapsed // 12], elapsed % 12 + 1
        for region in REGIONS:
            for channel in CHANNELS:
                for product in PRODUCTS:
                    key = (f"{year}-{month:02}", region, channel, product.name)
                    demand = _demand(product, region, channel, elapsed) * chance.gauss(1.0, 0.05)
                    units = round(demand * INCIDENTS.get(key, 1.0))
                    yield *key, units, f"{units * product.price:.2f}"
                    if units > 10 and chance.random() < RETURNED_SHARE:
                        returned = chance.randint(1, 1 + units // 10)
                        yield *key, -returned, f"{-returned * product.price:.2f}"


def write(target: TextIO) -> None:
    """Write the header and all rows as CSV."""
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(rows())


def _demand(product: Product, region: str, channel: str, elapsed: int) -> float:
    size, shift = REGIONS[region]
    share, channel_growth = CHANNELS[channel]
    trend: float = (1 + product.growth + channel_growth) ** (elapsed / 12)
    season = 1 + product.swing * math.cos(2 * math.pi * (elapsed % 12 + 1 - product.peak - shift) / 12)
    return product.units * size * share * trend * season


if __name__ == "__main__":
    with Path(__file__).with_name("sales.csv").open("w", encoding="utf-8", newline="") as file:
        write(file)
