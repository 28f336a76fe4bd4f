"""The path of `make demo` in real processes, and the mp4s it gives opened with PyAV."""

import io
from pathlib import Path

import av
import numpy as np
import pytest
from gmicloud import Client
from PIL import Image
from support.invariants import check_invariants
from support.platform import RunningPlatform, running_platform

PICTURES = Path(__file__).parents[2] / "examples" / "pictures"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory):
    with running_platform(tmp_path_factory.mktemp("platform")) as running:
        yield running
        check_invariants(running.database_url, running.data / "objects")


@pytest.fixture
def client(platform: RunningPlatform):
    with Client(api_key=platform.key, base_url=platform.address) as client:
        yield client


def boxes(data: bytes) -> list[str]:
    """The top-level boxes of an mp4, in order."""
    found, at = [], 0
    while at + 8 <= len(data):
        found.append(data[at + 4 : at + 8].decode("latin-1"))
        at += int.from_bytes(data[at : at + 4], "big") or len(data)
    return found


def luma(picture: Image.Image) -> np.ndarray:
    red, green, blue = np.moveaxis(np.asarray(picture.convert("RGB"), np.float64), -1, 0)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((one - other) ** 2)))


def test_a_photograph_becomes_a_video_that_begins_with_it(client: Client, tmp_path: Path) -> None:
    payload = {
        "first_frame": PICTURES / "coffee.png",
        "prompt": "Slow cinematic dolly in, warm morning light",
        "resolution": "720P",
        "duration": 3,
        "seed": 7,
    }
    record = client.generate("wan2.7-i2v", timeout=100, **payload)
    assert record.status == "success"
    assert record.engine == "animatic"
    video = client.download(record, tmp_path / "video.mp4")
    data = Path(video).read_bytes()
    names = boxes(data)
    assert names.index("moov") < names.index("mdat")
    with av.open(io.BytesIO(data)) as file:
        stream = file.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.profile, stream.pix_fmt) == ("h264", "High", "yuv420p")
        frames = [frame.to_image() for frame in file.decode(stream)]
        assert stream.average_rate == 24
        assert not file.streams.audio
        assert file.duration / av.time_base == pytest.approx(3.0, abs=0.05)
    assert len(frames) == 72
    width, height = frames[0].size
    assert width % 16 == height % 16 == 0 and width * height == pytest.approx(1280 * 720, rel=0.03)
    with Image.open(PICTURES / "coffee.png") as opened:
        source = opened.convert("RGB")
    scale = max(width / source.width, height / source.height)
    left, top = (source.width - width / scale) / 2, (source.height - height / scale) / 2
    box = (left, top, left + width / scale, top + height / scale)
    wanted = source.resize((width, height), Image.Resampling.LANCZOS, box=box)
    assert psnr(luma(frames[0]), luma(wanted)) > 33
    assert psnr(luma(frames[-1]), luma(wanted)) < 28, "the camera does not move"
    thumbnail = client.download(record, tmp_path / "thumbnail.jpg", thumbnail=True)
    with Image.open(thumbnail) as picture:
        assert max(picture.size) == 640


def test_a_sentence_becomes_a_video(client: Client, tmp_path: Path) -> None:
    prompt = "A majestic eagle soaring through a clear blue sky"
    record = client.generate("Wan-AI_Wan2.1-T2V-14B", timeout=100, prompt=prompt, video_length=5)
    with av.open(str(client.download(record, tmp_path / "video.mp4"))) as file:
        stream = file.streams.video[0]
        assert (stream.width, stream.height) == (1280, 720)
        assert sum(1 for packet in file.demux(stream) if packet.size) == 120


def test_the_same_seed_gives_the_same_bytes(client: Client) -> None:
    payload = {"prompt": "A calm ocean at dawn", "seed": 11, "video_length": 5}
    model = "Wan-AI_Wan2.1-T2V-14B"
    one, two = (client.generate(model, timeout=100, **payload) for _ in range(2))
    digests = {record.outcome["media_urls"][0]["sha256"] for record in (one, two)}
    assert len(digests) == 1
