"""The engine that passes requests on to an account upstream, at a service of this API or at another server of ours."""

from rushes.engines.gmi.engine import GmiEngine

__all__ = ["GmiEngine"]
