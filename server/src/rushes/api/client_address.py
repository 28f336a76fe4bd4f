"""The address a call came from. X-Forwarded-For is believed only where the operator named the proxy that wrote it."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from starlette.requests import Request


def client_address(request: Request, trusted_proxies: Sequence[str]) -> str:
    """The nearest address that is no trusted proxy.

    Proxies append to X-Forwarded-For, so it is read from its end: whatever stands before the first stranger could
    have been written by anybody.
    """
    peer = request.client.host if request.client else ""
    if not trusted_proxies:
        return peer
    hops = [hop.strip() for line in request.headers.getlist("x-forwarded-for") for hop in line.split(",")]
    for hop in [peer, *reversed(hops)]:
        if not _is_address(hop):
            return peer
        peer = hop
        if not _is_trusted(hop, trusted_proxies):
            return hop
    return peer


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_trusted(address: str, trusted: Sequence[str]) -> bool:
    parsed = ip_address(address)
    return any(parsed in ip_network(network, strict=False) for network in trusted)
