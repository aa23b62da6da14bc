"""Every byte of a saved plan changed, one at a time, in several ways; and what reading it comes to."""

from collections import Counter
from random import Random

from taskspec.contracts import Contract, load_schema
from taskspec.errors import StaleError
from taskspec.plan.filing import read

OTHERS = b' \n\t"\\{}[],:0199aefnrtuE+-.\x00\x80\xff'
NAMES = (b'"format"', b'"digest"', b'"saved"', b'"toolVersion"', b'"changes"')


def mutations(content, places, random):
    """Yield for each place the ways in which the bytes there may be other ones."""
    yield from ((f"append {tail!r}", content + tail) for tail in (b" ", b"\n", b"\0", b"{}", content))
    yield from ((f"prepend {head!r}", head + content) for head in (b" ", b"\n", b"\xef\xbb\xbf", b"[", content))
    for place in places:
        before, byte, after = content[:place], content[place], content[place + 1 :]
        other = random.choice([one for one in OTHERS if one != byte])
        yield f"bit of {place}", before + bytes([byte ^ (1 << random.randrange(8))]) + after
        yield f"case of {place}", before + bytes([byte ^ 0x20]) + after
        yield f"{other} for {place}", before + bytes([other]) + after
        yield f"without {place}", before + after
        yield f"{other} before {place}", before + bytes([other, byte]) + after
        yield f"twice {place}", before + bytes([byte, byte]) + after
        yield f"truncated at {place}", before
        if after and after[0] != byte:
            yield f"exchanged at {place}", before + bytes([after[0], byte]) + after[1:]


def held(content, places, random):
    """Hold a plan against its mutations; return how many were refused, and how many had no effect.

    Raises what is neither: what was read as another plan, and every error that is no refusal.
    """
    whole, found = read(content), Counter()
    assert Contract(load_schema("plan.v1")).fits(whole)
    for how, changed in mutations(content, places, random):
        if changed == content:
            continue
        try:
            again = read(changed)
        except StaleError as error:
            found["refused" if error.message.startswith("the plan is refused: ") else error.message] += 1
        except Exception as error:
            raise AssertionError(f"{how}: {type(error).__name__}: {error}") from error
        else:
            assert again == whole, how
            assert list(again) == list(whole), how
            found["without effect"] += 1
    return found


def chosen(content, most, random):
    """Return places of a plan: those at its ends and about its names, and others by chance."""
    if most >= len(content):
        return range(len(content))
    named = {content.find(name) + at for name in NAMES for at in range(-1, len(name) + 4)}
    ends = {*range(8), *range(len(content) - 8, len(content))}
    wanted = {place for place in named | ends if 0 <= place < len(content)}
    return sorted(wanted | set(random.sample(range(len(content)), most)))


def seeded(seed):
    return Random(f"bytes of {seed}")
