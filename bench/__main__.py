"""`python -m bench [name ...]`: run the named benchmarks, or all of them."""

import sys
from collections.abc import Callable, Sequence

from bench import (
    animatic,
    claims,
    depth,
    gap,
    imports,
    life,
    memory,
    page,
    pictures,
    polls,
    startup,
    submits,
    wakeup,
    weights,
)

BENCHMARKS: dict[str, Callable[[], None]] = {
    "wakeup": wakeup.run,
    "submits": submits.run,
    "polls": polls.run,
    "claims": claims.run,
    "depth": depth.run,
    "gap": gap.run,
    "life": life.run,
    "startup": startup.run,
    "memory": memory.run,
    "imports": imports.run,
    "animatic": animatic.run,
    "page": page.run,
    "pictures": pictures.run,
    "weights": weights.run,
}


def main(names: Sequence[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"No benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        BENCHMARKS[name]()
    return 0


sys.exit(main(sys.argv[1:]))
