"""The scripts a page needs: those of the elements it is made of, main.js, and all that these import."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

_ELEMENT: Final = re.compile(r"<rushes-([a-z]+)")
_IMPORT: Final = re.compile(
    r'^(?:import|export)\s(?:[^"\'();]*\sfrom\s)?"(\.{1,2}/[^"]+)";|\bnew URL\("(\.{1,2}/[^"]+)", import\.meta\.url\)',
    re.MULTILINE,
)
"""A statement that loads a module, or names a worker; the types in comments name modules too, and load none."""
MAIN: Final = "main.js"


class Modules:
    """The page's scripts by name, such as elements/form.js, and what each imports."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        """Raises KeyError where a script imports one that is not there."""
        self._imports = {name: tuple(_imported(name, text)) for name, text in sources.items()}
        for name in {each for names in self._imports.values() for each in names}:
            self._imports[name]
        self.closure = cache(self._closure)

    def entries(self, html: str) -> tuple[str, ...]:
        """The scripts that a page runs: of each element in it, in templates too, and at last main.js.

        main.js opens the stream, so what listens is there before it.
        """
        names = (f"elements/{name}.js" for name in sorted(set(_ELEMENT.findall(html))))
        return (*(name for name in names if name in self._imports), MAIN)

    def _closure(self, entries: tuple[str, ...]) -> tuple[str, ...]:
        """These and all they import, directly or not, each once."""
        found: dict[str, None] = dict.fromkeys(entries)
        waiting = list(entries)
        while waiting:
            new = [name for name in self._imports[waiting.pop()] if name not in found]
            found.update(dict.fromkeys(new))
            waiting += new
        return tuple(found)


def _imported(name: str, text: str) -> Iterator[str]:
    folder = posixpath.dirname(name)
    for found in _IMPORT.finditer(text):
        yield posixpath.normpath(posixpath.join(folder, found[found.lastindex or 0]))
