"""Names of one meaning."""

from rushes.catalog.loader import Catalog
from rushes.domain.roles import NAMES, role_of


def test_no_name_has_two_meanings() -> None:
    names = [name for group in NAMES.values() for name in group]
    assert len(names) == len(set(names))


def test_the_names_of_the_wire_contract_have_their_roles() -> None:
    assert {role_of(name) for name in ("image", "img_url", "first_frame", "input_reference")} == {"image"}
    assert {role_of(name) for name in ("last_frame", "image_tail", "lastFrame")} == {"last_image"}
    assert {role_of(name) for name in ("duration", "durationSeconds", "seconds", "video_length")} == {"duration"}
    assert role_of("prompt_extend") is None


def test_no_card_gives_a_meaning_of_which_there_is_one_to_two_parameters(catalog: Catalog) -> None:
    for card in catalog.cards:
        roles = [p.role for p in card.parameters if p.role not in (None, "references")]
        assert len(roles) == len(set(roles)), card.id
