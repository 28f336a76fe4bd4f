"""What a qworker claims by: an engine without weights serves all its models in one lane, others have a lane a model.

A lane is ENGINE, ENGINE:TABLE, ENGINE/MODEL or ENGINE:TABLE/MODEL; the table of engines.toml is named where it is not
called like its engine. So a lane says by itself what serves it.
"""

from rushes.domain.model_card import ModelCard
from rushes.engines.engine import Engine


def lane_of(engine: Engine, card: ModelCard, label: str = "") -> str:
    """The lane of a card on an engine; `label` is the engine's own name unless given."""
    label = label or engine.name
    return label if engine.caps(card).weightless else f"{label}/{card.id}"


def label_of(lane: str) -> str:
    """The part of a lane that names the engine and its table."""
    return lane.partition("/")[0]


def model_of(lane: str) -> str:
    """The model of a lane whose engine has weights, "" where the lane is for every model of an engine."""
    return lane.partition("/")[2]
