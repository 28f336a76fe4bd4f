"""Remakes a stranger's video as an mp4 of ours, packet by packet. Only the decoder's child process imports this."""

from __future__ import annotations

from pathlib import Path

import av

from rushes.media.encode import one_line
from rushes.media.probe import VideoFacts, probe
from rushes.media.recordings import first_audio, first_video, opened, video_facts
from rushes.media.thumbnail import thumbnail_of_file


def remade(path: Path, out: Path, thumbnail: Path, *, demuxer: str, comment: str) -> VideoFacts:
    """Write `out` and `thumbnail` and return the facts of `out`. Raises Unreadable, NotAsPlanned, OSError."""
    video_facts(path, demuxer)  # its limits hold for what we keep, too
    with (
        opened(path, demuxer) as given,
        av.open(str(out), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}) as file,
    ):
        file.metadata["comment"] = one_line(comment)
        streams = [first_video(given), *([first_audio(given)] if given.streams.audio else [])]
        kept = {stream.index: file.add_stream_from_template(stream) for stream in streams}
        for packet in given.demux(streams):
            if packet.dts is None:
                continue  # the empty packet that ends a stream
            packet.stream = kept[packet.stream_index]
            file.mux(packet)
    facts = probe(out)
    thumbnail_of_file(out, thumbnail)
    return facts
