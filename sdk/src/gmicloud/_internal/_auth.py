"""Who we are to the server: an API key, or a login whose two tokens live in memory (and in a file only when asked)."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gmicloud._internal import _answers as answers
from gmicloud._internal import _requests as requests
from gmicloud._internal._json import as_object
from gmicloud._internal._settings import Login, Routes
from gmicloud._internal._step import Answer, Call, Flow, Tell
from gmicloud.errors import AuthenticationError, ConfigurationError

OTP_TRIES = 3
AskOtp = Callable[[], Any]
Exchange = Callable[[Call], Flow[Answer]]


class Credentials:
    """Gives the Authorization header, logging in when needed. Refreshing is done by one caller at a time."""

    def __init__(self, login: Login, routes: Routes, *, otp: AskOtp | None, token_file: Path | None) -> None:
        self._login = login
        self._routes = routes
        self._otp = otp
        self._file = token_file
        self._access = ""
        self._refresh = ""
        if token_file is not None and not login.by_key:
            self._refresh = _load(token_file, login.email)

    @property
    def current(self) -> str:
        """The key or token in use; empty before the first login."""
        return self._login.api_key or self._access

    @property
    def renewable(self) -> bool:
        """Whether a 401 can be answered with a new token."""
        return not self._login.by_key

    def headers(self) -> dict[str, str]:
        """What says who calls, on every call of the API."""
        found = {"Authorization": f"Bearer {self.current}"} if self.current else {}
        if self._login.organization_id:
            found["X-Organization-ID"] = self._login.organization_id
        if not self._login.by_key:
            found["CE-ClientId"] = self._login.client_id or "gmisdk"
        return found

    def clean(self, text: str) -> str:
        """The text without any of our secrets."""
        for secret in (self._login.api_key, self._login.password, self._access, self._refresh):
            if len(secret) > 3:
                text = text.replace(secret, "[secret]")
        return text

    def renew(self, stale: str, exchange: Exchange) -> Flow[None]:
        """Replace the token `stale`: by the refresh token, else by a login. Does nothing if another caller just did.

        Raises AuthenticationError when e-mail, password or one-time code are refused.
        """
        if self._access != stale:
            return
        if self._refresh:
            spent, self._refresh = self._refresh, ""
            try:
                answer = yield from exchange(requests.renew_session(self._routes, spent))
            except AuthenticationError:
                pass  # expired or revoked: the password is still there
            except BaseException:
                self._refresh = spent
                raise
            else:
                self._keep(answer)
                return
        self._keep((yield from self._log_in(exchange)))

    def _log_in(self, exchange: Exchange) -> Flow[Answer]:
        first = yield from exchange(requests.login(self._routes, self._login.email, self._login.password))
        token = answers.read_text(first, "authToken")
        if not answers.read_object(first).get("is2FARequired"):
            return (yield from exchange(requests.open_session(self._routes, token, None)))
        if self._otp is None:
            raise AuthenticationError(
                "this account needs a one-time code: pass otp=, a function that returns it", code="otp_required"
            )
        for _ in range(OTP_TRIES - 1):
            try:
                return (yield from self._with_code(exchange, token))
            except AuthenticationError as error:
                if error.code != "invalid_otp":
                    raise
        return (yield from self._with_code(exchange, token))

    def _with_code(self, exchange: Exchange, token: str) -> Flow[Answer]:
        code = yield Tell(lambda _: self._otp() if self._otp else None)
        return (yield from exchange(requests.open_session(self._routes, token, str(code or "").strip())))

    def _keep(self, answer: Answer) -> None:
        self._access = answers.read_text(answer, "accessToken")
        refresh = answers.read_object(answer).get("refreshToken")
        self._refresh = refresh if isinstance(refresh, str) else ""
        if self._file is not None:
            _save(self._file, self._login.email, self._refresh)


def _load(file: Path, email: str) -> str:
    try:
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise ConfigurationError(f"{file} can be read by others; make it 0600", param="token_file")
        kept = as_object(json.loads(file.read_text("utf-8"))) or {}
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(f"{file} is not a token file of this SDK", param="token_file") from None
    token = kept.get("refresh_token") if kept.get("email") == email else None
    return token if isinstance(token, str) else ""


def _save(file: Path, email: str, token: str) -> None:
    # A temporary file of mode 0600 and a rename, so no reader ever sees half a token or a public one.
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump({"email": email, "refresh_token": token}, out)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
