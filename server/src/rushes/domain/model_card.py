"""A model card: what a model takes, what it costs and which engine renders it; catalog/loader reads them from files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ParameterType = Literal["string", "enum", "integer", "float", "boolean", "image", "audio", "video", "array", "json"]
MediaType = Literal["image", "audio", "video"]

# What a parameter means, whatever its family calls it. Engines and pricing read values by role, never by name.
Role = Literal[
    "prompt",
    "negative",
    "image",
    "last_image",
    "references",
    "clip",
    "audio",
    "duration",
    "resolution",
    "ratio",
    "size",
    "fps",
    "seed",
    "sound",
    "watermark",
    "mode",
    "guidance",
    "steps",
    "loop",
]


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """What a media parameter takes. Sides in pixels, seconds and bytes; None is no limit of the card's own."""

    formats: tuple[str, ...] = ()
    max_bytes: int | None = None
    min_side: int | None = None
    max_side: int | None = None
    max_aspect: float | None = None
    """Longest side over shortest side."""
    min_seconds: float | None = None
    max_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a model. `default` None means none is filled in."""

    name: str
    type: ParameterType
    display_name: str
    description: str = ""
    required: bool = False
    default: Any = None
    options: tuple[str | int | float, ...] = ()
    """The values of an enum in their wire type (a quoted number is a string)."""
    unsupported: tuple[str | int | float, ...] = ()
    """Options that are documented but refused for now, with `unsupported_text`."""
    unsupported_text: str = ""
    open_options: bool = False
    """True where only some values are known: others are accepted."""
    labels: Mapping[str, str | int | float] = field(default_factory=dict[str, str | int | float])
    """Other words for an option, such as "720P" for "1280x720"."""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    max_length: int | None = None
    max_tokens: int | None = None
    items: ParameterType | None = None
    min_items: int | None = None
    max_items: int | None = None
    media: MediaLimits | None = None
    role: Role | None = None
    aliases: tuple[str, ...] = ()
    """Other names accepted for this parameter on this model, beside those of the role."""

    @property
    def media_type(self) -> MediaType | None:
        """The kind of media this parameter (or each of its items) carries."""
        kind = self.items if self.type == "array" else self.type
        return kind if kind in ("image", "audio", "video") else None


@dataclass(frozen=True, slots=True)
class Price:
    """How a model is billed, in integer micro-dollars per unit.

    `by` picks a figure by the value of one role or parameter, for example resolution -> {"480p": 70000}; the value of
    `amount` is used where no row matches. `public` is False for figures that are our own defaults.
    """

    amount: int
    unit: Literal["second", "request", "image"] = "second"
    by: str | None = None
    amounts: Mapping[str, int] = field(default_factory=dict[str, int])
    details: str = ""
    """Prose that clients parse, such as "480p=$0.07, 720p=$0.152"."""
    public: bool = False
    as_of: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A combination of parameters that is refused or warned about, with the sentence the customer reads.

    Every condition that is set must hold: each group of `given` has a member with a value, no member of `absent` has
    one, each parameter of `values` has one of the listed values, and the parameters of `count` carry more than
    `at_most` values together (a list counts its items).
    """

    text: str
    refuse: bool = False
    given: tuple[tuple[str, ...], ...] = ()
    absent: tuple[str, ...] = ()
    values: Mapping[str, tuple[Any, ...]] = field(default_factory=dict[str, tuple[Any, ...]])
    count: tuple[str, ...] = ()
    at_most: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Every parameter the rule speaks of, those it would blame first."""
        return (*self.values, *(name for group in self.given for name in group), *self.count, *self.absent)


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """An engine that renders a model better than the card's own, once an operator has configured it."""

    engine: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What that engine needs to know, such as the upstream's id of the model or a family of pipelines."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One entry of the catalogue."""

    id: str
    family: str
    org_id: str
    """Who made the model, such as "google"."""
    task: str
    display_name: str
    brief_description: str
    detailed_description: str
    parameters: tuple[Parameter, ...]
    price: Price
    engine: str
    engine_options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    aliases: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    published_name: str = ""
    """The early API's name, such as "Wan-AI/Wan2.1"."""
    model_type: str = "video"
    requires_any: tuple[tuple[str, ...], ...] = ()
    """Groups of parameters of which at least one must be given."""
    rules: tuple[Rule, ...] = ()
    prefers: tuple[EngineChoice, ...] = ()
    """Engines to take before `engine`, best first, where they are configured."""
    example: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """A payload that works, for the guide."""
    synchronous_post: bool = False
    test_only: bool = False
    created_at: int = 0
    """Unix seconds."""

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of that exact name."""
        return next((p for p in self.parameters if p.name == name), None)

    def by_role(self, role: Role) -> Parameter | None:
        """The first parameter that plays a role, if any."""
        return next((p for p in self.parameters if p.role == role), None)

    def value(self, params: Mapping[str, Any], role: Role) -> Any:
        """The value a cleaned payload gives to a role, or None."""
        parameter = self.by_role(role)
        return params.get(parameter.name) if parameter else None
