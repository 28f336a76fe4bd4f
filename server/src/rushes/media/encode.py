"""Frames in, one finished mp4 out: H.264 High, BT.709 limited, `moov` first, AAC when there is sound.

The caller's thread renders, one encoder thread compresses, a queue of four frames lies between them: both work at once
and memory does not grow with the length (but for the compressed packets, which wait for the sound to be interleaved).
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Literal, Protocol

import av
from av import AudioStream, Packet, VideoFrame, VideoStream
from av.codec.context import Flags
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from rushes.media.glimpses import Glimpses, look
from rushes.media.sound import RATE, Sound, audio_frame, fitted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

QUEUED_FRAMES = 4
X264 = {"preset": "veryfast", "crf": "20", "profile": "high"}
# What the shortest searches cannot find is not in drawn frames: at the same bytes and likeness half of the time.
LIGHT = "ref=1:subme=1:trellis=0:me=dia:partitions=i8x8,i4x4:rc-lookahead=5:bframes=2:weightp=0"
SEARCHES = {"full": "", "light": LIGHT}
# With AVX-512 x264 (core 165) reads past the rows of its lookahead's tree, so that the same frames sometimes give other
# bytes, by what lies in memory: 13 of 567 encodes in a heap that was stirred, 0 of 1534 so. It costs no time.
WITHOUT_AVX512 = "asm=avx2,fma3,lzcnt,bmi1,bmi2"
AUDIO_BITS = 160_000


class Frames(Protocol):
    """What is read of an engine's Frames. `audio` is complete when the iteration has ended."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def fps(self) -> int: ...
    @property
    def pixel_format(self) -> Literal["rgb24", "yuv420p"]: ...
    @property
    def audio(self) -> Sound | None: ...
    def __iter__(self) -> Iterator[NDArray[np.uint8]]: ...


@dataclass(frozen=True, slots=True)
class EncodedFacts:
    """What was written, and the pictures of it that were kept on the way."""

    path: Path
    width: int
    height: int
    fps: int
    frames: int
    seconds: float
    audio: bool
    bytes: int
    glimpses: Glimpses


class WrongFrames(Exception):
    """An engine gave frames that are not what it announced; the text says what was expected and what came."""


def encode(
    frames: Frames,
    path: Path,
    *,
    keep_frames: int,
    comment: str,
    effort: Literal["full", "light"] = "full",
    on_frame: Callable[[int], None] | None = None,
    check: Callable[[], None] | None = None,
) -> EncodedFacts:
    """Write the first `keep_frames` frames to `path`, which appears complete or not at all.

    Iterates `frames` to its end in the caller's thread and calls there, for every frame, `check` before and `on_frame`
    (frames so far, those dropped at the end not counted) after it was handed to the encoder. `comment` becomes the
    file's comment tag, in one line. A light `effort` takes half of the processor time for frames without grain.

    Raises WrongFrames for frames of another shape, an odd size, or too few; whatever `frames` or `check` raised (a
    cancel passes through unchanged); OSError when the disk refuses. The temporary file is then gone and the encoder
    thread has ended.
    """
    if frames.width % 2 or frames.height % 2:
        raise WrongFrames(f"Sides must be even, got {frames.width}x{frames.height}")
    part = path.with_name(f".{path.name}.part")
    try:
        with _Writer(frames, part, keep_frames, comment, effort) as writer:
            for array in frames:
                if check:
                    check()
                if writer.taken < keep_frames:
                    writer.put(array)
                    if on_frame:
                        on_frame(writer.taken)
            if writer.taken < max(1, keep_frames):
                raise WrongFrames(f"The engine gave {writer.taken} of {keep_frames} frames")
            audio = writer.finish(frames.audio)
        size = part.stat().st_size
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    seconds = keep_frames / frames.fps
    return EncodedFacts(
        path, frames.width, frames.height, frames.fps, keep_frames, seconds, audio, size, writer.glimpses
    )


class _Writer:
    """An open mp4 with its encoder thread. Leaving the `with` block always ends the thread and closes the file."""

    def __init__(
        self, frames: Frames, path: Path, keep_frames: int, comment: str, effort: Literal["full", "light"]
    ) -> None:
        self.taken = 0
        self._size = (frames.width, frames.height)
        self._fps = frames.fps
        self._format = frames.pixel_format
        self._keep = keep_frames
        self.glimpses = Glimpses(keep_frames, keep_frames / frames.fps, look)
        self._packets: list[Packet[VideoStream]] = []
        self._failure: BaseException | None = None
        self._queue: Queue[VideoFrame | None] = Queue(QUEUED_FRAMES)
        # Not a BytesIO: faststart reads the written file back, and closing would fail.
        self._file = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"})
        self._file.metadata["comment"] = one_line(comment)
        self._stream = self._video_stream(_settings(effort))
        self._thread = threading.Thread(target=self._compress, name="encoder", daemon=True)
        self._thread.start()

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._file.close()

    def _video_stream(self, settings: dict[str, str]) -> VideoStream:
        stream = self._file.add_stream("libx264", rate=self._fps, options=settings)
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        stream.gop_size = 2 * self._fps
        context = stream.codec_context
        # Another number of threads gives other bytes; zero would let the machine decide.
        context.thread_count = 1
        context.time_base = Fraction(1, self._fps)
        context.flags |= Flags.bitexact
        context.color_range = ColorRange.MPEG
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        context.colorspace = Colorspace.ITU709
        return stream

    def put(self, array: NDArray[np.uint8]) -> None:
        """Hand over one frame; waits while the queue is full, raises what stopped the encoder."""
        self._raise_failure()
        width, height = self._size
        expected = (height, width, 3) if self._format == "rgb24" else (height * 3 // 2, width)
        if array.shape != expected or array.dtype != "uint8":
            raise WrongFrames(f"Frame {self.taken} must be uint8 {expected}, got {array.dtype} {array.shape}")
        frame = VideoFrame.from_ndarray(array, format=self._format)  # a copy: the engine may reuse its buffer
        frame.pts = self.taken
        frame.time_base = Fraction(1, self._fps)
        self.glimpses.see(frame)
        self._queue.put(frame)
        self.taken += 1

    def finish(self, sound: Sound | None) -> bool:
        """Compress what is left, add the sound, close the file. Returns whether there is sound."""
        self._stop()
        self._raise_failure()
        packets = [self._packets, self._sound_packets(sound) if sound else []]
        self._packets = []
        for packet in heapq.merge(*packets, key=_seconds):
            self._file.mux(packet)
        self._file.close()
        return sound is not None

    def _stop(self) -> None:
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _raise_failure(self) -> None:
        if self._failure:
            raise self._failure

    def _compress(self) -> None:
        """The encoder thread. After a failure it goes on emptying the queue, else `put` would wait for ever."""
        while (frame := self._queue.get()) is not None:
            if self._failure is None:
                self._guarded(frame)
        if self._failure is None and self.taken == self._keep:
            self._guarded(None)

    def _guarded(self, frame: VideoFrame | None) -> None:
        try:
            self._packets += self._stream.encode(frame and _planar(frame))
        except Exception as error:
            self._failure = error

    def _sound_packets(self, sound: Sound) -> list[Packet[AudioStream]]:
        stream = self._file.add_stream("aac", rate=RATE, layout="stereo", format="fltp")
        stream.codec_context.bit_rate = AUDIO_BITS
        stream.codec_context.flags |= Flags.bitexact
        track = fitted(sound, self._keep / self._fps)
        packets: list[Packet[AudioStream]] = []
        for start in range(0, len(track), 1024):
            packets += stream.encode(audio_frame(track[start : start + 1024], RATE, start))
        return packets + stream.encode(None)


def _settings(effort: Literal["full", "light"]) -> dict[str, str]:
    """The options of libx264 on this machine."""
    more = [WITHOUT_AVX512] if _has_avx512() else []
    more += [SEARCHES[effort]] if SEARCHES[effort] else []
    return {**X264, "x264-params": ":".join(more)} if more else dict(X264)


@cache
def _has_avx512() -> bool:
    facts = Path("/proc/cpuinfo")
    return facts.exists() and "avx512" in facts.read_text()


def one_line(text: str) -> str:
    """The words of a text, without what cannot be printed, which also keeps it valid in a file."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def _planar(frame: VideoFrame) -> VideoFrame:
    """The frame as yuv420p, BT.709 limited; its place in time kept."""
    if frame.format.name == "yuv420p":
        return frame
    planar = frame.reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        interpolation="BICUBIC",
    )
    planar.pts, planar.time_base = frame.pts, frame.time_base
    return planar


def _seconds(packet: Packet[VideoStream] | Packet[AudioStream]) -> float:
    return float((packet.dts or 0) * packet.time_base)
