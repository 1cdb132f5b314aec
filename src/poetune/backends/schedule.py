"""The learning rate as a function of the step."""

import math

from poetune.recipe import Training


def rate_at(settings: Training, step: int, total: int) -> float:
    """Rate of optimizer step 1..total: a line from `rate_initial`, then the schedule down to `rate_final`.

    Warm-up reaches `rate` on its last step; a warm-up as long as the run is cut to half of it.
    """
    warmup = min(settings.warmup, total // 2)
    if step <= warmup:
        return settings.rate_initial + (settings.rate - settings.rate_initial) * step / warmup
    if settings.schedule == "constant":
        return settings.rate
    share = (step - warmup) / max(1, total - warmup)
    if settings.schedule == "cosine":
        share = (1 - math.cos(math.pi * share)) / 2
    return settings.rate + (settings.rate_final - settings.rate) * share
