"""Templates read, include and import the project's own texts, and nothing else; what they read is known afterwards."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from taskspec.desired.including import MAX_PROJECT_TEXT, ProjectTexts
from taskspec.desired.rendering import MAX_INCLUDES, Renderer
from taskspec.desired.sandbox import Sandbox
from taskspec.desired.scope import Names, WrongTemplateError

NAMES: dict[str, Any] = {"vars": Names({"region": "emea", "tone": "dry", "l": ["a", "b"]}, path="vars")}
STYLE = b"""{% macro heading(text, level=2) -%}
{{ '#' * level }} {{ text }}
{%- endmacro %}
{% macro seen() %}{{ vars.region }}{% endmacro %}
{% macro readme() %}{{ file('tone.md') }}{% endmacro %}
{% macro framed() %}<{{ caller('x') }}>{% endmacro %}
{% set sign = 'T.' %}
"""


@pytest.fixture
def texts(workshop: Any, written: Any) -> ProjectTexts:
    written("tone.md", b"Be {{ vars.tone }}.\n")
    written("parts/item.md", b"{{ loop.index }}{{ item }}{% set inner = 1 %}")
    written("macros/style.md", STYLE)
    written(
        "macros/deep/er.md", b"{% from 'style.md' import heading %}{% macro top(x) %}{{ heading(x, 1) }}{% endmacro %}"
    )
    return ProjectTexts(workshop.folder)


@pytest.fixture
def renderer(texts: ProjectTexts) -> Renderer:
    return Renderer(None, texts)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ file('tone.md') }}", "Be {{ vars.tone }}.\n"),
        ("a {{ file('./parts/../tone.md') | trim }}", "a Be {{ vars.tone }}."),
        ("{{ file('to' ~ 'ne.md') | length }}", 20),
        ("{% include 'tone.md' %}", "Be dry."),
        ("{% include 'tone.md' %}\nx", "Be dry.\nx"),
        ("{% include 'to' ~ 'ne.md' %}", "Be dry."),
        ("{% for item in vars.l %}{% include 'parts/item.md' %}{% endfor %}", "1a2b"),
        ("{% set item = 3 %}{% include 'tone.md' %}{{ inner is defined }}", "Be dry.False"),
        ("{% from 'style.md' import heading %}{{ heading('A') }}", "## A"),
        ("{% from 'style.md' import heading as h %}{{ h('A', level=1) }}", "# A"),
        ("{% import 'style.md' as style %}{{ style.heading('A') }} {{ style.sign }}", "## A T."),
        ("{% import 'deep/er.md' as deep %}{{ deep.top('A') }}", "# A"),
        ("{% from 'style.md' import seen with context %}{{ seen() }}", "emea"),
        ("{% from 'style.md' import readme %}{{ readme() }}", "Be {{ vars.tone }}.\n"),
        ("{% from 'style.md' import framed %}{% call(x) framed() %}{{ x }}y{% endcall %}", "<xy>"),
        ("{% macro m(a, b='c') %}{{ a }}{{ b }}{{ varargs }}{% endmacro %}{{ m(1, 2, 3) }}", "12(3,)"),
        ("{% macro m() %}x{% endmacro %}{{ m() }}", "x"),
        ("{% macro fall(n) %}{{ n }}{% if n %}{{ fall(n - 1) }}{% endif %}{% endmacro %}{{ fall(3) }}", "3210"),
        ("{% set x %}a{{ vars.tone }}{% endset %}{{ x | upper }}", "ADRY"),
        ("{% filter upper | indent(2) %}a\nb{% endfilter %}", "A\n  B"),
    ],
)  # fmt: skip
def test_a_template_uses_the_texts_of_its_project(renderer: Renderer, text: str, value: Any) -> None:
    assert renderer.render(text, NAMES) == value
    assert renderer.render(text, NAMES) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{% from 'style.md' import seen %}{{ seen() }}", "A macro that is imported does not see `vars`."),
        ("{% from 'style.md' import hading %}{{ hading('A') }}", "`macros/style.md` has no macro `hading`."),
        (
            "{% import 'style.md' as style %}{{ style.hading('A') }}",
            "has no macro `hading`. Did you mean `heading`?",
        ),
        ("{% import 'style.md' as style %}{{ style }}", "`macros/style.md` stands for its macros."),
        ("{% from 'style.md' import heading %}{{ heading }}", "`heading` is a macro. Call it: `heading(…)`."),
        ("{% from 'style.md' import heading %}{{ heading('A', 1, 2) }}", "takes at most 2 arguments"),
        ("{% from 'tone.md' import x %}", "There is no file `macros/tone.md`."),
        ("{% from 'stile.md' import x %}", "Did you mean `macros/style.md`?"),
        ("{% from 'macros/style.md' import heading %}", "write `style.md`."),
        ("{% from '../tone.md' import heading %}", "is outside the folder `macros`"),
        ("{% include 'tonne.md' %}", "There is no file `tonne.md`. Did you mean `tone.md`?"),
        ("{% include 'parts' %}", "`parts` is not a regular file."),
        ("{% include 'tone.md/x' %}", "There is no file `tone.md/x`."),
        ("{% include '/etc/passwd' %}", "`/etc/passwd` is outside the project folder."),
        ("{{ file('../x') }}", "`../x` is outside the project folder."),
        ("{{ file('x' * 5000) }}", "cannot be read: File name too long."),
        ("{{ file('a\\udc80') }}", "There is no file `a\\udc80`."),
        ("{{ vars['\\udc80'] }}", "`vars.\\udc80` is not declared."),
        ("{{ file(1) }}", "The path of a file is a text."),
        ("{{ file(nope) }}", "`nope` is not known here."),
        ("{% include nope %}", "`nope` is not known here."),
        ("{% include vars.l %}", "The path of a file is a text."),
        ("{{ file() }}", "`file` lacks an argument: `path`."),
        ("{{ fil('tone.md') }}", "`fil` is not known here."),
    ],
)
def test_what_is_not_there_is_explained(renderer: Renderer, text: str, words: str) -> None:
    with pytest.raises(WrongTemplateError) as caught:
        renderer.render(text, NAMES)
    assert words in f"{caught.value.detail} {caught.value.hint}"
    assert "taskspec" not in caught.value.detail


def test_a_circle_is_named(renderer: Renderer, written: Any) -> None:
    written("a.md", b"{% if true %}\n{% include 'b.md' %}{% endif %}")
    written("b.md", b"{% include './c.md' %}")
    written("c.md", b"{% include 'a.md' %}")
    with pytest.raises(WrongTemplateError, match=r"A file includes itself: a\.md → b\.md → c\.md → a\.md\.") as caught:
        renderer.render("x\n{% include 'a.md' %}", NAMES)
    assert (caught.value.file, caught.value.line, caught.value.entry_line) == ("c.md", 1, 2)


def test_a_circle_through_macros_is_named(renderer: Renderer, written: Any) -> None:
    written("macros/a.md", b"{% import 'b.md' as b %}")
    written("macros/b.md", b"{% import 'a.md' as a %}")
    with pytest.raises(WrongTemplateError, match=r"macros/a\.md → macros/b\.md → macros/a\.md"):
        renderer.render("{% import 'a.md' as a %}", NAMES)


def test_files_include_each_other_so_deep_and_no_deeper(renderer: Renderer, written: Any) -> None:
    for depth in range(MAX_INCLUDES + 1):
        written(f"d{depth}.md", b"{%% include 'd%d.md' %%}" % (depth - 1) if depth else b"end")
    assert renderer.render(f"{{% include 'd{MAX_INCLUDES - 1}.md' %}}", NAMES) == "end"
    with pytest.raises(WrongTemplateError, match="more than 20 deep"):
        renderer.render(f"{{% include 'd{MAX_INCLUDES}.md' %}}", NAMES)


def test_line_breaks_of_windows_and_a_byte_order_mark_make_no_difference(texts: ProjectTexts, written: Any) -> None:
    written("crlf.md", b"\xef\xbb\xbfa\r\nb\rc\r\n")
    assert texts.text("crlf.md").text == "a\nb\rc\n"


def test_what_was_read_is_known_by_path_and_digest(texts: ProjectTexts, renderer: Renderer) -> None:
    assert texts.read == {}
    renderer.render("{{ file('./tone.md') }}{% from 'style.md' import heading %}", NAMES)
    digests = {"tone.md": b"Be {{ vars.tone }}.\n", "macros/style.md": STYLE}
    assert texts.read == {path: hashlib.sha256(content).hexdigest() for path, content in digests.items()}


def test_a_file_is_read_once(texts: ProjectTexts, renderer: Renderer, written: Any) -> None:
    first = renderer.render("{{ file('tone.md') }}", NAMES)
    written("tone.md", b"changed")
    assert renderer.render("x{{ file('tone.md') }}", NAMES) == f"x{first}"


def test_a_file_that_is_no_text_is_refused_with_its_line(texts: ProjectTexts, written: Any) -> None:
    written("latin.md", b"a\nb\xe4\n")
    with pytest.raises(WrongTemplateError, match=r"`latin\.md` is not UTF-8: line 2\."):
        texts.text("latin.md")


def test_a_file_that_is_too_large_is_refused(texts: ProjectTexts, written: Any) -> None:
    written("large.md", b"x" * MAX_PROJECT_TEXT)
    assert len(texts.text("large.md").text) == MAX_PROJECT_TEXT
    written("larger.md", b"x" * (MAX_PROJECT_TEXT + 1))
    with pytest.raises(WrongTemplateError, match=r"`larger\.md` is larger than 1 MB\."):
        texts.text("larger.md")


def test_links_within_the_project_are_followed_and_others_are_not(
    texts: ProjectTexts, tmp_path: Path, workshop: Any
) -> None:
    (tmp_path / "secret.md").write_text("SECRET")
    (workshop.folder / "in.md").symlink_to("tone.md")
    (workshop.folder / "out.md").symlink_to(tmp_path / "secret.md")
    (workshop.folder / "up").symlink_to(tmp_path)
    (workshop.folder / "macros" / "out.md").symlink_to(tmp_path / "secret.md")
    (workshop.folder / "self.md").symlink_to("self.md")
    assert texts.text("in.md").text == "Be {{ vars.tone }}.\n"
    for entry in ["out.md", "up/secret.md", "macros/out.md"]:
        with pytest.raises(WrongTemplateError, match="leads out of the project folder"):
            texts.text(entry)
    with pytest.raises(WrongTemplateError, match=r"`self\.md` cannot be read"):
        texts.text("self.md")


def test_a_fifo_is_refused_without_waiting(texts: ProjectTexts, workshop: Any) -> None:
    import os

    os.mkfifo(workshop.folder / "pipe")
    with pytest.raises(WrongTemplateError, match="`pipe` is not a regular file"):
        texts.text("pipe")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/stdin", "/proc/self/environ"])
def test_a_device_is_refused(texts: ProjectTexts, device: str, workshop: Any) -> None:
    (workshop.folder / "device").symlink_to(device)
    with pytest.raises(WrongTemplateError):
        texts.text("device")


def test_what_was_compiled_serves_included_files_and_macros_too(
    texts: ProjectTexts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: Any
) -> None:
    text = "{% from 'style.md' import heading %}{{ heading('A') }} {% include 'tone.md' %}"

    def rendered() -> tuple[Any, int]:
        seen: list[Any] = []
        compile_really = Sandbox.compile
        with monkeypatch.context() as patched:
            patched.setattr(Sandbox, "compile", lambda self, *a, **k: seen.append(a) or compile_really(self, *a, **k))
            renderer = Renderer(tmp_path / "cache", ProjectTexts(texts._place))
            found = renderer.render(text, NAMES)
            renderer.close()
        return found, len(seen)

    assert rendered() == ("## A Be dry.", 3)
    assert rendered() == ("## A Be dry.", 0)
    written("tone.md", b"Be brief.")
    assert rendered() == ("## A Be brief.", 1)


def test_the_same_text_as_a_manifests_and_as_an_included_file_is_not_confused(
    texts: ProjectTexts, tmp_path: Path, written: Any
) -> None:
    written("one.md", b"{{ vars.l }}")
    for _ in range(2):
        renderer = Renderer(tmp_path / "cache", texts)
        assert renderer.render("{{ vars.l }}", NAMES) == ["a", "b"]
        assert renderer.render("{% include 'one.md' %}", NAMES) == "['a', 'b']"
        renderer.close()


def test_a_macro_keeps_nothing_for_the_next_rendering(renderer: Renderer) -> None:
    text = "{% from 'style.md' import seen with context %}{{ seen() }}"
    other = {"vars": Names({"region": "apac"}, path="vars")}
    assert [renderer.render(text, NAMES), renderer.render(text, other)] == ["emea", "apac"]


def test_an_included_file_counts_for_the_fingerprint(workshop: Any, written: Any) -> None:
    fields = "prompt: \"{{ file('a.md') }}{% include 'b.md' %}\""

    def fingerprint() -> str:
        return str(workshop.spec(fields).task.fingerprint)

    written("a.md", b"one")
    written("b.md", b"two")
    before = fingerprint()
    assert fingerprint() == before
    written("b.md", b"two\r\n")
    assert fingerprint() == before
    written("b.md", b"three")
    assert fingerprint() != before


def test_what_a_file_gives_is_not_rendered_again(workshop: Any, written: Any) -> None:
    written("a.md", b"{{ vars.nope }} {% include 'b.md' %}")
    assert (
        workshop.spec("prompt: \"{{ file('a.md') }}!\"").task.spec["prompt"] == "{{ vars.nope }} {% include 'b.md' %}!"
    )


@pytest.mark.parametrize("folder", [".git", ".GIT", "inner/.git", ".taskspec"])
def test_what_git_and_taskspec_keep_is_no_file_of_the_project(
    texts: ProjectTexts, written: Any, folder: str, workshop: Any
) -> None:
    written(f"{folder}/config", b"AUTHORIZATION: basic canary")
    (workshop.folder / "named.md").symlink_to(f"{folder}/config")
    for entry in [f"{folder}/config", "named.md"]:
        with pytest.raises(WrongTemplateError, match="read by no manifest"):
            texts.text(entry)
    written("macros/.github/words.md", b"fine")
    assert texts.text("macros/.github/words.md").text == "fine"
