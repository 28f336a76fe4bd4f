"""Whose turn it is at an engine: one there, one on its way when it ends soon, two behind it at most."""

import asyncio

import pytest
from rushes.worker.failure import HandedBack
from rushes.worker.turns import WRITING, Turn, Turns


@pytest.fixture
def calls() -> list[None]:
    return []


@pytest.fixture
def turns(calls: list[None]) -> Turns:
    return Turns(lambda: calls.append(None), patience=0.0)


async def at_the_engine(turns: Turns) -> Turn:
    turn = turns.turn()
    await turn.take()
    return turn


async def test_an_idle_engine_has_room_for_one(turns: Turns) -> None:
    assert turns.room
    assert turns.idle
    await at_the_engine(turns)
    assert not turns.room
    assert not turns.idle


async def test_a_request_whose_inputs_are_being_prepared_takes_the_room(turns: Turns) -> None:
    turns.turn()
    assert not turns.room
    assert not turns.idle


async def test_the_engine_is_free_while_the_attempt_before_writes(turns: Turns, calls: list[None]) -> None:
    first = await at_the_engine(turns)
    first.give_back()
    assert calls, "the qworker was told"
    assert turns.room
    await at_the_engine(turns)


async def test_only_so_many_write_at_once(turns: Turns) -> None:
    writing = [await at_the_engine(turns)]
    for _ in range(WRITING - 1):
        writing[-1].give_back()
        writing.append(await at_the_engine(turns))
    writing[-1].give_back()
    assert not turns.room
    late = turns.turn()
    with pytest.raises(HandedBack):
        await late.take()
    late.end()
    writing[0].end()
    assert turns.room


async def test_one_request_is_wanted_when_the_engine_will_soon_be_free(turns: Turns, calls: list[None]) -> None:
    first = await at_the_engine(turns)
    first.ends_soon()
    assert calls
    assert turns.room
    turns.turn()
    assert not turns.room, "one is enough"


async def test_nobody_looks_ahead_twice_in_a_run(turns: Turns) -> None:
    first = await at_the_engine(turns)
    first.ends_soon()
    turns.asked()
    assert not turns.room
    first.give_back()
    assert turns.room
    await at_the_engine(turns)
    first.ends_soon()
    assert not turns.room, "a late word of a run that is over says nothing of this one"


async def test_the_next_takes_the_engine_in_the_moment_it_is_given_back(turns: Turns) -> None:
    patient = Turns(lambda: None)
    first = await at_the_engine(patient)
    second = patient.turn()
    taking = asyncio.ensure_future(second.take())
    await asyncio.sleep(0)
    assert not taking.done()
    first.give_back()
    await taking
    assert not patient.idle


async def test_who_waits_in_vain_is_handed_back(turns: Turns) -> None:
    await at_the_engine(turns)
    second = turns.turn()
    with pytest.raises(HandedBack):
        await second.take()
    second.end()
    assert not turns.idle, "the first is still there"


@pytest.mark.parametrize("came_as_far_as", ["coming", "the engine", "writing", "the end"])
async def test_an_attempt_that_is_over_leaves_no_trace(turns: Turns, came_as_far_as: str) -> None:
    turn = turns.turn()
    if came_as_far_as != "coming":
        await turn.take()
    if came_as_far_as in ("writing", "the end"):
        turn.give_back()
    if came_as_far_as == "the end":
        turn.end()
    turn.end()
    assert turns.room
    assert turns.idle
    for _ in range(WRITING):
        (await at_the_engine(turns)).give_back()
    assert not turns.room
