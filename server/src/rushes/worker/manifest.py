"""What a video was made from and how: a JSON file beside it, for whoever keeps videos longer than this server does.

It names no inputs: their links may be secrets.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from rushes import __version__
from rushes.domain.artifact_kind import KINDS
from rushes.engines.engine import Plan, Report
from rushes.store.records import NewArtifact, Request

_PLANNED = ("kind", "width", "height", "tier", "aspect", "fps", "keep_frames", "seconds", "sound", "watermark")


def manifest(
    request: Request,
    plan: Plan,
    report: Report | None,
    stages: Sequence[Mapping[str, Any]],
    now: float,
    artifacts: Sequence[NewArtifact],
) -> dict[str, Any]:
    """The manifest of an attempt whose other files have been stored; `stages` and `now` as in worker/progress.py."""
    return {
        "made_by": f"rushes {__version__}",
        "request_id": str(request.request_id),
        "attempt": request.attempt,
        "model": request.model,
        "engine": request.engine,
        "rendered_by": (report.rendered_by if report else "") or request.engine,
        "fingerprint": report.fingerprint if report else None,
        "prompt": plan.prompt,
        "negative_prompt": plan.negative_prompt,
        "seed": report.seed if report else plan.seed,
        "plan": {name: getattr(plan, name) for name in _PLANNED},
        "seconds": {
            "stages": _lengths(stages, now),
            "engine": {phase: round(seconds, 3) for phase, seconds in report.seconds.items()} if report else {},
        },
        "artifacts": {artifact.kind: _entry(artifact) for artifact in artifacts},
    }


def _lengths(stages: Sequence[Mapping[str, Any]], now: float) -> dict[str, float]:
    """Seconds each stage has lasted so far."""
    begun = [(str(entry["stage"]), float(entry["at"])) for entry in stages]
    return {stage: round(end - start, 3) for (stage, start), (_, end) in pairwise([*begun, ("", now)])}


def _entry(artifact: NewArtifact) -> dict[str, Any]:
    facts = {name: getattr(artifact, name) for name in ("width", "height", "fps", "seconds")}
    return {
        "file": KINDS[artifact.kind].file,
        "content_type": artifact.content_type,
        "size_bytes": artifact.size_bytes,
        "sha256": artifact.sha256,
        **{name: value for name, value in facts.items() if value is not None},
    }
