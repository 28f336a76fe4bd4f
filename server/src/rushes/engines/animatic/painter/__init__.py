"""The scene painter: text to a moving picture without weights. It needs numpy and OpenCV, so import it late."""

from rushes.engines.animatic.painter.scene import Scene

__all__ = ["Scene"]
