"""Which passes make which scene, back to front."""

from __future__ import annotations

from collections.abc import Callable

from rushes.engines.animatic.painter.abstract import Ribbons
from rushes.engines.animatic.painter.birds import Flock
from rushes.engines.animatic.painter.boat import Boat
from rushes.engines.animatic.painter.canvas import Pass
from rushes.engines.animatic.painter.cirrus import cirrus
from rushes.engines.animatic.painter.colour import array, mix, scaled
from rushes.engines.animatic.painter.cumulus import SHEET, Heaps, cloud_banks, drift, sea_of_clouds, wind_aloft
from rushes.engines.animatic.painter.eagle import Eagle
from rushes.engines.animatic.painter.finish import Bloom, Vignette
from rushes.engines.animatic.painter.land import Land, Range
from rushes.engines.animatic.painter.layers import Layer, LayerPass
from rushes.engines.animatic.painter.meadow import Meadow
from rushes.engines.animatic.painter.road import Road
from rushes.engines.animatic.painter.sky import Sky
from rushes.engines.animatic.painter.skyline import Block, towers
from rushes.engines.animatic.painter.space import Deep, Planet
from rushes.engines.animatic.painter.stage import Stage
from rushes.engines.animatic.painter.street import Street
from rushes.engines.animatic.painter.traffic import Traffic
from rushes.engines.animatic.painter.trees import Row, grove, tree_row
from rushes.engines.animatic.painter.water import Water
from rushes.engines.animatic.painter.weather import Fog, Rain, Snow, Sparks


def stacked(stage: Stage, layers: list[Layer]) -> list[Pass]:
    """Layers, far to near, each leaving to the next what that one hides."""
    nearer = [*layers[1:], None]
    return [LayerPass(stage, layer, until) for layer, until in zip(layers, nearer, strict=True)]


def _chains(stage: Stage, chains: list[Range]) -> list[Layer]:
    land = Land(stage)
    return [land.layer(chain, f"chain {n}") for n, chain in enumerate(chains)]


def _air(stage: Stage) -> list[Pass]:
    """What flies, falls or floats in front of every outdoor scene, and the vignette."""
    passes: list[Pass] = []
    reading = stage.reading
    if reading.has("eagle"):
        passes.append(Eagle(stage))
    elif reading.has("birds"):
        passes.append(Flock(stage))
    if reading.has("snowfall"):
        passes.append(Snow(stage))
    if reading.has("rain"):
        passes.append(Rain(stage))
    if reading.has("fireflies"):
        passes.append(Sparks(stage, fireflies=True))
    if reading.has("embers"):
        passes.append(Sparks(stage, fireflies=False))
    return [*passes, Vignette(stage)]


def _fog(stage: Stage, below_horizon: float, tag: str, density: float = 0.75) -> list[Pass]:
    """A bank of fog at a height, if the prompt asks for fog."""
    if not stage.reading.has("fog"):
        return []
    return [Fog(stage, stage.horizon + below_horizon * stage.unit, 0.085, 0.075, density, tag)]


def _bloom(stage: Stage, strength: float) -> list[Pass]:
    """Lamps glow in the dark only."""
    return [Bloom(strength)] if stage.reading.time in ("night", "neon", "sunset") else []


def _lean(stage: Stage) -> float:
    return 1.0 if stage.sun_x < stage.width / 2 else -1.0


def mountain(stage: Stage) -> list[Pass]:
    """Three chains of mountains and two wooded slopes, each paler and slower than the one before it."""
    lean = _lean(stage)
    snow = 0.3 if stage.reading.has("snow", "snowfall") else 0.0
    layers = _chains(stage, [
        Range("rock", base=0.02, rise=0.26, scale=2.6, k=0.10, haze=0.66, mist=0.6, snow=0.5 - snow),
        Range("rock", base=0.06, rise=0.42, scale=1.5, k=0.20, haze=0.42, mist=0.7, centre=0.5 * lean,
              snow=0.42 - snow),
        Range("rock", base=0.16, rise=0.30, scale=1.8, k=0.38, haze=0.24, mist=0.7, valley=0.5, snow=0.75 - 1.5 * snow),
        Range("trees", base=0.27, rise=0.22, scale=1.8, k=0.62, haze=0.12, mist=0.6, valley=0.6),
        Range("trees", base=0.46, rise=0.30, scale=1.3, k=1.0, haze=0.02, mist=0.2, centre=0.8 * lean),
    ])  # fmt: skip
    passes = stacked(stage, layers)
    passes.insert(4, Fog(stage, stage.horizon + 0.29 * stage.unit, 0.05, 0.06, 0.45, "valley"))
    if stage.reading.has("fog"):
        passes[4:4] = _fog(stage, 0.26, "far", 0.6)
        passes[3:3] = _fog(stage, 0.12, "farther", 0.7)
    return [Sky(stage, int(stage.horizon) + 8), *passes, *_air(stage)]


def ocean(stage: Stage) -> list[Pass]:
    """Open water to the horizon."""
    rough = 0.055 if stage.reading.has("calm") else 0.085
    if stage.reading.has("rough", "storm"):
        rough = 0.14
    passes: list[Pass] = [Sky(stage, int(stage.horizon) + 2), Water(stage, rough, eye=3.2, patch=16.0)]
    if stage.reading.has("boat"):
        passes.append(Boat(stage))
    return [*passes, *_fog(stage, 0.0, "sea", 0.8), *_air(stage)]


def lake(stage: Stage) -> list[Pass]:
    """Mountains and a wooded shore mirrored in still water."""
    lean = _lean(stage)
    snow = 0.35 if stage.reading.has("snow", "snowfall") else 0.0
    far = _chains(stage, [
        Range("rock", base=0.012, rise=0.20, scale=2.2, k=0.10, haze=0.55, mist=0.6, snow=0.45 - snow),
        Range("rock", base=0.012, rise=0.22, scale=1.6, k=0.18, haze=0.34, mist=0.6, valley=0.6, snow=0.6 - snow),
        Range("trees", base=0.008, rise=0.085, scale=2.0, k=0.26, haze=0.16, mist=0.5, valley=0.5, centre=0.5 * lean),
    ])  # fmt: skip
    passes: list[Pass] = [Sky(stage, int(stage.horizon) + 2), *stacked(stage, far), *_fog(stage, -0.01, "far", 0.6)]
    passes.append(
        Water(
            stage, 0.016 if stage.reading.has("calm", "aurora", "milkyway") else 0.026, eye=2.2, patch=11.0, mirror=0.42
        )
    )
    passes += _fog(stage, 0.02, "shore", 0.7)
    if stage.reading.has("boat"):
        passes.append(Boat(stage))
    return [*passes, *_air(stage)]


def river(stage: Stage) -> list[Pass]:
    """Water winding towards hills, wooded banks to both sides, mist over it."""
    lean = _lean(stage)
    far = _chains(stage, [
        Range("trees", base=0.01, rise=0.20, scale=1.5, k=0.10, haze=0.70, mist=0.5),
        Range("trees", base=0.012, rise=0.13, scale=2.0, k=0.24, haze=0.42, mist=0.6, valley=0.8),
    ])  # fmt: skip
    banks = _chains(stage, [
        Range("trees", base=0.020, rise=0.10, scale=2.4, k=0.36, haze=0.34, mist=0.3,
              centre=-lean, shore=0.05, tilt=0.0),
        Range("trees", base=0.050, rise=0.13, scale=2.2, k=0.55, haze=0.20, mist=0.3,
              centre=lean, shore=0.10, tilt=0.0),
        Range("trees", base=0.110, rise=0.20, scale=1.7, k=1.0, haze=0.03, mist=0.0,
              centre=-lean, shore=0.26, tilt=0.0),
    ])  # fmt: skip
    trees = grove(stage, 5)
    shore = tree_row(stage, trees, Row(0.012, 0.085, 7.0, 0.30, 0.34, gap=0.16), "shore")
    passes: list[Pass] = [Sky(stage, int(stage.horizon) + 2), *stacked(stage, far), LayerPass(stage, shore)]
    passes += _fog(stage, -0.03, "hills", 0.75)
    passes.append(Water(stage, 0.022, eye=2.0, patch=10.0, mirror=0.30))
    passes += _fog(stage, 0.03, "water", 0.8)
    passes += [LayerPass(stage, banks[0]), LayerPass(stage, banks[1]), *_fog(stage, 0.10, "near", 0.45)]
    passes.append(LayerPass(stage, banks[2]))
    if stage.reading.has("boat"):
        passes.append(Boat(stage))
    return [*passes, *_air(stage)]


def forest(stage: Stage) -> list[Pass]:
    """Rows of conifers around a clearing, paler with distance."""
    light = stage.light
    snowy = stage.reading.has("snow", "snowfall")
    floor = array((0.74, 0.78, 0.86)) if snowy else array((0.075, 0.080, 0.040))
    lit = floor * (array(light.fill) * 1.5 + array(light.key) * (0.30 if snowy else 0.45))
    ground = (float(lit[0]), float(lit[1]), float(lit[2]))
    snow = 0.95 if snowy else 0.0
    air = light.haze
    trees = grove(stage)
    rows = [
        Row(0.012, 0.25, 34, 0.09, 0.78, 0.0, snow, mix(ground, air, 0.6)),
        Row(0.030, 0.34, 20, 0.15, 0.60, 0.0, snow, mix(ground, air, 0.42)),
        Row(0.062, 0.46, 13, 0.25, 0.40, 0.12, snow, mix(ground, air, 0.26)),
        Row(0.125, 0.62, 7.5, 0.42, 0.20, 0.27, snow, mix(ground, air, 0.12)),
        Row(0.250, 0.95, 4.2, 0.85, 0.03, 0.52, snow, scaled(ground, 0.94)),
    ]  # fmt: skip
    layers = [tree_row(stage, trees, row, str(n)) for n, row in enumerate(rows)]
    passes = stacked(stage, layers)
    if stage.reading.has("fog") or snowy:
        density = 0.62 if stage.reading.has("fog") else 0.30
        passes.insert(3, Fog(stage, stage.horizon + 0.03 * stage.unit, 0.15, 0.07, density, "deep"))
    return [Sky(stage, int(stage.horizon) + 24), *passes, *_air(stage)]


def desert(stage: Stage) -> list[Pass]:
    """Dunes behind dunes, sand blowing low over them."""
    lean = _lean(stage)
    layers = _chains(stage, [
        Range("dune", base=0.020, rise=0.050, scale=3.2, k=0.08, haze=0.60, mist=0.2, tilt=0.03),
        Range("dune", base=0.070, rise=0.085, scale=2.2, k=0.18, haze=0.36, mist=0.25, tilt=0.07),
        Range("dune", base=0.170, rise=0.130, scale=1.5, k=0.36, haze=0.18, mist=0.2, centre=0.3 * lean, tilt=0.13),
        Range("dune", base=0.340, rise=0.170, scale=1.0, k=0.62, haze=0.07, mist=0.1, centre=-0.4 * lean, tilt=0.20),
        Range("dune", base=0.640, rise=0.230, scale=0.7, k=1.0, haze=0.0, centre=0.4 * lean, tilt=0.33),
    ])  # fmt: skip
    passes = stacked(stage, layers)
    sand = mix(stage.light.haze, stage.light.key, 0.15)
    passes.insert(3, Fog(stage, stage.horizon + 0.07 * stage.unit, 0.05, 0.06, 0.30, "sand", sand, pace=7.0))
    return [Sky(stage, int(stage.horizon) + 12), *passes, *_air(stage)]


def field(stage: Stage) -> list[Pass]:
    """Rolling hills behind a field of wheat or grass that the wind runs through."""
    lean = _lean(stage)
    wheat = stage.reading.has("wheat")
    crop = "wheat" if wheat else "grass"
    layers = _chains(stage, [
        Range("trees", base=0.006, rise=0.085, scale=1.4, k=0.07, haze=0.72, mist=0.3),
        Range("grass", base=0.018, rise=0.070, scale=1.5, k=0.12, haze=0.50, mist=0.3, centre=0.4 * lean),
        Range(crop, base=0.030, rise=0.055, scale=1.6, k=0.17, haze=0.34, mist=0.3, centre=-0.5 * lean),
        Range("trees", base=0.034, rise=0.034, scale=2.4, k=0.20, haze=0.26, mist=0.2),
    ])  # fmt: skip
    passes = stacked(stage, layers)
    passes += _fog(stage, 0.02, "hills", 0.6)
    return [Sky(stage, int(stage.horizon) + 12), *passes, Meadow(stage, wheat, 0.026), *_air(stage)]


def city(stage: Stage) -> list[Pass]:
    """A street between lit walls if the prompt is down in it, else a skyline over water."""
    if stage.reading.has("street") or stage.reading.time == "neon":
        street = Street(stage)
        far = towers(stage, Block(0.0, 0.10, 0.34, 0.07, 0.10, 0.55), "end")
        passes: list[Pass] = [Sky(stage, int(stage.horizon) + 8), LayerPass(stage, far), street, Road(stage, street)]
        passes.append(Traffic(stage, street))
        return [*passes, *_fog(stage, 0.0, "street", 0.5), *_bloom(stage, 0.55), *_air(stage)]
    layers = [
        towers(stage, Block(0.006, 0.08, 0.26, 0.060, 0.08, 0.55), "far"),
        towers(stage, Block(0.008, 0.07, 0.36, 0.075, 0.14, 0.32), "middle"),
        towers(stage, Block(0.010, 0.04, 0.26, 0.090, 0.22, 0.14), "near"),
    ]
    passes = [Sky(stage, int(stage.horizon) + 2), *stacked(stage, layers), *_fog(stage, -0.02, "city", 0.6)]
    passes.append(Water(stage, 0.030, eye=2.4, patch=11.0, mirror=0.30))
    if stage.reading.has("boat"):
        passes.append(Boat(stage))
    return [*passes, *_bloom(stage, 0.45), *_air(stage)]


def _cloud_sea(stage: Stage, heaps: Heaps) -> list[Pass]:
    """Banks of cloud down to the bottom of the frame, mist between the farther ones."""
    banks = sea_of_clouds(stage)
    layers = [heaps.layer(bank, str(n)) for n, bank in enumerate(banks)]
    passes: list[Pass] = [
        LayerPass(stage, layer, until, drift(stage, bank))
        for layer, until, bank in zip(layers, [*layers[1:], None], banks, strict=True)
    ]
    air = mix(stage.light.haze, stage.light.horizon, 0.5)
    for at, n in ((0.055, 2), (0.21, 4)):
        row = stage.horizon + at * (stage.height - stage.horizon)
        passes.insert(n, Fog(stage, row, 0.03 + 0.2 * at, 0.03 + 0.25 * at, 0.55, f"veil {n}", air))
    return passes


def sky(stage: Stage) -> list[Pass]:
    """Nothing but air: heaped clouds near and far over a low line of hills, or a sea of clouds seen from above."""
    closed = stage.light.cover >= SHEET
    heaps = Heaps(stage)
    passes: list[Pass] = [Sky(stage, stage.height, sheet=closed)]
    if not closed:
        wind = wind_aloft(stage)
        passes.append(LayerPass(stage, cirrus(stage, 0.22 if stage.reading.has("clear") else 0.5, wind), drift=wind))
    if stage.reading.has("above"):
        return [*passes, *_cloud_sea(stage, heaps), *_air(stage)]
    passes += [
        LayerPass(stage, heaps.layer(bank, str(n)), drift=drift(stage, bank))
        for n, bank in enumerate(cloud_banks(stage))
    ]
    hills = _chains(stage, [
        Range("trees", base=0.012, rise=0.055, scale=1.3, k=0.10, haze=0.66, mist=0.4),
        Range("trees", base=0.050, rise=0.060, scale=1.5, k=0.20, haze=0.40, mist=0.5, valley=0.4),
    ])  # fmt: skip
    return [*passes, *stacked(stage, hills), *_fog(stage, 0.03, "hills", 0.7), *_air(stage)]


def space(stage: Stage) -> list[Pass]:
    """A planet among stars."""
    return [Deep(stage), Planet(stage), Vignette(stage, 0.35)]


def abstract(stage: Stage) -> list[Pass]:
    """Nothing that could be mistaken for what the prompt asked for."""
    return [Ribbons(stage), Vignette(stage, 0.4)]


BUILDERS: dict[str, Callable[[Stage], list[Pass]]] = {
    "mountain": mountain, "ocean": ocean, "lake": lake, "river": river, "forest": forest, "desert": desert,
    "field": field, "city": city, "sky": sky, "space": space,
}  # fmt: skip


def passes_for(stage: Stage) -> list[Pass]:
    """The passes of a stage's scene."""
    return BUILDERS.get(stage.reading.biome, abstract)(stage)
