"""How many tokens a text counts, for models that limit their prompt in tokens.

The vendors' own tokenizers are not public, so the rule is ours and simple enough to check by hand: every started group
of four letters or digits in a word is one token, every Chinese, Japanese or Korean character is one, every other sign
is one, and white space is free.
"""

import re
from typing import Final

RULE: Final = (
    "one token for each started group of four letters or digits in a word, one for each Chinese, Japanese or Korean "
    "character, one for each other sign, none for white space"
)

# Kana, Hangul and the Han blocks, also those beyond the 16-bit plane.
_CJK: Final = (
    "\u1100-\u11ff\u2e80-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
_TOKEN: Final = re.compile(rf"[^\W_{_CJK}]{{1,4}}|\S")


def count_tokens(text: str, stop_after: int | None = None) -> int:
    """The number of tokens by RULE; counting ends one past `stop_after`, for texts of any length."""
    count = 0
    for _ in _TOKEN.finditer(text):
        count += 1
        if stop_after is not None and count > stop_after:
            break
    return count
