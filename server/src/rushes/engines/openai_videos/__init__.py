"""The engine that drives a server of the OpenAI video shape: vLLM-Omni or SGLang, with the differences of both."""

from rushes.engines.openai_videos.engine import OpenAIVideosEngine

__all__ = ["OpenAIVideosEngine"]
