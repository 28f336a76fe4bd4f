"""When a lane is held: its engine has failed several requests in a row for one cause that is not theirs."""

from typing import Final

ENGINE_CAUSES: Final = frozenset({"engine_lost", "out_of_memory", "unsupported", "timeout", "upstream_error"})
"""Failure codes that speak against the engine; of the others none says anything about the next request."""
HOLD_AFTER: Final = 3
"""Different requests in a row that failed for one of these causes."""
SWAP_SECONDS: Final = 30.0
"""What loading a model is taken to cost until it has been measured."""
