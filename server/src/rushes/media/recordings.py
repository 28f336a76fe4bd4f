"""Sound and video of strangers, read by FFmpeg. Only the decoder's child process imports this.

FFmpeg guesses formats and follows what files say about other files, so nothing is left to it: the demuxer is named, the
decoders are listed, only the first stream of a kind is read, and sizes, rates, lengths and packet counts have ends. How
long a recording lasts is counted from its packets; a header only claims.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import av
import numpy as np
from av import AudioResampler, AudioStream, VideoFrame, VideoStream
from av.container import InputContainer
from av.error import FFmpegError
from av.subtitles import codeccontext as subtitle_codec
from av.subtitles import stream as subtitle_stream
from av.video.reformatter import Colorspace
from numpy.lib import format as npy
from PIL import Image

from rushes.media.pictures import Unreadable
from rushes.media.sound import RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

# PyAV imports these when it meets its first file, and a confined process can open nothing more by then.
PRELOADED: Final = (subtitle_codec, subtitle_stream)
CODECS: Final = (
    "h264,hevc,vp8,vp9,libdav1d,libvpx,libvpx-vp9,av1,mpeg4,mjpeg,prores,"
    "aac,mp3float,mp3,opus,libopus,vorbis,flac,alac,pcm_u8,pcm_s16le,pcm_s24le,pcm_s32le,pcm_f32le,pcm_f64le,pcm_s16be"
)
OPTIONS: Final = {"protocol_whitelist": "file", "codec_whitelist": CODECS, "max_streams": "16"}
MAX_SIDE: Final = 4096
MAX_SECONDS: Final = 600.0
MAX_PACKETS: Final = 100_000
RATES: Final = range(4_000, 384_001)
HEARD_SECONDS: Final = 120
"""What is kept of a driving sound; no video is longer."""
WINDOW_FRAMES: Final = 12
STEP_SECONDS: Final = 1 / 6
"""Between the frames kept of a clip's end: twelve of them span two seconds."""
DAMAGED: Final = "It is damaged or cut off"


@dataclass(frozen=True, slots=True)
class Recording:
    """Facts counted from the packets of one stream. Sides are those shown, 0 for sound."""

    seconds: float
    width: int = 0
    height: int = 0
    has_audio: bool = False


def sound_facts(path: Path, demuxer: str) -> Recording:
    """The facts of the first audio stream. Raises Unreadable."""
    with opened(path, demuxer) as file:
        stream = first_audio(file)
        start, end = _span(file, stream)
        return Recording(end - start, has_audio=True)


def video_facts(path: Path, demuxer: str) -> Recording:
    """The facts of the first video stream, one frame of which has been decoded. Raises Unreadable."""
    with opened(path, demuxer) as file:
        stream = first_video(file)
        first = next(decoded(file, stream), None)
        if first is None:
            raise Unreadable(DAMAGED)
        width, height = _checked_sides(first.width, first.height)
        if round(first.rotation) % 180 == 90:
            width, height = height, width
        has_audio = bool(file.streams.audio)
    with opened(path, demuxer) as file:
        start, end = _span(file, first_video(file))
    return Recording(end - start, width, height, has_audio)


def read_sound(path: Path, demuxer: str) -> NDArray[np.float32]:
    """The first two minutes of the first audio stream: float32, 48 kHz, (samples, 2). Raises Unreadable."""
    parts: list[NDArray[np.float32]] = []
    left = HEARD_SECONDS * RATE
    with opened(path, demuxer) as file:
        stream = first_audio(file)
        # Mono stays mono here: FFmpeg would lower it by 3 dB on its way to two sides.
        layout = "mono" if stream.codec_context.layout.nb_channels == 1 else "stereo"
        resampler = AudioResampler(format="fltp", layout=layout, rate=RATE)
        for packet in file.demux(stream):
            try:
                frames = packet.decode()
            except FFmpegError:
                continue  # tags at the end of an mp3 look like broken frames; players skip them too
            for frame in frames:
                for part in resampler.resample(frame):
                    parts.append(part.to_ndarray().astype(np.float32))
                    left -= part.samples
            if left <= 0:
                break
        parts += [part.to_ndarray().astype(np.float32) for part in resampler.resample(None)] if parts else []
    if not parts:
        raise Unreadable(DAMAGED)
    samples = np.clip(np.nan_to_num(np.concatenate(parts, axis=1).T[: HEARD_SECONDS * RATE]), -1, 1)
    return np.ascontiguousarray(np.broadcast_to(samples, (len(samples), 2)))


def write_sound(path: Path, demuxer: str, out: Path) -> float:
    """Write what `read_sound` gives as .npy and return its seconds."""
    samples = read_sound(path, demuxer)
    with out.open("wb") as file:
        npy.write_array(file, samples, allow_pickle=False)
    return len(samples) / RATE


def last_pictures(path: Path, demuxer: str) -> Iterator[Image.Image]:
    """The clip's last frame and up to eleven before it, 1/6 s apart, in the order of time, upright RGB.

    Raises Unreadable.
    """
    with opened(path, demuxer) as file:
        start, end = _span(file, first_video(file), ends=False)
    wanted = [end - number * STEP_SECONDS for number in reversed(range(WINDOW_FRAMES))]
    wanted = [moment for moment in wanted if moment >= start - 1e-6]
    with opened(path, demuxer) as file:
        stream = first_video(file)
        file.seek(int(wanted[0] / (stream.time_base or 1)), stream=stream)
        shown: VideoFrame | None = None
        pending = list(wanted)
        for frame in decoded(file, stream):
            moment = frame.time if frame.pts is not None else start
            while len(pending) > 1 and shown is not None and moment > pending[0] + 1e-6:
                yield _picture(shown)
                pending.pop(0)
            shown = frame
        if shown is None:
            raise Unreadable(DAMAGED)
        yield _picture(shown)


def opened(path: Path, demuxer: str) -> InputContainer:
    """The file under the one demuxer and the listed decoders. Raises Unreadable."""
    try:
        return av.open(str(path), format=demuxer, options=dict(OPTIONS), metadata_errors="replace")
    except FileNotFoundError:
        raise
    except Exception as error:  # a hostile file can raise nearly anything here
        raise Unreadable(DAMAGED) from error


def first_video(file: InputContainer) -> VideoStream:
    """The first video stream, if its codec and sides are allowed. Raises Unreadable."""
    if not file.streams.video:
        raise Unreadable("It holds no video")
    stream = file.streams.video[0]
    _check_codec(stream)
    _checked_sides(stream.width, stream.height)
    return stream


def first_audio(file: InputContainer) -> AudioStream:
    """The first audio stream, if its codec and rate are allowed. Raises Unreadable."""
    if not file.streams.audio:
        raise Unreadable("It holds no sound")
    stream = file.streams.audio[0]
    _check_codec(stream)
    rate = stream.codec_context.sample_rate
    if rate not in RATES:
        raise Unreadable(f"Must have {RATES[0]} to {RATES[-1]} samples a second, got {rate}")
    return stream


def _check_codec(stream: VideoStream | AudioStream) -> None:
    name = stream.codec_context.name
    if name not in CODECS.split(","):
        raise Unreadable(f"Its codec ({name}) is not one of those that are taken")
    # One thread: more would not fit the memory limit, and a frame is all that is needed at a time.
    stream.codec_context.thread_count = 1


def _checked_sides(width: int, height: int) -> tuple[int, int]:
    if max(width, height) > MAX_SIDE or min(width, height) < 1:
        raise Unreadable(f"Must be at most {MAX_SIDE} px a side, got {width}x{height}")
    return width, height


def _span(file: InputContainer, stream: VideoStream | AudioStream, *, ends: bool = True) -> tuple[float, float]:
    """When the stream's first packet begins and its last one ends (or begins, if not `ends`), in seconds."""
    base = float(stream.time_base or 0)
    first, last, packets = float("inf"), 0.0, 0
    for packet in file.demux(stream):
        if not packet.size or packet.pts is None:
            continue
        packets += 1
        begin = packet.pts * base
        first = min(first, begin)
        last = max(last, begin + ((packet.duration or 0) * base if ends else 0))
        if packets > MAX_PACKETS or last - first > MAX_SECONDS:
            raise Unreadable(f"Must last at most {MAX_SECONDS:g} s and have at most {MAX_PACKETS:,} frames")
    if not packets:
        raise Unreadable(DAMAGED)
    return first, last


def decoded(file: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Frames in order; packets that cannot be decoded are passed over."""
    for packet in file.demux(stream):
        try:
            yield from packet.decode()
        except FFmpegError:
            continue


def look(frame: VideoFrame, side: int | None) -> Image.Image:
    """A decoded frame as upright RGB, at most `side` pixels on the long side where that is given."""
    picture = _picture(frame)
    if side:
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return picture


def _picture(frame: VideoFrame) -> Image.Image:
    untagged_hd = frame.colorspace == 2 and frame.height >= 720  # 2: unspecified; players assume BT.709 from HD on
    rgb = frame.to_ndarray(format="rgb24", src_colorspace=Colorspace.ITU709 if untagged_hd else None)
    picture = Image.fromarray(rgb)
    turn = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}.get(
        round(frame.rotation) % 360
    )
    return picture if turn is None else picture.transpose(turn)
