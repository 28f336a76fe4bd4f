"""docs/reference/sdk.md: the public names of gmicloud, their signatures and docstrings."""

import inspect
import re
from types import ModuleType
from typing import Any

import gmicloud
from gmicloud import client, errors, local, testing, webhooks

INTRO = """# SDK reference
Distribution `rushes-gmicloud` (the folder `sdk/`), imported as `gmicloud`. `AsyncClient` has the verbs of `Client`, to
be awaited. At work: [quick start](../tutorial/quick-start.md), [waiting](../how-to/wait.md),
[uploads](../how-to/uploads.md), [batches](../how-to/batches.md), [errors](../how-to/errors.md),
[async](../how-to/async.md), [webhooks](../how-to/webhooks.md), [testing](../how-to/testing.md).
"""


def sdk_page() -> str:
    """The page as Markdown."""
    lines = [INTRO, *_class(client.Client, "Client"), *_class(client.VideoManager, "client.video_manager")]
    lines += ["## Values", ""]
    models = [getattr(gmicloud, name) for name in gmicloud.__all__ if name[0].isupper()]
    for model in models:
        if model not in (client.Client, client.AsyncClient) and not issubclass(model, Exception):
            lines += _value(model)
    lines += ["## Errors", ""]
    for error in _own(errors, Exception):
        bases = ", ".join(base.__name__ for base in error.__bases__)
        lines.append(f"- `{error.__name__}` ({bases}): {_sentence(error)}")
    for title, module in (("Webhooks", webhooks), ("Local platforms", local), ("The pytest plugin", testing)):
        lines += ["", f"## {title}", _paragraphs(module), ""]
        if module is not testing:
            lines += _functions(module)
    return "\n".join(lines).rstrip() + "\n"


def _class(cls: type, title: str) -> list[str]:
    lines = [f"## {title}", _paragraphs(cls), ""]
    for name, member in vars(cls).items():
        if name.startswith("_") or not (inspect.isfunction(member) or isinstance(member, property)):
            continue
        shown = f"{title}.{name}" if isinstance(member, property) else f"{title}.{name}{_signature(member)}"
        lines += [f"### {name}", "```python", shown.replace("Client.", "client.", 1), "```", _paragraphs(member), ""]
    return lines


def _value(model: type) -> list[str]:
    names: list[str] = list(getattr(model, "model_fields", None) or getattr(model, "__dataclass_fields__", {}))
    names = names or [str(member) for member in getattr(model, "__members__", {}).values()]
    return [f"### {model.__name__}", _paragraphs(model), "", ", ".join(f"`{name}`" for name in names), ""]


def _functions(module: ModuleType) -> list[str]:
    lines: list[str] = []
    for name, member in vars(module).items():
        if inspect.isfunction(member) and member.__module__ == module.__name__ and not name.startswith("_"):
            lines += ["```python", f"{module.__name__}.{name}{_signature(member)}", "```", _paragraphs(member), ""]
    for cls in _own(module, object):
        lines += _class(cls, cls.__name__)
    return lines


def _own(module: ModuleType, base: type) -> list[type]:
    return [
        member
        for name, member in vars(module).items()
        if inspect.isclass(member)
        and issubclass(member, base)
        and member.__module__ == module.__name__
        and name[0].isupper()
    ]


def _signature(function: Any) -> str:
    signature = inspect.signature(function)
    kept = [p for name, p in signature.parameters.items() if name != "self"]
    text = str(signature.replace(parameters=kept))
    return re.sub(r"\b(?:typing|collections\.abc|gmicloud|pathlib|os)(?:\.\w+)*\.", "", text).replace("'", "")


def _paragraphs(thing: Any) -> str:
    return inspect.getdoc(thing) or ""


def _sentence(thing: Any) -> str:
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
