"""Styles, scripts, font and icons: read once, compressed once, named by the digest of all of them together."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from rushes.playground.modules import Modules

STATIC = Path(__file__).parent / "static"
FOREVER = "public, max-age=31536000, immutable"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".woff2": "font/woff2"}
_COMPRESSED = (".js", ".css", ".svg")


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its bytes as they are, and compressed where that helps."""

    content_type: str
    plain: bytes
    gzipped: bytes | None


class Assets:
    """Everything below static/. One digest in the path serves all, so modules find each other by relative names."""

    def __init__(self, folder: Path = STATIC) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        self._files = {path.relative_to(folder).as_posix(): _read(path) for path in paths}
        digest = hashlib.sha256()
        for name, asset in self._files.items():
            digest.update(f"{name} {len(asset.plain)} ".encode() + asset.plain)
        self.digest = digest.hexdigest()[:12]
        scripts = {name: asset.plain.decode() for name, asset in self._files.items() if name.endswith(".js")}
        self.modules = Modules(scripts)
        self._icons = {
            Path(name).stem: _drawing(asset.plain.decode())
            for name, asset in self._files.items()
            if name.startswith("vendor/lucide/") and name.endswith(".svg")
        }

    def url(self, name: str) -> str:
        """The address of a file, which changes with any of them. Raises KeyError for a file that is not there."""
        self._files[name]
        return f"/static/{self.digest}/{name}"

    def has(self, name: str) -> bool:
        return name in self._files

    def icon(self, name: str, size: int = 18) -> Markup:
        """A Lucide icon, inline and silent for screen readers: the words beside it say what it means."""
        return Markup(  # noqa: S704 - drawings of our own
            f'<svg class="icon" width="{size}" height="{size}" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
            f'stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">'
            f"{self._icons[name]}</svg>"
        )

    async def serve(self, request: Request) -> Response:
        """GET /static/{digest}/{name}. Under another version's digest the file is sent, but not to be kept."""
        asset = self._files.get(request.path_params["name"])
        if asset is None:
            return Response("not found", 404, media_type="text/plain")
        current = request.path_params["digest"] == self.digest
        headers = {"Cache-Control": FOREVER if current else "no-cache", "X-Content-Type-Options": "nosniff"}
        if asset.gzipped is None:
            return Response(asset.plain, headers=headers, media_type=asset.content_type)
        headers["Vary"] = "Accept-Encoding"
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(
                asset.gzipped, headers={**headers, "Content-Encoding": "gzip"}, media_type=asset.content_type
            )
        return Response(asset.plain, headers=headers, media_type=asset.content_type)


def _read(path: Path) -> Asset:
    plain = path.read_bytes()
    content_type = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"
    small = gzip.compress(plain, 9, mtime=0) if path.suffix in _COMPRESSED else None
    return Asset(content_type, plain, small)


def _drawing(svg: str) -> str:
    """What is inside the <svg> of a Lucide file."""
    inside = svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")]
    return " ".join(inside.split())
