"""What the offline critic needs to know of each poem: counts, and likelihoods where the engine can score."""

from collections.abc import Sequence

from poetune.judge import offline
from poetune.ports import Score, ScoreRequest
from poetune.records import Candidate, Model, Poem, Prompt
from poetune.studio import prompting
from poetune.studio.house import Studio
from poetune.verse.overlap import LineIndex
from poetune.verse.usual import usual


def features(studio: Studio, found: Sequence[Candidate]) -> dict[str, offline.Features]:
    """What the offline critic counts, the likelihood gain over the base among it where the engine can score."""
    poems = studio.store.all(Poem)
    scores = _scores(studio, found) if studio.engine().capabilities.scores else {}
    drafts = [offline.Draft(c.id, c.text, c.stop, *scores.get(c.id, (None, None))) for c in found]
    return offline.features(
        drafts, LineIndex({p.id: p.text for p in poems}), usual([p.text for p in poems if not p.parent])
    )


def _scores(studio: Studio, found: Sequence[Candidate]) -> dict[str, tuple[Score, Score]]:
    models = {m.id: m for m in studio.store.all(Model)}
    prompts = {p.id: p for p in studio.store.all(Prompt)}
    asked: list[ScoreRequest] = []
    here = {key for key, model in models.items() if model.kind not in ("foreign", "endpoint")}
    usable = [c for c in found if c.model in here and c.prompt in prompts and c.text.strip()]
    studio.listener.begin("weighing", 2 * len(usable))
    for c in usable:
        conversation = prompting.conversation(studio, prompts[c.prompt])
        rest = c.text.removeprefix(conversation.prefix)
        asked.append(ScoreRequest(studio.weights(models[c.model]), rest, conversation))
    for c in usable:
        conversation = prompting.conversation(studio, prompts[c.prompt])
        base = studio.weights(studio.base_of(models[c.model]))
        asked.append(ScoreRequest(base, c.text.removeprefix(conversation.prefix), conversation))
    scores: dict[int, Score] = {}
    for weights in dict.fromkeys(one.weights for one in asked):  # a model at a time, so that the bar moves
        places = [i for i, one in enumerate(asked) if one.weights == weights]
        found_here = studio.generator().score([asked[i] for i in places])
        scores.update(zip(places, found_here, strict=True))
        studio.listener.advance(len(places))
    studio.listener.end()
    half = len(usable)
    return {c.id: (scores[i], scores[half + i]) for i, c in enumerate(usable)}
