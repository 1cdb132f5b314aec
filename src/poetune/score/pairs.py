"""Before and after: poems of the base and of the tuned model for the same prompt, sampling and seed."""

import statistics
from collections.abc import Iterable, Mapping

from poetune.records import Candidate, Prompt, Sampling
from poetune.score.contents import Band, Pair, Printed


def choose(values: Mapping[str, float], each: int = 3) -> list[tuple[str, Band]]:
    """Up to `each` good (highest), typical (nearest the median) and poor ids, none of them twice.

    With fewer than 3 x `each` the bands share what there is as evenly as it goes, the good ones first.
    """
    ranked = sorted(values, key=lambda key: (-values[key], key))
    good = min(each, -(-len(ranked) // 3))
    poor = min(each, (len(ranked) - good) // 2)
    middle = ranked[good : len(ranked) - poor]
    median = statistics.median(values.values()) if values else 0.0
    near = set(sorted(middle, key=lambda key: (abs(values[key] - median), key))[:each])
    bands: list[tuple[str, Band]] = [(key, "good") for key in ranked[:good]]
    bands += [(key, "typical") for key in middle if key in near]
    bands += [(key, "poor") for key in ranked[len(ranked) - poor :]]
    return bands


def pairs(
    base: Iterable[Candidate],
    tuned: Iterable[Candidate],
    prompts: Mapping[str, Prompt],
    values: Mapping[str, float] | None = None,
    each: int = 3,
) -> tuple[Pair, ...]:
    """Pairs for the report: good, typical and poor by `values` of the tuned candidates (higher is better).

    Poems without a partner of the same prompt, sampling and seed are left out; without any values, the first
    3 x `each` pairs come as "unrated".
    """
    before = {_cell(candidate): candidate for candidate in base}
    after = {candidate.id: candidate for candidate in tuned if _cell(candidate) in before}
    rated = {key: value for key, value in (values or {}).items() if key in after}
    bands: list[tuple[str, Band]] = [(key, "unrated") for key in list(after)[: 3 * each]]
    if rated:
        bands = choose(rated, each)
    out = []
    for key, band in bands:
        mine = after[key]
        prompt = prompts.get(mine.prompt)
        out.append(
            Pair(
                theme=(prompt.theme or prompt.opening) if prompt else "",
                template=prompt.template if prompt else "",
                seed=mine.seed,
                base=_printed(before[_cell(mine)]),
                tuned=_printed(mine),
                band=band,
                value=rated.get(key),
            )
        )
    return tuple(out)


def _cell(candidate: Candidate) -> tuple[str, Sampling, int]:
    return candidate.prompt, candidate.sampling, candidate.seed


def _printed(candidate: Candidate) -> Printed:
    cut = {"length": "cut at the token limit", "lines": "cut at the line limit"}.get(candidate.stop, "")
    return Printed(candidate.text, candidate.title, cut)
