"""The engine `diffusers`: open weights in a local folder, rendered by the library of that name."""

from rushes.engines.diffusers.engine import DiffusersEngine

__all__ = ["DiffusersEngine"]
