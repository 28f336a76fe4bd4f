"""Which GPUs each slot has."""

import pytest
from rushes.engines.diffusers.placing import first_gpu
from rushes.engines.engine import Unsupported


def test_slots_of_one_gpu_go_round() -> None:
    assert [first_gpu(slot, 1, 4) for slot in range(6)] == [0, 1, 2, 3, 0, 1]


def test_slots_of_several_gpus_share_none() -> None:
    assert [first_gpu(slot, 2, 4) for slot in range(2)] == [0, 2]
    with pytest.raises(
        Unsupported, match=r"slot 2 would need the GPUs 4 to 5; 4 are visible\. Set RUSHES_SLOTS to at most 2"
    ):
        first_gpu(2, 2, 4)


def test_a_group_larger_than_the_machine_is_refused() -> None:
    with pytest.raises(Unsupported, match="takes 8 GPUs, so slot 0 would need the GPUs 0 to 7; 4 are visible"):
        first_gpu(0, 8, 4)
