"""Time-based one-time passwords, against the vectors of RFC 4226 and RFC 6238."""

import base64
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from rushes.accounts.totp import code_at, matching_step, new_secret, otpauth_uri

SECRET = base64.b32encode(b"12345678901234567890").decode()
"""The secret of both documents."""


def test_codes_are_those_of_rfc_4226_appendix_d() -> None:
    wanted = "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489"
    assert " ".join(code_at(SECRET, counter) for counter in range(10)) == wanted


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_the_last_six_digits_of_rfc_6238_appendix_b(seconds: int, code: str) -> None:
    assert matching_step(SECRET, code[2:], seconds) == seconds // 30


def test_the_steps_beside_the_present_one_count_and_no_others() -> None:
    now = 1_790_000_010.0
    step = int(now) // 30
    found = [matching_step(SECRET, code_at(SECRET, step + away), now) for away in (-2, -1, 0, 1, 2)]
    assert found == [None, step - 1, step, step + 1, None]


@pytest.mark.parametrize(
    "code", ["", " ", "94287082", "28708", "28708x", "２８７０８２", "-87082", "287082\x00", "é" * 6]
)
def test_anything_else_is_no_code(code: str) -> None:
    assert matching_step(SECRET, code, 59) is None


def test_blanks_do_not_matter() -> None:
    assert matching_step(SECRET, " 287 082\n", 59) == 1


def test_secrets_have_160_bits_and_are_never_the_same() -> None:
    secrets = {new_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert {len(base64.b32decode(secret)) for secret in secrets} == {20}


def test_the_uri_is_what_authenticator_apps_read() -> None:
    uri = urlsplit(otpauth_uri(SECRET, "ann+video@x.test"))
    assert (uri.scheme, uri.netloc, unquote(uri.path)) == ("otpauth", "totp", "/rushes:ann+video@x.test")
    wanted = {"secret": [SECRET], "issuer": ["rushes"], "digits": ["6"], "period": ["30"]}
    assert parse_qs(uri.query) == wanted
