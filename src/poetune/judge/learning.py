"""A rubric that has read this user's decisions: accepted and rejected poems stand in it as examples."""

import random
from collections.abc import Sequence

import yaml

from poetune.errors import JudgeError
from poetune.judge.rubric import Rubric, Sample
from poetune.records import digest

MOST = 6  # examples of each kind; more cost tokens in every call
_LONGEST = 1500  # characters of an example


def learned(rubric: Rubric, accepted: Sequence[Sample], rejected: Sequence[Sample]) -> Rubric:
    """`rubric` with up to six examples of each kind, chosen by a hash so that the same decisions give the same rubric.

    Its name tells which it is: `fusion-read-3fa2.v1`. Raises JudgeError where there is no decision to learn from.
    """
    kinds = [
        sorted((s for s in given if len(s.text) <= _LONGEST), key=lambda s: s.text) for given in (accepted, rejected)
    ]
    if not all(kinds):
        raise JudgeError(
            "--learn-from-reviews needs an accepted and a rejected poem that are not among those to be judged; review "
            "some first, or judge without it"
        )
    for kind in kinds:
        random.Random(digest("examples", [s.text for s in kind])).shuffle(kind)  # noqa: S311
    chosen = rubric.model_copy(update={"accepted": kinds[0][:MOST], "rejected": kinds[1][:MOST]})
    name, _, version = rubric.name.rpartition(".")
    mark = digest("rubric", chosen.model_dump())[:6]
    return chosen.model_copy(update={"name": f"{name}-read-{mark}.{version}"})


def as_file(rubric: Rubric) -> str:
    """The rubric as the YAML file that `load_rubric` reads."""
    return yaml.safe_dump(rubric.model_dump(), allow_unicode=True, sort_keys=False)
