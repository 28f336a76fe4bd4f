"""The words for subjects: who and what stands in a scene, how many of them, and where they are at home."""

from __future__ import annotations

import re
from dataclasses import dataclass

SUBJECTS: dict[str, tuple[str, ...]] = {
    "rider": ("cowboy", "cowgirl", "horseman", "horsemen", "horsewoman", "horseback", "horse rider", "riding a horse",
              "mounted knight", "rides a horse"),
    "horse": ("horse$", "stallion", "mare$", "pony", "ponies", "mustang", "foal$"),
    "deer": ("deer$", "stag$", "elk$", "reindeer", "doe$", "moose", "antelope", "gazelle"),
    "wolf": ("wolf", "wolves", "coyote", "husky", "huskies", "jackal"),
    "dog": ("dog$", "puppy", "puppies", "hound", "retriever", "labrador", "corgi", "collie"),
    "fox": ("fox$", "foxes"),
    "cat": ("cat$", "kitten"),
    "lion": ("lion$", "lioness", "tiger", "leopard", "cheetah", "panther", "jaguar", "puma$", "cougar"),
    "elephant": ("elephant", "mammoth"),
    "camel": ("camel", "dromedar"),
    "giraffe": ("giraffe",),
    "cow": ("cow$", "cattle", "bull$", "bison", "buffalo", "ox$", "oxen"),
    "sheep": ("sheep", "lamb$", "goat$"),
    "bear": ("bear$", "grizzly", "polar bear", "panda"),
    "person": (
        "person", "people", "man$", "men$", "woman", "women", "girl", "boy$", "child", "children", "kid$", "couple$",
        "family", "hiker", "traveler", "traveller", "wanderer", "monk", "samurai", "knight$", "pilgrim", "tourist",
        "pedestrian", "figure$", "runner", "jogger", "farmer", "fisherman", "shepherd", "lovers", "silhouette", "crowd",
        "backpacker", "explorer", "climber", "warrior", "soldier", "bride", "dancer",
    ),
    "whale": ("whale", "orca", "humpback"),
    "dolphin": ("dolphin", "porpoise"),
    "lighthouse": ("lighthouse", "light house"),
    "balloon": ("hot air balloon", "hot-air balloon", "balloon"),
    "cabin": ("cabin", "cottage", "hut$", "farmhouse", "house$", "barn$", "chalet", "lodge", "homestead"),
    "castle": ("castle", "fortress", "citadel", "palace"),
    "windmill": ("windmill", "mill$"),
    "train": ("train$", "locomotive", "railway", "steam engine"),
    "oak": ("oak", "maple", "beech tree", "lone tree", "lonely tree", "old tree", "single tree", "solitary tree",
            "ancient tree", "big tree", "acacia", "baobab", "birch", "willow", "chestnut", "olive tree", "apple tree"),
    "blossom": ("blossom", "sakura", "cherry tree"),
    "palm": ("palm$", "palm tree", "oasis", "tropical", "coconut"),
    "spaceship": ("spaceship", "spacecraft", "starship", "rocket", "space shuttle", "ufo$", "satellite"),
    "canoe": ("canoe", "kayak", "rowing boat", "rowboat", "gondola", "raft$", "paddle"),
    "ship": ("ship$", "tanker", "freighter", "cruise ship", "ferry", "vessel", "galleon"),
}  # fmt: skip
"""In no order of weight; a word counts where it starts, a trailing "$" asks for the whole word or its plural."""

HOMES: dict[str, str] = {
    "whale": "ocean", "dolphin": "ocean", "lighthouse": "ocean", "palm": "ocean", "ship": "ocean", "deer": "forest",
    "wolf": "forest", "bear": "forest", "camel": "desert", "castle": "mountain", "train": "mountain",
    "balloon": "sky", "spaceship": "space", "canoe": "lake", "blossom": "lake",
}  # fmt: skip
"""Where a subject is painted when the prompt names no place; all others stand in a field."""

AFRICAN = ("lion", "elephant", "giraffe")
"""Their field is a savanna."""

BEASTS = (
    "rider", "horse", "deer", "wolf", "dog", "fox", "cat", "lion", "elephant", "camel", "giraffe", "cow", "sheep",
    "bear",
)  # fmt: skip
WALKERS = (*BEASTS, "person")
BUILDINGS = ("cabin", "castle", "windmill", "lighthouse")
TREES = ("oak", "blossom", "palm")
GROUNDED = (*WALKERS, *BUILDINGS, *TREES)
"""What needs ground to stand on."""

MANY = (
    "herd", "caravan", "pack of", "flock of", "group of", "troop", "crowd", "family", "people", "men$", "women",
    "children", "wolves", "foxes", "ponies", "puppies", "cattle", "hikers", "horsemen",
)  # fmt: skip
PAIR = ("couple", "two", "pair of", "lovers", "mother and", "father and", "man and a", "woman and a")

MOST = 3
"""Subjects beyond the third are left out."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One subject: a key of SUBJECTS and how many of it."""

    name: str
    count: int
    word: str
    """The word it was found by."""


def found(text: str, words: tuple[str, ...]) -> re.Match[str] | None:
    """The first place where one of these words stands, in the order of the words."""
    for word in words:
        whole = word.endswith("$")
        pattern = r"\b" + re.escape(word.removesuffix("$")) + (r"s?\b" if whole else "")
        if match := re.search(pattern, text):
            return match
    return None


def subjects(text: str) -> tuple[Subject, ...]:
    """The subjects of a prompt in the order in which it names them, at most three."""
    places: list[tuple[int, Subject]] = []
    for name, words in SUBJECTS.items():
        match = found(text, words)
        if match:
            places.append((match.start(), Subject(name, _count(text, match), match.group(0))))
    names = {subject.name for _, subject in places}
    if "rider" in names:
        places = [(at, subject) for at, subject in places if subject.name not in ("horse", "person")]
    return tuple(subject for _, subject in sorted(places, key=lambda place: place[0])[:MOST])


def _count(text: str, match: re.Match[str]) -> int:
    """One, two or several, by the words right before and the plural."""
    end = re.compile(r"\w*").match(text, match.end())
    word = match.group(0) + (end.group(0) if end else "")
    before = text[max(0, match.start() - 24) : match.start()]
    if found(before + word, PAIR):
        return 2
    plural = (word.endswith("s") and not word.endswith("ss")) or (word == "sheep" and not found(before, ("a$", "one")))
    return 4 if plural or found(before + word, MANY) or found(text[match.end() :][:16], ("caravan", "herd")) else 1
