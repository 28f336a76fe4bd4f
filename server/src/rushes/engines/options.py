"""What an operator can say of an engine: the keys of its table in engines.toml (engines/engines_file.py)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from rushes.domain.model_card import ModelCard
from rushes.egress import EgressSettings

Place = Literal["local", "remote", "upstream"]
"""Where an engine renders. Of the engines that match a model, the first in this order serves it."""


def _split(value: object) -> object:
    """A list in an environment variable is separated by commas."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Words = Annotated[list[str], BeforeValidator(_split)]


class KeyMissing(Exception):
    """The key that a table refers to is not where it should be."""


class EngineOptions(BaseModel):
    """The keys that every table takes. An engine with keys of its own has a subclass as its attribute `Options`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    place: ClassVar[Place] = "local"
    packages: ClassVar[tuple[str, ...]] = ()
    """What a worker imports beside the server's own dependencies; the extra called like the engine brings it."""

    models: Words = Field(
        default_factory=list,
        description="Model ids or families it serves, with * and ? as wildcards: `Wan-AI_*`, `family:wan2.1`. If left "
        "out, the models whose card prefers this engine.",
    )

    @property
    def ready(self) -> bool:
        """Whether a worker with this file can serve it; an API process needs less than a worker."""
        return True

    def missing(self) -> str | None:
        """What a worker would lack here and now, in one sentence."""
        return None

    def lacks(self, card: ModelCard) -> str | None:
        """What a worker would lack to serve one card, in one sentence."""
        return self.missing()


class RemoteOptions(EngineOptions):
    """The keys of engines that call another server."""

    place: ClassVar[Place] = "remote"

    base_url: str = Field(description="The server's address, up to what comes before its documented paths.")
    key_env: str = Field(default="", description="Environment variable that holds the key, for the workers only.")
    key_file: Path | None = Field(default=None, description="A file that holds the key, instead of a variable.")
    slots: int = Field(default=1, ge=1, le=64, description="Requests a worker has outstanding there at once.")

    @field_validator("base_url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be an address such as http://10.0.0.7:8000 or https://example.com/api")
        if parts.username or parts.password:
            raise ValueError("must not contain a user name or a password")
        if parts.port == 0:  # also raises for what is no port
            raise ValueError("must not name port 0")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _check_key(self) -> Self:
        if self.key_env and self.key_file:
            raise ValueError("give key_env or key_file, not both")
        return self

    def key(self) -> str | None:
        """The key, or None where none is set up. Raises KeyMissing."""
        if self.key_env:
            key = os.environ.get(self.key_env, "").strip()
            if not key:
                raise KeyMissing(f"the variable {self.key_env} is not set")
        elif self.key_file is not None:
            try:
                key = self.key_file.read_text("utf-8").strip()
            except (OSError, UnicodeError) as error:
                raise KeyMissing(f"{self.key_file} cannot be read") from error
        else:
            return None
        if not key or not key.isascii() or not key.isprintable():
            raise KeyMissing("the key must be one line of visible ASCII")
        return key

    def missing(self) -> str | None:
        try:
            self.key()
        except KeyMissing as error:
            return str(error)
        return None


@dataclass(frozen=True, slots=True)
class Setup:
    """What a configured engine is made with."""

    name: str
    """Its table."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """As written, valid for the engine's Options; keys by reference only."""
    egress: EgressSettings = field(default_factory=EgressSettings)
    """What links in a server's answers may point to."""
    instance: str = ""
    """Which platform this is: what its own API says in Rushes-Instance."""

    def as_json(self) -> str:
        """For an engine child; holds no secret."""
        egress = {"ports": self.egress.ports, "allow_private": [str(network) for network in self.egress.allow_private]}
        return orjson.dumps(
            {"name": self.name, "options": dict(self.options), "egress": egress, "instance": self.instance}
        ).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        data = orjson.loads(text)
        return cls(data["name"], data["options"], EgressSettings.of(**data["egress"]), data["instance"])
