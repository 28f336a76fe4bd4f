"""A small client for our own command line speaking to our own server: no guard, no proxies from the environment."""

import ssl
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx2


class LocalFailed(Exception):
    """The server refused or does not answer; the text says why."""


class LocalClient:
    """Calls with one API key. `authority` is the certificate of a development CA, where the server has one."""

    def __init__(self, address: str, key: str, authority: Path | None = None) -> None:
        verify = ssl.create_default_context(cafile=str(authority)) if authority else True
        self._client = httpx2.Client(
            base_url=address,
            headers={"Authorization": f"Bearer {key}"},
            trust_env=False,
            timeout=httpx2.Timeout(90, connect=5),
            verify=verify,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._client.close()

    def json(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """A JSON answer. Raises LocalFailed with the server's own words."""
        return self._checked(method, quote(path, safe="/?=&%"), json=body).json()

    def upload(self, path: str, file: Path, content_type: str) -> dict[str, Any]:
        """Send a file as multipart."""
        with file.open("rb") as opened:
            return self._checked("POST", path, files={"file": (file.name, opened, content_type)}).json()

    def download(self, url: str, target: Path) -> None:
        """Save what a link leads to; the target appears complete or not at all. Raises LocalFailed, OSError."""
        part = target.with_name(f".{target.name}.part")
        try:
            with self._client.stream("GET", url) as answer, part.open("wb") as out:
                if answer.status_code != 200:
                    raise LocalFailed(f"The video cannot be read, HTTP {answer.status_code}")
                for piece in answer.iter_raw():
                    out.write(piece)
            part.replace(target)
        except httpx2.TransportError as error:
            raise LocalFailed(f"The download broke off: {error}") from error
        finally:
            part.unlink(missing_ok=True)

    def _checked(self, method: str, path: str, **options: Any) -> httpx2.Response:
        try:
            answer = self._client.request(method, path, **{k: v for k, v in options.items() if v is not None})
        except httpx2.TransportError as error:
            raise LocalFailed(f"The platform at {self._client.base_url} does not answer: {error}") from error
        if answer.status_code >= 400:
            try:
                text = str(answer.json()["error"])
            except (ValueError, KeyError, TypeError):
                text = f"HTTP {answer.status_code}"
            raise LocalFailed(text)
        return answer
