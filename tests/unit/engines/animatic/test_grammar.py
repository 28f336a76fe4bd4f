"""What the camera words of a prompt mean."""

import pytest
from rushes.engines.animatic.grammar import Move, read_camera


@pytest.mark.parametrize(
    ("prompt", "moves"),
    [
        ("camera pans left", [("pan", -1)]),
        ("Camera slowly PANS to the RIGHT", [("pan", 1)]),
        ("pan from left to right across the valley", [("pan", 1)]),
        ("pans across the scene from right to left", [("pan", -1)]),
        ("a pan around a stone tower", [("pan", 0)]),
        ("left pan over the rooftops", [("pan", -1)]),
        ("pan up to the sky", [("tilt", -1)]),
        ("tilt down to her shoes", [("tilt", 1)]),
        ("the camera tilts slowly upwards", [("tilt", -1)]),
        ("dolly in", [("dolly", 1)]),
        ("slow push-in on the face", [("dolly", 1)]),
        ("the camera pushes slowly in", [("dolly", 1)]),
        ("dolly out from the window", [("dolly", -1)]),
        ("camera pulls back to reveal the city", [("dolly", -1)]),
        ("the camera moves slowly towards the door", [("dolly", 1)]),
        ("the camera moves closer", [("dolly", 1)]),
        ("camera glides forward through the forest", [("dolly", 1)]),
        ("a drone shot of the coast", [("dolly", 1)]),
        ("flying over the mountains", [("dolly", 1)]),
        ("dolly zoom on the policeman", [("vertigo", 1)]),
        ("dolly left along the wall", [("truck", -1)]),
        ("truck right", [("truck", 1)]),
        ("tracking shot of a runner", [("truck", 0)]),
        ("the camera slides gently to the left", [("truck", -1)]),
        ("zoom out", [("zoom", -1)]),
        ("zooming slowly out", [("zoom", -1)]),
        ("zoom in on the letter", [("zoom", 1)]),
        ("a zoom", [("zoom", 1)]),
        ("crane up over the crowd", [("crane", -1)]),
        ("the camera rises above the trees", [("crane", -1)]),
        ("the camera slowly descends", [("crane", 1)]),
        ("orbit left around the statue", [("orbit", -1)]),
        ("camera circles around the car", [("orbit", 0)]),
        ("camera orbits clockwise", [("orbit", -1)]),
        ("camera orbits counter-clockwise", [("orbit", 1)]),
        ("a 360 degree shot of the hall", [("orbit", 0)]),
        ("bullet-time freeze", [("orbit", 0)]),
        ("the camera rolls clockwise", [("roll", 1)]),
        ("dutch angle", [("roll", 0)]),
        ("pan left, then tilt up", [("pan", -1), ("tilt", -1)]),
        ("pan left and zoom in, then tilt up", [("pan", -1), ("zoom", 1)]),
        ("dolly in, dolly in, dolly in", [("dolly", 1)]),
        ("pan left and pan right", [("pan", -1)]),
        ("no zoom, pan left", [("pan", -1)]),
        ("no zoom or pan, tilt up", [("tilt", -1)]),
        ("without any camera zoom", []),
        ("don't pan left", []),
        ("never orbit", []),
        ("children walk around the fountain", []),
        ("the company opens a panel", []),
        ("an egg in a frying pan, steam", []),
        ("cars zoom past", []),
        ("slow pan over the lake", [("pan", 0)]),
        ("a bird flies to the left", []),
        ("an expanding circle of light", []),
        ("slow motion of a falling cup", []),
        ("", []),
        ("猫", []),
    ],
)
def test_the_moves_of_a_prompt(prompt: str, moves: list[tuple[str, int]]) -> None:
    assert [(move.kind, move.sign) for move in read_camera(prompt).moves] == moves


@pytest.mark.parametrize(
    ("prompt", "speed"),
    [
        ("slow pan left", 0.6),
        ("pan left slowly", 0.6),
        ("very slow dolly in", 0.4),
        ("dolly in extremely slowly", 0.4),
        ("fast zoom in", 1.7),
        ("whip pan right", 1.7),
        ("slow motion, pan left", 1.0),
        ("slow motion pan left", 1.0),
        ("a fast car passes, the camera pans left slowly", 0.6),
        ("a fast car. pan left", 1.0),
        ("pan left", 1.0),
    ],
)
def test_the_nearest_speed_word_of_the_clause_counts(prompt: str, speed: float) -> None:
    (move,) = read_camera(prompt).moves
    assert move.speed == speed


@pytest.mark.parametrize(
    ("prompt", "hold"),
    [
        ("handheld footage", "handheld"),
        ("hand-held camera", "handheld"),
        ("shaky cam", "handheld"),
        ("no handheld, dolly in", None),
        ("without shaky camera", None),
        ("static shot of a lake", "static"),
        ("fixed camera", "static"),
        ("locked-off", "static"),
        ("the camera remains perfectly still", "static"),
        ("no camera movement", "static"),
        ("without any camera motion", "static"),
        ("the camera does not move", "static"),
        ("static electricity in her hair", None),
        ("a still lake", None),
    ],
)
def test_how_the_camera_is_held(prompt: str, hold: str | None) -> None:
    assert read_camera(prompt).hold == hold


def test_a_refused_move_is_remembered() -> None:
    assert read_camera("no zoom, no orbit").refused == {"zoom", "orbit"}


def test_moves_carry_their_speed_apart() -> None:
    assert read_camera("slow pan left, fast zoom in").moves == (Move("pan", -1, 0.6), Move("zoom", 1, 1.7))
