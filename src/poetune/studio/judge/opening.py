"""Which judge ranks, opened: the offline critic, the simulated judge, a model of this project, or a server."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from poetune.errors import JudgeError
from poetune.judge import llm, offline, simulated
from poetune.ports import Judge
from poetune.recipe import Judging
from poetune.records import Candidate, Model
from poetune.store.queries import best_model
from poetune.studio.house import Studio
from poetune.studio.judge.critic import features

KINDS = ("offline", "simulated", "project")
DESCRIPTIONS = {
    "offline": offline.DESCRIPTION,
    "simulated": "The simulated judge reads nothing: each poem has a hidden quality, drawn by a hash of its text.",
}


@dataclass(frozen=True, slots=True)
class Referee:
    """A judge and what asking it takes: the `model` whose price counts ("" = free), calls at once, tokens an answer."""

    judge: Judge
    model: str = ""
    at_once: int = 1
    most_tokens: int = 0


def checked(settings: Judging) -> None:
    """Raises JudgeError for a judge that there cannot be."""
    if settings.judge not in KINDS and not settings.judge.startswith(("http://", "https://")):
        raise JudgeError(
            f"judge.judge is {settings.judge!r}; write offline, simulated, project, or a URL that begins with http:// "
            "or https://."
        )


@contextmanager
def opened(studio: Studio, settings: Judging, found: Sequence[Candidate]) -> Iterator[Referee]:
    """The recipe's judge, ready for the poems `found`; a server is probed once and its answer remembered."""
    checked(settings)
    if settings.judge == "offline":
        yield Referee(offline.OfflineCritic(features(studio, found)))
    elif settings.judge == "simulated":
        judge = simulated.SimulatedJudge(settings.simulated, seed=studio.recipe.seed)
        yield Referee(judge, model="simulated", most_tokens=60)
    elif settings.judge == "project":
        from poetune.backends.chat import EngineChat

        model = _own(studio, settings.model)
        name = f"{model.name or model.id} of this project"
        chat = EngineChat(studio.generator(), studio.weights(model), name, settings.max_tokens)
        yield Referee(llm.LLMJudge(chat, studio.folder / "rubrics"), most_tokens=settings.max_tokens)
    else:
        with _served(studio, settings) as referee:
            yield referee


@contextmanager
def _served(studio: Studio, settings: Judging) -> Iterator[Referee]:
    from poetune.backends.endpoint import EndpointChat
    from poetune.backends.policy import Limits

    limits = Limits(settings.concurrency, settings.requests_per_minute, settings.tokens_per_minute, settings.retries)
    chat = EndpointChat(
        settings.judge, settings.model, settings.key_variable, settings.timeout, settings.max_tokens, limits
    )
    try:
        key = f"probe:{settings.judge}:{chat.model}"
        studio.store.remember(key, chat.probe(studio.store.fact(key)))
        judge = llm.LLMJudge(chat, studio.folder / "rubrics")
        yield Referee(judge, chat.model, settings.concurrency, settings.max_tokens)
    finally:
        chat.close()


def _own(studio: Studio, name: str) -> Model:
    """`best`, or a model by its name or the beginning of its id; the base where no name is given."""
    engine = studio.engine().capabilities.name
    if not name:
        return studio.base_model()
    if name == "best":
        found = best_model(studio.store, engine)
    else:
        there = studio.store.all(Model, "engine = ? AND kind IN ('checkpoint', 'merged', 'base')", [engine])
        found = next((m for m in reversed(there) if m.name == name or m.id.startswith(name)), None)
    if found is None:
        raise JudgeError(f"this project has no model {name!r} of the engine {engine}; `poetune status` lists them.")
    return found
