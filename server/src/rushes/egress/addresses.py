"""Which numeric addresses may be called."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network

# The IANA special-purpose registry, multicast, and the last one: Azure's host service, which lies in public space.
# Oracle's lies in 192.0.0.0/24, Alibaba's in 100.64.0.0/10, the other clouds' in 169.254.0.0/16.
# fmt: off
_REFUSED_V4 = tuple(IPv4Network(text) for text in (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
    "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
))
# fmt: on
# Of IPv6 only global unicast is let through at all, so mapped, translated (64:ff9b::), site-local and multicast
# addresses need no line of their own; these are the parts of it that are special or carry an IPv4 address inside.
_GLOBAL_V6 = IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)


def is_refused(address: str, allowed: Iterable[Network] = ()) -> bool:
    """Whether a numeric address may not be called. Anything that does not read as an address is refused."""
    try:
        number: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return True
    if any(number in network for network in allowed):
        return False
    if isinstance(number, IPv4Address):
        return any(number in network for network in _REFUSED_V4)
    return number not in _GLOBAL_V6 or any(number in network for network in _REFUSED_V6)
