"""What every engine does, and says, where memory does not suffice: fewer rows go through the model together."""

from poetune.errors import EngineError


def halved(tried: int, longest: int) -> tuple[int, str]:
    """How many rows to try after `tried`, and the sentence to say; `longest` is the tokens of the longest of them.

    Raises:
        EngineError: one row alone was too much.
    """
    if tried == 1:
        raise EngineError(
            f"finetune: a row of {longest} tokens alone does not fit into memory; make "
            "finetune.longest or finetune.layers smaller, set finetune.quantize to 4bit, or take a smaller base"
        )
    most = tried // 2
    return most, f"out of memory with {tried} rows at a time: from here on {most}; the step's batch stays as it is"
