"""The way to a remote as the environment has it: the proxy, and the certificate authorities. Connects to nothing."""

import os
import ssl
from urllib.parse import urlsplit

from taskspec.errors import UsageError
from taskspec.taskapi.roots import is_loopback


def proxy_of(url: str) -> str | None:
    """Return the proxy that the environment names for a URL; None for this machine and what NO_PROXY excepts."""
    if is_loopback(url):
        return None
    from urllib.request import getproxies_environment, proxy_bypass

    parts, proxies = urlsplit(url), getproxies_environment()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.netloc):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    hint = f"Correct {parts.scheme.upper()}_PROXY or ALL_PROXY, or except the remote in NO_PROXY."
    try:
        scheme, host = urlsplit(proxy).scheme, urlsplit(proxy).hostname
        _ = urlsplit(proxy).port
    except ValueError:
        raise UsageError("The proxy that the environment names cannot be read.", hint=hint) from None
    if scheme not in {"http", "https"} or not host:
        raise UsageError("The proxy that the environment names is not an http or https address.", hint=hint)
    return proxy


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Return a context that trusts `ca_file`, else SSL_CERT_FILE or SSL_CERT_DIR, else the usual authorities."""
    file, folder, name = ca_file, None, "`ca_file`"
    if file is None and (file := os.environ.get("SSL_CERT_FILE") or None):
        name = "SSL_CERT_FILE"
    elif file is None and (folder := os.environ.get("SSL_CERT_DIR") or None):
        name = "SSL_CERT_DIR"
    elif file is None:
        import certifi

        file = certifi.where()
    try:
        context = ssl.create_default_context(cafile=file, capath=folder)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"The certificate authorities of {name} cannot be loaded: {getattr(error, 'strerror', None) or error}.",
            hint="It must be a file of certificates in PEM form.",
        ) from error
    context.set_alpn_protocols(["http/1.1"])
    return context
