"""What a person hears before a training begins: what it inherits, and what it will need."""

from poetune.errors import EngineError
from poetune.finetune import inherited
from poetune.ports import Needs
from poetune.studio.finetune.planning import Planned
from poetune.studio.house import Studio


def say_needs(studio: Studio, found: Needs, label: str = "") -> None:
    """Memory, time and the share of trained weights. Raises EngineError where the machine has too little memory."""
    wanted, there = f"{found.memory / 2**30:.1f} GiB", f"{found.has_memory / 2**30:.1f} GiB"
    beside = f" of the {there} here" if found.has_memory else ""
    studio.say(
        f"{f'stage {label}: ' if label else ''}trains {share(found.trained, found.parameters)} on {found.device}: "
        f"about {wanted}{beside}, about {_minutes(found.seconds)}."
    )
    for note in found.notes:
        studio.say(f"  ({note})")
    if found.has_memory and found.memory > found.has_memory:
        raise EngineError(
            f"the training needs about {wanted} and {found.device} has {there}; "
            "make finetune.batch or finetune.longest smaller, or take a smaller base."
        )


def share(trained: int, parameters: int) -> str:
    """How much of a model trains, in words."""
    return f"{trained / max(parameters, 1):.2%} of {parameters:,} weights".replace("%", " %", 1)


def say_inherited(studio: Studio, planned: Planned) -> None:
    """Where settings come from that nobody gave to this stage."""
    stage, run = planned.stage, planned.run
    templates = ", ".join(stage.templates or studio.recipe.dataset.templates)
    read = "plain verse" if stage.kind == "dapt" else f"templates {templates}"
    studio.say(
        f"finetune inherits: base {studio.recipe.base} and seed {run.seed} from the recipe; data set {run.dataset} "
        f"({len(planned.job.examples)} examples, {read}) from dataset."
    )
    defaults = inherited(stage)
    if defaults:
        studio.say(f"  (left to their defaults: {', '.join(defaults)})")
    for note in planned.notes:
        studio.say(f"  ({note})")


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
