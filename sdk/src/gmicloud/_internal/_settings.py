"""Where the server is and who calls: from arguments, then from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit, urlunsplit

from gmicloud.errors import ConfigurationError, InvalidRequestError

DEFAULT_URL = "https://console.gmicloud.ai"
KEY_PREFIX = "/api/v1/ie/requestqueue/apikey"
LOGIN_PREFIX = "/api/v1/ie/requestqueue"
# Longest first: each is a documented prefix that a base URL may already carry.
PREFIXES = (KEY_PREFIX, LOGIN_PREFIX, "/api/v1/organizations", "/api/v1/apikey", "/api/v1/me", "/api/v1")


@dataclass(frozen=True, slots=True)
class Login:
    """Who calls: an API key, or e-mail and password. Never printed."""

    api_key: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    client_id: str = field(default="", repr=False)
    organization_id: str = ""

    @property
    def by_key(self) -> bool:
        """Whether an API key is used; it beats e-mail and password."""
        return bool(self.api_key)


def read_login(given: Login, environment: Mapping[str, str] | None = None) -> Login:
    """The login to use: arguments beat the environment, and at the same level an API key beats e-mail and password.

    Raises ConfigurationError when there is none or it cannot be sent in a header.
    """
    env = os.environ if environment is None else environment
    client_id = given.client_id or env.get("GMI_CLOUD_CLIENT_ID", "")
    organization = given.organization_id or env.get("GMI_ORG_ID", "")
    api_key, email, password = given.api_key.strip(), given.email, given.password
    if not api_key and not (email and password):
        api_key = "" if email or password else env.get("GMI_API_KEY", "").strip()
        email = email or env.get("GMI_CLOUD_EMAIL", "")
        password = password or env.get("GMI_CLOUD_PASSWORD", "")
    if not api_key and not (email and password):
        raise ConfigurationError(
            "no credentials: give api_key, or set GMI_API_KEY, or give email and password, "
            "or set GMI_CLOUD_EMAIL and GMI_CLOUD_PASSWORD",
            code="no_credentials",
        )
    for name, value in (("api_key", api_key), ("client_id", client_id), ("organization_id", organization)):
        if not value.isascii() or not value.isprintable():
            raise ConfigurationError(f"{name} must be printable ASCII without line breaks", param=name)
    return Login(api_key, "" if api_key else email, "" if api_key else password, client_id, organization)


def read_base_url(given: str | None, environment: Mapping[str, str] | None = None) -> str:
    """The server's root. Any documented prefix at its end is taken off; a path before that is kept (proxies).

    Raises ConfigurationError for anything but a plain http or https URL.
    """
    env = os.environ if environment is None else environment
    text = (given or env.get("GMI_BASE_URL") or DEFAULT_URL).strip()
    try:
        parts = urlsplit(text)
        bad = (
            not text.isprintable()
            or " " in text
            or parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.port == 0
        )
    except ValueError:
        bad, parts = True, urlsplit("")
    if bad or parts.query or parts.fragment:
        raise ConfigurationError("base_url must look like https://host or http://127.0.0.1:8000", param="base_url")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError("base_url must not contain a user name or password", param="base_url")
    path = parts.path.rstrip("/")
    for prefix in PREFIXES:
        if path.endswith(prefix):
            path = path.removesuffix(prefix)
            break
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


@dataclass(frozen=True, slots=True)
class Routes:
    """The addresses of one server, for callers with an API key or with a session."""

    root: str
    by_key: bool

    def queue(self, path: str) -> str:
        """A request-queue route, under the prefix that fits the credential."""
        return f"{self.root}{KEY_PREFIX if self.by_key else LOGIN_PREFIX}{path}"

    def catalogue(self) -> str:
        """The route that lists whole model objects."""
        return f"{self.root}{LOGIN_PREFIX}/models"

    def iam(self, path: str) -> str:
        """An account route."""
        return f"{self.root}/api/v1{path}"

    def model(self, model_id: str) -> str:
        """The route of one model, whose id may hold slashes and spaces."""
        if not model_id or any(part in ("", ".", "..") for part in model_id.split("/")):
            raise InvalidRequestError(
                "model must be a model id such as wan2.7-i2v", code="invalid_request", param="model"
            )
        return self.queue(f"/models/{quote(model_id, safe='/')}")

    def request(self, request_id: str, path: str = "") -> str:
        """The route of one request."""
        if not request_id or request_id in (".", ".."):
            raise InvalidRequestError(
                "request_id must be the id of a request", code="invalid_request", param="request_id"
            )
        return self.queue(f"/requests/{quote(request_id, safe='')}{path}")
