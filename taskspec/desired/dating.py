"""The filters for dates, which are always given and never "now". The same everywhere, whatever the locale."""

import re
from collections.abc import Callable, Mapping
from datetime import date, time, timedelta
from typing import Any, Final

from taskspec.desired.scope import WrongTemplateError

_MOMENT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d)?)?", re.ASCII
)
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LETTERS: Final[Mapping[str, Callable[[date, time], str]]] = {
    "%": lambda _, __: "%",
    "A": lambda day, _: _DAYS[day.weekday()],
    "B": lambda day, _: _MONTHS[day.month - 1],
    "G": lambda day, _: f"{day.isocalendar().year:04}",
    "H": lambda _, clock: f"{clock.hour:02}",
    "M": lambda _, clock: f"{clock.minute:02}",
    "S": lambda _, clock: f"{clock.second:02}",
    "V": lambda day, _: f"{day.isocalendar().week:02}",
    "Y": lambda day, _: f"{day.year:04}",
    "a": lambda day, _: _DAYS[day.weekday()][:3],
    "b": lambda day, _: _MONTHS[day.month - 1][:3],
    "d": lambda day, _: f"{day.day:02}",
    "e": lambda day, _: str(day.day),
    "j": lambda day, _: f"{day.timetuple().tm_yday:03}",
    "m": lambda day, _: f"{day.month:02}",
    "u": lambda day, _: str(day.isoweekday()),
    "y": lambda day, _: f"{day.year % 100:02}",
}
MAX_FORMAT: Final = 200
_HINT: Final = "Write it as `2026-01-31` or `2026-01-31T08:30:00`."


def written_date(value: Any, form: str = "%Y-%m-%d") -> str:
    """Write a date in a form such as `%d %B %Y`, in English."""
    day, clock, _ = _read(value)
    if len(form) > MAX_FORMAT:
        raise WrongTemplateError(f"`date` takes a form of at most {MAX_FORMAT} characters, such as `%d %B %Y`.")
    return re.sub("%(.?)", lambda found: _piece(found[1], day, clock), form, flags=re.DOTALL)


def add_days(value: Any, days: int) -> str:
    """Return the date so many days later (or earlier); a time of day stays."""
    day, _, rest = _read(value)
    _check_count("add_days", days)
    return _shifted(day, days) + rest


def add_months(value: Any, months: int) -> str:
    """Return the date so many months later (or earlier), at most the last day of that month; a time of day stays."""
    day, _, rest = _read(value)
    _check_count("add_months", months)
    month = day.year * 12 + day.month - 1 + months
    if not 12 <= month < 120_000:
        raise WrongTemplateError("The date is not within the years 1 to 9999.")
    year, index = divmod(month, 12)
    first_of_next = date(year + (index == 11), (index + 1) % 12 + 1, 1) if month < 119_999 else None
    last = 31 if first_of_next is None else (first_of_next - timedelta(days=1)).day
    return date(year, index + 1, min(day.day, last)).isoformat() + rest


def _read(value: Any) -> tuple[date, time, str]:
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise WrongTemplateError("A date is wanted, and the value is none.", hint=_HINT)
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        return date(year, month, day), time(hour, minute, second), found[0][10:]
    except ValueError:
        raise WrongTemplateError("There is no such date.", hint=_HINT) from None


def _piece(letter: str, day: date, clock: time) -> str:
    write = LETTERS.get(letter)
    if write is None:
        known = " ".join(f"`%{one}`" for one in sorted(LETTERS))
        raise WrongTemplateError(f"`date` does not know `%{letter}`.", hint=f"It knows {known}.", name="date")
    return write(day, clock)


def _check_count(name: str, count: Any) -> None:
    if type(count) is not int:
        raise WrongTemplateError(f"`{name}` takes a whole number.", name=name)


def _shifted(day: date, days: int) -> str:
    try:
        return (day + timedelta(days=days)).isoformat()
    except OverflowError:
        raise WrongTemplateError("The date is not within the years 1 to 9999.") from None
