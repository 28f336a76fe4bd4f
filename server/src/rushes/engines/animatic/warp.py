"""The camera's view of a plate, drawn through a coarse mesh: one point per 8 pixels, three bilinear samplings."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rushes.engines.animatic.camera import F64, Path
from rushes.engines.animatic.depth import steepest
from rushes.engines.animatic.pixels import F32, U8, blur, f32, planes, resize_f32, sample, sample_into
from rushes.engines.animatic.plate import Plate

CELL = 8
FOLD_LIMIT = 0.4
"""Of the parallax at which a mesh would fold: what lies next to an outline is stretched by at most this much."""
BEND_LIMIT = 0.16
DEPTH_KEPT = 0.7
WIDENINGS = (1.0, 1.5, 2.2, 3.3, 5.0, 7.5)
TOLERANCE = 3e-4
"""How far a view may reach beyond the picture, in half widths: a fifth of a pixel, where the border is repeated."""


@dataclass(slots=True)
class Field:
    """Nearness over the plate, and the plane that stays in place under parallax."""

    near: F32
    pivot: float = field(init=False)

    def __post_init__(self) -> None:
        self.pivot = float(np.percentile(self.near, 55))

    def at(self, points: F32, slope: float) -> F32:
        """Nearness minus the pivot at points (x, y); `slope` is height over width."""
        rows, columns = self.near.shape
        where = np.empty_like(points)
        where[..., 0] = (points[..., 0] + 1) * (columns / 2) - 0.5
        where[..., 1] = (points[..., 1] / slope + 1) * (rows / 2) - 0.5
        return sample(self.near, where) - np.float32(self.pivot)


def fit_parallax(near: F32, path: Path, slope: float) -> tuple[Field, Path]:
    """A nearness map and a path that neither fold the mesh nor bend what stands upright.

    No folds means |truck - push B| times the steepest slope below 1 (B: the point seen); no bends, a sideways truck
    times the steepest slope downward below 0.16. Nearness is softened in steps, more down than across, while less than
    70 % of the parallax fits; then truck and push are scaled by one factor for the whole clip, because a limit per
    frame would stop the move half way.
    """
    reach = np.exp(-path.zoom) * np.hypot(1.0, slope)
    parallax = float((np.hypot(path.truck_x, path.truck_y) + np.abs(path.push) * reach).max(initial=0.0))
    sideways = float(np.abs(path.truck_x).max(initial=0.0))
    soft, factor, sigma = near, 1.0, near.shape[1] / 110
    for widening in WIDENINGS:
        extra = sigma * float(np.sqrt(widening**2 - 1))
        soft = blur(near, extra, 2 * extra) if extra else near
        any_way, downward = steepest(soft)
        factor = min(1.0, FOLD_LIMIT / max(parallax * any_way, 1e-9), BEND_LIMIT / max(sideways * downward, 1e-9))
        if factor >= DEPTH_KEPT:
            break
    truck_x, truck_y, push = path.truck_x * factor, path.truck_y * factor, path.push * factor
    return Field(soft), replace(path, truck_x=truck_x, truck_y=truck_y, push=push)


class Warp:
    """One plate under one camera path; `draw` renders any frame of it.

    `bases` are weights per frame, 0 wherever a frame has to equal the picture. Where the view would leave the plate,
    the magnification is raised along them, so that it grows as smoothly as the move itself.
    """

    def __init__(self, plate: Plate, near: F32, path: Path, bases: tuple[F64, ...] = ()) -> None:
        self.plate = plate
        self.slope = plate.height / plate.width
        self.field, path = fit_parallax(near, path, self.slope)
        self.path = path
        self._grid = _grid(plate.width, plate.height)
        self._rim = _rim(self.slope)
        self.path = replace(path, zoom=path.zoom + self._raise(path, bases))

    def mesh(self, i: int) -> F32:
        """Where each mesh point of frame i looks: (rows, columns, 2), x in [-1, 1], with one cell around the frame."""
        return self._look([f32(values[i]) for values in self.path.arrays()], self._grid)

    def draw(self, i: int, out: U8) -> None:
        """Render frame i into an I420 frame."""
        width, height = self.plate.width, self.plate.height
        luma_map, chroma_map = self.maps(self.mesh(i))
        y, u, v = planes(out, width, height)
        for plane, where, target in (
            (self.plate.y, luma_map, y),
            (self.plate.u, chroma_map, u),
            (self.plate.v, chroma_map, v),
        ):
            sample_into(plane, where, target)

    def maps(self, mesh: F32) -> tuple[F32, F32]:
        """Sampling positions in the plate's luma and chroma pixels for every pixel of the output."""
        rows, columns = self.plate.y.shape
        size = np.array([columns / 2, rows / 2 / self.slope], np.float32)
        position = f32((mesh + np.array([1, self.slope], np.float32)) * size)
        width, height = self.plate.width, self.plate.height
        return spread(f32(position - 0.5), CELL, width, height), spread(
            f32(position / 2 - 0.5), CELL // 2, width // 2, height // 2
        )

    def _look(self, camera: Sequence[F32], points: F32) -> F32:
        """Backward mapping of points of the frame, (frames or rows, points, 2), to points of the plate.

        `camera` holds the path's seven values, shape () or (frames, 1). Nearness is that of the point seen, which three
        passes find closely enough.
        """
        pan_x, pan_y, truck_x, truck_y, push, zoom, roll = camera
        scale = np.exp(-zoom)
        cos, sin = np.cos(roll) * scale, np.sin(roll) * scale
        x = points[..., 0] * cos + points[..., 1] * sin
        y = points[..., 1] * cos - points[..., 0] * sin
        seen = np.stack([x, y], axis=-1)
        for _ in range(3):
            near = self.field.at(seen, self.slope)
            stretch = 1 - push * near
            seen = np.stack([x * stretch + truck_x * near + pan_x, y * stretch + truck_y * near + pan_y], axis=-1)
        return seen

    def _raise(self, path: Path, bases: tuple[F64, ...]) -> F64:
        """Extra zoom per frame that keeps the view inside the plate, a sum of the bases."""
        raised = np.zeros(path.count)
        for base in bases:
            usable = base > 0.02
            for _ in range(4):
                zoom = path.zoom + raised
                camera = [f32(values)[:, None] for values in replace(path, zoom=zoom).arrays()]
                seen = np.abs(self._look(camera, self._rim))
                outside = np.maximum(seen[..., 0].max(axis=1), seen[..., 1].max(axis=1) / self.slope) - 1
                size = np.exp(-zoom)
                missing = np.where(usable & (outside > TOLERANCE), np.log(size / np.maximum(size - outside, 0.1)), 0.0)
                more = float((missing / np.where(usable, base, 1.0)).max(initial=0.0))
                if more <= 0:
                    break
                raised = raised + more * base
        return raised


def spread(mesh: F32, cell: int, width: int, height: int) -> F32:
    """A mesh of one point per `cell` pixels (and one cell around) to every pixel."""
    rows, columns = mesh.shape[:2]
    full = resize_f32(mesh, columns * cell, rows * cell)
    return full[cell : cell + height, cell : cell + width]


def _grid(width: int, height: int) -> F32:
    """Mesh points of a frame and of one cell around it. Without that cell the interpolation would repeat its outermost
    points and smear the last four pixels."""
    columns, rows = -(-width // CELL) + 2, -(-height // CELL) + 2
    x = ((np.arange(columns) - 0.5) * CELL / width) * 2 - 1
    y = (((np.arange(rows) - 0.5) * CELL / height) * 2 - 1) * height / width
    return f32(np.stack(np.meshgrid(x, y), axis=2))


def _rim(slope: float) -> F32:
    """Points along the edge of a frame, shape (1, n, 2)."""
    t = np.linspace(-1, 1, 65)
    one = np.ones_like(t)
    points = [np.stack(pair, axis=1) for pair in ((t, -one), (t, one), (-one, t), (one, t))]
    return f32(np.concatenate(points)[None] * np.array([1, slope]))
