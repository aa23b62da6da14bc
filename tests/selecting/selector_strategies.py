"""Selectors and candidates as hypothesis makes them: few names, so that they meet."""

from hypothesis import strategies as st

from taskspec.address import Address
from taskspec.selecting.model import (
    UNBOUNDED,
    Candidate,
    Compared,
    Comparison,
    Judged,
    Labelled,
    Named,
    Selection,
    Term,
    Within,
    quoted,
)
from taskspec.state.model import Verdict

ADDRESSES = [Address(text) for text in ("a", "b", "c", "report[q1]", "report[q2,x]", 'report["a,b"]')]
TEXTS = ["growth", "sales", "a,b", "x y", "[", '"', "1+", ""]
FILES = ["tasks/a.yaml", "tasks/deep/b.yaml", "c.yaml", "odd, name+1.yaml"]

patterns = st.sampled_from([*ADDRESSES, "*", "?", "report", "rep*", "report[*]", "report[q1,*]"])
globs = st.one_of(st.sampled_from(["*", "g*", "?ales", "team"]), st.sampled_from(TEXTS).map(quoted))
criteria = st.one_of(
    st.builds(Named, pattern=patterns),
    st.builds(Labelled, key=st.sampled_from(["team", "t*", '"a=b"']), value=globs),
    st.builds(Within, path=st.sampled_from(["tasks", "**/b.yaml", "*.yaml", quoted(FILES[-1])])),
    st.builds(Compared, comparison=st.sampled_from(Comparison)),
    st.builds(Judged, verdict=st.sampled_from([*Verdict, None])),
)
steps = st.sampled_from([0, 0, 0, 1, 2, UNBOUNDED])
terms = st.builds(Term, criterion=criteria, above=steps, below=steps)
words = st.lists(terms, min_size=1, max_size=3).map(tuple)
unions = st.lists(words, max_size=3).map(tuple)
selections = st.builds(Selection, words=unions, exclude=unions)


@st.composite
def fields(draw):
    """Draw candidates of which some use others: each only those before it."""
    found = []
    for address in draw(st.lists(st.sampled_from(ADDRESSES), unique=True)):
        before = [candidate.address for candidate in found]
        found.append(
            Candidate(
                address=address,
                labels=draw(st.dictionaries(st.sampled_from(["team", "a=b"]), st.sampled_from(TEXTS))),
                files=(draw(st.sampled_from(FILES)),),
                upstream=tuple(draw(st.lists(st.sampled_from([*before, Address("gone")]), unique=True))),
                comparison=draw(st.sampled_from(Comparison)),
                verdict=draw(st.sampled_from([*Verdict, None])),
            )
        )
    return found
