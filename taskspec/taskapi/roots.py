"""Where a remote's two roots lie, computed from its base URL. Connects to nothing."""

from urllib.parse import SplitResult, urlsplit

from taskspec.errors import UsageError

CONTROLLER = "agent-controller"
CONTROLLER_PORT = 9016
GATEWAY_PORT = 8085
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def roots(base_url: str, organization: str | None) -> tuple[str, str]:
    """Return the REST root and the events root of a base URL (docs/protocol.md, "Two roots").

    An organization that is not set stands in a path as `None`, as the vendor's own client writes it.
    """
    url = _parsed(base_url)
    base = url.geturl()
    rest = f"{base}/{organization}" if _is_controller(url) else base
    return rest, f"{_events_base(url, base)}/{organization}"


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
    return url._replace(path=url.path.rstrip("/"))


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
