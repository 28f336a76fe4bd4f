"""The line to an engine child: messages whole and in order, and a ring of frames in shared memory."""

import gc
import os
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis.strategies import booleans, integers
from rushes.worker.wire import (
    MAX_MESSAGE,
    MAX_SLOTS,
    RING_BYTES,
    WHOLE_BYTES,
    Channel,
    ChannelClosed,
    Ring,
    ring_slots,
)


@pytest.fixture
def line() -> Iterator[tuple[Channel, socket.socket]]:
    """Our end, and the raw socket of the other."""
    ours, theirs = socket.socketpair()
    yield Channel(ours), theirs
    ours.close()
    theirs.close()


def test_messages_cut_anywhere_arrive_whole(line: tuple[Channel, socket.socket]) -> None:
    channel, other = line
    other.sendall(b'{"kind": "fr')
    assert channel.receive(0.01) is None
    other.sendall(b'ame", "slot": 3}\n{"ki')
    assert channel.receive(5) == {"kind": "frame", "slot": 3}
    assert channel.receive(0.01) is None
    other.sendall(b'nd": "done"}\n')
    assert channel.receive(5) == {"kind": "done"}
    assert channel.receive(0.01) is None


def test_messages_of_many_threads_are_not_mixed(line: tuple[Channel, socket.socket]) -> None:
    channel, other = line
    threads = [
        threading.Thread(target=lambda n=n: [channel.send("note", text=str(n) * 3000) for _ in range(50)])
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    reader = Channel(other)
    for _ in range(200):
        message = reader.receive(5)
        assert message is not None
        assert len(set(message["text"])) == 1
    for thread in threads:
        thread.join()


def test_the_end_of_the_other_side_is_an_error_on_both_ways(line: tuple[Channel, socket.socket]) -> None:
    channel, other = line
    other.close()
    with pytest.raises(ChannelClosed):
        channel.receive(5)
    with pytest.raises(ChannelClosed):
        channel.send("cancel")


def test_a_message_without_end_is_cut_off(line: tuple[Channel, socket.socket]) -> None:
    channel, other = line
    other.settimeout(5)

    def flood() -> None:
        try:
            while True:
                other.sendall(b"x" * 65536)
        except OSError:
            return

    thread = threading.Thread(target=flood)
    thread.start()
    with pytest.raises(ChannelClosed):
        channel.receive(5)
    assert len(channel._buffer) <= MAX_MESSAGE + 65536
    channel.close()
    thread.join()


def test_what_one_side_writes_into_the_ring_the_other_reads(line: tuple[Channel, socket.socket]) -> None:
    channel, other = line
    ours, descriptor = Ring.make(100, 3)
    channel.send("open", descriptor=descriptor, slots=3)
    os.close(descriptor)
    reader = Channel(other)
    assert reader.receive(5) == {"kind": "open", "slots": 3}
    theirs = Ring.of(reader.descriptor(), 100, 3)
    theirs.slot(2)[:5] = b"frame"
    assert bytes(ours.slot(2)[:5]) == b"frame"
    assert len(ours.slot(0)) == 100


def test_a_slot_can_be_read_when_both_sides_have_let_go_of_the_ring() -> None:
    ring, descriptor = Ring.make(100, 3)
    os.close(descriptor)
    ring.slot(1)[:5] = b"frame"
    view = ring.slot(1)
    del ring
    gc.collect()
    assert bytes(view[:5]) == b"frame"


def test_a_ring_smaller_than_announced_is_refused(line: tuple[Channel, socket.socket]) -> None:
    """Else reading it would end this process by a signal."""
    _, descriptor = Ring.make(100, 3)
    with pytest.raises(ChannelClosed, match="no ring of 4 x 100 bytes"):
        Ring.of(descriptor, 100, 4)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_file_that_was_announced_and_did_not_come_is_an_error(line: tuple[Channel, socket.socket]) -> None:
    channel, other = line
    other.sendall(b'{"kind": "open"}\n')
    assert channel.receive(5) == {"kind": "open"}
    with pytest.raises(ChannelClosed, match="did not come"):
        channel.descriptor()


@given(integers(1, 100 << 20), integers(1, 10_000), booleans())
def test_a_ring_has_a_few_slots_and_never_more_than_the_clip(frame_bytes: int, count: int, whole: bool) -> None:
    slots = ring_slots(frame_bytes, count, whole=whole)
    assert 1 <= slots <= count
    assert slots * frame_bytes <= max(WHOLE_BYTES if whole else RING_BYTES, 4 * frame_bytes)
    assert whole or slots <= MAX_SLOTS


def test_an_engine_with_a_device_never_waits_for_the_encoder_of_an_ordinary_clip() -> None:
    assert ring_slots(1920 * 1080 * 3, 121, whole=True) == 121
