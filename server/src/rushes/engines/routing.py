"""Which engine serves a card: the first match of local, remote, upstream, and at last the card's own engine.

API processes and workers each read the same configuration. The API decides at submit, and writes engine and lane into
the request; a worker claims every lane it could serve. So a change of configuration moves new requests only, and what
was queued before is still rendered by the engine its record names.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from rushes.domain.model_card import ModelCard
from rushes.egress import EgressSettings
from rushes.engines.engine import Engine, Unsupported
from rushes.engines.engines_file import EnginesError, read_routes, read_tables
from rushes.engines.lanes import lane_of
from rushes.engines.options import EngineOptions, Place, Setup
from rushes.engines.registry import Engines, UnknownEngine
from rushes.engines.route import Route

PLACES: tuple[Place, ...] = get_args(Place)


@dataclass(frozen=True, slots=True)
class Served:
    """What renders a card."""

    engine: Engine
    lane: str
    route: Route


class Routing:
    """The engines of this installation and the way from cards to them."""

    def __init__(self, engines: Engines, routes: Iterable[Route] = (), egress: EgressSettings | None = None) -> None:
        self._engines = engines
        self._routes = sorted(routes, key=lambda route: PLACES.index(route.options.place))
        self._egress = egress or EgressSettings()
        self.instance = ""
        """Which platform this is, for children; told once the database is there."""
        self._made: dict[str, Engine] = {}

    @property
    def routes(self) -> Sequence[Route]:
        """Those that are configured, in the order in which they are asked."""
        return tuple(self._routes)

    def of(self, card: ModelCard, live: Collection[str] = ()) -> Served:
        """What serves a card. `live` are lanes of qworkers alive, by which weights somewhere become known."""
        configured = [route for route in self._routes if route.matches(card)]
        if configured and configured[0].options.place == "local":
            return self._served(card, configured[0])
        for served in self._announced(card):
            if served.lane in live:
                return served
        return self._served(card, configured[0] if configured else Route(card.engine, card.engine))

    def hears(self, card: ModelCard) -> bool:
        """Whether a qworker that has weights of this card would be noticed: then `of` needs to know who is alive."""
        return bool(self._announced(card))

    def own(self, card: ModelCard) -> Route:
        """A card's own engine as it is without a table: not ready where it cannot do without one."""
        options = self._engines.options_of(card.engine)
        return Route(card.engine, card.engine, options.model_validate({}))

    def lanes(self, cards: Iterable[ModelCard], names: Collection[str]) -> list[str]:
        """Every lane that a worker with these routes or engines serves, also where another one is the first match."""
        return sorted({served.lane for _, served in self._serving(cards, names)})

    def gpus(self, cards: Iterable[ModelCard], names: Collection[str]) -> int:
        """The most GPUs that one request takes in any of the `lanes` that a worker serves."""
        return max((served.engine.caps(card).gpus for card, served in self._serving(cards, names)), default=1)

    def _serving(self, cards: Iterable[ModelCard], names: Collection[str]) -> Iterator[tuple[ModelCard, Served]]:
        for card in cards:
            own = Route(card.engine, card.engine)
            for route in (*self._routes, own):
                if route.name in names and (route is own or route.matches(card)):
                    yield card, self._served(card, route)

    def setup(self, label: str) -> tuple[str, Setup]:
        """Engine and set-up behind the label of a lane, for a child that is to render."""
        for route in self._routes:
            if route.label == label:
                return route.engine, Setup(route.name, route.written, self._egress, self.instance)
        return label, Setup(label, {}, self._egress, self.instance)

    def engine(self, label: str) -> Engine:
        """The engine behind the label of a lane. Raises UnknownEngine."""
        if label not in self._made:
            self._made[label] = self._engines.configured(*self.setup(label))
        return self._made[label]

    def with_weights(self, card: ModelCard, weights: Path) -> "Routing":
        """The routing of a worker that has weights of one card: a single route, which uses them.

        Raises EnginesError when no engine takes weights.
        """
        local = next((r for r in self._routes if r.options.place == "local" and r.matches(card)), None)
        engine = local.engine if local else self._takes_weights(card)
        written = {**(local.written if local else {}), "models": [card.id], "weights": str(weights)}
        try:
            options = self._engines.options_of(engine).model_validate(written)
        except ValidationError as error:
            raise EnginesError([f"{engine}: {fault['msg']}" for fault in error.errors()]) from error
        if lack := options.lacks(card):
            raise EnginesError([f"{engine}: {lack}"])
        route = Route(local.name if local else engine, engine, options, written)
        return Routing(self._engines, [route], self._egress)

    def _takes_weights(self, card: ModelCard) -> str:
        wanted = [choice.engine for choice in card.prefers if choice.engine in self._engines.names]
        for engine in (*wanted, *self._engines.names):
            if "weights" in self._engines.options_of(engine).model_fields:
                return engine
        raise EnginesError([f"No installed engine takes weights for {card.id}"])

    def _announced(self, card: ModelCard) -> list[Served]:
        """The local engines a card prefers, which need no table: a worker that has the weights says so by its lane."""
        return [
            self._served(card, Route(choice.engine, choice.engine))
            for choice in card.prefers
            if choice.engine in self._engines.names and self._engines.options_of(choice.engine).place == "local"
        ]

    def _served(self, card: ModelCard, route: Route) -> Served:
        engine = self.engine(route.label)
        return Served(engine, lane_of(engine, card, route.label), route)


def read_routing(
    file: Path | None, environment: Mapping[str, str], cards: Iterable[ModelCard], egress: EgressSettings
) -> Routing:
    """The routing that an operator has configured. Raises EnginesError with every fault."""
    engines, known = Engines(), list(cards)
    routing = Routing(engines, read_routes(read_tables(file, environment), engines, known), egress)
    faults = dict[str, None]()
    for card in known:
        try:
            routing.of(card)
        except UnknownEngine as error:
            faults[f"{card.id}: {error}"] = None
        except Unsupported as error:  # the card tells its engine something that the engine does not understand
            faults[str(error)] = None
        except ValidationError:
            faults[f"{card.id}: the engine {card.engine} needs a table [engines.{card.engine}]"] = None
    if faults:
        raise EnginesError(faults)
    return routing


def offered(routing: Routing, cards: Iterable[ModelCard], wanted: Sequence[str]) -> list[Route]:
    """What a worker serves: the engines and tables it is told, or else everything it is ready for.

    Raises EnginesError for a name that is neither a table nor an engine of a card, and for a key that is not there.
    """
    own = {card.engine: routing.own(card) for card in cards}
    known = own | {route.name: route for route in routing.routes}
    names = list(wanted) or [name for name, route in known.items() if route.options.ready]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise EnginesError(
            [f"{name}: no engine or table has this name; there are {', '.join(known)}" for name in unknown]
        )
    chosen = [known[name] for name in names]
    faults = [f"engines.{route.name}: {lack}" for route in chosen if (lack := route.options.missing())]
    if faults:
        raise EnginesError(faults)
    return chosen


def check_packages(routes: Iterable[Route]) -> None:
    """Raises EnginesError for engines that a worker is to serve and whose packages are not installed."""
    faults: list[str] = []
    for route in routes:
        missing = [name for name in route.options.packages if find_spec(name) is None]
        if missing:
            faults.append(f"{route.engine} needs {', '.join(missing)}; try: pip install 'rushes[{route.engine}]'")
    if faults:
        raise EnginesError(faults)


__all__ = ["EngineOptions", "EnginesError", "Routing", "Served", "check_packages", "offered", "read_routing"]
