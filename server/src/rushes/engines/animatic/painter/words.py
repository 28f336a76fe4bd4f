"""What a prompt asks for, as far as the painter has words for it.

English only. A word counts where it starts ("mountain" also reads "mountains"), a trailing "$" asks for the whole word
with an optional plural. A word inside a negation ("no birds", "without any rain or fog") does not count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rushes.engines.animatic.painter.subjects import AFRICAN, HOMES, Subject, found, subjects

NEGATION = re.compile(
    r"\b(?:no|not|without|never)\b"
    r"((?:\s+(?!(?:on|in|at|over|under|above|with|but|and|only|by|of|from|to|through|near)\b)[\w'-]+){1,4})"
)

BIOMES: dict[str, tuple[str, ...]] = {
    "space": (
        "planet", "space$", "outer space", "spaceship", "spacecraft", "space station", "galaxy", "galaxies", "nebula",
        "cosmos", "cosmic", "asteroid", "saturn", "jupiter", "interstellar",
    ),
    "lake": ("lake$", "pond$", "lagoon", "fjord", "reservoir"),
    "river": ("river", "creek", "brook$", "stream$"),
    "ocean": ("ocean", "sea$", "seaside", "seascape", "beach", "coast", "wave$", "surf$", "shore", "bay$", "island",
              "harbour", "harbor", "marina$"),
    "city": (
        "city", "cities", "street", "downtown", "skyline", "urban", "skyscraper", "alley$", "traffic", "metropolis",
        "tokyo", "new york", "manhattan", "town$",
    ),
    "desert": ("desert", "dune", "sahara", "gobi$"),
    "forest": ("forest", "woods$", "woodland", "pine", "jungle", "rainforest", "grove$", "taiga", "trees$", "fir$"),
    "field": (
        "field", "meadow", "wheat", "grass", "prairie", "farm", "plains$", "savanna", "pasture", "barley",
        "countryside", "hill$", "hillside", "hilltop", "lavender", "wildflower", "sunflower", "tulip", "orchard",
            "steppe",
        "serengeti", "safari", "vineyard",
    ),
    "mountain": (
        "mountain", "alps$", "alpine", "peak", "summit", "cliff", "canyon", "valley", "highland", "glacier", "ridge",
        "himalaya",
    ),
    "sky": (
        "sky$", "skies", "skyscape", "clouds$", "cloudscape", "white cloud$", "fluffy cloud$", "cloudless", "horizon$",
    ),
}  # fmt: skip
"""In order of weight: the first biome with a word in the prompt is painted."""

INDOORS = (
    "library", "libraries", "room$", "bedroom", "kitchen", "office", "studio$", "indoor", "interior", "cafe$",
    "café", "restaurant", "bathroom", "classroom", "museum", "hallway", "laboratory", "stage$", "portrait",
    "close-up of a face",
)  # fmt: skip
"""Places the painter cannot draw; an outdoor word beside them is usually a view, a picture or a name."""

TIMES: dict[str, tuple[str, ...]] = {
    "neon": ("neon", "cyberpunk", "synthwave", "vaporwave"),
    "night": (
        "night", "midnight", "stars$", "star$", "starry", "starlit", "moon", "milky way", "aurora", "northern lights",
        "firefl", "galaxy",
    ),
    "dawn": ("dawn", "sunrise", "daybreak", "morning", "first light"),
    "sunset": ("sunset", "dusk", "golden hour", "evening", "twilight", "sundown", "setting sun"),
    "overcast": ("overcast", "cloudy", "gloomy", "grey", "gray", "storm", "thunder", "rain", "drizzle", "moody"),
    "day": ("day$", "noon", "midday", "blazing sun", "sunny", "daylight", "afternoon", "blue sky"),
}  # fmt: skip
"""In order of weight: the first time of day with a word in the prompt sets the light."""

MARKS: dict[str, tuple[str, ...]] = {
    "snowfall": (
        "snowfall", "snowing", "snow falling", "falling snow", "snowstorm", "blizzard", "snowflake", "flurries",
    ),
    "snow": ("snow", "winter", "frozen", "icy$", "ice$", "glacier", "arctic"),
    "rain": ("rain$", "rainy", "raining", "rainfall", "rainstorm", "drizzle", "downpour", "storm", "thunder"),
    "fog": ("fog", "mist$", "misty", "haze$", "hazy"),
    "embers": ("ember", "sparks$", "ash$", "bonfire"),
    "fireflies": ("firefl",),
    "storm": ("storm", "thunder", "lightning", "tempest"),
    "wind": ("wind$", "windy", "breeze", "breezy", "gust"),
    "clouds": ("cloud",),
    "clear": ("clear", "cloudless"),
    "above": (
        "above the cloud", "above cloud", "over the cloud", "over cloud", "sea of cloud", "above a sea of",
        "stratosphere", "airplane window", "plane window",
    ),
    "calm": ("calm", "still$", "serene", "peaceful", "tranquil", "quiet", "mirror"),
    "rough": ("rough", "crashing", "huge wave", "stormy", "big wave"),
    "aurora": ("aurora", "northern lights"),
    "milkyway": ("milky way", "galaxy"),
    "moon": ("moon",),
    "rings": ("ring$", "ringed", "saturn"),
    "spaceship": ("spaceship", "spacecraft", "space station", "cockpit"),
    "street": ("street", "alley$", "road$", "avenue", "traffic", "sidewalk", "downtown"),
    "wheat": ("wheat", "barley", "rye$", "golden field", "crop"),
    "eagle": ("eagle", "hawk", "falcon", "condor", "kite soaring", "vulture"),
    "birds": ("bird", "gull", "seagull", "flock", "geese", "goose", "swallow", "crow$", "raven"),
    "boat": ("boat", "sailing", "sailboat", "sail$", "yacht", "dinghy"),
    "trees": ("pine", "forest", "tree", "woods$", "fir$", "conifer"),
    "mountains": ("mountain", "alps$", "alpine", "peak", "fjord", "summit"),
    "beach": ("beach", "seaside", "sandy", "shore", "surf$", "tropical", "island", "coastline"),
    "cliffs": ("rocky", "cliff", "coast$", "headland", "crag", "lighthouse"),
    "autumn": ("autumn", "autumnal", "fall colors", "fall colours", "fall foliage", "october", "golden leaves"),
    "spring": ("spring$", "springtime", "blossom", "sakura"),
    "leaves": ("falling leaves", "leaves fall", "leaves drift", "leaves swirl", "leaves blow", "leaves float"),
    "petals": ("petal",),
    "savanna": ("savanna", "serengeti", "safari", "africa"),
    "hill": ("hill$", "hillside", "hilltop"),
    "broadleaf": ("oak", "maple", "birch", "beech tree", "deciduous", "leafy", "jungle", "rainforest", "woodland",
                  "orchard", "autumn"),
    "flowers": ("flower", "poppy", "poppies", "tulip", "daisy", "daisies", "wildflower", "sunflower", "bloom"),
    "lavender": ("lavender",),
    "umbrella": ("umbrella", "parasol"),
    "running": ("run$", "running", "gallop", "sprint", "racing", "races$", "chas", "dash", "jog", "charg"),
    "walking": ("walk", "strolling", "wander", "hiking", "marching", "crossing", "trek"),
    "trotting": ("trot",),
    "standing": ("standing", "stands$", "sitting", "sits$", "grazing", "graze", "resting", "sleeping", "lying",
        "waiting",
                 "looking", "watching", "gazing", "contemplat", "howling"),
    "timelapse": ("time lapse", "timelapse", "time-lapse", "hyperlapse"),
    "slowmotion": ("slow motion", "slow-motion", "slowmo"),
}  # fmt: skip

MOVES: dict[str, tuple[str, ...]] = {
    "static": ("static", "locked", "tripod", "fixed camera", "still camera", "camera still", "motionless"),
    "out": ("zoom out", "zooms out", "zooming out", "pull back", "pulls back", "pull out", "pulls out", "dolly out"),
    "in": (
        "push in", "pushes in", "push-in", "zoom in", "zooms in", "zooming in", "dolly in", "move forward",
        "moves forward", "moving forward", "forward", "fly through", "flying through", "approach",
    ),
    "left": ("pan left", "pans left", "panning left", "truck left", "left pan", "to the left", "moves left"),
    "right": ("pan right", "pans right", "panning right", "truck right", "right pan", "to the right", "moves right"),
    "up": ("tilt up", "tilts up", "crane up", "rise", "rising shot", "rises"),
    "down": ("tilt down", "tilts down", "crane down", "descend"),
    "aerial": ("aerial", "drone", "bird's eye", "birds-eye", "flyover", "fly over", "flying over", "from above"),
}  # fmt: skip

PANS = ("pan$", "panning", "tracking", "sideways")
"""A sideways move without a direction."""

SPEEDS: tuple[tuple[float, tuple[str, ...]], ...] = (
    (0.4, ("very slow",)),
    (0.6, ("slow", "gentle", "gently", "subtle")),
    (1.7, ("fast", "quick", "rapid")),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A prompt as the painter understood it."""

    biome: str
    """A key of BIOMES, or "abstract" when no word is known or the place is indoors."""
    time: str
    """A key of TIMES."""
    marks: frozenset[str]
    """Keys of MARKS: weather, subjects and details."""
    moves: tuple[str, ...]
    """Keys of MOVES, as asked; empty when the seed may choose."""
    subjects: tuple[Subject, ...]
    """Who and what stands in the scene, in the prompt's order."""
    speed: float
    """1.0 unless the prompt asks for a slower or faster camera."""

    def has(self, *names: str) -> bool:
        """Whether any of these marks is set."""
        return any(name in self.marks for name in names)

    def named(self, *names: str) -> tuple[Subject, ...]:
        """The subjects among these."""
        return tuple(subject for subject in self.subjects if subject.name in names)


def _clean(prompt: str) -> str:
    """The prompt folded to lower case, negated stretches blanked out with a bar, which no word contains."""
    text = " ".join(prompt.casefold().split())
    return NEGATION.sub(lambda match: "|" * len(match.group(0)), text)


def _found(text: str, words: tuple[str, ...]) -> bool:
    return found(text, words) is not None


def _first(text: str, sets: dict[str, tuple[str, ...]], otherwise: str) -> str:
    return next((name for name, words in sets.items() if _found(text, words)), otherwise)


def _moves(text: str) -> tuple[str, ...]:
    moves = [name for name, words in MOVES.items() if _found(text, words)]
    if not {"left", "right", "up", "down"} & set(moves) and _found(text, PANS):
        moves.append("right")
    return ("static",) if "static" in moves else tuple(moves[:2])


def _marks(text: str) -> frozenset[str]:
    return frozenset(name for name, words in MARKS.items() if _found(text, words))


def read(prompt: str) -> Reading:
    """What the painter understands of a prompt; pure."""
    text = _clean(prompt)
    # "Slow motion" is about the picture, not the camera's speed.
    plain = re.sub(r"slow[- ]?mo(?:tion)?", "|", text)
    marks = set(_marks(text))
    place = re.sub(r"\b(?:sea|ocean|field|blanket) of (?:white |fluffy |soft )?clouds?\b", "clouds", text)
    biome = "abstract" if _found(text, INDOORS) else _first(place, BIOMES, "abstract")
    if biome in ("abstract", "sky") and not _found(text, INDOORS) and _found(text, MARKS["milkyway"] + MARKS["aurora"]):
        biome = "lake"
    cast = () if _found(text, INDOORS) else subjects(text)
    if cast and not _found(text, INDOORS):
        biome = _home(biome, cast)
        if biome == "field" and any(subject.name in AFRICAN for subject in cast):
            marks.add("savanna")
    if "snow" in marks and biome == "forest":
        marks.add("snowfall")
    speed = next((value for value, words in SPEEDS if _found(plain, words)), 1.0)
    time = _first(text, TIMES, "night" if biome == "space" else "day")
    return Reading(biome, time, frozenset(marks), _moves(text), cast, speed)


def _home(biome: str, cast: tuple[Subject, ...]) -> str:
    """Where the subjects are painted: where the prompt says, or where the first of them is at home."""
    if biome == "abstract":
        return HOMES.get(cast[0].name, "field")
    swimmers = ("whale", "dolphin", "ship")
    # A whale under a blue sky swims; a train that leaves a city does not.
    if biome == "sky" and cast[0].name not in ("balloon", "person"):
        return HOMES.get(cast[0].name, "field")
    return "ocean" if cast[0].name in swimmers and biome not in ("ocean", "lake", "space") else biome
