"""Files of variables: what they give, and everything that is wrong with them, each with its place."""

import pytest

from taskspec.documents.supplying import read_values


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(name: str, content: str | bytes):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_values(path)

    return write


def values(supplied):
    return {name: given.value for name, given in supplied.values.items()}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("v.yaml", "region: apac\nquarters: [q1, q2]\ncount: 3\n"),
        ("v.yml", "{region: apac, quarters: [q1, q2], count: 3}"),
        ("v.json", '{\n\t"region": "apac",\n\t"quarters": ["q1", "q2"],\n\t"count": 3\n}\n'),
    ],
)
def test_yaml_and_json_give_values_with_their_types(read, name, content):
    supplied, found = read(name, content)
    assert found == ()
    assert values(supplied) == {"region": "apac", "quarters": ["q1", "q2"], "count": 3}
    assert not supplied.as_texts


def test_a_value_knows_its_place(read):
    supplied, _ = read("v.yaml", "# prod\nregion: apac\n")
    assert str(supplied.values["region"].position) == "v.yaml:2:1"


def test_a_dotenv_file_gives_texts(read):
    supplied, found = read(
        ".env",
        '# comment\n\nregion=apac\nexport count = 3  # three\nquoted=\'a # b\'\nescaped="a\\n\\"b\\""\nempty=\nurl=http://x/#a\n',
    )
    assert found == ()
    assert supplied.as_texts
    assert values(supplied) == {
        "region": "apac",
        "count": "3",
        "quoted": "a # b",
        "escaped": 'a\n"b"',
        "empty": "",
        "url": "http://x/#a",
    }
    assert str(supplied.values["count"].position) == ".env:4:8"


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("v.yaml", "region: [\n", "v.yaml:2:1"),
        ("v.yaml", "a: 1\na: 2\n", "v.yaml:2:1"),
        ("v.yaml", "- a\n", "v.yaml:1:1"),
        ("v.yaml", "a: 1\n---\nb: 1\n", "v.yaml:3:1"),
        ("v.json", '{"a": 1', "v.json:1:1"),
        ("v.toml", "a = 1", "v.toml:1:1"),
        ("x.env", "region\n", "x.env:1:1"),
        ("x.env", "ok=1\nregion='open\n", "x.env:2:8"),
        ("x.env", "a=1\na=2\n", "x.env:2:1"),
        ("x.env", b"\xff=1", "x.env:1:1"),
    ],
)
def test_trouble_is_told_at_its_place(read, name, content, place):
    _, found = read(name, content)
    assert [str(finding.position) for finding in found] == [place]


def test_a_file_that_is_not_there_is_told(tmp_path):
    _, (found,) = read_values(tmp_path / "none.yaml")
    assert "No such file" in found.detail
