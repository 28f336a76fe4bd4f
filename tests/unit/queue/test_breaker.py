"""The breaker: silent endpoints rest, longer each time, until one answers."""

from rushes.queue.breaker import Breaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_endpoint_rests_at_the_fifth_silence_in_a_row() -> None:
    breaker: Breaker[str] = Breaker(Clock())
    for _ in range(4):
        breaker.was_silent("a")
    assert breaker.resting() == frozenset()
    breaker.was_silent("a")
    assert breaker.resting() == {"a"}


def test_an_answer_starts_the_count_anew() -> None:
    breaker: Breaker[str] = Breaker(Clock())
    for _ in range(20):
        for _ in range(4):
            breaker.was_silent("a")
        breaker.answered("a")
    assert breaker.resting() == frozenset()


def test_each_silence_after_a_rest_doubles_it_up_to_a_limit() -> None:
    clock = Clock()
    breaker: Breaker[str] = Breaker(clock, limit=1, rest=30, longest=100)
    for rest in (30, 60, 100, 100):
        breaker.was_silent("a")
        clock.now += rest - 1
        assert breaker.resting() == {"a"}
        clock.now += 1
        assert breaker.resting() == frozenset()


def test_silences_that_were_under_way_when_the_rest_began_do_not_lengthen_it() -> None:
    clock = Clock()
    breaker: Breaker[str] = Breaker(clock, limit=1, rest=30)
    for _ in range(5):
        breaker.was_silent("a")
    clock.now = 30
    assert breaker.resting() == frozenset()


def test_endpoints_rest_apart() -> None:
    breaker: Breaker[str] = Breaker(Clock(), limit=1)
    breaker.was_silent("a")
    assert "b" not in breaker.resting()
