"""Fields in words."""

from taskspec.documents.describing import manifest_fields
from taskspec.documents.language import Field, find
from taskspec.report.fields import WIDEST, explained, kind_of, places, presence_of, relevance_of
from taskspec.report.text import Paint

PLAIN = Paint(color=False)
RETRY = find(manifest_fields(), "task.spec.retry")[0]


def field(**more):
    return Field(**{"path": ("task", "spec", "it"), "title": "It", "description": "What it is.", "kinds": (), **more})


def told(shown, **options):
    return "\n".join(explained(shown, PLAIN, **options))


def test_a_field_is_told_with_its_facts_an_example_and_what_stands_below_it():
    text = told(RETRY)
    assert text.startswith("task.spec.retry  map\n  When a further attempt is granted.")
    assert "a change starts a new run  no" in text
    assert "Example\n  retry: {maxAttempts: 3, " in text
    assert "Fields\n  maxAttempts  whole number  default: 1\n      How many attempts" in text


def test_recursion_shows_every_field_below_and_no_descriptions():
    (task,) = find(manifest_fields(), "task")
    text = told(task, recursive=True)
    for below in task.whole:
        assert below.is_slot or f"{below.name}  " in text or below is task
    assert "      maxAttempts  whole number  default: 1" in text
    assert "How many attempts" not in text


def test_what_stands_in_a_list_or_under_free_names_is_told_as_if_it_were_the_fields_own():
    (agents,) = find(manifest_fields(), "project.spec.agents")
    assert "\n  command  list of texts\n" in told(agents)


def test_everything_that_is_known_of_a_field_is_told():
    text = told(
        field(
            kinds=("text", "map"),
            allowed=("a", "1"),
            limits=("not empty",),
            has_default=True,
            default=None,
            secret=True,
            template=True,
            run_relevant="only the names",
            examples=("a", {"b": 1}),
        )
    )
    assert "task.spec.it  text or map" in text
    for fact in ("default", "null"), ("allowed", 'a, "1"'), ("limit", "not empty"), ("template", "may be one single"):
        assert any(line.split()[:1] == [fact[0]] and fact[1] in line for line in text.splitlines()), fact
    assert "secret" in text
    assert "only the names" in text
    assert text.endswith("Examples\n  it: a\n  it: {b: 1}")


def test_a_field_of_which_nothing_is_known_is_any_value():
    assert told(field()) == "task.spec.it  any value\n  What it is."
    assert (kind_of(field()), presence_of(field()), relevance_of(field())) == ("any value", "", "")


def test_what_is_required_has_no_default():
    assert presence_of(field(required=True)) == "required"
    assert presence_of(field(has_default=True, default=False)) == "false"
    assert [relevance_of(field(run_relevant=given)) for given in (True, False)] == ["yes", "no"]


def test_no_line_of_prose_is_wider_than_a_page():
    for root in manifest_fields():
        for shown in root.whole:
            _, *below = explained(shown, PLAIN)  # its path is as long as it is
            prose = [line for line in below if ": " not in line and "limit" not in line]
            assert all(len(line) <= WIDEST for line in prose), shown.written


def test_a_word_of_several_meanings_is_told_with_each_and_its_first_place():
    found = find(manifest_fields(), "name")
    lines = list(places("name", found))
    assert lines[0] == "`name` means 4 things:"
    assert [line.split()[0] for line in lines[1:]] == [
        "task.metadata.name",
        "task.spec.llm.name",
        "project.metadata.name",
        "project.spec.policies[].name",
    ]
