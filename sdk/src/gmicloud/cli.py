"""The command `gmicloud`: generate, models, requests, watch, cancel, download."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gmicloud import __version__
from gmicloud._internal._json import as_object
from gmicloud._internal._models import Record
from gmicloud.client import Client
from gmicloud.errors import GmiError, InvalidRequestError, WaitTimeout
from gmicloud.progress import ProgressBars, describe
from gmicloud.wait import finished

EPILOG = """credentials: GMI_API_KEY, or GMI_CLOUD_EMAIL and GMI_CLOUD_PASSWORD; server: GMI_BASE_URL or --base-url
--set: key=text sends text, key:=json sends JSON; a path of a picture, sound or video is uploaded"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted."""
    given = _parser().parse_args(arguments)
    command: Callable[[Client, argparse.Namespace], None] = given.command
    try:
        with Client(base_url=given.base_url) as client:
            command(client, given)
    except (GmiError, FileExistsError) as error:
        _complain(error, as_json=given.json)
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted; a request that was submitted goes on (gmicloud requests)\n")
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader left; there is nobody to complain to
        return 1
    return 0


def _generate(client: Client, given: argparse.Namespace) -> None:
    payload = _payload(given)
    if given.estimate:
        estimate = client.estimate(given.model, payload)
        _show(given, estimate, f"{estimate.usd or 0:g} USD, rendered by {estimate.engine or 'the server'}")
        return
    made = client.submit(given.model, payload)
    if given.no_wait:
        _show(given, made, made.request_id)
        return
    if not given.json:
        sys.stderr.write(f"request {made.request_id}\n")
    bar = ProgressBars().bar(given.model)
    record = finished(client.wait(made, timeout=given.timeout, on_progress=None if given.json else bar))
    if given.output is not None:
        _show(given, record, str(client.download(record, given.output)))
    else:
        _show(given, record, record.video_url or "")


def _models(client: Client, given: argparse.Namespace) -> None:
    if given.model is None:
        models = client.video_manager.get_models()
        lines = [f"{one.model:<40} {one.engine or '-':<10} {one.brief_description}"[:150].rstrip() for one in models]
        _show(given, models, "\n".join(lines))
        return
    card = client.video_manager.get_model_detail(given.model)
    head = f"{card.model}: {card.brief_description}\nprice: {card.price_info.usd:g} USD per {card.price_info.unit}"
    rows = [
        f"  {one.key:<20} {one.type:<8} {'required' if one.required else '':<8} {one.description or one.display_name}"
        for one in card.parameters
    ]
    _show(given, card, "\n".join([head, *rows]))


def _requests(client: Client, given: argparse.Namespace) -> None:
    found = client.video_manager.get_requests(given.model, status=given.status, limit=given.limit)
    _show(given, found, "\n".join(f"{one.request_id}  {one.status:<10}  {one.model}" for one in found))


def _watch(client: Client, given: argparse.Namespace) -> None:
    if given.json:
        for event in client.iter_events(given.request):
            sys.stdout.write(event.model_dump_json(exclude_none=True) + "\n")
            sys.stdout.flush()
        return
    record = client.wait(given.request, timeout=given.timeout, on_progress=ProgressBars().bar(given.request[:8]))
    print(finished(record).video_url or "")


def _cancel(client: Client, given: argparse.Namespace) -> None:
    record = client.cancel(given.request)
    _show(given, record, describe(record))


def _download(client: Client, given: argparse.Namespace) -> None:
    saved = client.download(given.request, given.output, thumbnail=given.thumbnail, overwrite=not given.keep)
    _show(given, {"saved": str(saved)}, str(saved))


def _payload(given: argparse.Namespace) -> dict[str, Any]:
    payload: dict[str, Any] = {}
    if given.payload is not None:
        try:
            text = sys.stdin.read() if given.payload == "-" else Path(given.payload).read_text("utf-8")
            payload = as_object(json.loads(text)) or {}
        except (OSError, ValueError) as error:
            raise InvalidRequestError(f"--payload cannot be read: {error}", param="payload") from None
    for pair in given.set:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip(":"):
            raise InvalidRequestError(f"{pair!r} must look like key=value or key:=json", param="payload")
        try:
            payload[key.removesuffix(":")] = json.loads(value) if key.endswith(":") else value
        except ValueError:
            raise InvalidRequestError(f"the value of {key[:-1]} is not JSON", param=key[:-1]) from None
    if given.prompt is not None:
        payload["prompt"] = given.prompt
    return payload


def _show(given: argparse.Namespace, body: Record | Sequence[Record] | dict[str, str], text: str) -> None:
    if not given.json:
        print(text)
        return
    if isinstance(body, Record):
        plain: Any = body.model_dump(mode="json")
    else:
        plain = body if isinstance(body, dict) else [one.model_dump(mode="json") for one in body]
    print(json.dumps(plain, ensure_ascii=False))


def _complain(error: Exception, *, as_json: bool) -> None:
    if as_json and isinstance(error, GmiError):
        body = {"error": str(error), "code": error.code, "param": error.param, "request_id": error.request_id}
        sys.stderr.write(json.dumps(body, ensure_ascii=False) + "\n")
        return
    sys.stderr.write(f"gmicloud: {error}\n")
    if isinstance(error, WaitTimeout):
        sys.stderr.write(f"gmicloud: see gmicloud watch {error.request_id}\n")


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--base-url", help="the server (default: GMI_BASE_URL)")
    common.add_argument("--json", action="store_true", help="JSON on standard output, nothing else")
    parser = argparse.ArgumentParser(
        prog="gmicloud", description="Make videos.", epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"gmicloud {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Callable[[Client, argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, parents=[common], help=text, description=text)
        sub.set_defaults(command=command)
        return sub

    generate = add("generate", _generate, "submit a request, wait for it, save or print the result")
    generate.add_argument("model")
    generate.add_argument("-p", "--prompt")
    generate.add_argument("-s", "--set", action="append", default=[], metavar="KEY=VALUE", help="a parameter")
    generate.add_argument("--payload", metavar="FILE", help="parameters as a JSON object; - for standard input")
    generate.add_argument("-o", "--output", type=Path, help="save the video there")
    generate.add_argument("--timeout", type=_seconds, default=1800.0, help="seconds to wait (default 1800)")
    generate.add_argument("--no-wait", action="store_true", help="print the request id and leave")
    generate.add_argument("--estimate", action="store_true", help="print the price; submit nothing")
    models = add("models", _models, "list the models, or show one")
    models.add_argument("model", nargs="?")
    requests = add("requests", _requests, "list requests, newest first")
    requests.add_argument("--model")
    requests.add_argument("--status", action="append")
    requests.add_argument("--limit", type=int, default=20)
    watch = add("watch", _watch, "follow a request to its end")
    watch.add_argument("request")
    watch.add_argument("--timeout", type=_seconds, default=1800.0)
    cancel = add("cancel", _cancel, "cancel a request")
    cancel.add_argument("request")
    download = add("download", _download, "save the result of a request")
    download.add_argument("request", help="a request id or a URL")
    download.add_argument("-o", "--output", type=Path)
    download.add_argument("--thumbnail", action="store_true")
    download.add_argument("--keep", action="store_true", help="refuse to overwrite")
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise argparse.ArgumentTypeError("must be a number of seconds above 0")
    return seconds
