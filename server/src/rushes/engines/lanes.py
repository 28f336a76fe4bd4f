"""What a qworker claims by: an engine without weights serves all its models in one lane, others have a lane a model."""

from rushes.domain.model_card import ModelCard
from rushes.engines.engine import Engine


def lane_of(engine: Engine, card: ModelCard) -> str:
    """The lane of a card on an engine."""
    return engine.name if engine.caps(card).weightless else f"{engine.name}/{card.id}"
