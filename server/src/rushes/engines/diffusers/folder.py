"""A folder of weights, looked at before anything is loaded from it. Free of torch.

Weights come from strangers. Only safetensors and plain configuration are let in: a pickle runs code when it is read, a
Python file when it is imported, and a missing path would be taken for the name of something to fetch.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from rushes.engines.engine import Unsupported

INDEX: Final = "model_index.json"
MAX_INDEX_BYTES: Final = 1 << 20
MAX_FILES: Final = 5000
SAMPLES: Final = 32
SAMPLE_BYTES: Final = 4096

_CLASS: Final = re.compile(r"[A-Z][A-Za-z0-9]{2,80}Pipeline")
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,80}")
_REFUSED: Final = {
    ".py": "Python files would be run",
    ".pyc": "Python files would be run",
    ".bin": "pickled weights run code when they are read",
    ".pt": "pickled weights run code when they are read",
    ".pth": "pickled weights run code when they are read",
    ".ckpt": "pickled weights run code when they are read",
    ".pkl": "pickled weights run code when they are read",
    ".pickle": "pickled weights run code when they are read",
    ".h5": "only safetensors are loaded",
    ".msgpack": "only safetensors are loaded",
}


@dataclass(frozen=True, slots=True)
class WeightsFolder:
    """A folder that passed the checks."""

    path: Path
    class_name: str
    components: Mapping[str, tuple[str, str]]
    """Library and class of each component that is present."""
    bytes: int
    """Size of all files of weights."""
    digest: str
    """Of all names, sizes and configurations, and of samples of the weights: it tells two trainings of one shape apart
    without reading 60 GB."""


def check_folder(path: Path) -> WeightsFolder:
    """Look at a folder that diffusers saved. Raises Unsupported saying what is wrong and what would be right."""
    if not path.is_dir():
        raise Unsupported(f"There is no folder {path}; weights are a local folder, nothing is fetched")
    index = _index(path)
    class_name = index.get("_class_name")
    if not isinstance(class_name, str) or not _CLASS.fullmatch(class_name):
        raise Unsupported(f"{path / INDEX}: _class_name must be the plain name of a pipeline, it is {class_name!r}")
    files = _files(path)
    components = _components(path, index)
    weights = [file for file in files if file.suffix in (".safetensors", ".gguf")]
    if not weights:
        raise Unsupported(f"{path} holds no weights: no safetensors files")
    size = sum(file.stat().st_size for file in weights)
    return WeightsFolder(path, class_name, components, size, _digest(path, files))


def file_digest(file: Path) -> str:
    """A digest of a file's size and of samples spread over it."""
    size = file.stat().st_size
    seen = hashlib.sha256(str(size).encode())
    for part in _samples(file, size):
        seen.update(part)
    return seen.hexdigest()[:16]


def _index(path: Path) -> dict[str, Any]:
    file = path / INDEX
    if not file.is_file():
        raise Unsupported(f"{path} has no {INDEX}; it must be a folder that diffusers saved, not a single checkpoint")
    if file.stat().st_size > MAX_INDEX_BYTES:
        raise Unsupported(f"{file} is larger than {MAX_INDEX_BYTES} bytes")
    try:
        index = json.loads(file.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Unsupported(f"{file} is not JSON: {error}") from error
    if not isinstance(index, dict):
        raise Unsupported(f"{file} must hold an object")
    return cast(dict[str, Any], index)


def _files(path: Path) -> list[Path]:
    """Every file below the folder, sorted. Raises Unsupported for one that could run code."""
    files: list[Path] = []
    for file in path.rglob("*"):
        if not file.is_file():
            continue
        why = _REFUSED.get(file.suffix.lower())
        if why:
            raise Unsupported(f"{file.relative_to(path)} is in the folder of weights, but {why}; remove or convert it")
        files.append(file)
        if len(files) > MAX_FILES:
            raise Unsupported(f"{path} holds more than {MAX_FILES} files; is it a folder of weights?")
    return sorted(files)


def _components(path: Path, index: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """The components of the index. A library is a plain word, never a module path; `loader` judges it further."""
    components: dict[str, tuple[str, str]] = {}
    for name, value in index.items():
        if name.startswith("_") or not isinstance(value, list):
            continue
        pair = cast(list[Any], value)
        if pair == [None, None]:
            continue
        if len(pair) != 2 or not all(isinstance(word, str) and _WORD.fullmatch(word) for word in (name, *pair)):
            raise Unsupported(f"{path / INDEX}: the component {name!r} must name a library and a class, not {pair!r}")
        components[name] = (pair[0], pair[1])
    return components


def _digest(path: Path, files: list[Path]) -> str:
    seen = hashlib.sha256()
    for file in files:
        if file.suffix not in (".safetensors", ".gguf", ".json", ".model", ".txt"):
            continue
        seen.update(f"{file.relative_to(path)}\n{file_digest(file)}\n".encode())
    return seen.hexdigest()[:16]


def _samples(file: Path, size: int) -> Iterator[bytes]:
    """The whole of a small file, else windows spread evenly over it, its beginning and end among them."""
    with file.open("rb") as stream:
        if size <= SAMPLES * SAMPLE_BYTES:
            yield stream.read()
            return
        for number in range(SAMPLES):
            stream.seek((size - SAMPLE_BYTES) * number // (SAMPLES - 1))
            yield stream.read(SAMPLE_BYTES)
