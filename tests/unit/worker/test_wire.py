"""The line to an engine child: messages whole and in order, and a ring of frames in shared memory."""

import os
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis.strategies import integers
from rushes.worker.wire import MAX_MESSAGE, MAX_SLOTS, RING_BYTES, Channel, ChannelClosed, Ring, ring_slots


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


def test_what_one_side_writes_into_the_ring_the_other_reads() -> None:
    ours = Ring.make()
    theirs = Ring(os.dup(ours.descriptor))
    ours.resize(100, 3)
    theirs.resize(100, 3)
    theirs.slot(2)[:5] = b"frame"
    assert bytes(ours.slot(2)[:5]) == b"frame"
    assert len(ours.slot(0)) == 100
    ours.close()
    theirs.close()


def test_a_ring_without_a_size_has_no_slots() -> None:
    ring = Ring.make()
    with pytest.raises(ChannelClosed):
        ring.slot(0)
    ring.close()


@given(integers(1, 100 << 20), integers(1, 10_000))
def test_a_ring_has_a_few_slots_and_never_more_than_the_clip(frame_bytes: int, count: int) -> None:
    slots = ring_slots(frame_bytes, count)
    assert 1 <= slots <= min(count, MAX_SLOTS)
    assert slots * frame_bytes <= max(RING_BYTES, 4 * frame_bytes)
