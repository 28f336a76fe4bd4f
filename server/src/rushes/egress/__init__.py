"""Calls to addresses that customers name: inputs by URL, webhooks. Nothing else here talks to strangers.

A URL's text decides nothing about where it leads. The name is resolved once, every answer is judged against a list of
our own (ipaddress.is_global differs between Python versions and calls cloud host services global), and exactly the
address that was judged is dialled, under the original name for Host and TLS. Proxies from the environment are not
used, nothing is decoded, and one client per call keeps no cookies and no connections from one customer to the next.

This is one wall. A network policy that keeps the server from private networks is the second.
"""

from rushes.egress.addresses import Network, is_refused
from rushes.egress.answers import Answered, EgressFailed, EgressRefused, Fetched, Posted
from rushes.egress.client import Egress, EgressSettings, Resolver, system_resolver

__all__ = [
    "Answered",
    "Egress",
    "EgressFailed",
    "EgressRefused",
    "EgressSettings",
    "Fetched",
    "Network",
    "Posted",
    "Resolver",
    "is_refused",
    "system_resolver",
]
