"""Who writes besides the checkpoints: models on servers, as `URL` or `URL#model`."""

from collections.abc import Iterator
from contextlib import contextmanager

from poetune.ports import Generator
from poetune.records import Model
from poetune.studio.house import Studio


def endpoint(text: str) -> Model:
    """The record of a served model. What stands after `#` is its name there, or an adapter's; "" is the only one."""
    url, _, served = text.strip().partition("#")
    return Model("endpoint", "endpoint", url, name=served, round=0)


def endpoints(studio: Studio) -> list[Model]:
    """The recipe's servers, each model once."""
    found = [endpoint(text) for text in studio.recipe.generate.endpoints]
    return list({model.id: model for model in found}.values())


@contextmanager
def writer(studio: Studio, model: Model) -> Iterator[Generator]:
    """The engine that a model writes with: the project's, or the client of its server."""
    if model.kind != "endpoint":
        yield studio.generator()
        return
    from poetune.backends.endpoint import EndpointEngine
    from poetune.backends.policy import Limits

    settings = studio.recipe.generate.serving
    limits = Limits(settings.concurrency, settings.requests_per_minute, settings.tokens_per_minute, settings.retries)
    engine = EndpointEngine(
        settings.concurrency, key_variable=settings.key_variable, timeout=settings.timeout, limits=limits
    )
    try:
        yield engine
    finally:
        engine.close()
