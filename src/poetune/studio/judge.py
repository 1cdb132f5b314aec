"""Candidates are ranked: the contest's calls go to a judge, each verdict is stored before the next is asked."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from poetune.dataset.templates import TEMPLATE_ORDER
from poetune.errors import JudgeError, PoetuneError
from poetune.generate.codes import encode
from poetune.judge import llm, offline, ratings, simulated, tournament, verdicts
from poetune.judge.rubric import load_rubric
from poetune.ports import Ballot, Judge, Score, ScoreRequest
from poetune.records import Candidate, Model, Poem, Prompt, Verdict
from poetune.store.queries import verdicts as stored_verdicts
from poetune.studio import prompting
from poetune.studio.gating import shown
from poetune.studio.house import Studio
from poetune.verse.overlap import LineIndex
from poetune.verse.usual import usual


@dataclass(frozen=True, slots=True)
class Placed:
    """One of the best."""

    id: str
    title: str
    text: str
    model: str
    template: str
    theme: str
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What a contest gave."""

    contest: str
    judge: str
    description: str
    poems: int
    calls: int
    invalid: int
    unranked: int
    best: list[Placed]


def rank(studio: Studio) -> Judged:
    """Rank the open round's candidates; stored verdicts are not asked again."""
    found = shown(studio, "judge", JudgeError)
    settings = studio.recipe.judge
    entries = [
        tournament.Entry(c.id, c.title, c.text, group=c.model) for c in found if c.text.strip() and c.stop != "error"
    ]
    load_rubric(settings.rubric, studio.folder / "rubrics")  # a wrong name is said before anything is asked
    contest = tournament.contest_id(entries, settings, studio.recipe.seed)
    game = tournament.tournament(entries, settings, studio.recipe.seed)
    total = tournament.expected_calls(len(entries), settings)
    held = bool(studio.store.fact(f"judge:{contest}"))
    with opened(studio, [] if held else found) as (judge, description):
        studio.say(
            f"judge inherits: {len(entries)} poems of round {studio.round.number} from generate, "
            f"rubric {settings.rubric}; {judge.name} will be asked {total} times, less what is stored."
        )
        outcome = _hold(studio, judge, game, contest, total)
    studio.store.remember(f"contest:{studio.round.number}", contest)
    order = ratings.standing(outcome, ratings.ratings(stored_verdicts(studio.store, contest)))
    studio.store.remember(f"standing:{contest}", " ".join(order))
    studio.store.remember(f"judge:{contest}", judge.name)
    return Judged(
        contest=contest,
        judge=judge.name,
        description=description,
        poems=len(entries),
        calls=outcome.calls,
        invalid=outcome.invalid,
        unranked=len(outcome.unranked),
        best=best(studio, settings.finals),
    )


def _hold(studio: Studio, judge: Judge, game: tournament.Rounds, contest: str, total: int) -> tournament.Outcome:
    known = {v.id: v for v in stored_verdicts(studio.store, contest)}
    studio.listener.begin("judging", total)
    try:
        asks = next(game)
        while True:
            asks = game.send([_answer(studio, judge, ask, known) for ask in asks])
    except StopIteration as end:
        outcome: tournament.Outcome = end.value
        return outcome
    finally:
        studio.listener.end()


def _answer(studio: Studio, judge: Judge, ask: tournament.Ask, known: dict[str, Verdict]) -> Ballot:
    if ask.id in known:
        answer = verdicts.ballot(known[ask.id])
    else:
        given = judge.rank(ask.block, studio.recipe.judge.rubric)
        kept = verdicts.verdict(ask, given, judge.name, studio.recipe.judge.rubric, studio.round.number)
        studio.store.add([kept])
        answer = verdicts.ballot(kept)
    studio.listener.advance()
    return answer


def standing(studio: Studio) -> list[str]:
    """Candidate ids of the open round as the latest contest ranked them, best first; empty where none was held."""
    contest = studio.store.fact(f"contest:{studio.round.number}")
    return studio.store.fact(f"standing:{contest}").split() if contest else []


def best(studio: Studio, count: int) -> list[Placed]:
    """The first poems of the standing, with where they came from."""
    placed = []
    for key in standing(studio)[:count]:
        poem = studio.store.one(Candidate, key)
        if poem is None:
            continue
        model, prompt = studio.store.one(Model, poem.model), studio.store.one(Prompt, poem.prompt)
        placed.append(
            Placed(
                poem.id,
                poem.title,
                poem.text,
                model.name if model else "",
                prompt.template if prompt else "",
                prompt.theme if prompt else "",
                code_of(model, prompt),
            )
        )
    return placed


def code_of(model: Model | None, prompt: Prompt | None) -> int | None:
    """The personal-poet project's checkpoint code (step + template 0-4), None where step or template has none."""
    if model is None or prompt is None or prompt.template not in TEMPLATE_ORDER:
        return None
    try:
        return encode(model.step, TEMPLATE_ORDER.index(prompt.template))
    except PoetuneError:
        return None


@contextmanager
def opened(studio: Studio, found: Sequence[Candidate]) -> Iterator[tuple[Judge, str]]:
    """The recipe's judge and what it is; `found` are the poems that it must be ready for."""
    who = studio.recipe.judge.judge
    if who == "offline":
        yield offline.OfflineCritic(features(studio, found) if found else {}), offline.DESCRIPTION
    elif who == "simulated":
        strengths = {c.id: -float(i) for i, c in enumerate(sorted(found, key=lambda c: c.id))}
        yield simulated.SimulatedJudge(strengths, seed=studio.recipe.seed), "A simulated judge: it ranks by id."
    elif who.startswith(("http://", "https://")):
        from poetune.backends.endpoint import EndpointChat

        settings = studio.recipe.judge
        chat = EndpointChat(who, settings.model, key_variable=settings.key_variable, timeout=settings.timeout)
        try:
            yield llm.LLMJudge(chat, studio.folder / "rubrics"), ""
        finally:
            chat.close()
    else:
        raise JudgeError(
            f"judge.judge is {who!r}; write offline, simulated, or a URL that begins with http:// or https://."
        )


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
