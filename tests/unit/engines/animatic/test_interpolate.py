"""Two pictures: one scene flows, two scenes dissolve."""

import numpy as np
import pytest
from rushes.engines.animatic.interpolate import FlowShot, related_flow
from rushes.engines.animatic.plate import make_plate

from .conftest import detailed, gradient, psnr


def test_one_scene_flows_and_its_middle_lies_between() -> None:
    big = detailed(760, 520)
    parts = [big[40 : 40 + 288, left : left + 512] for left in (60, 84, 108)]
    first, middle, last = (make_plate(np.ascontiguousarray(part), 512, 288) for part in parts)
    flow = related_flow(first, last)
    assert flow is not None
    assert float(np.median(flow.there[..., 0])) == pytest.approx(-48 * 640 / 512, abs=1.5)
    shot = FlowShot(first, last, flow, 25)
    inner = (slice(30, 258), slice(60, 452))
    blended = (first.exact[:288].astype(float) + last.exact[:288]) / 2
    half_way = psnr(shot.draw(12)[:288][inner], middle.exact[:288][inner])
    assert half_way > 26
    assert half_way > psnr(blended[inner], middle.exact[:288][inner]) + 6
    assert np.array_equal(shot.draw(0), first.exact)
    assert np.array_equal(shot.draw(24), last.exact)


@pytest.mark.parametrize("other", [gradient(512, 288), detailed(512, 288, seed=9), np.zeros((288, 512, 3), np.uint8)])
def test_two_scenes_have_no_flow(other: np.ndarray) -> None:
    assert related_flow(make_plate(detailed(512, 288), 512, 288), make_plate(other, 512, 288)) is None
