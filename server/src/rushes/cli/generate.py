"""`rushes generate`: submit to the running platform by its public API, wait with a progress bar, save."""

import json
import mimetypes
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from rushes.cli.failure import CommandFailed
from rushes.cli.running import running
from rushes.domain.request import FINAL
from rushes.local_client import LocalClient, LocalFailed

QUEUE = "/api/v1/ie/requestqueue/apikey"
LOOK_SECONDS = 1
MEDIA = frozenset({"image", "audio", "video"})


def run_generate(
    data: Path, model: str, prompt: str | None, image: str | None, parameters: list[str], output: Path | None
) -> None:
    """Raises CommandFailed with what the server said."""
    platform = running(data)
    if platform.api_key is None:
        raise CommandFailed(
            f"There is no key in {data / 'api-key'}. Make one: rushes keys create --name me --data {data}"
        )
    try:
        with LocalClient(platform.address, platform.api_key, platform.authority) as client:
            _generate(client, model, prompt, image, parameters, output)
    except LocalFailed as error:
        raise CommandFailed(str(error)) from error
    except KeyboardInterrupt:
        raise CommandFailed("Stopped waiting; the request goes on. rushes generate does not cancel") from None


def _generate(
    client: LocalClient,
    model: str,
    prompt: str | None,
    image: str | None,
    parameters: list[str],
    output: Path | None,
) -> None:
    card = client.json("GET", f"{QUEUE}/models/{model}")
    payload = _payload(client, card, prompt, image, parameters)
    submitted = client.json("POST", f"{QUEUE}/requests", body={"model": card["model"], "payload": payload})
    console = Console(stderr=True)
    warnings: list[str] = submitted.get("warnings") or []
    for warning in warnings:
        console.print(f"note: {warning}", markup=False)
    record = _awaited(client, submitted["request_id"], console)
    if record["status"] != "success":
        raise CommandFailed(f"The request {record['request_id']} is {record['status']}: {record['error']}")
    target = output or Path(f"{record['request_id']}.mp4")
    try:
        client.download(record["outcome"]["video_url"], target)
    except OSError as error:
        raise CommandFailed(f"{target} cannot be written: {error.strerror or error}") from error
    made = record["outcome"]["media_urls"][0]
    engine = "animatic, a drawn storyboard without weights" if record["engine"] == "animatic" else record["engine"]
    console.print(
        f"{made['width']}x{made['height']}, {made['duration_seconds']:g} s, {made['size_bytes'] / 1e6:.1f} MB,"
        f" engine {engine}, seed {record['seed']}",
        markup=False,
    )
    sys.stdout.write(f"{target}\n")


def _payload(
    client: LocalClient, card: dict[str, Any], prompt: str | None, image: str | None, parameters: list[str]
) -> dict[str, Any]:
    """What the options say, under the model's own names; local files of media parameters are uploaded."""
    by_name = {parameter["name"]: parameter for parameter in card["parameters"]}
    payload: dict[str, Any] = {}
    if prompt is not None:
        payload["prompt"] = prompt
    if image is not None:
        name = next((p["name"] for p in card["parameters"] if p["type"] == "image"), None)
        if name is None:
            raise CommandFailed(f"{card['model']} takes no picture")
        payload[name] = image
    for text in parameters:
        key, separator, value = text.partition("=")
        if not separator or not key:
            raise CommandFailed(f"-p takes key=value, got {text!r}")
        payload[key] = _value(value, by_name.get(key))
    for name, value in payload.items():
        kind = by_name.get(name, {}).get("type")
        if kind in MEDIA and isinstance(value, str) and not value.startswith(("http://", "https://", "data:")):
            payload[name] = _uploaded(client, Path(value))
    return payload


def _value(text: str, parameter: dict[str, Any] | None) -> Any:
    """Text stays text where the parameter is text or media; else JSON where it is JSON."""
    if parameter is not None and parameter["type"] in ("string", "enum", *MEDIA):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _uploaded(client: LocalClient, file: Path) -> str:
    if not file.is_file():
        raise CommandFailed(f"{file} is not a file")
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return client.upload(f"{QUEUE}/files", file, kind)["public_url"]


def _awaited(client: LocalClient, request_id: str, console: Console) -> dict[str, Any]:
    """The final record; meanwhile a bar with stage and queue position."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=not console.is_terminal) as bar:
        task = bar.add_task("queued", total=100)
        while True:
            record = client.json("GET", f"{QUEUE}/requests/{request_id}?wait={LOOK_SECONDS}")
            bar.update(task, description=_stage(record), completed=record["progress"])
            if record["status"] in FINAL:
                return record


def _stage(record: dict[str, Any]) -> str:
    if record["status"] == "queued" and record["queue_position"] is not None:
        return f"queued, {record['queue_position']} ahead"
    return record["stage"] or record["status"]
