"""The engine `animatic`: a storyboard of the request, drawn without weights."""

from rushes.engines.animatic.engine import AnimaticEngine

__all__ = ["AnimaticEngine"]
