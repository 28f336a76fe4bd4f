"""From a first to a last picture: along the optical flow where they show the same scene, else a dissolve."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from rushes.engines.animatic.camera import F64, Path, ease
from rushes.engines.animatic.pixels import F32, U8, blur, f32, planes, resize_f32, sample, sample_into, u8
from rushes.engines.animatic.plate import Plate, luma_small
from rushes.engines.animatic.shot import EXACT_PIXELS, distance, draw_with_exact, mix, nearness_of, pixels_moved
from rushes.engines.animatic.warp import CELL, Warp, spread

CONSISTENT_SHARE = 0.45
LIKENESS = 0.6
ZOOM = 0.08
DRIFT = 0.6
HALF_BLEND = 0.22
STAGGER = 0.18


@dataclass(frozen=True, slots=True)
class Flow:
    """Optical flow between two small pictures both ways, in pixels of those pictures, shape (rows, columns, 2)."""

    there: F32
    back: F32


def related_flow(first: Plate, last: Plate) -> Flow | None:
    """The flow between two pictures of one scene, or None if they are not.

    DIS flow (Kroeger et al., ECCV 2016) on luma with evened contrast. One scene: more than 45 % of the flow comes back
    to where it started, and the last picture, pulled back along it, resembles the first (correlation above 0.6). A
    blank picture shows no scene.
    """
    even = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8))
    a, b = (u8(even.apply(luma_small(plate.small))) for plate in (first, last))
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    there = f32(dis.calc(a, b, np.zeros((*a.shape, 2), np.float32)))
    back = f32(dis.calc(b, a, np.zeros((*a.shape, 2), np.float32)))
    trusted = _consistent(there, back)
    if float(trusted.mean()) <= CONSISTENT_SHARE or min(float(a.std()), float(b.std())) < 2:
        return None
    pulled = sample(f32(b), _pixel_grid(a.shape[1], a.shape[0]) + there)
    likeness = float(np.corrcoef(pulled.ravel(), a.ravel())[0, 1])
    if likeness <= LIKENESS:
        return None
    return Flow(_completed(there, trusted), _completed(back, _consistent(back, there)))


def _consistent(there: F32, back: F32) -> F32:
    """1 where following a flow and then its opposite leads back, else 0 (Sundaram, Brox and Keutzer, ECCV 2010)."""
    rows, columns = there.shape[:2]
    returned = sample(back, _pixel_grid(columns, rows) + there)
    error = ((there + returned) ** 2).sum(axis=2)
    size = (there**2).sum(axis=2) + (returned**2).sum(axis=2)
    return f32(error < 0.01 * size + 2)


def _completed(flow: F32, trusted: F32) -> F32:
    """The flow where it is trusted; elsewhere, as for what only one picture shows, the trusted flow's affine motion."""
    rows, columns = flow.shape[:2]
    points = np.concatenate([_pixel_grid(columns, rows), np.ones((rows, columns, 1), np.float32)], axis=2)
    known = trusted > 0
    motion = np.linalg.lstsq(points[known][::7], flow[known][::7], rcond=None)[0]
    smooth = f32(points @ f32(motion))
    trust = np.clip(blur(trusted, columns / 80) * 2 - 1, 0, 1)[..., None]
    return f32(smooth + trust * (flow - smooth))


class FlowShot:
    """Both pictures moved along the flow to the moment between them and blended (Jiang et al., CVPR 2018)."""

    def __init__(self, first: Plate, last: Plate, flow: Flow, count: int) -> None:
        self._first, self._last, self._flow = first, last, flow
        self._t = ease(np.linspace(0, 1, count) if count > 1 else np.zeros(1))
        rows, columns = flow.there.shape[:2]
        self._small_grid = _pixel_grid(columns, rows)
        most = float(np.sqrt(max((part**2).sum(axis=2).max() for part in (flow.there, flow.back))))
        self._pixels = most * first.width / columns
        self._rest: list[F32] = []
        """Where every pixel of a luma and of a chroma plane looks when nothing moves."""
        for half in (0, 1):
            scale = np.float32(_groups(first)[half][0].shape[1] / (first.width >> half))
            self._rest.append(
                (_pixel_grid(first.width >> half, first.height >> half) + np.float32(0.5)) * scale - np.float32(0.5)
            )

    def draw(self, i: int) -> U8:
        t = float(self._t[i])
        at_first = max(1 - t * self._pixels / EXACT_PIXELS, 0.0)
        at_last = max(1 - (1 - t) * self._pixels / EXACT_PIXELS, 0.0)
        if at_first >= 1 or at_last >= 1:
            return (self._first if at_first >= 1 else self._last).exact.copy()
        frame = self._between(t)
        for share, plate in ((at_first, self._first), (at_last, self._last)):
            if share > 0:
                mix(plate.exact, frame, share, frame)
        return frame

    def _between(self, t: float) -> U8:
        there, back = self._flow.there, self._flow.back
        to_first = f32(cv2.addWeighted(there, -(1 - t) * t, back, t * t, 0))
        to_last = f32(cv2.addWeighted(there, (1 - t) ** 2, back, -t * (1 - t), 0))
        seen_first = self._inside(to_first) * np.float32(1 - t)
        seen_last = self._inside(to_last) * np.float32(t)
        weight = f32(seen_first / np.maximum(seen_first + seen_last, 1e-4))
        frame = np.empty_like(self._first.exact)
        for half, targets in enumerate(_plane_groups(frame, self._first)):
            height, width = targets[0].shape
            weights = resize_f32(weight, width, height)
            maps = [self._map(offset, half) for offset in (to_first, to_last)]
            for target, first, last in zip(
                targets, *(_groups(p)[half] for p in (self._first, self._last)), strict=True
            ):
                a, b = np.empty_like(target), np.empty_like(target)
                sample_into(first, maps[0], a)
                sample_into(last, maps[1], b)
                cv2.blendLinear(a, b, weights, f32(1 - weights), dst=target)
        return frame

    def _map(self, offset: F32, half: int) -> F32:
        """Positions in a plate's luma (half 0) or chroma (half 1) pixels for every pixel of that plane."""
        rest = self._rest[half]
        height, width = rest.shape[:2]
        pixels = _groups(self._first)[half][0].shape[1] / offset.shape[1]
        return f32(cv2.scaleAdd(resize_f32(offset, width, height), pixels, rest))

    def _inside(self, offset: F32) -> F32:
        """1 where a moved pixel lies within its picture, falling to 0 over four small pixels beyond the border."""
        rows, columns = offset.shape[:2]
        at = self._small_grid + offset
        beyond = np.maximum(
            np.maximum(-at[..., 0], at[..., 0] - (columns - 1)), np.maximum(-at[..., 1], at[..., 1] - (rows - 1))
        )
        return f32(np.clip(1 - beyond / 4, 1e-3, 1))


class DissolveShot:
    """Two pictures of different scenes: both drift the same way, and the near parts of the second appear first.

    The second picture's camera runs towards its rest, so that the last frame equals the picture.
    """

    def __init__(self, first: Plate, last: Plate, path: Path, hand: Path, fade: F64, seed: int) -> None:
        going = ease(np.linspace(0, 1, path.count) if path.count > 1 else np.zeros(1))
        drift = Path.still(path.count).plus(path, DRIFT)
        leaving = replace(drift.leaving(), zoom=np.log1p(ZOOM) * going)
        arriving = replace(drift.arriving(), zoom=np.log1p(ZOOM) * (1 - going))
        self._near = nearness_of(last, seed)
        self._warps = (
            Warp(first, nearness_of(first, seed), leaving.plus(hand), (distance(leaving), fade)),
            Warp(last, self._near, arriving.plus(hand), (distance(arriving), fade)),
        )
        self._exact = [np.clip(1 - pixels_moved(warp.path, warp.plate) / EXACT_PIXELS, 0, 1) for warp in self._warps]
        self._u = np.linspace(0, 1, path.count)

    def draw(self, i: int) -> U8:
        u = float(self._u[i])
        first, last = self._warps
        if u <= 0.5 - STAGGER / 2 - HALF_BLEND:
            return draw_with_exact(first, float(self._exact[0][i]), i)
        if u >= 0.5 + STAGGER / 2 + HALF_BLEND:
            return draw_with_exact(last, float(self._exact[1][i]), i)
        frames = [draw_with_exact(warp, 0.0, i) for warp in self._warps]
        mesh = last.mesh(i)
        near = last.field.at(mesh, last.slope) + np.float32(last.field.pivot)
        centre = 0.5 + STAGGER * (0.5 - np.clip(near, 0, 1))
        t = np.clip((u - centre) / (2 * HALF_BLEND) + 0.5, 0, 1)
        weight = f32(t * t * (3 - 2 * t))
        out = np.empty_like(frames[0])
        width, height = last.plate.width, last.plate.height
        for half, group in enumerate(_plane_groups(out, last.plate)):
            weights = np.ascontiguousarray(spread(weight, CELL >> half, width >> half, height >> half))
            kept = f32(1 - weights)
            sources = [_plane_groups(frame, last.plate)[half] for frame in frames]
            for target, a, b in zip(group, *sources, strict=True):
                cv2.blendLinear(a, b, kept, weights, dst=target)
        return out


def _groups(plate: Plate) -> tuple[tuple[U8, ...], tuple[U8, ...]]:
    return (plate.y,), (plate.u, plate.v)


def _plane_groups(frame: U8, plate: Plate) -> tuple[tuple[U8, ...], tuple[U8, ...]]:
    """Views of a frame's planes, those of full size and those of half size."""
    y, u, v = planes(frame, plate.width, plate.height)
    return (y,), (u, v)


def _pixel_grid(width: int, height: int) -> F32:
    return f32(np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=2))
