"""Layers: moved without seams, without darkening what lies behind them, and the same by either way of moving."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from rushes.engines.animatic.painter.camera import Path
from rushes.engines.animatic.painter.canvas import Canvas
from rushes.engines.animatic.painter.layers import LayerPass, make_layer, margins
from rushes.engines.animatic.painter.stage import Stage, stage_for

WIDTH, HEIGHT = 160, 90


def stage_at(x: float, zoom: float) -> Stage:
    stage = stage_for("mountains, static", WIDTH, HEIGHT, 2, 24, 0)
    return replace(stage, path=Path(np.array([x, -0.1]), np.zeros(2), np.array([zoom, 0.0])))


def painted(x: float, zoom: float = 0.0) -> Canvas:
    """A smooth disc, opaque in the middle, over a bright canvas."""
    stage = stage_at(x, zoom)
    side, _ = margins(stage, 1.0)
    columns, rows = np.meshgrid(np.arange(WIDTH + 2 * side) - side, np.arange(HEIGHT))
    alpha = np.clip(14 - np.hypot(columns - 80, rows - 45) * 0.5, 0, 1).astype(np.float32)
    rgb = np.full((*alpha.shape, 3), 0.05, np.float32)
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.y[:] = 200
    layer = make_layer(stage, cv2.GaussianBlur(rgb, (0, 0), 2), alpha, 1.0, -side, 0, "disc")
    LayerPass(stage, layer).paint(canvas, 0)
    return canvas


@pytest.mark.parametrize("x", [-0.1, -0.033, 0.0, 0.0031, 0.01, 0.0507, 0.1])
def test_a_layer_moves_by_the_camera_path_and_leaves_the_rest_as_it_is(x: float) -> None:
    canvas = painted(x)
    dark = canvas.y < 120
    columns = np.flatnonzero(dark.any(axis=0))
    middle = (columns[0] + columns[-1]) / 2
    assert middle == pytest.approx(80 + x * WIDTH, abs=1)
    assert (canvas.y[:10] == 200).all()
    assert (canvas.y[:, :20] == 200).all()


@pytest.mark.parametrize("x", [0.02, 0.0507, 0.083])
def test_shifting_and_resampling_agree(x: float) -> None:
    shifted, resampled = painted(x), painted(x, zoom=1e-7)
    difference = np.abs(shifted.y.astype(int) - resampled.y.astype(int))
    assert 0 < difference.max() <= 30  # none at all would mean that both were resampled
    assert difference.mean() < 0.2


def test_a_zoom_enlarges_about_the_middle() -> None:
    small, large = (painted(0.0, zoom).y < 120 for zoom in (0.0, 0.5))
    assert large.sum() == pytest.approx(2.25 * small.sum(), rel=0.12)
