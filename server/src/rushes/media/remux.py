"""Remakes a stranger's video as an mp4 of ours, packet by packet. Only the decoder's child process imports this."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import av
from av import VideoFrame

from rushes.media.encode import one_line
from rushes.media.glimpses import THUMBNAIL_AT, Glimpse, Glimpses
from rushes.media.pictures import Unreadable
from rushes.media.probe import DEMUXER, VideoFacts, probe
from rushes.media.recordings import DAMAGED, decoded, first_audio, first_video, look, opened, video_facts

LOOKED_AT: Final = 3_000_000_000
"""Pixels that are decoded for the pictures, and to see that they can be: a minute of 1080p at 24 frames a second."""
HIDDEN_FRAMES: Final = 2
"""What an edit list may keep from the screen at the ends of a sound file."""


def remade(path: Path, out: Path, *, demuxer: str, comment: str) -> tuple[VideoFacts, list[Glimpse]]:
    """Write `out`, and beside it what media/glimpses.py keeps. Raises Unreadable, NotAsPlanned, OSError."""
    video_facts(path, demuxer)  # its limits hold for what we keep, too
    with (
        opened(path, demuxer) as given,
        av.open(str(out), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}) as file,
    ):
        file.metadata["comment"] = one_line(comment)
        streams = [first_video(given), *([first_audio(given)] if given.streams.audio else [])]
        kept = {stream.index: file.add_stream_from_template(stream) for stream in streams}
        packets = 0
        for packet in given.demux(streams):
            if packet.dts is None:
                continue  # the empty packet that ends a stream
            packets += packet.stream_index == streams[0].index
            packet.stream = kept[packet.stream_index]
            file.mux(packet)
        if packets < streams[0].frames:
            raise Unreadable(DAMAGED)  # its index is whole and its end is not
    facts = probe(out)
    return facts, _glimpses(out, facts).write(out.parent)


def _glimpses(path: Path, facts: VideoFacts) -> Glimpses:
    if facts.frames * facts.width * facts.height > LOOKED_AT:
        return Glimpses.of_three(_frame_at(path, 0.0), _frame_at(path, THUMBNAIL_AT), _frame_at(path, 1.0), look)
    glimpses = Glimpses(facts.frames, facts.seconds, look)
    with opened(path, DEMUXER) as file:
        for frame in decoded(file, first_video(file)):
            glimpses.see(frame)
    if glimpses.seen + HIDDEN_FRAMES < facts.frames:
        raise Unreadable(DAMAGED)
    return glimpses


def _frame_at(path: Path, share: float) -> VideoFrame:
    """The frame at a share of the length (the last one, should it be shorter)."""
    with opened(path, DEMUXER) as file:
        stream = first_video(file)
        wanted = (stream.start_time or 0) + int((stream.duration or 0) * share)
        file.seek(wanted, stream=stream)
        shown = None
        for shown in decoded(file, stream):
            if shown.pts is None or shown.pts >= wanted:
                break
    if shown is None:
        raise Unreadable(DAMAGED)
    return shown
