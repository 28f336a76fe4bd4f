"""inputs: what a payload holds becomes files an engine can trust."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rushes.domain.model_card import MediaLimits
from rushes.media.inputs import (
    MediaRefused,
    check_media,
    decode_base64,
    looks_like_base64,
    parse_data_uri,
    prepare_audio,
    prepare_clip,
    prepare_image,
)


def picture(
    path: Path, size: tuple[int, int] = (300, 200), plugin: str = "PNG", mode: str = "RGB", **more: Any
) -> Path:
    ramp = np.linspace(0, 255, size[0] * size[1]).reshape(size[1], size[0]).astype(np.uint8)
    Image.fromarray(ramp).convert(mode).save(path, plugin, **more)
    return path


def read(path: Path) -> Any:
    with Image.open(path, formats=["PNG"]) as found:
        assert found.mode == "RGB"
        assert found.info == {}
        return np.array(found)


def the_message(refusal: Any) -> str:
    assert refusal.value.fault.param == "image_url"
    assert refusal.value.fault.code == "media"
    return refusal.value.fault.message


class TestInlineText:
    def test_a_data_uri_becomes_its_bytes(self) -> None:
        for head in ("data:image/png;base64,", "data:;base64,", "DATA:video/mp4;codecs=avc1;BASE64,"):
            assert parse_data_uri(head + "aGVsbG8=", max_bytes=5, field="f") == b"hello"

    def test_line_breaks_are_allowed_in_base64(self) -> None:
        assert decode_base64("aGVs\r\nbG8=\n", max_bytes=5, field="f") == b"hello"

    @pytest.mark.parametrize(
        "text",
        [
            "data:image/png,hello",
            "data:image/png;base64",
            "data:text/html;base64,aGVsbG8=",
            "data:image/png;x=a,b;base64,aGVsbG8=",
            "data:image/svg xml;base64,aGVsbG8=",
            " data:image/png;base64,aGVsbG8=",
            "http://example.com/a.png",
            "",
        ],
    )
    def test_another_form_is_refused(self, text: str) -> None:
        with pytest.raises(MediaRefused) as refusal:
            parse_data_uri(text, max_bytes=100, field="image_url")
        assert "Must be a data URI" in the_message(refusal)

    @pytest.mark.parametrize("packed", ["aGVsbG8", "aGV sbG8=", "aGVs%62G8=", "aGVsbG8_", "aGVsbG8=aGVs", "aGVsbG8é"])
    def test_what_is_not_base64_is_refused(self, packed: str) -> None:
        with pytest.raises(MediaRefused) as refusal:
            parse_data_uri("data:image/png;base64," + packed, max_bytes=100, field="image_url")
        assert "Must be valid base64" in the_message(refusal)

    def test_no_bytes_at_all_are_refused(self) -> None:
        with pytest.raises(MediaRefused) as refusal:
            parse_data_uri("data:image/png;base64,", max_bytes=100, field="image_url")
        assert "empty" in the_message(refusal)

    def test_the_size_is_known_to_the_byte(self) -> None:
        for size in range(1, 20):
            packed = base64.b64encode(bytes(size)).decode()
            assert len(decode_base64(packed, max_bytes=size, field="f")) == size
            with pytest.raises(MediaRefused, match="Must be at most"):
                decode_base64(packed, max_bytes=size - 1, field="f")

    def test_raw_base64_is_told_from_names_and_urls(self) -> None:
        packed = base64.b64encode(bytes(range(256))).decode()
        assert looks_like_base64(packed)
        assert looks_like_base64(base64.encodebytes(bytes(300)).decode())
        assert not looks_like_base64("https://example.com/" + "a" * 200)
        assert not looks_like_base64("data:image/png;base64," + packed)
        assert not looks_like_base64("a" * 64)
        assert not looks_like_base64("")


class TestCheckedPictures:
    @pytest.mark.parametrize("plugin", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
    async def test_each_format_gives_its_facts(self, tmp_path: Path, plugin: str) -> None:
        path = picture(tmp_path / "x", plugin=plugin)
        facts = await check_media(path, "image", None, "image_url")
        assert (facts.kind, facts.width, facts.height, facts.bytes) == ("image", 300, 200, path.stat().st_size)
        assert facts.content_type == f"image/{plugin.lower()}"

    async def test_sides_are_those_of_the_upright_picture(self, tmp_path: Path) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        for plugin in ("JPEG", "PNG", "WEBP"):
            path = picture(tmp_path / "x", plugin=plugin, exif=exif)
            facts = await check_media(path, "image", None, "image_url")
            assert (facts.width, facts.height) == (200, 300)

    @pytest.mark.parametrize(
        ("limits", "said"),
        [
            (MediaLimits(min_side=360, max_side=2000), "Must be 360 to 2000 px a side, got 300x200"),
            (MediaLimits(min_side=201), "Must be at least 201 px a side, got 300x200"),
            (MediaLimits(max_side=299), "Must be at most 299 px a side, got 300x200"),
            (MediaLimits(max_aspect=1.4), "Longer side must be at most 1.4 times the shorter, got 300x200"),
            (MediaLimits(formats=("jpeg", "webp")), "Must be jpg or webp, got png"),
            (MediaLimits(formats=("jpg", "gif", "bmp")), "Must be jpg, gif or bmp, got png"),
            (MediaLimits(max_bytes=100), "Must be at most"),
        ],
    )
    async def test_each_limit_of_a_card_is_named(self, tmp_path: Path, limits: MediaLimits, said: str) -> None:
        with pytest.raises(MediaRefused) as refusal:
            await check_media(picture(tmp_path / "x"), "image", limits, "image_url")
        assert said in the_message(refusal)

    async def test_the_limits_themselves_are_allowed(self, tmp_path: Path) -> None:
        path = picture(tmp_path / "x")
        limits = MediaLimits(("png",), path.stat().st_size, 200, 300, 1.5)
        assert (await check_media(path, "image", limits, "image_url")).width == 300

    async def test_something_else_is_refused_by_its_kind(self, tmp_path: Path, a_recording: Any) -> None:
        with pytest.raises(MediaRefused) as refusal:
            await check_media(a_recording(tmp_path / "x.png", "pcm_s16le", "wav"), "image", None, "image_url")
        assert the_message(refusal) == "Must be jpg, png, gif, bmp or webp, got wav"
        (tmp_path / "empty").touch()
        with pytest.raises(MediaRefused) as refusal:
            await check_media(tmp_path / "empty", "image", None, "image_url")
        assert "empty" in the_message(refusal)

    async def test_a_missing_file_is_an_os_error(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            await check_media(tmp_path / "none", "image", None, "image_url")


class TestCheckedRecordings:
    @pytest.mark.parametrize(
        ("codec", "container"),
        [("pcm_s16le", "wav"), ("libmp3lame", "mp3"), ("libopus", "ogg"), ("flac", "flac"), ("aac", "ipod")],
    )
    async def test_sounds_give_their_seconds(
        self, tmp_path: Path, a_recording: Any, codec: str, container: str
    ) -> None:
        path = a_recording(tmp_path / "x", codec, container, seconds=2.0)
        facts = await check_media(path, "audio", None, "audio_url")
        assert facts.seconds == pytest.approx(2.0, abs=0.1)
        assert (facts.width, facts.has_audio) == (0, True)

    @pytest.mark.parametrize(("codec", "container"), [("libx264", "mp4"), ("libx264", "mov"), ("libvpx", "webm")])
    async def test_videos_give_sides_and_seconds(
        self, tmp_path: Path, a_movie: Any, codec: str, container: str
    ) -> None:
        path = a_movie(tmp_path / "x", codec=codec, container=container, count=36, sound=container != "mov")
        facts = await check_media(path, "video", None, "video_url")
        assert (facts.width, facts.height, facts.has_audio) == (64, 48, container != "mov")
        assert facts.seconds == pytest.approx(1.5, abs=0.05)

    async def test_a_turned_video_has_the_sides_it_is_shown_with(self, tmp_path: Path, a_movie: Any) -> None:
        facts = await check_media(a_movie(tmp_path / "x", rotation=90), "video", None, "video_url")
        assert (facts.width, facts.height) == (48, 64)

    @pytest.mark.parametrize(
        ("limits", "said"),
        [
            (MediaLimits(min_seconds=3, max_seconds=30), "Must last 3 to 30 s, got 1.0 s"),
            (MediaLimits(min_seconds=3), "Must last at least 3 s, got 1.0 s"),
            (MediaLimits(max_seconds=0.5), "Must last at most 0.5 s, got 1.0 s"),
            (MediaLimits(formats=("mp3",)), "Must be mp3, got wav"),
        ],
    )
    async def test_each_limit_is_named(self, tmp_path: Path, a_recording: Any, limits: Any, said: str) -> None:
        with pytest.raises(MediaRefused) as refusal:
            await check_media(a_recording(tmp_path / "x", "pcm_s16le", "wav"), "audio", limits, "image_url")
        assert the_message(refusal) == said


class TestPreparedPictures:
    async def test_the_exif_orientation_is_applied_and_gone(self, tmp_path: Path) -> None:
        plain = np.array(Image.open(picture(tmp_path / "plain", (40, 20))).convert("RGB"))
        turns = {
            1: plain,
            2: plain[:, ::-1],
            3: plain[::-1, ::-1],
            4: plain[::-1],
            5: plain.transpose(1, 0, 2),
            6: np.rot90(plain, -1),
            7: np.rot90(plain.transpose(1, 0, 2), 2),
            8: np.rot90(plain),
        }
        for value in (3, 5, 6):
            exif = Image.Exif()
            exif[0x0112], exif[0x010F] = value, "a camera"
            path = picture(tmp_path / "x", (40, 20), exif=exif)
            assert await prepare_image(path, tmp_path / "out.png") == turns[value].shape[1::-1]
            assert np.array_equal(read(tmp_path / "out.png"), turns[value])
            assert b"camera" not in (tmp_path / "out.png").read_bytes()

    async def test_alpha_is_shown_on_white(self, tmp_path: Path) -> None:
        for mode, colour in (("RGBA", (255, 0, 0, 128)), ("LA", (0, 128)), ("RGBA", (9, 9, 9, 0))):
            Image.new(mode, (4, 4), colour).save(tmp_path / "x.png")
            await prepare_image(tmp_path / "x.png", tmp_path / "out.png")
            expected = {255: (255, 127, 127), 0: (127, 127, 127), 9: (255, 255, 255)}[colour[0]]
            assert np.abs(read(tmp_path / "out.png")[1, 1].astype(int) - expected).max() <= 1

    async def test_a_transparent_colour_of_a_palette_is_white(self, tmp_path: Path) -> None:
        sheet = Image.new("P", (4, 4), 1)
        sheet.putpalette([0, 0, 0, 10, 200, 30])
        sheet.save(tmp_path / "x.gif", transparency=1)
        await prepare_image(tmp_path / "x.gif", tmp_path / "out.png")
        assert tuple(read(tmp_path / "out.png")[0, 0]) == (255, 255, 255)

    async def test_sixteen_bits_of_grey_become_the_upper_eight(self, tmp_path: Path) -> None:
        deep = (np.arange(64 * 64, dtype=np.uint16) * 16).reshape(64, 64)
        Image.fromarray(deep).save(tmp_path / "x.png")
        await prepare_image(tmp_path / "x.png", tmp_path / "out.png")
        assert np.array_equal(read(tmp_path / "out.png")[..., 0], deep >> 8)

    async def test_cmyk_becomes_rgb(self, tmp_path: Path) -> None:
        Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "x.jpg", quality=95)
        await prepare_image(tmp_path / "x.jpg", tmp_path / "out.png")
        assert np.abs(read(tmp_path / "out.png")[8, 8].astype(int) - (255, 0, 0)).max() <= 6

    async def test_only_the_first_frame_of_an_animation_is_taken(self, tmp_path: Path) -> None:
        frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
        for plugin in ("GIF", "PNG", "WEBP"):
            frames[0].save(tmp_path / "x", plugin, save_all=True, append_images=frames[1:], lossless=True)
            await prepare_image(tmp_path / "x", tmp_path / "out.png")
            assert tuple(read(tmp_path / "out.png")[4, 4]) == (255, 0, 0)

    @pytest.mark.parametrize(
        ("size", "shape", "kept"),
        [
            ((300, 200), (16, 9), (300, 169)),
            ((300, 200), (1080, 1920), (112, 200)),
            ((301, 201), (1, 1), (201, 201)),
            ((64, 36), (1920, 1080), (64, 36)),
        ],
    )
    async def test_it_is_cropped_to_a_shape_at_its_centre_and_not_scaled(
        self, tmp_path: Path, size: Any, shape: Any, kept: Any
    ) -> None:
        path = picture(tmp_path / "x", size)
        whole = np.array(Image.open(path).convert("RGB"))
        out = tmp_path / "out.png"
        assert await prepare_image(path, out, width=shape[0], height=shape[1]) == kept
        left, top = (size[0] - kept[0]) // 2, (size[1] - kept[1]) // 2
        assert np.array_equal(read(out), whole[top : top + kept[1], left : left + kept[0]])

    async def test_a_cut_off_picture_is_refused_and_nothing_is_written(self, tmp_path: Path) -> None:
        for plugin in ("JPEG", "PNG", "GIF", "BMP", "WEBP"):
            whole = picture(tmp_path / "x", plugin=plugin).read_bytes()
            (tmp_path / "x").write_bytes(whole[: len(whole) * 2 // 3])
            with pytest.raises(MediaRefused) as refusal:
                await prepare_image(tmp_path / "x", tmp_path / "out.png", field="image_url")
            assert the_message(refusal) == "It is damaged or cut off"
            assert not (tmp_path / "out.png").exists()

    async def test_a_disk_that_refuses_is_not_the_fault_of_the_file(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="No such file"):
            await prepare_image(picture(tmp_path / "x"), tmp_path / "no folder" / "out.png")


class TestPreparedRecordings:
    @pytest.mark.parametrize(
        ("codec", "container", "rate", "layout"),
        [
            ("pcm_s16le", "wav", 44_100, "mono"),
            ("libmp3lame", "mp3", 22_050, "stereo"),
            ("aac", "ipod", 48_000, "stereo"),
        ],
    )
    async def test_sound_becomes_stereo_float_at_48_khz(
        self, tmp_path: Path, a_recording: Any, codec: str, container: str, rate: int, layout: str
    ) -> None:
        path = a_recording(tmp_path / "x", codec, container, 1.0, rate, layout)
        seconds = await prepare_audio(path, tmp_path / "out.npy")
        samples = np.load(tmp_path / "out.npy", allow_pickle=False)
        assert seconds == len(samples) / 48_000 == pytest.approx(1.0, abs=0.1)
        assert (samples.dtype, samples.shape[1]) == (np.float32, 2)
        assert np.abs(samples[10_000:30_000]).max() == pytest.approx(0.5, abs=0.06)
        crossings = np.count_nonzero(np.diff(np.signbit(samples[10_000:34_000, 0])))
        assert crossings == pytest.approx(440, abs=6)  # half a second of 440 Hz

    async def test_a_clip_gives_its_end_as_pictures(self, tmp_path: Path, a_movie: Any) -> None:
        (tmp_path / "clip").mkdir()
        prepared = await prepare_clip(a_movie(tmp_path / "x", count=50, fps=12), tmp_path / "clip")
        assert (prepared.frames, prepared.width, prepared.height) == (12, 64, 48)
        names = sorted(path.name for path in (tmp_path / "clip").iterdir())
        assert names == [f"{number:06d}.png" for number in range(12)] + ["last.png"]
        # 12 fps, a sixth of a second apart: every second frame, counted back from number 49.
        for number in range(12):
            luma = 20 + (49 - 2 * (11 - number)) * 4
            shown = read(tmp_path / "clip" / f"{number:06d}.png")[40, 40]
            assert np.abs(shown.astype(int) - (luma - 16) * 255 / 219).max() <= 5
        assert np.array_equal(read(tmp_path / "clip" / "last.png"), read(tmp_path / "clip" / "000011.png"))

    async def test_a_short_clip_gives_fewer(self, tmp_path: Path, a_movie: Any) -> None:
        (tmp_path / "clip").mkdir()
        prepared = await prepare_clip(a_movie(tmp_path / "x", count=1), tmp_path / "clip")
        assert prepared.frames == 1
        assert (tmp_path / "clip" / "last.png").exists()

    @pytest.mark.parametrize(("rotation", "corner"), [(90, (60, 4)), (180, (44, 60)), (-90, (4, 44))])
    async def test_frames_of_a_turned_clip_are_upright(
        self, tmp_path: Path, a_movie: Any, rotation: float, corner: tuple[int, int]
    ) -> None:
        (tmp_path / "clip").mkdir()
        await prepare_clip(a_movie(tmp_path / "x", count=6, rotation=rotation), tmp_path / "clip")
        last = read(tmp_path / "clip" / "last.png")
        assert last.shape[:2] == ((48, 64) if rotation == 180 else (64, 48))
        assert last[corner][0] > 200  # the white corner was at the top left, seen before turning

    async def test_sound_where_a_clip_is_wanted_is_refused(self, tmp_path: Path, a_recording: Any) -> None:
        (tmp_path / "clip").mkdir()
        with pytest.raises(MediaRefused) as refusal:
            path = a_recording(tmp_path / "x", "pcm_s16le", "wav")
            await prepare_clip(path, tmp_path / "clip", field="image_url")
        assert the_message(refusal) == "Must be video, got wav"


async def test_a_picture_as_large_as_allowed_fits_into_the_child(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGBA", (7_000, 7_000), (1, 2, 3, 255)).save(file, "PNG", compress_level=1)
    (tmp_path / "x").write_bytes(file.getvalue())
    exif = await prepare_image(tmp_path / "x", tmp_path / "out.png", width=1, height=1)
    assert exif == (7_000, 7_000)
