"""Why a queued request cannot begin at present, in words for its owner."""

from rushes.api.services import Services


async def waiting_for(services: Services, lane: str) -> str | None:
    """None if somebody serves the lane and it is not held. Of slots what the forecast has last read."""
    held = await services.live.held(lane)
    if held is not None:
        why = (
            "by an operator" if held["cause"] == "operator" else f"because its engine failed in a row ({held['cause']})"
        )
        return f"{lane} is held {why} until it is resumed; the request stays queued"
    return services.forecast.waiting_for(lane)
