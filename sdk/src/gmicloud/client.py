"""The doors: Client blocks, AsyncClient awaits. Both are tables of the same verbs; the work is in _internal."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from gmicloud._internal import _events as events
from gmicloud._internal import _groups as groups
from gmicloud._internal import _verbs as verbs
from gmicloud._internal._auth import AskOtp, Credentials
from gmicloud._internal._core import Core
from gmicloud._internal._groups import GroupLike, Submission
from gmicloud._internal._models import (
    Estimate,
    GetModelResponse,
    GetRequestResponse,
    Group,
    RequestEvent,
    SubmitRequestRequest,
    SubmitRequestResponse,
    UploadedFile,
)
from gmicloud._internal._requests import SubmitOptions
from gmicloud._internal._retry import Retries
from gmicloud._internal._send import AsyncSender, Sender
from gmicloud._internal._settings import Login, Routes, read_base_url, read_login
from gmicloud.errors import ConfigurationError
from gmicloud.files import Source, download, upload
from gmicloud.wait import DEFAULT_TIMEOUT, OnProgress, RequestLike, wait

if TYPE_CHECKING:
    import httpx2

TIMEOUT = 30.0
Target = str | os.PathLike[str] | None


def _core(
    login: Login, base_url: str | None, max_retries: int, otp: AskOtp | None, token_file: str | os.PathLike[str] | None
) -> Core:
    if max_retries < 0:
        raise ConfigurationError("max_retries must be 0 or more", param="max_retries")
    known = read_login(login)
    routes = Routes(read_base_url(base_url), known.by_key)
    file = Path(token_file) if token_file is not None else None
    return Core(routes, Credentials(known, routes, otp=otp, token_file=file), Retries(max_retries))


def _seconds(timeout: float) -> float:
    if not timeout > 0:
        raise ConfigurationError("timeout must be more than 0 seconds", param="timeout")
    return timeout


class Client:
    """A connection to the service. Making one costs no traffic; the first call logs in where a login is used.

    Arguments beat the environment (GMI_API_KEY, GMI_BASE_URL, GMI_ORG_ID, GMI_CLOUD_CLIENT_ID, GMI_CLOUD_EMAIL,
    GMI_CLOUD_PASSWORD), and an API key beats a login. May be shared between threads. `timeout` is the longest silence
    of the server in seconds; `max_retries` counts repetitions of one call. `otp` is asked for a one-time code when the
    account wants one; `token_file` keeps the login between runs (mode 0600; default: memory only).

    Raises ConfigurationError when there is nothing to log in with.
    """

    def __init__(
        self,
        client_id: str | None = "",
        email: str | None = "",
        password: str | None = "",
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        organization_id: str | None = None,
        timeout: float = TIMEOUT,
        max_retries: int = 4,
        http_client: httpx2.Client | None = None,
        otp: AskOtp | None = None,
        token_file: str | os.PathLike[str] | None = None,
    ) -> None:
        login = Login(api_key or "", email or "", password or "", client_id or "", organization_id or "")
        self._core = _core(login, base_url, max_retries, otp, token_file)
        self._sender = Sender(http_client, _seconds(timeout))
        self.video_manager = VideoManager(self._core, self._sender)

    @property
    def base_url(self) -> str:
        """The server's root."""
        return self._core.routes.root

    def generate(
        self,
        model: str,
        payload: Mapping[str, Any] | None = None,
        /,
        *,
        options: SubmitOptions | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
        on_progress: OnProgress | None = None,
        **parameters: Any,
    ) -> GetRequestResponse:
        """Make a video: submit, wait, and return the record of the success.

        Parameters go in as keywords or as a mapping; local paths, bytes and open files are uploaded where the model
        takes media. Raises RequestFailedError, RequestCancelledError, WaitTimeout, or what `submit` raises.
        """
        merged = {**(payload or {}), **parameters}
        return self._sender.run(verbs.generate(self._core, model, merged, options, timeout, on_progress))

    def submit(
        self,
        model: str,
        payload: Mapping[str, Any] | None = None,
        /,
        *,
        options: SubmitOptions | None = None,
        **parameters: Any,
    ) -> SubmitRequestResponse:
        """Submit a request and return at once. Raises InvalidRequestError (a ValueError) naming what is wrong."""
        return self._sender.run(verbs.submit(self._core, model, {**(payload or {}), **parameters}, options))

    def estimate(
        self,
        model: str,
        payload: Mapping[str, Any] | None = None,
        /,
        *,
        options: SubmitOptions | None = None,
        **parameters: Any,
    ) -> Estimate:
        """Check a request and give its price, without submitting it."""
        return self._sender.run(verbs.estimate(self._core, model, {**(payload or {}), **parameters}, options))

    def wait(
        self,
        request: RequestLike,
        *,
        timeout: float | None = DEFAULT_TIMEOUT,
        on_progress: OnProgress | None = None,
    ) -> GetRequestResponse:
        """Wait until a request is final and return its record, whatever the end. Raises WaitTimeout."""
        return self._sender.run(wait(self._core, request, timeout=timeout, on_progress=on_progress))

    def iter_events(self, request: RequestLike) -> Generator[RequestEvent]:
        """Each event of a request as it happens, the final one last."""
        return self._sender.iterate(events.follow(self._core, request))

    def cancel(self, request: RequestLike) -> GetRequestResponse:
        """Cancel a request. One that finished first comes back as it is: read `status`."""
        return self._sender.run(verbs.cancel(self._core, request))

    def submit_many(
        self,
        submissions: Sequence[Submission],
        *,
        options: SubmitOptions | None = None,
        idempotency_key: str | None = None,
    ) -> Group:
        """Submit up to 1,000 requests as one group: all of them or none.

        Each is a pair of model and payload (with options of its own as a third), or a SubmitRequestRequest; `options`
        are for all of them. Raises InvalidRequestError whose `detail["errors"]` names every fault by its index.
        """
        return self._sender.run(groups.submit_many(self._core, submissions, options, idempotency_key))

    def get_group(self, group: GroupLike) -> Group:
        """How many requests of a group have each status."""
        return self._sender.run(groups.get_group(self._core, group))

    def wait_group(self, group: GroupLike, *, timeout: float | None = DEFAULT_TIMEOUT) -> Group:
        """Wait until every request of a group is final, whatever the end. Raises WaitTimeout."""
        return self._sender.run(groups.wait_group(self._core, group, timeout))

    def cancel_group(self, group: GroupLike) -> Group:
        """Cancel the requests of a group that are not final."""
        return self._sender.run(groups.cancel_group(self._core, group))

    def group_requests(self, group: GroupLike) -> list[GetRequestResponse]:
        """The records of a group's requests, in the order in which they were submitted."""
        return self._sender.run(groups.group_requests(self._core, group))

    def upload(self, source: Source) -> UploadedFile:
        """Send a picture, sound or video; use `public_url` of the answer in a payload."""
        return self._sender.run(upload(self._core, source))

    def download(
        self, source: RequestLike, target: Target = None, *, thumbnail: bool = False, overwrite: bool = True
    ) -> Path:
        """Save the video (or thumbnail) of a request, or a URL, and return the path. Complete or not at all."""
        flow = download(self._core, source, target, thumbnail=thumbnail, overwrite=overwrite)
        return self._sender.run(flow)

    def close(self) -> None:
        """Close the connections. The client may be used again."""
        self._sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client(base_url={self.base_url!r})"


class VideoManager:
    """The documented verbs."""

    def __init__(self, core: Core, sender: Sender) -> None:
        self._core = core
        self._sender = sender

    def get_models(self) -> list[GetModelResponse]:
        """Every model with its details."""
        return self._sender.run(verbs.get_models(self._core))

    def get_model_detail(self, model_id: str) -> GetModelResponse:
        """One model: parameters, price, what renders it. Raises NotFoundError with suggestions."""
        return self._sender.run(verbs.get_model_detail(self._core, model_id))

    def create_request(self, request: SubmitRequestRequest) -> SubmitRequestResponse:
        """Submit a request. Raises InvalidRequestError (a ValueError) naming what is wrong."""
        return self._sender.run(verbs.create_request(self._core, request))

    def get_request_detail(self, request_id: str) -> GetRequestResponse | None:
        """The record of a request, or None for an unknown id."""
        return self._sender.run(verbs.get_request_detail(self._core, request_id))

    def get_requests(
        self,
        model_id: str | None = None,
        *,
        status: str | Sequence[str] | None = None,
        limit: int | None = None,
    ) -> list[GetRequestResponse]:
        """All requests of a model (or of all), newest first."""
        return self._sender.run(verbs.get_requests(self._core, model_id, status, limit))


class AsyncClient:
    """As Client, for one event loop: every verb is awaited, `iter_events` is looped over with `async for`."""

    def __init__(
        self,
        client_id: str | None = "",
        email: str | None = "",
        password: str | None = "",
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        organization_id: str | None = None,
        timeout: float = TIMEOUT,
        max_retries: int = 4,
        http_client: httpx2.AsyncClient | None = None,
        otp: AskOtp | None = None,
        token_file: str | os.PathLike[str] | None = None,
    ) -> None:
        login = Login(api_key or "", email or "", password or "", client_id or "", organization_id or "")
        self._core = _core(login, base_url, max_retries, otp, token_file)
        self._sender = AsyncSender(http_client, _seconds(timeout))
        self.video_manager = AsyncVideoManager(self._core, self._sender)

    @property
    def base_url(self) -> str:
        """The server's root."""
        return self._core.routes.root

    async def generate(
        self,
        model: str,
        payload: Mapping[str, Any] | None = None,
        /,
        *,
        options: SubmitOptions | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
        on_progress: OnProgress | None = None,
        **parameters: Any,
    ) -> GetRequestResponse:
        """As Client.generate; `on_progress` may be async."""
        merged = {**(payload or {}), **parameters}
        return await self._sender.run(verbs.generate(self._core, model, merged, options, timeout, on_progress))

    async def submit(
        self,
        model: str,
        payload: Mapping[str, Any] | None = None,
        /,
        *,
        options: SubmitOptions | None = None,
        **parameters: Any,
    ) -> SubmitRequestResponse:
        """As Client.submit."""
        return await self._sender.run(verbs.submit(self._core, model, {**(payload or {}), **parameters}, options))

    async def estimate(
        self,
        model: str,
        payload: Mapping[str, Any] | None = None,
        /,
        *,
        options: SubmitOptions | None = None,
        **parameters: Any,
    ) -> Estimate:
        """As Client.estimate."""
        return await self._sender.run(verbs.estimate(self._core, model, {**(payload or {}), **parameters}, options))

    async def wait(
        self,
        request: RequestLike,
        *,
        timeout: float | None = DEFAULT_TIMEOUT,
        on_progress: OnProgress | None = None,
    ) -> GetRequestResponse:
        """As Client.wait; `on_progress` may be async."""
        return await self._sender.run(wait(self._core, request, timeout=timeout, on_progress=on_progress))

    def iter_events(self, request: RequestLike) -> AsyncGenerator[RequestEvent]:
        """As Client.iter_events, for `async for`."""
        return self._sender.iterate(events.follow(self._core, request))

    async def cancel(self, request: RequestLike) -> GetRequestResponse:
        """As Client.cancel."""
        return await self._sender.run(verbs.cancel(self._core, request))

    async def submit_many(
        self,
        submissions: Sequence[Submission],
        *,
        options: SubmitOptions | None = None,
        idempotency_key: str | None = None,
    ) -> Group:
        """As Client.submit_many."""
        return await self._sender.run(groups.submit_many(self._core, submissions, options, idempotency_key))

    async def get_group(self, group: GroupLike) -> Group:
        """As Client.get_group."""
        return await self._sender.run(groups.get_group(self._core, group))

    async def wait_group(self, group: GroupLike, *, timeout: float | None = DEFAULT_TIMEOUT) -> Group:
        """As Client.wait_group."""
        return await self._sender.run(groups.wait_group(self._core, group, timeout))

    async def cancel_group(self, group: GroupLike) -> Group:
        """As Client.cancel_group."""
        return await self._sender.run(groups.cancel_group(self._core, group))

    async def group_requests(self, group: GroupLike) -> list[GetRequestResponse]:
        """As Client.group_requests."""
        return await self._sender.run(groups.group_requests(self._core, group))

    async def upload(self, source: Source) -> UploadedFile:
        """As Client.upload."""
        return await self._sender.run(upload(self._core, source))

    async def download(
        self, source: RequestLike, target: Target = None, *, thumbnail: bool = False, overwrite: bool = True
    ) -> Path:
        """As Client.download."""
        flow = download(self._core, source, target, thumbnail=thumbnail, overwrite=overwrite)
        return await self._sender.run(flow)

    async def close(self) -> None:
        """Close the connections. The client may be used again."""
        await self._sender.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncClient(base_url={self.base_url!r})"


class AsyncVideoManager:
    """The documented verbs, awaited."""

    def __init__(self, core: Core, sender: AsyncSender) -> None:
        self._core = core
        self._sender = sender

    async def get_models(self) -> list[GetModelResponse]:
        """As VideoManager.get_models."""
        return await self._sender.run(verbs.get_models(self._core))

    async def get_model_detail(self, model_id: str) -> GetModelResponse:
        """As VideoManager.get_model_detail."""
        return await self._sender.run(verbs.get_model_detail(self._core, model_id))

    async def create_request(self, request: SubmitRequestRequest) -> SubmitRequestResponse:
        """As VideoManager.create_request."""
        return await self._sender.run(verbs.create_request(self._core, request))

    async def get_request_detail(self, request_id: str) -> GetRequestResponse | None:
        """As VideoManager.get_request_detail."""
        return await self._sender.run(verbs.get_request_detail(self._core, request_id))

    async def get_requests(
        self,
        model_id: str | None = None,
        *,
        status: str | Sequence[str] | None = None,
        limit: int | None = None,
    ) -> list[GetRequestResponse]:
        """As VideoManager.get_requests."""
        return await self._sender.run(verbs.get_requests(self._core, model_id, status, limit))
