"""What a finished video really is, read from the file itself, and whether that is what the plan promised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, Self

import av
from av import AudioStream, VideoStream
from av.container import InputContainer
from av.error import EOFError as EndOfFile
from av.error import InvalidDataError

DEMUXER = "mp4"
"""Always named: a guessing demuxer can be talked into opening other files (concat lists, playlists)."""
READ_OPTIONS = {"protocol_whitelist": "file"}
BT709_LIMITED = (1, 1, 1, 1)


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """The sound track of a file: codec, hertz, channels, seconds."""

    codec: str
    rate: int
    channels: int
    seconds: float


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """One video file. `frames` are counted by reading every packet, not believed from the header."""

    container: str
    codec: str
    profile: str
    pixel_format: str
    colour: tuple[int, int, int, int]
    """Range, primaries, transfer, matrix, as numbered in ISO/IEC 23091-2 (range: 1 is limited)."""
    width: int
    height: int
    fps: Fraction
    frames: int
    seconds: float
    audio: AudioFacts | None
    moov_first: bool
    """True if playback can start before the whole file has arrived."""
    bytes: int
    comment: str

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "fps": str(self.fps)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        values = dict(data)
        values["fps"] = Fraction(data["fps"])
        values["colour"] = tuple(data["colour"])
        values["audio"] = AudioFacts(**data["audio"]) if data["audio"] else None
        return cls(**values)


class Promise(Protocol):
    """What is read of a Plan."""

    @property
    def keep_frames(self) -> int: ...
    @property
    def fps(self) -> int: ...
    @property
    def sound(self) -> bool: ...
    @property
    def inputs(self) -> Mapping[str, str]: ...


class Sale(Protocol):
    """What is read of a Plan when somebody else has made the file."""

    @property
    def width(self) -> int | None: ...
    @property
    def height(self) -> int | None: ...
    @property
    def seconds(self) -> float: ...
    @property
    def sound(self) -> bool: ...


class NotAsPlanned(Exception):
    """A finished file is not what the plan promised. `differences` holds one sentence for each."""

    def __init__(self, differences: tuple[str, ...]) -> None:
        super().__init__("The video is not what was planned: " + "; ".join(differences))
        self.differences = differences


def probe(path: Path) -> VideoFacts:
    """The facts of an mp4 of our own making: header, every packet counted, nothing decoded.

    Raises FileNotFoundError or another OSError where the file cannot be read, and NotAsPlanned when it is no mp4 with a
    video stream. Files of strangers go through inputs.check_media, which reads them in a child process.
    """
    try:
        with av.open(str(path), format=DEMUXER, options=READ_OPTIONS) as file:
            if not file.streams.video:
                raise NotAsPlanned(("it has no video stream",))
            return _facts(file, path)
    except (InvalidDataError, EndOfFile) as error:
        raise NotAsPlanned((f"it is not a readable mp4 ({error.strerror})",)) from error


def _facts(file: InputContainer, path: Path) -> VideoFacts:
    video = file.streams.video[0]
    sound = file.streams.audio[0] if file.streams.audio else None
    context = video.codec_context
    frames = sum(1 for packet in file.demux(video) if packet.size)
    return VideoFacts(
        container="mp4" if "mp4" in file.format.name.split(",") else file.format.name,
        codec=context.name,
        profile=str(context.profile or ""),
        pixel_format=str(context.pix_fmt or ""),
        colour=(context.color_range, context.color_primaries, context.color_trc, context.colorspace),
        width=video.width,
        height=video.height,
        fps=video.average_rate or Fraction(0),
        frames=frames,
        seconds=_stream_seconds(video),
        audio=_audio_facts(sound) if sound else None,
        moov_first=_moov_first(path),
        bytes=path.stat().st_size,
        comment=file.metadata.get("comment", ""),
    )


def _audio_facts(sound: AudioStream) -> AudioFacts:
    context = sound.codec_context
    return AudioFacts(context.name, context.sample_rate, context.layout.nb_channels, _stream_seconds(sound))


def _stream_seconds(stream: VideoStream | AudioStream) -> float:
    return float((stream.duration or 0) * (stream.time_base or 0))


def _moov_first(path: Path) -> bool:
    names = list(_boxes(path))
    return "moov" in names and "mdat" in names and names.index("moov") < names.index("mdat")


def _boxes(path: Path) -> Iterator[str]:
    """The names of the top-level boxes of an mp4, in order (ISO/IEC 14496-12, 4.2)."""
    with path.open("rb") as file:
        while len(head := file.read(16)) >= 8:
            size = int.from_bytes(head[:4], "big")
            if size == 1:
                size = int.from_bytes(head[8:16], "big")
            yield head[4:8].decode("latin-1")
            if size < 8:
                return
            file.seek(size - len(head), 1)


def verify(path: Path, plan: Promise, width: int, height: int) -> VideoFacts:
    """The facts of a file made by media/encode, once every one of them is as promised.

    Sound must be there exactly when the plan asks for sound or is driven by audio, and be as long as the video (within
    one AAC frame). Every packet has been read and every key frame decoded: the frames between them came from the same
    encoder. Raises NotAsPlanned with all differences, or what `probe` raises.
    """
    facts = probe(path)
    _check_key_frames(path, facts)
    found = {
        "codec": (facts.codec, "h264"),
        "profile": (facts.profile, "High"),
        "pixel format": (facts.pixel_format, "yuv420p"),
        "colour": (facts.colour, BT709_LIMITED),
        "size": (f"{facts.width}x{facts.height}", f"{width}x{height}"),
        "frames": (facts.frames, plan.keep_frames),
        "frames per second": (facts.fps, Fraction(plan.fps)),
        "seconds": (round(facts.seconds, 3), round(plan.keep_frames / plan.fps, 3)),
        "sound": (facts.audio is not None, plan.sound or "audio" in plan.inputs),
        "moov first": (facts.moov_first, True),
    }
    differences = [f"{name} is {got}, not {wanted}" for name, (got, wanted) in found.items() if got != wanted]
    if facts.audio and abs(facts.audio.seconds - facts.seconds) > 1024 / 48_000:
        differences.append(f"the sound lasts {facts.audio.seconds:.3f} s, the video {facts.seconds:.3f} s")
    if differences:
        raise NotAsPlanned(tuple(differences))
    return facts


def suits(facts: VideoFacts, plan: Sale) -> None:
    """Judge a file from elsewhere, whose maker rounds sizes and lengths: within reason it has to be what was sold.

    Raises NotAsPlanned with all differences. The length may differ by a fifth, or a second; the picture may be cut by a
    tenth of its shape and have no less than half of the pixels; sound that was asked for must be there.
    """
    differences: list[str] = []
    if abs(facts.seconds - plan.seconds) > max(1.0, plan.seconds / 5):
        differences.append(f"it lasts {facts.seconds:.1f} s, not {plan.seconds:.1f} s")
    if plan.width and plan.height:
        shape, planned = facts.width / facts.height, plan.width / plan.height
        if abs(shape / planned - 1) > 0.1 or facts.width * facts.height < plan.width * plan.height / 2:
            differences.append(f"size is {facts.width}x{facts.height}, not {plan.width}x{plan.height}")
    if plan.sound and facts.audio is None:
        differences.append("it has no sound")
    if differences:
        raise NotAsPlanned(tuple(differences))


def _check_key_frames(path: Path, facts: VideoFacts) -> None:
    """Raises NotAsPlanned when a key frame cannot be decoded, or has another size than the header says."""
    try:
        with av.open(str(path), format=DEMUXER, options=READ_OPTIONS) as file:
            stream = file.streams.video[0]
            stream.codec_context.skip_frame = "NONKEY"
            stream.codec_context.options = {"err_detect": "explode"}  # else what is broken is painted over
            sizes = {(frame.width, frame.height) for frame in file.decode(stream)}
    except (InvalidDataError, EndOfFile) as error:
        raise NotAsPlanned((f"a key frame cannot be decoded ({error.strerror})",)) from error
    if sizes != {(facts.width, facts.height)}:
        raise NotAsPlanned((f"its key frames show {sizes or 'nothing'}",))
