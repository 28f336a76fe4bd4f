"""Which models stay in memory."""

from dataclasses import dataclass

from rushes.engines.diffusers.shelf import Shelf


@dataclass
class Weights:
    bytes: int
    on_device: bool = True
    gone: bool = False

    def let_go(self) -> None:
        self.gone = True


def parked(model: Weights) -> bool:
    model.on_device = False
    return True


def test_the_least_recently_used_model_makes_room() -> None:
    shelf = Shelf[Weights](100, lambda model: False)
    for name in ("a", "b", "c"):
        shelf.put(name, Weights(30))
    shelf.get("a")
    shelf.make_room(40)
    assert shelf.names == ("c", "a")
    assert shelf.held == 60


def test_only_as_many_go_as_are_in_the_way() -> None:
    shelf = Shelf[Weights](100, lambda model: False)
    shelf.put("a", Weights(50))
    shelf.make_room(50)
    assert shelf.names == ("a",)


def test_a_model_larger_than_the_budget_has_the_device_for_itself() -> None:
    shelf = Shelf[Weights](100, lambda model: False)
    shelf.put("a", Weights(10))
    shelf.make_room(500)
    assert shelf.names == ()


def test_a_parked_model_is_remembered_and_holds_no_device_memory() -> None:
    shelf = Shelf(100, parked)
    shelf.put("a", Weights(80))
    shelf.make_room(80)
    assert (shelf.names, shelf.held) == (("a",), 0)
    model = shelf.get("a")
    assert model is not None
    assert not model.on_device


def test_a_model_is_let_go_for_good_and_one_that_is_not_there_is_no_fault() -> None:
    shelf = Shelf(100, parked)
    model = Weights(80)
    shelf.put("a", model)
    shelf.clear("a", keep=False)
    shelf.clear("a")
    assert shelf.names == ()
    assert model.gone, "also what it holds in other processes"
