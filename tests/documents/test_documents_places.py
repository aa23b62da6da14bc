"""The places that can keep a state: what names one, what is a secret in it, and how it is printed."""

import pytest

from taskspec.documents.places import Place, PlaceKind, place_of, secret_in, shown


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("local", Place(kind=PlaceKind.LOCAL)),
        ("postgresql://u@db/x", Place(kind=PlaceKind.POSTGRES, url="postgresql://u@db/x")),
        ("postgres:///x?host=/run", Place(kind=PlaceKind.POSTGRES, url="postgres:///x?host=/run")),
        (
            "postgresql://h1,h2/x?name=old%2Dsales&sslmode=require",
            Place(kind=PlaceKind.POSTGRES, url="postgresql://h1,h2/x?sslmode=require", name="old-sales"),
        ),
        (
            "postgresql://u@h1:5432,h2:5433/x?target_session_attrs=read-write",
            Place(kind=PlaceKind.POSTGRES, url="postgresql://u@h1:5432,h2:5433/x?target_session_attrs=read-write"),
        ),
        ("s3://bucket/a/b?name=n", Place(kind=PlaceKind.OBJECTS, url="s3://bucket/a/b", name="n")),
        ("s3://bucket?x=a+b%20c", Place(kind=PlaceKind.OBJECTS, url="s3://bucket?x=a+b%20c")),
        ("https://h:8443/s?name=kept", Place(kind=PlaceKind.HTTP, url="https://h:8443/s?name=kept")),
        ("https://h/s?x=1#old%20name", Place(kind=PlaceKind.HTTP, url="https://h/s?x=1", name="old name")),
        ("http://127.0.0.1:1/s", Place(kind=PlaceKind.HTTP, url="http://127.0.0.1:1/s")),
    ],
)
def test_a_text_names_a_place(text, place):
    assert place_of(text) == place
    assert place_of(place.text) == place


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "must be `local`"),
        ("Local", "must be `local`"),
        ("mysql://x", "must be `local`"),
        ("postgresql:x", "must be `local`"),
        ("s3:///prefix", "must name a bucket"),
        ("s3://key:secret@bucket/x", "no key of S3"),
        ("https:///x", "must name a host"),
        ("http://example.com/s", "everybody on the way"),
        ("https://[::1/s", "no URL"),
        ("https://h:port/s", "no URL"),
        ("postgresql://u:hunter2/x", "no URL"),
        ("postgresql://u@h1:5432,h2:port/x", "no URL"),
        ("s3://b/a b", "a blank"),
        ("s3://b/a\x07", "a blank"),
        ("https://h/s#", "name a project"),
        ("s3://b?name=", "`name` once"),
        ("s3://b?name=a&name=b", "`name` once"),
    ],
)
def test_what_names_none_is_told(text, why):
    with pytest.raises(ValueError, match=why):
        place_of(text)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("local", "local"),
        ("postgresql://u:hunter2@db:1/x?sslmode=require", "postgresql://u:***@db:1/x?sslmode=require"),
        ("postgresql://u:hunter2/x", "***"),
        ("postgresql://db1:5432,db2:5433/x", "postgresql://db1:5432,db2:5433/x"),
        ("http://[::1]:8000/s", "http://[::1]:8000/s"),
        ("postgresql://u@db/x?password=hunter2", "postgresql://u@db/x?password=***"),
        ("postgresql:///x?sslpassword=hunter2&host=/run", "postgresql:///x?sslpassword=***&host=/run"),
        ("https://hunter2@h/x", "https://***@h/x"),
        ("https://u:hunter2@h/x?private_token=hunter2", "https://***@h/x?private_token=***"),
        ("s3://k:hunter2@b/x?aws_secret_access_key=hunter2", "s3://***@b/x?aws_secret_access_key=***"),
        ("s3://b/x?endpoint=https://ann:hunter2@h:9000", "s3://b/x?endpoint=https://***@h:9000"),
        ("s3://b/x?endpoint=https%3A%2F%2Fann%3Ahunter2%40h", "s3://b/x?endpoint=https://***@h"),
        ("https://h/x?api_key=hunter2", "https://h/x?api_key=***"),
        ("postgresql://u:hunter2/x@h/d", "postgresql://***@h/d"),
        ("postgresql://u:2/hunter2@h/d", "postgresql://***@h/d"),
        ("postgresql://u:hunter2?x@h/d?password=hunter2", "postgresql://***@h/d?password=***"),
        ("postgresql://u:hunter2@x@h/d", "postgresql://***@h/d"),
        ("postgresql://u:hunter2", "***"),
        ("https://u:hunter2/x@h/d", "https://***@h/d"),
        ("https://u:hunter2#x@h/d", "https://***@h/d"),
        ("https://u:hunter2[x@h/d", "https://***@h/d"),
        ("https://[hunter2@/", "***"),
        ("s3:hunter2@h/d", "***"),
        ("ann:hunter2@h", "***"),
        ("hunter2@h", "***"),
    ],
)
def test_no_secret_of_a_place_is_printed(text, printed):
    assert shown(text) == printed
    assert "hunter2" not in repr(Place(kind=PlaceKind.HTTP, url=text))


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("local", None),
        ("postgresql://u@db/x?sslmode=verify-full&sslrootcert=/ca.pem&sslkey=/k.pem", None),
        ("s3://b/x?region=eu-central-1", None),
        ("postgresql://u:p@db/x", "a password"),
        ("postgresql://u@db/x?PassWord=p", "the secret `PassWord`"),
        ("https://token@h/x", "a user's name or token"),
        ("s3://b/x?access_key_id=a&secret_access_key=b", "the secret `secret_access_key`"),
        ("s3://b/x?endpoint=https://ann:p@h", "a user's name or password in `endpoint`"),
        ("s3://b/x?endpoint=https://h:9000", None),
        ("https://[", None),
    ],
)
def test_a_secret_of_a_place_is_found(text, secret):
    assert secret_in(text) == secret


@pytest.mark.parametrize("text", ["postgresql://u:a/b@h/d", "postgresql://u:2/b@h/d", "postgresql://u:a@b@h/d"])
def test_a_password_with_signs_of_a_url_names_no_place_and_is_a_secret(text):
    with pytest.raises(ValueError, match="write `/`, `\\?`, `#`, `@` in a password as"):
        place_of(text)
    assert secret_in(text) == "a password"


@pytest.mark.parametrize(
    "text", ["postgresql://u@h1:5432,h2:5433/d", "postgresql://u@[::1]:5432,h2/d", "postgresql:///d"]
)
def test_postgresql_may_be_at_several_hosts_with_their_ports(text):
    assert (place_of(text).url, shown(text)) == (text, text)
