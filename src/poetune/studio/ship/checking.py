"""A bundle is loaded again, and must give what the model in the project gives, before it is called done."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from poetune.backends.table import open_engine
from poetune.errors import EngineError
from poetune.ports import ScoreRequest, Weights
from poetune.records import Conversation, Poem
from poetune.studio import prompting
from poetune.studio.house import Studio

POEMS = 3
NEAR = 1e-3  # nats a token: float32 in another order of sums
NEAR_SHORT = 2e-2  # the same where weights are kept in 16 bits


def check(studio: Studio, before: Weights, after: Weights, engines: Sequence[str], short: bool = False) -> list[str]:
    """Score poems by both; the names of the engines that read the bundle.

    Raises EngineError where a poem's log-likelihood differs by more than rounding, or an engine cannot read it.
    """
    asked = _asked(studio)
    wanted = studio.generator().score([ScoreRequest(before, *one) for one in asked])
    read = []
    for name in engines:
        engine: Any = studio.engine() if name == studio.engine().capabilities.name else open_engine(name)
        found = engine.score([ScoreRequest(after, *one) for one in asked])
        for one, other in zip(wanted, found, strict=True):
            apart = abs(one.log_likelihood - other.log_likelihood) / max(1, one.tokens)
            if one.tokens != other.tokens or apart > (NEAR_SHORT if short else NEAR):
                raise EngineError(
                    f"the bundle as {name} reads it is not the model of the project ({apart:.4f} nats a token apart on "
                    "the same poems), so nothing was shipped; train or merge it again."
                )
        read.append(name)
    return read


def readers(studio: Studio, form: str) -> list[str]:
    """The engines that must read a bundle: the project's own, and the one whose format it is where it is installed."""
    own = studio.engine().capabilities.name
    home = {"mlx": ("mlx", "mlx_lm"), "peft": ("torch", "peft"), "merged": ("torch", "transformers")}[form]
    others = [home[0]] if home[0] != own and find_spec(home[1]) is not None and _engine_there(home[0]) else []
    return [own, *others]


def _engine_there(name: str) -> bool:
    return name != "torch" or find_spec("torch") is not None


def is_short(folder: Path) -> bool:
    """Whether a model's or base's configuration says that its weights are kept in 16 bits."""
    config = folder / "config.json"
    text = config.read_text("utf-8") if config.is_file() else ""
    return '"bfloat16"' in text or '"float16"' in text


def _asked(studio: Studio) -> list[tuple[str, Any]]:
    """Short poems of the corpus, each asked for by a theme; the bundled words where there is no corpus."""
    poems = sorted((p for p in studio.store.all(Poem) if p.text.strip()), key=lambda p: (len(p.text), p.id))
    texts = [p.text for p in poems[:POEMS]] or ["Rain on the roof.\nThe lamp is low."]
    name = studio.recipe.generate.templates[0]
    themes = ["rain", "salt", "night"][: len(texts)]
    found = [prompting.conversation(studio, prompt) for prompt in prompting.one_each(studio, themes, name)]
    return [(text, found[i % len(found)] if found else Conversation()) for i, text in enumerate(texts)]
