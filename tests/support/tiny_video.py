"""A real mp4 of a few frames, made once a size."""

import functools
import io
from fractions import Fraction

import av
import numpy as np


@functools.cache
def tiny_video(frames: int = 17, width: int = 64, height: int = 48, fps: int = 16) -> bytes:
    """H.264 in mp4, grey that brightens."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for n in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), 40 + n, np.uint8), format="rgb24")
            frame.pts, frame.time_base = n, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return out.getvalue()
