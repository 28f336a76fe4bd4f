"""Egress: which addresses and which texts are let through. What servers do to us is in tests/security."""

import pytest
from rushes.egress import Egress, EgressRefused, EgressSettings, is_refused

# fmt: off
REFUSED = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "127.0.0.1",
    "127.255.255.254", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192",
    "192.0.2.7", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.9", "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16", "::", "::1", "::127.0.0.1",
    "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:10::1",
    "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0",
    "fec0::1", "ff02::1",
]
# fmt: on

# fmt: off
ALLOWED = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
    "128.0.0.1", "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
    "223.255.255.255", "168.63.129.15", "168.63.129.17", "2001:200::1", "2001:4860:4860::8888", "2003::1",
    "2606:4700:4700::1111", "2a00:1450:4001:81b::200e",
]
# fmt: on


@pytest.mark.parametrize("address", REFUSED)
def test_special_addresses_are_refused(address: str) -> None:
    assert is_refused(address)


@pytest.mark.parametrize("address", ALLOWED)
def test_public_addresses_and_the_neighbours_of_refused_ones_are_allowed(address: str) -> None:
    assert not is_refused(address)


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "0x7f.1", "2130706433", "1.2.3.4.", " 8.8.8.8"])
def test_what_is_not_an_address_is_refused(text: str) -> None:
    assert is_refused(text)


def test_a_private_network_that_was_named_is_let_through_and_no_other() -> None:
    allowed = EgressSettings.of([80], ["10.1.0.0/16", "fd00::/8"]).allow_private
    assert not is_refused("10.1.2.3", allowed)
    assert not is_refused("fd00::1", allowed)
    assert is_refused("10.2.0.1", allowed)
    assert is_refused("::ffff:10.1.2.3", allowed)


def test_a_setting_that_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="does not appear to be an IPv4 or IPv6 network"):
        EgressSettings.of([80], ["intranet"])


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a.png",
        "https://example.com:443/a.png?x=1#y",
        "HTTPS://EXAMPLE.com:80/",
        "http://8.8.8.8/",
        "http://[2606:4700::1111]/x",
        "https://mañana.example/é.png",
        "https://example.com/a@b.png",
    ],
)
def test_ordinary_urls_pass_the_rules_of_text(url: str) -> None:
    Egress(EgressSettings()).check_url(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "must begin with http"),
        ("example.com/a.png", "must begin with http"),
        ("//example.com/a.png", "must begin with http"),
        ("ftp://example.com/", "must begin with http"),
        ("file:///etc/passwd", "must begin with http"),
        ("gopher://127.0.0.1:80/", "must begin with http"),
        ("http:/example.com", "must begin with http"),
        ("http:///a.png", "must name a host"),
        ("http://user@example.com/", "user name"),
        ("http://user:pass@example.com/", "user name"),
        ("http://@example.com/", "user name"),
        ("http://127.0.0.1%2f@evil.example/", "user name"),
        ("http://evil.example\\@127.0.0.1/", "backslashes"),
        ("http://exa mple.com/", "spaces"),
        ("http://example.com/a\r\nHost: x", "spaces"),
        ("http://example.com/\x00", "control"),
        ("http://example.com/\u202e", "control"),
        ("http://example.com:8080/", "Port 8080 is not allowed, use 80 or 443"),
        ("http://example.com:0x50/", "valid URL"),
        ("http://[fe80::1%25eth0]/", "without %"),
        ("http://%31%32%37.0.0.1/", "without %"),
        ("http://①②⑦.⓪.⓪.①/", "valid URL"),
        ("http://" + "a." * 130 + "example/", "253 characters"),
        ("http://example.com/" + "a" * 4096, "4096 characters"),
        ("http://127.0.0.1/", "not allowed"),
        ("http://127.0.0.1./", "not allowed"),
        ("http://2130706433/", "not allowed"),
        ("http://127.1/", "not allowed"),
        ("http://0/", "not allowed"),
        ("http://127。0。0。1/", "not allowed"),
        ("http://[::1]/", "not allowed"),
        ("http://[::ffff:169.254.169.254]/", "not allowed"),
    ],
)
def test_other_urls_are_refused_with_the_reason(url: str, said: str) -> None:
    with pytest.raises(EgressRefused, match=said):
        Egress(EgressSettings()).check_url(url)


def test_other_ports_can_be_set() -> None:
    egress = Egress(EgressSettings(ports=(8443,)))
    egress.check_url("https://example.com:8443/")
    with pytest.raises(EgressRefused, match="Port 443 is not allowed, use 8443"):
        egress.check_url("https://example.com/")
