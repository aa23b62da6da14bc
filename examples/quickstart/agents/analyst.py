"""The analyst: totals by month of one region and year, as JSON. Run as `python agents/analyst.py`; judges nothing."""

import json
import sys
from collections import defaultdict
from decimal import Decimal

import sales
from briefing import Briefing, answer


def totals(briefing: Briefing) -> str:
    """Return the year's totals, its months and its best month."""
    region, year = briefing.text("region"), briefing.integer("year")
    chosen = sales.during(sales.within(sales.read(briefing.file()), region=region), year=year)
    revenue = sales.revenue_by(chosen, lambda sale: sale.month)
    units: dict[str, int] = defaultdict(int)
    returned: dict[str, int] = defaultdict(int)
    for sale in chosen:
        units[sale.month] += sale.units
        returned[sale.month] -= min(sale.units, 0)
    months = [
        {"month": month, "units": units[month], "returned": returned[month], "revenue": float(revenue[month])}
        for month in sorted(revenue)
    ]
    result = {
        "region": region,
        "year": year,
        "units": sum(units.values()),
        "returned": sum(returned.values()),
        "revenue": float(sum(revenue.values(), Decimal())),
        "bestMonth": max(revenue, key=lambda month: revenue[month]),
        "months": months,
    }
    return json.dumps(result, indent=2)


if __name__ == "__main__":
    sys.exit(answer(totals))
