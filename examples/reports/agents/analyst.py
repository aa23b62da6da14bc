"""The analyst: figures of one region and year by quarter, as JSON. Reads only the rows of that year, and no notes."""

import csv
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import TextIO

from orders import Order, RefusalError, carry_out


def figures(order: Order) -> str:
    """Return the year's revenue, and each quarter's figures."""
    region, year = order.value("Region"), order.number("Year")
    revenue: Counter[str] = Counter()
    units: dict[str, Counter[str]] = defaultdict(Counter)
    for quarter, product, sold, earned in _rows(order, year):
        revenue[quarter] += earned
        units[quarter][product] += sold
    missing = [quarter for quarter in ("q1", "q2", "q3", "q4") if quarter not in revenue]
    if missing:
        raise RefusalError(f"There are no sales of {missing[0].upper()} {year} in {region}.")
    quarters = {
        quarter: {
            "revenue": revenue[quarter],
            "units": units[quarter].total(),
            "best": units[quarter].most_common(1)[0][0],
        }
        for quarter in sorted(revenue)
    }
    return json.dumps({"region": region, "year": year, "revenue": revenue.total(), "quarters": quarters}, indent=2)


def _rows(order: Order, year: int) -> list[tuple[str, str, int, int]]:
    if len(order.files) != 1:
        raise RefusalError(f"The task must carry one file with the sales; it carries {len(order.files)}.")
    found = []
    with _opened(order.files[0]) as file:
        for number, row in enumerate(csv.DictReader(file), 2):
            try:
                in_year, month = map(int, row["month"].split("-"))
                sold, earned = int(row["units"]), int(row["revenue"])
            except (KeyError, TypeError, ValueError) as error:
                raise RefusalError(f"Line {number} of {order.files[0].name} is no row of sales.") from error
            if in_year == year:
                found.append((f"q{(month + 2) // 3}", row["product"], sold, earned))
    return found


def _opened(path: Path) -> TextIO:
    try:
        return path.open(encoding="utf-8", newline="")
    except OSError as error:
        raise RefusalError(f"{path.name} cannot be read: {error.strerror}.") from error


if __name__ == "__main__":
    sys.exit(carry_out(figures))
