"""T3: nothing is decompressed on the way in, so a small answer stays small."""

import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import pytest
from rushes.egress import EgressFailed


def bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(megabytes)) + packer.flush()


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "deflate, gzip", "x-gzip"])
async def test_a_compressed_answer_is_refused(serve: Any, answer: Any, tmp_path: Path, encoding: str) -> None:
    site = await serve(answer(b"12345", Content_Encoding=encoding))
    with pytest.raises(EgressFailed, match="compressed") as failure:
        await site.egress().fetch(site.url(), max_bytes=10, to=tmp_path / "file")
    assert not failure.value.retryable
    assert b"Accept-Encoding: identity\r\n" in site.heads[0]


async def test_a_bomb_costs_no_memory(serve: Any, answer: Any, tmp_path: Path) -> None:
    packed = bomb(100)
    assert len(packed) < 150_000
    declared, silent = await serve(answer(packed, Content_Encoding="gzip")), await serve(answer(packed))
    tracemalloc.start()
    try:
        with pytest.raises(EgressFailed, match="compressed"):
            await declared.egress().fetch(declared.url(), max_bytes=10_000_000, to=tmp_path / "declared")
        await silent.egress().fetch(silent.url(), max_bytes=10_000_000, to=tmp_path / "silent")
        grown = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert grown < 20_000_000
    assert (tmp_path / "silent").read_bytes() == packed
