"""The auditor: months that break their series' pattern, as JSON. Run as `python agents/auditor.py`; explains no cause.

A month is expected to sell what the months around it sold (the median of two before and two after). How far it is off,
as a share, is measured in units of the region's usual deviation: the median absolute deviation, which a few wild
months cannot stretch. Thinking is streamed as events while it goes on.
"""

import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import sales
from briefing import Briefing, BriefingError, answer
from sales import Sale

NEIGHBOURS = (-2, -1, 1, 2)
NORMAL_CONSISTENCY = 1.4826
"""What turns a median absolute deviation into the standard deviation of a normal distribution."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One month of one product in one channel: what it sold, and what the months around it let expect."""

    month: str
    channel: str
    product: str
    units: int
    expected: float

    @property
    def deviation(self) -> float:
        """Return how far the month is off, as a share of what was expected."""
        return self.units / self.expected - 1


def outliers(briefing: Briefing) -> str:
    """Return the year's outliers of a region, the farthest first."""
    region, year, threshold = briefing.text("region"), briefing.integer("year"), briefing.number("threshold")
    regional = sales.within(sales.read(briefing.file()), region=region)
    sales.during(regional, year=year)
    readings = list(_readings(regional))
    if not readings:
        raise BriefingError(f"The sales of {region} are too short a series: no month has another beside it.")
    _think("Series read", f"{len(readings)} months of {len({(r.channel, r.product) for r in readings})} series.")
    spread = NORMAL_CONSISTENCY * median(abs(reading.deviation) for reading in readings)
    if not spread:
        raise BriefingError(f"The sales of {region} do not vary: nothing can be called unusual.")
    _think("Usual deviation measured", f"A month is {spread:.1%} off as a rule; more than {threshold:g} times counts.")
    found = [
        {
            "month": reading.month,
            "channel": reading.channel,
            "product": reading.product,
            "units": reading.units,
            "expected": round(reading.expected),
            "score": round(reading.deviation / spread, 1),
        }
        for reading in sorted(readings, key=lambda reading: -abs(reading.deviation))
        if reading.month.startswith(f"{year}-") and abs(reading.deviation) > threshold * spread
    ]
    _think("Outliers found", f"{len(found)} in {year}.")
    return json.dumps({"region": region, "year": year, "threshold": threshold, "outliers": found}, indent=2)


def _readings(regional: Iterable[Sale]) -> Iterable[Reading]:
    series: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for sale in regional:
        series[sale.channel, sale.product][sale.month] += max(sale.units, 0)
    for (channel, product), units in series.items():
        months = sorted(units)
        for at, month in enumerate(months):
            around = [units[months[at + step]] for step in NEIGHBOURS if 0 <= at + step < len(months)]
            if around and (expected := median(around)):
                yield Reading(month=month, channel=channel, product=product, units=units[month], expected=expected)


def _think(title: str, thought: str) -> None:
    channel = os.environ.get("TASKSPEC_EVENTS")
    if channel is None:
        return
    with Path(channel).open("a", encoding="utf-8") as events:
        events.write(json.dumps({"type": "think", "data": {"title": title, "thought": thought}}) + "\n")


if __name__ == "__main__":
    sys.exit(answer(outliers))
