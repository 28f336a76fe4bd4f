"""The camera words of a prompt: English idioms to at most two camera moves. Pure."""

import re
from dataclasses import dataclass
from typing import Literal

MoveKind = Literal["pan", "tilt", "truck", "crane", "zoom", "dolly", "vertigo", "orbit", "roll"]
Hold = Literal["organic", "handheld", "static"]

_GAP = r"(?:[\s-]+\w+){0,%d}?[\s-]+"
_LEFT_RIGHT = r"(?P<side>left|right)(?:wards?)?"
_UP_DOWN = r"(?P<side>up|down)(?:wards?)?"
_CAMERA = r"\b(?:camera|shot|lens)(?:[\s-]+(?!not\b)\w+){0,2}?[\s-]+"
_PAN = r"\b(?:pans?|panned|panning)\b"
_ROTATION = r"(?P<side>counter-?\s?clockwise|anti-?\s?clockwise|clockwise|left|right)"

_SIGNS = {"left": -1, "right": 1, "up": -1, "down": 1}

_IDIOMS: tuple[tuple[str, MoveKind, int], ...] = (
    # The sign 0 is taken from the matched side word; without one the seed decides.
    (_PAN + _GAP % 5 + r"left[\s-]+to[\s-]+(?:the[\s-]+)?right", "pan", 1),
    (_PAN + _GAP % 5 + r"right[\s-]+to[\s-]+(?:the[\s-]+)?left", "pan", -1),
    (_PAN + _GAP % 3 + _LEFT_RIGHT, "pan", 0),
    (r"\bpanning\b|\bpans?[\s-]+(?:around|across|along|over|through|shot|movement)\b", "pan", 0),
    (r"\b(?:camera|slowly|smoothly|slow|fast|gentle|smooth|whip|quick)[\s-]+pans?\b", "pan", 0),
    (r"(?<!frying )(?<!sauce )(?<!baking )(?<!hot )\bpan(?=\s*(?:[,.;]|$))", "pan", 0),
    (r"\b(?P<side>left|right)(?:ward)?[\s-]+pan\b", "pan", 0),
    (_PAN + _GAP % 2 + _UP_DOWN, "tilt", 0),
    (r"\btilt(?:s|ed|ing)?\b" + _GAP % 3 + _UP_DOWN, "tilt", 0),
    (r"\b(?P<side>up|down)(?:ward)?[\s-]+tilt\b", "tilt", 0),
    (r"\b(?:camera[\s-]+tilts?|tilt[\s-]+shot)\b", "tilt", -1),
    (r"\b(?:truck|track|dolly|dollie|strafe)(?:s|ing)?\b" + _GAP % 3 + _LEFT_RIGHT, "truck", 0),
    (_CAMERA + r"(?:mov|slid|glid|drift|sweep|travel|float)(?:e|es|s|ing)\b" + _GAP % 3 + _LEFT_RIGHT, "truck", 0),
    (r"\b(?:lateral|sideways|side)[\s-]+(?:tracking|dolly|move|movement|slide)\b", "truck", 0),
    (r"\b(?:tracking|trucking|travelling|traveling)[\s-]+shot\b|\btruck[\s-]+shot\b", "truck", 0),
    (r"\bcamera[\s-]+(?:slowly[\s-]+|smoothly[\s-]+)?(?:tracks|trucks)\b", "truck", 0),
    (r"\b(?:crane|boom|pedestal|jib)(?:s|ing)?\b" + _GAP % 2 + _UP_DOWN, "crane", 0),
    (_CAMERA + r"(?:mov|glid|drift|travel|float)(?:e|es|s|ing)\b" + _GAP % 2 + _UP_DOWN, "crane", 0),
    (_CAMERA + r"(?:ris(?:es?|ing)|ascend(?:s|ing)?|lifts?|lifting|soar(?:s|ing)?)\b", "crane", -1),
    (_CAMERA + r"(?:descend(?:s|ing)?|lower(?:s|ing)?|sinks?|sinking)\b", "crane", 1),
    (r"\b(?:crane|jib|boom|rising)[\s-]+shot\b", "crane", -1),
    (r"\bzoom(?:s|ed|ing)?\b" + _GAP % 2 + r"(?:out|back|away)\b", "zoom", -1),
    (r"\bzoom(?:s|ed|ing)?\b(?![\s-]+(?:past|by|along|across|down))"
     + r"(?:" + _GAP % 2 + r"(?:in|into|on|onto|toward|towards|closer)\b)?", "zoom", 1),
    (r"\b(?:dolly|dollie)[\s-]+zoom\b|\bvertigo[\s-]+(?:effect|shot)\b", "vertigo", 1),
    (r"\b(?:dolly|dollie)(?:s|ing)?\b" + _GAP % 2 + r"(?:out|back|backwards?|away)\b", "dolly", -1),
    (r"\b(?:dolly|dollie)(?:s|ing)?\b(?:" + _GAP % 2 + r"(?:in|into|forwards?|closer|towards?)\b)?", "dolly", 1),
    (r"\bpush(?:es|ing)?\b" + _GAP % 1 + r"(?:in|into|forwards?|closer|towards?)\b", "dolly", 1),
    (r"\bpull(?:s|ing)?\b" + _GAP % 1 + r"(?:back|out|away|backwards?)\b", "dolly", -1),
    (_CAMERA + r"(?:mov|glid|drift|fl|creep|float|travel|inch|com|edg|zoom)\w*\b" + _GAP % 2
     + r"(?:forwards?|closer|in|into|towards?|through)\b", "dolly", 1),
    (_CAMERA + r"(?:mov|glid|drift|fl|creep|float|travel|back|retreat)\w*\b" + _GAP % 2
     + r"(?:backwards?|back|away|out)\b", "dolly", -1),
    (_CAMERA + r"(?:approach(?:es|ing)?|follow(?:s|ing)?|(?:closes?|closing)[\s-]+in)\b", "dolly", 1),
    (_CAMERA + r"(?:retreats?|backs[\s-]+(?:up|off|away))\b", "dolly", -1),
    (r"\b(?:follow(?:ing)?|drone|aerial|fpv|flyover|fly[\s-]?through)[\s-]+(?:shot|view|footage|camera)\b", "dolly", 1),
    (r"\bfl(?:y|ies|ying)[\s-]+(?:over|through)\b|\bfly-?(?:over|through)\b", "dolly", 1),
    (r"\borbit(?:s|al|ing)?\b(?:" + _GAP % 3 + _ROTATION + r")?", "orbit", 0),
    (r"\barc(?:s|ing)?[\s-]+(?:shot|around|left|right)\b", "orbit", 0),
    (_CAMERA + r"(?:circl|revolv|rotate|rotating|spin|mov|turn|swing)\w*[\s-]+around\b", "orbit", 0),
    (_CAMERA + r"circl(?:es|ing)\b", "orbit", 0),
    (r"\b(?:circl|revolv)(?:es|ing)[\s-]+around\b|\bbullet[\s-]?time\b|\bturntable\b", "orbit", 0),
    (r"\b360(?:[\s-]*(?:°|degrees?))?[\s-]+(?:shot|view|rotation|spin|turn|camera|orbit)\b", "orbit", 0),
    (r"\bcamera(?:[\s-]+\w+)??[\s-]+(?:roll|rotate|rotating|spin|twist)\w*(?:" + _GAP % 2 + _ROTATION + r")?",
     "roll", 0),
    (r"\broll(?:s|ing)?[\s-]+(?P<side>left|right|clockwise|counter-?clockwise)\b", "roll", 0),
    (r"\bdutch[\s-]+(?:angle|tilt|roll)\b|\bbarrel[\s-]+roll\b", "roll", 0),
)  # fmt: skip

_HOLDS: tuple[tuple[str, Hold], ...] = (
    (r"\bhand-?\s?held\b|\bshaky[\s-]*cam(?:era)?\b|\bcamera[\s-]+shakes?\b|\bshaky\b", "handheld"),
    (r"\b(?:static|fixed|stationary|locked|still|motionless|unmoving)[\s-]+(?:\w+[\s-]+)?"
     r"(?:camera|shot|frame|framing|tripod)\b", "static"),
    (r"\blocked[\s-]+(?:off|down)\b|\b(?:on|from)[\s-]+a[\s-]+tripod\b|\btripod[\s-]+shot\b", "static"),
    (r"\bcamera[\s-]+(?:(?:is|stays?|remains?|holds?|kept|keeps?)[\s-]+)?(?:completely[\s-]+|perfectly[\s-]+)?"
     r"(?:still|static|fixed|stationary|motionless|locked)\b", "static"),
    (r"\b(?:no|without(?:[\s-]+any)?|zero)[\s-]+camera[\s-]+(?:movements?|motion|moves?|moving)\b", "static"),
    (r"\bcamera[\s-]+(?:does[\s-]+not|doesn['’]?t|never)[\s-]+moves?\b", "static"),
)  # fmt: skip

_NEGATION = re.compile(
    r"(?:\bno|\bnot|\bwithout|\bnever|\bavoid|\bdon['’]?t|\bdoesn['’]?t|\bdo not)[\s-]+"
    r"(?:(?:any|a|the|camera|be|do|use|sudden|obvious|more|zoom\w*|pan\w*|tilt\w*|orbit\w*|dolly\w*|handheld|shaky|in|out"
    r"|left|right|or|nor)[\s-]+){0,4}$"
)
_SPEEDS = re.compile(
    r"\b(?P<creep>(?:very|extremely|super|ultra)[\s-]+(?:slow(?:ly)?|gentle|gently)|imperceptibl[ey])\b"
    r"|\b(?P<slow>slow(?:ly)?|gentle|gently|gradual(?:ly)?|subtle|subtly)\b(?![\s-]*mo(?:tion)?\b)"
    r"|\b(?P<fast>fast|quick(?:ly)?|rapid(?:ly)?|swift(?:ly)?|whip|crash|sudden(?:ly)?)\b"
)
_SPEED = {"creep": 0.4, "slow": 0.6, "fast": 1.7}
_SPEED_REACH = 32


@dataclass(frozen=True, slots=True)
class Move:
    """One camera move. `sign`: +1 for right, down, in and clockwise, -1 for the opposite, 0 while the seed decides."""

    kind: MoveKind
    sign: int
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class Direction:
    """What a prompt says about the camera: at most two moves, and how it is held."""

    moves: tuple[Move, ...] = ()
    hold: Hold | None = None
    refused: frozenset[str] = frozenset()
    """Kinds of move that the prompt rules out ("no zoom")."""


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    move: Move | None = None
    hold: Hold | None = None

    @property
    def is_open(self) -> bool:
        """Whether it leaves the side to the seed."""
        return self.move is not None and self.move.sign == 0


def read_camera(prompt: str) -> Direction:
    """The camera of a prompt.

    Of overlapping idioms those that name a side win, then the longer ones; of duplicates the first counts.
    """
    text = prompt.casefold()
    taken: list[_Found] = []
    for found in sorted(_find_all(text), key=lambda f: (f.is_open, f.start - f.end, f.start)):
        if all(found.end <= other.start or found.start >= other.end for other in taken):
            taken.append(found)
    moves: dict[str, Move] = {}
    hold: Hold | None = None
    refused: set[str] = set()
    for found in sorted(taken, key=lambda f: f.start):
        negated = _NEGATION.search(text, 0, found.start) is not None
        if found.move:
            if negated:
                refused.add(found.move.kind)
            else:
                moves.setdefault(found.move.kind, found.move)
        elif found.hold and not negated:
            hold = hold or found.hold
    return Direction(tuple(moves.values())[:2], hold, frozenset(refused))


def _find_all(text: str) -> list[_Found]:
    found: list[_Found] = []
    for pattern, kind, sign in _IDIOMS:
        for match in re.finditer(pattern, text):
            move = Move(kind, sign or _sign(match, kind), _speed(text, match.start(), match.end()))
            found.append(_Found(match.start(), match.end(), move=move))
    for pattern, hold in _HOLDS:
        found.extend(_Found(match.start(), match.end(), hold=hold) for match in re.finditer(pattern, text))
    return found


def _sign(match: re.Match[str], kind: MoveKind) -> int:
    side = match.groupdict().get("side")
    if side is None:
        return 0
    if side in _SIGNS:
        return _SIGNS[side]
    clockwise = not side.startswith(("counter", "anti"))
    # Seen from above, a camera that circles its subject clockwise moves to its own left.
    return (1 if clockwise else -1) * (-1 if kind == "orbit" else 1)


def _speed(text: str, start: int, end: int) -> float:
    """The factor of the speed word nearest to a move within its clause, else 1. "Slow motion" is no camera speed."""
    left = max((text.rfind(mark, 0, start) for mark in ".,;:!?\n"), default=-1) + 1
    right = min((at for mark in ".,;:!?\n" if (at := text.find(mark, end)) >= 0), default=len(text))
    nearest, factor = _SPEED_REACH, 1.0
    for word in _SPEEDS.finditer(text, left, right):
        distance = max(start - word.end(), word.start() - end, 0)
        if distance < nearest:
            nearest, factor = distance, _SPEED[str(word.lastgroup)]
    return factor
