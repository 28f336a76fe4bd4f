"""YAML read into a tree that remembers its lines, so that a fault in a card can name the place.

Plain data only: no tags, no duplicate keys, and a limit on nodes, because anchors can make a small file huge.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import yaml

MAX_NODES: Final = 100_000
MAX_DEPTH: Final = 30
MAX_BYTES: Final = 1_000_000

_PLAIN_TAGS: Final = {
    f"tag:yaml.org,2002:{kind}"
    for kind in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "seq", "map")
}
_CONSTANTS: Final[dict[str, Any]] = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER: Final = re.compile(r"[-+]?\d{1,30}", re.ASCII)
_FLOAT: Final = re.compile(r"[-+]?\d{1,30}(\.\d{1,30})?([eE][-+]?\d{1,3})?", re.ASCII)

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class CardFault:
    """One thing wrong with a card file."""

    file: str
    line: int
    """From 1; 0 where the whole file is meant."""
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}" if self.line else f"{self.file}: {self.reason}"


class CatalogError(Exception):
    """Card files that cannot be used, with every fault that was found."""

    def __init__(self, faults: list[CardFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in faults))


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its line. A mapping holds Nodes by key, a list holds Nodes, anything else is the plain value."""

    value: Any
    line: int
    lines: dict[str, int] = field(default_factory=dict[str, int])
    """The lines of a mapping's keys."""

    @property
    def mapping(self) -> dict[str, "Node"] | None:
        return cast("dict[str, Node]", self.value) if isinstance(self.value, dict) else None

    @property
    def items(self) -> list["Node"] | None:
        return cast("list[Node]", self.value) if isinstance(self.value, list) else None

    def plain(self) -> Any:
        """The value without lines."""
        if (mapping := self.mapping) is not None:
            return {key: node.plain() for key, node in mapping.items()}
        if (items := self.items) is not None:
            return [node.plain() for node in items]
        return self.value


def read_tree(path: Path) -> Node:
    """The tree of one file. Raises CatalogError."""
    try:
        data = path.read_bytes()
        text = data.decode()
    except OSError as error:
        raise CatalogError([CardFault(str(path), 0, f"cannot be read: {error.strerror or error}")]) from error
    except UnicodeDecodeError as error:
        raise CatalogError([CardFault(str(path), 0, "is not UTF-8 text")]) from error
    if len(data) > MAX_BYTES:
        raise CatalogError([CardFault(str(path), 0, f"is larger than {MAX_BYTES} bytes")])
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise CatalogError([CardFault(str(path), line, f"is not YAML: {error.problem or 'unreadable'}")]) from error
    except yaml.YAMLError as error:
        raise CatalogError([CardFault(str(path), 0, f"is not YAML: {error}")]) from error
    if root is None:
        raise CatalogError([CardFault(str(path), 1, "is empty")])
    return _Reader(str(path)).read(root)


class _Reader:
    """Turns one composed document into Nodes."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.nodes = 0
        self.depth = 0

    def read(self, node: yaml.Node) -> Node:
        line = node.start_mark.line + 1
        self.nodes += 1
        self.depth += 1
        if self.nodes > MAX_NODES or self.depth > MAX_DEPTH:
            raise CatalogError([CardFault(self.file, line, f"has over {MAX_NODES} values or {MAX_DEPTH} levels")])
        if node.tag not in _PLAIN_TAGS:
            raise CatalogError([CardFault(self.file, line, f"the tag {node.tag} is not allowed")])
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, line)
            if isinstance(node, yaml.SequenceNode):
                return Node([self.read(item) for item in cast(list[yaml.Node], node.value)], line)
            text = str(node.value)
            return Node(text if cast(yaml.ScalarNode, node).style else _plain_value(text), line)
        finally:
            self.depth -= 1

    def _mapping(self, node: yaml.MappingNode, line: int) -> Node:
        values: dict[str, Node] = {}
        lines: dict[str, int] = {}
        inherited: dict[str, Node] = {}
        for key_node, value_node in cast(list[tuple[yaml.Node, yaml.Node]], node.value):
            if key_node.tag == "tag:yaml.org,2002:merge":
                for parent in self._parents(value_node):
                    inherited = {**parent, **inherited}
                continue
            key_line = key_node.start_mark.line + 1
            key = str(self.read(key_node).plain())
            if key in values:
                raise CatalogError([CardFault(self.file, key_line, f"{key} is given twice")])
            values[key], lines[key] = self.read(value_node), key_line
        return Node({**inherited, **values}, line, lines)

    def _parents(self, node: yaml.Node) -> Iterator[dict[str, Node]]:
        parents = cast(list[yaml.Node], node.value) if isinstance(node, yaml.SequenceNode) else [node]
        for parent in parents:
            mapping = self.read(parent).mapping
            if mapping is None:
                raise CatalogError([CardFault(self.file, node.start_mark.line + 1, "<< needs a mapping")])
            yield mapping


def _plain_value(text: str) -> Any:
    """An unquoted scalar by the core schema of YAML 1.2, where 16:9, on, off and dates are texts."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) and math.isfinite(float(text)) else text
