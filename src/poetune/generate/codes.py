"""Checkpoint codes: a step and a template in one number, as an older system wrote them (1203 = step 1200, fourth)."""

from poetune.errors import EngineError

EVERY = 100
TEMPLATES = 5


def encode(step: int, template_index: int) -> int:
    """Step + index (0..4). Raises EngineError where the code couldn't be decoded: a step that is no multiple of 100."""
    if step < 0 or step % EVERY:
        raise EngineError(f"step {step} has no checkpoint code, those are for multiples of {EVERY}; name the step")
    if not 0 <= template_index < TEMPLATES:
        raise EngineError(f"template {template_index} has no checkpoint code, those are for 0 to {TEMPLATES - 1}")
    return step + template_index


def decode(code: int) -> tuple[int, int]:
    """Step and template index (0..4) of a code. Raises EngineError for a number that is none."""
    step, index = divmod(code, EVERY)
    if code < 0 or index >= TEMPLATES:
        raise EngineError(
            f"{code} is no checkpoint code: its last two figures must be 00 to 0{TEMPLATES - 1}; name step and template"
        )
    return step * EVERY, index
