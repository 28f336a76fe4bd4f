"""One plan, rendered: the Frames that the encoder takes one by one."""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import replace

import cv2

from rushes.engines.animatic.camera import directed, hand, hand_fade, scaled, travel
from rushes.engines.animatic.continuation import continued, last_frame, read_drift
from rushes.engines.animatic.fingerprint import fingerprint
from rushes.engines.animatic.grammar import read_camera
from rushes.engines.animatic.interpolate import DissolveShot, FlowShot, related_flow
from rushes.engines.animatic.loudness import driven, fitted, read_audio
from rushes.engines.animatic.overlay import Overlay
from rushes.engines.animatic.pixels import F32, U8
from rushes.engines.animatic.plate import Plate, make_plate, read_picture
from rushes.engines.animatic.shot import PictureShot, Shot
from rushes.engines.engine import Audio, Control, PixelFormat, Plan, Report, Unsupported

CREEP = 0.4
"""After a clip whose prompt names no move, the camera drawn from the seed only creeps."""


class SceneShot:
    """The painter's frames, in order."""

    def __init__(self, plan: Plan, width: int, height: int) -> None:
        from rushes.engines.animatic.painter import Scene

        self._frames = Scene(plan.prompt, width, height, plan.num_frames, plan.fps, plan.seed).frames()

    def draw(self, i: int) -> U8:
        return next(self._frames)

    def close(self) -> None:
        """End the painter's second hand, also in the middle of a video."""
        self._frames.close()


class Render:
    """Fulfils the Frames protocol: yuv420p frames, drawn while they are iterated, once."""

    pixel_format: PixelFormat = "yuv420p"

    def __init__(self, plan: Plan, control: Control) -> None:
        """Everything up to the first frame: pictures read, nearness guessed, the camera's path laid."""
        cv2.setNumThreads(1)
        started = time.monotonic()
        if plan.width is None or plan.height is None:
            raise Unsupported("the plan has no size; it has to be normalised with the facts of its pictures")
        self.width, self.height = plan.width, plan.height
        self.fps, self.count = plan.fps, plan.num_frames
        self._plan, self._control = plan, control
        driving = read_audio(plan.inputs["audio"]) if "audio" in plan.inputs else None
        self.audio: Audio | None = _sound(plan, driving)
        control.check()
        self._shot = _shot(plan, self.width, self.height, driving)
        control.check()
        caption = plan.prompt if plan.kind == "t2v" else ""
        self._overlay = Overlay(self.width, self.height, caption=caption, watermark=plan.watermark)
        self._setup = time.monotonic() - started
        self.report = Report(seed=plan.seed, fingerprint=fingerprint(), seconds={"setup": self._setup})

    def __iter__(self) -> Iterator[U8]:
        drawing = 0.0
        with closing(self._shot) if isinstance(self._shot, SceneShot) else nullcontext():
            for i in range(self.count):
                self._control.check()
                started = time.monotonic()
                frame = self._shot.draw(i)
                self._overlay.blend(frame)
                drawing += time.monotonic() - started
                self._control.progress("generating", i + 1, self.count)
                yield frame
        self.report.seconds = {"setup": self._setup, "draw": drawing}
        self.report.peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
            1 if sys.platform == "darwin" else 1024
        )


def _sound(plan: Plan, driving: F32 | None) -> Audio | None:
    if driving is not None:
        return fitted(driving, plan.seconds)
    if not plan.sound:
        return None
    from rushes.engines.animatic.soundtrack import soundtrack

    return soundtrack(plan.prompt, plan.seconds, plan.seed)


def _shot(plan: Plan, width: int, height: int, driving: F32 | None) -> Shot:
    inputs = plan.inputs
    if "clip" in inputs:
        return _continuation(plan, width, height, driving)
    if "image" in inputs and "last_image" in inputs:
        return _between(plan, *(_plate(inputs[role], width, height) for role in ("image", "last_image")))
    if "image" in inputs or "last_image" in inputs:
        return _picture(plan, width, height, driving)
    return SceneShot(plan, width, height)


def _plate(path: str, width: int, height: int) -> Plate:
    return make_plate(read_picture(path), width, height)


def _picture(plan: Plan, width: int, height: int, driving: F32 | None) -> PictureShot:
    """A single picture under the prompt's camera. Given as the last frame, it is where the camera arrives; a camera
    that would come in from beyond the picture goes backward instead, since nothing is known there."""
    backward = "image" not in plan.inputs
    plate = _plate(plan.inputs["last_image" if backward else "image"], width, height)
    direction = directed(plan.prompt, plan.seed)
    count, fps = plan.num_frames, plan.fps
    path = travel(direction, count, fps)
    if backward:
        arriving = path.arriving()
        inward = path.zoom[-1] > path.zoom[0] or path.push[-1] > path.push[0]
        path = replace(
            arriving,
            zoom=path.zoom[::-1] if inward else path.zoom,
            push=path.push[::-1] if inward else path.push,
        )
    fade = hand_fade(count, fps, start=not backward, end=backward)
    shake = scaled(hand(direction, count, fps, plan.seed, plan.prompt), fade)
    if driving is not None:
        path = driven(path, driving, fps, fade)
    return PictureShot(plate, path, shake, fade, plan.seed)


def _between(plan: Plan, first: Plate, last: Plate) -> Shot:
    flow = related_flow(first, last)
    if flow is not None:
        return FlowShot(first, last, flow, plan.num_frames)
    direction = directed(plan.prompt, plan.seed)
    fade = hand_fade(plan.num_frames, plan.fps, end=True)
    shake = scaled(hand(direction, plan.num_frames, plan.fps, plan.seed, plan.prompt), fade)
    return DissolveShot(first, last, travel(direction, plan.num_frames, plan.fps), shake, fade, plan.seed)


def _continuation(plan: Plan, width: int, height: int, driving: F32 | None) -> PictureShot:
    """The clip's last frame, its motion dying away under the prompt's camera."""
    folder = plan.inputs["clip"]
    plate = make_plate(last_frame(folder), width, height)
    direction = directed(plan.prompt, plan.seed)
    if not read_camera(plan.prompt).moves:
        direction = replace(direction, moves=tuple(replace(move, speed=CREEP) for move in direction.moves))
    count, fps = plan.num_frames, plan.fps
    drift = read_drift(folder, width, height, plan.seed)
    path = travel(direction, count, fps).plus(continued(drift, count, fps))
    fade = hand_fade(count, fps)
    shake = scaled(hand(direction, count, fps, plan.seed, plan.prompt), fade)
    if driving is not None:
        path = driven(path, driving, fps, fade)
    return PictureShot(plate, path, shake, fade, plan.seed)
