"""Where a remote's two roots lie, computed from its base URL. Connects to nothing."""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, quote, urlsplit

from taskspec.errors import UsageError

CONTROLLER = "agent-controller"
CONTROLLER_PORT = 9016
GATEWAY_PORT = 8085
_NAME = re.compile(r"[A-Za-z0-9._-]+")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def roots(base_url: str, organization: str | None) -> tuple[str, str]:
    """Return the REST root and the events root of a base URL (docs/protocol.md, "Two roots").

    An organization that is not set stands in a path as `None`, as the vendor's own client writes it. What a path
    cannot hold is quoted; what is quoted already stays as it is.
    """
    url = _parsed(base_url)
    base = url.geturl()
    segment = _quoted(str(organization), "")
    rest = f"{base}/{segment}" if _is_controller(url) else base
    return rest, f"{_events_base(url, base)}/{segment}"


def is_loopback(url: str) -> bool:
    """Tell whether a URL leads to this machine."""
    return (urlsplit(url).hostname or "") in LOOPBACK


def _parsed(base_url: str) -> SplitResult:
    text = base_url.strip()
    if "://" not in text:
        text = f"https://{text}"
    hint = "Give it as `https://host[:port][/path]`."
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError as error:
        raise UsageError("The remote's base URL cannot be read.", hint=hint) from error
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise UsageError("The remote's base URL is not an http or https address.", hint=hint)
    if url.username or url.password:
        raise UsageError("The remote's base URL holds a user name or password.", hint=hint)
    if url.query or url.fragment:
        raise UsageError("The remote's base URL holds a query or a fragment.", hint=hint)
    try:
        return url._replace(netloc=_netloc(url), path=_quoted(url.path.rstrip("/"), "/"))
    except ValueError as error:
        raise UsageError("The remote's base URL holds a host or a path that cannot be one.", hint=hint) from error


def _netloc(url: SplitResult) -> str:
    """Return the host and port in ASCII; raise ValueError for a host that no name server can know."""
    host = url.hostname or ""
    if "[" in url.netloc:
        ip_address(host)
        return url.netloc
    encoded = host.encode("idna")
    encoded.decode("idna")
    name = encoded.decode()
    if not _NAME.fullmatch(name):
        raise ValueError
    if host.isascii():
        return url.netloc
    return name if url.port is None else f"{name}:{url.port}"


def _quoted(path: str, kept: str) -> str:
    return re.sub("%(?![0-9A-Fa-f]{2})", "%25", quote(path, safe=f"{kept}%:@!$&'()*+,;=~"))


def _is_controller(url: SplitResult) -> bool:
    first_segment = url.path.lstrip("/").partition("/")[0]
    return CONTROLLER in (url.hostname or "") or url.port == CONTROLLER_PORT or first_segment == CONTROLLER


def _events_base(url: SplitResult, base: str) -> str:
    if url.hostname == "inbound.xpander.ai":
        return f"https://{CONTROLLER}.xpander.ai"
    if url.hostname == "inbound.stg.xpander.ai":
        return f"https://{CONTROLLER}.stg.xpander.ai"
    if url.port == GATEWAY_PORT and url.hostname in LOOPBACK:
        return f"http://localhost:{CONTROLLER_PORT}"
    return base
