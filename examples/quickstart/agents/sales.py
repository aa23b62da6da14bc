"""The rows of a sales file, checked, and sums over them. Knows nothing of prompts or answers."""

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar

from briefing import BriefingError

HEADER = ["month", "region", "channel", "product", "units", "revenue"]
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sale:
    """One row: what was sold in a month, or what came back (units and revenue below zero)."""

    month: str
    """As `2025-08`."""
    region: str
    channel: str
    product: str
    units: int
    revenue: Decimal

    @property
    def year(self) -> int:
        """Return the year of the sale."""
        return int(self.month[:4])


def read(path: Path) -> list[Sale]:
    """Read all rows of a file; raise BriefingError where it is not a file of sales."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            if next(reader, None) != HEADER:
                raise BriefingError(f"{path.name} does not begin with the columns {', '.join(HEADER)}.")
            return [_sale(path, reader.line_num, cells) for cells in reader]
    except OSError as error:
        raise BriefingError(f"{path.name} cannot be read: {error.strerror}.") from error


def within(sales: Iterable[Sale], *, region: str) -> list[Sale]:
    """Return the sales of one region; raise BriefingError where there are none."""
    regions: dict[str, list[Sale]] = defaultdict(list)
    for sale in sales:
        regions[sale.region].append(sale)
    if region not in regions:
        raise BriefingError(f"There are no sales of the region {region!r}; the file has {', '.join(sorted(regions))}.")
    return regions[region]


def during(sales: Iterable[Sale], *, year: int) -> list[Sale]:
    """Return the sales of one year; raise BriefingError where there are none."""
    years: dict[int, list[Sale]] = defaultdict(list)
    for sale in sales:
        years[sale.year].append(sale)
    if year not in years:
        raise BriefingError(f"There are no sales of {year}; the file has {', '.join(map(str, sorted(years)))}.")
    return years[year]


def revenue_by(sales: Iterable[Sale], key: Callable[[Sale], Key]) -> dict[Key, Decimal]:
    """Sum the revenue, less what was returned, by a key."""
    sums: dict[Key, Decimal] = defaultdict(Decimal)
    for sale in sales:
        sums[key(sale)] += sale.revenue
    return dict(sums)


def _sale(path: Path, line: int, cells: list[str]) -> Sale:
    if len(cells) != len(HEADER) or not MONTH.fullmatch(cells[0]):
        raise _misfit(path, line, cells)
    month, region, channel, product, units, revenue = cells
    try:
        return Sale(
            month=month, region=region, channel=channel, product=product, units=int(units), revenue=Decimal(revenue)
        )
    except (ValueError, InvalidOperation) as error:
        raise _misfit(path, line, cells) from error


def _misfit(path: Path, line: int, cells: list[str]) -> BriefingError:
    return BriefingError(f"{path.name}:{line} is not a row of sales: {','.join(cells)}")
