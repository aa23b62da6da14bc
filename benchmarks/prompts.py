"""Prompts as people write them, one for each number: distinct, several lines, some with templates. Renders nothing.

Of every six prompts two are plain, three hold dotted names, and one holds a filter, a loop or an `if`.
"""

import random
from dataclasses import dataclass
from typing import Final

COMPANIES: Final = (
    "Alder & Sons",
    "Brightwater",
    "Corvid Labs",
    "Delphine",
    "Eastgate",
    "Fjord Line",
    "Granary",
    "Halden",
)
SUBJECTS: Final = (
    "invoice",
    "contract",
    "support thread",
    "audit finding",
    "release note",
    "incident",
    "survey",
    "lead",
)
VERBS: Final = ("Summarise", "Check", "Rewrite", "Classify", "Compare", "Translate")
READERS: Final = ("the finance team", "a new colleague", "the customer", "the board", "an auditor", "support")
DETAILS: Final = (
    "Quote every amount with its currency.",
    "Name the person who has to act, and by when.",
    "Keep the order in which things happened.",
    "Leave out greetings and signatures.",
    "Say plainly what is not known.",
    "Give dates as year, month and day.",
    "Mark each claim that has no source.",
)
FORMS: Final = ("plain", "plain", "dotted", "dotted", "dotted", "logic")


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """A prompt's lines, and a title that says what it is about."""

    title: str
    lines: tuple[str, ...]


def prompt(seed: int, number: int) -> Prompt:
    """Return the prompt of this number: always the same for the same seed."""
    chance = random.Random(f"{seed}/{number}")
    company, subject = chance.choice(COMPANIES), chance.choice(SUBJECTS)
    opening = f"{chance.choice(VERBS)} {subject} {number:05} of {company} for {chance.choice(READERS)}."
    details = chance.sample(DETAILS, 3)
    reference = f"The file reference is {chance.randrange(16**8):08x}; the limit is {chance.randrange(80, 400)} words."
    middle = _middle(FORMS[number % len(FORMS)], number, subject)
    return Prompt(
        title=f"{subject.capitalize()} {number:05} of {company}", lines=(opening, "", *middle, *details, reference)
    )


def _middle(form: str, number: int, subject: str) -> tuple[str, ...]:
    if form == "plain":
        return (f"It is one {subject} of many, so do not repeat what the others say.", "Answer in full sentences.")
    if form == "dotted":
        return (
            f"The {subject} belongs to the region {{{{ vars.region }}}} and to {{{{ vars.quarter }}}}.",
            "Write in the voice of {{ vars.house.voice }}; amounts are in {{ vars.house.currency }}.",
        )
    return _logic(number // len(FORMS), subject)


def _logic(turn: int, subject: str) -> tuple[str, ...]:
    turns: tuple[tuple[str, ...], ...] = (
        (f"Head the page `{subject} / {{{{ vars.region | upper }}}}` and tag it {{{{ vars.topics | join(', ') }}}}.",),
        (
            f"Judge the {subject} by these topics:",
            "{% for topic in vars.topics %}",
            "- {{ topic }}",
            "{% endfor %}",
        ),
        (
            "{% if vars.strict %}",
            f"Refuse the {subject} if a number in it cannot be checked.",
            "{% else %}",
            f"Accept the {subject} even if a number in it cannot be checked.",
            "{% endif %}",
        ),
    )
    return turns[turn % len(turns)]
