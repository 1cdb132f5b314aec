"""The echo engine: a real but toy language model (byte n-grams) that learns, writes and scores in milliseconds.

It ships so that a whole project can be walked without torch. Its base is the uniform distribution over bytes, so any
name of a base will do; a folder with `ngrams.json` (from `merge`) is a base too.
"""

import json
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from poetune.backends import checkpoints
from poetune.backends.checkpoints import Note
from poetune.backends.endings import continuation, cut_lines, first_of, full_lines, settled
from poetune.backends.loop import Identity, Stepped, run
from poetune.backends.ngrams import BOS, EOS, Ngrams, continues, startable
from poetune.errors import EngineError
from poetune.ports import Capabilities, Mix, Needs, Request, Score, ScoreRequest, TrainEvent, TrainJob, Weights, Written
from poetune.records import Conversation, Example, Sampling, Stop, digest

_FILE = "ngrams.json"
_TEMPLATE = digest("echo", "{system}\\n{user}\\n")


class EchoEngine:
    """Byte n-grams behind the doors `Trainer` and `Generator`."""

    capabilities = Capabilities(
        "echo", frozenset({"lora"}), generates=True, scores=True, merges=True, blends=frozenset({"cat"})
    )

    def __init__(self, batch: int = 32) -> None:  # noqa: ARG002  as every engine is opened
        self._models: dict[tuple[str, str], Ngrams] = {}

    def needs(self, job: TrainJob) -> Needs:
        """Counted from the bytes of the training rows; about 100 bytes a count, 300,000 counts a second."""
        counts = 6 * sum(len(e.completion.encode()) for e in job.examples if e.split == "train")
        notes = ("100 bytes of memory and 3 microseconds for each count",)
        return Needs(counts, counts, 100 * counts, 3e-6 * counts, 0, "cpu", notes)

    def train(self, job: TrainJob) -> Iterator[TrainEvent]:
        """Count the training rows, a share of them at each step; the loss is measured before a row is counted."""
        if job.settings.method not in self.capabilities.trains:
            raise EngineError(f"echo cannot train with method {job.settings.method!r}; set finetune.method to lora")
        rows = [e for e in job.examples if e.split == "train"]
        if not rows:
            raise EngineError("finetune: there is no training example; give dataset.shares a larger first figure")
        total = job.settings.total(len(rows))
        base = _fingerprint(job.weights)
        key = digest("echo", base, [e.id for e in job.examples], job.settings.model_dump(), job.seed)
        identity = Identity("echo", key, base, _TEMPLATE)
        return run(job, total, identity, lambda: _Learner(job, total, self._load(job.weights)))

    def merge(self, weights: Weights, out: Path) -> None:
        """Write the counts into `out` as a base of their own."""
        model = self._load(weights)
        checkpoints.publish(out, lambda aside: _save(model, aside))

    def blend(self, mix: Mix, out: Path) -> None:
        """Write the counts added up, each model's times its share; shares below 0 count as 0."""
        whole = Ngrams()
        for part, share in zip(mix.parts, mix.shares, strict=True):
            for context, seen in self._load(part).counts.items():
                mine = whole.counts.setdefault(context, {})
                for key, count in seen.items():
                    mine[key] = mine.get(key, 0.0) + max(share, 0.0) * count
        note = Note("echo", "lora", 0, 0, "", _fingerprint(mix.parts[0]), _TEMPLATE)

        def fill(aside: Path) -> None:
            _save(whole, aside)
            (aside / checkpoints.NOTE).write_text(json.dumps(asdict(note), indent=1) + "\n", "utf-8")

        checkpoints.publish(out, fill)

    def render(self, weights: Weights, conversation: Conversation) -> list[int]:  # noqa: ARG002
        """BOS and the bytes of "{system}\\n{user}\\n", lead and prefix."""
        return _render(conversation)

    def room(self, weights: Weights, conversation: Conversation) -> int | None:  # noqa: ARG002
        """Not bounded: n-grams look back a few bytes only."""
        return None

    def generate(self, requests: Iterable[Request]) -> Iterator[Written]:
        """Write each request as it comes."""
        for request in requests:
            if request.sampling.beams > 1:
                raise EngineError("echo cannot search with beams; set generate.beams to 1")
            yield _write(self._load(request.weights), request)

    def score(self, requests: Sequence[ScoreRequest]) -> list[Score]:
        """Log-likelihoods, in the order asked."""
        out = []
        for request in requests:
            before = [BOS] if request.plain else _render(request.conversation)
            ids = [*before, *request.completion.encode(), EOS]
            nats = self._load(request.weights).log_likelihood(ids, len(before))
            out.append(Score(nats, len(ids) - len(before)))
        return out

    def _load(self, weights: Weights) -> Ngrams:
        key = (weights.base, weights.adapter)
        if key not in self._models:
            self._models = {key: _open(weights)}  # one at a time: grids come grouped by model
        return self._models[key]


class _Learner:
    """Counts examples in an order drawn by the seed; a step takes the next share of them."""

    notes: tuple[str, ...] = ()

    def __init__(self, job: TrainJob, total: int, start: Ngrams) -> None:
        self.total = total
        self.model = Ngrams(start.order, start.counts)
        self.rows = [_row(e) for e in job.examples if e.split == "train"]
        random.Random(job.seed).shuffle(self.rows)  # noqa: S311
        held = [_row(e) for e in job.examples if e.split == "validation"]
        most = job.settings.validate_batches * job.settings.batch
        self.held = held[:most] if most else held
        self.samples = job.samples

    def step(self, number: int, rate: float) -> Stepped:  # noqa: ARG002
        share = len(self.rows) / self.total
        nats, supervised, read = 0.0, 0, 0
        rows = self.rows[int((number - 1) * share + 1e-9) : int(number * share + 1e-9)]
        for ids, first in rows:
            nats -= self.model.log_likelihood(ids, first)
            supervised += len(ids) - first
            read += len(ids)
        for ids, first in rows:
            self.model.add(ids, first)
        return Stepped(nats, supervised, read)

    def validate(self) -> float | None:
        tokens = sum(len(ids) - first for ids, first in self.held)
        if not tokens:
            return None
        return -sum(self.model.log_likelihood(ids, first) for ids, first in self.held) / tokens

    def sample(self) -> list[tuple[str, str]]:
        return [(each.id, _write(self.model, each).text) for each in self.samples]

    def save(self, folder: Path) -> None:
        _save(self.model, folder)

    def save_resume(self, folder: Path) -> None:
        """Nothing beyond the counts."""

    def resume(self, folder: Path, resume: Path) -> None:  # noqa: ARG002
        self.model = _read(folder / _FILE)


def _row(example: Example) -> tuple[list[int], int]:
    before = [BOS] if example.plain else _render(example.conversation)
    return [*before, *example.completion.encode(), EOS], len(before)


def _render(conversation: Conversation) -> list[int]:
    if conversation.raw:
        text = conversation.raw
    else:
        text = "".join(f"{message.content}\n" for message in conversation.messages)
        text = (text.rstrip() if conversation.trim else text) + conversation.lead
    return [BOS, *(text + conversation.prefix).encode()]


def _fingerprint(weights: Weights) -> str:
    folder = Path(weights.base)
    return digest("echo", (folder / _FILE).read_text("utf-8") if (folder / _FILE).is_file() else "uniform bytes")


def _open(weights: Weights) -> Ngrams:
    if weights.adapter:
        folder = Path(weights.adapter)
        note = checkpoints.read_note(folder)
        if not (folder / _FILE).is_file():
            raise EngineError(f"{folder}: holds no {_FILE}, so echo did not make it; name one of echo's checkpoints")
        if note is not None and note.base != _fingerprint(weights):
            raise EngineError(f"{folder}: was trained on another base than {weights.base}; name the base it came from")
        return _read(folder / _FILE)
    return _read(Path(weights.base) / _FILE) if (Path(weights.base) / _FILE).is_file() else Ngrams()


def _save(model: Ngrams, folder: Path) -> None:
    text = json.dumps({"order": model.order, "counts": model.counts}, separators=(",", ":"))
    (folder / _FILE).write_text(text, "utf-8")


def _read(path: Path) -> Ngrams:
    try:
        data = json.loads(path.read_text("utf-8"))
        counts = {context: {int(k): v for k, v in seen.items()} for context, seen in data["counts"].items()}
        return Ngrams(data["order"], counts)
    except (ValueError, KeyError, AttributeError) as error:
        raise EngineError(f"{path}: the counts are damaged; remove the folder and train again") from error


def _write(model: Ngrams, request: Request) -> Written:
    sampling, prefix = request.sampling, request.conversation.prefix
    ids = _render(request.conversation)
    start = len(ids)
    opened = start - len(prefix.encode())
    draws = random.Random(request.seed)  # noqa: S311
    stop: Stop = "length"
    while len(ids) - start < sampling.max_tokens:
        token = _draw(model.probabilities(ids), ids, opened, sampling, draws.random())
        if token == EOS:
            stop = "eos"
            break
        ids.append(token)
        if sampling.max_lines and token == 10 and full_lines(_text(ids[opened:])) >= sampling.max_lines:
            stop = "lines"
            break
        if sampling.stop and first_of(_text(ids[opened:]), sampling.stop) is not None:
            stop = "sequence"
            break
        if request.heard:
            request.heard(continuation(settled(_text(ids[opened:]), sampling.stop), prefix))
    whole = _text(ids[opened:])
    whole = whole[: first_of(whole, sampling.stop)] if stop == "sequence" else whole
    whole = cut_lines(whole, sampling.max_lines) if stop == "lines" else whole
    return Written(request.id, continuation(whole, prefix), stop, len(ids) - start)


def _text(ids: Sequence[int]) -> str:
    return bytes(ids).decode("utf-8", "ignore")


def _draw(p: list[float], ids: list[int], opened: int, sampling: Sampling, uniform: float) -> int:
    """One id: whole UTF-8 only, repetition penalty on logits (line breaks and EOS spared), then top-k and top-p."""
    span = continues(ids)
    allowed = range(span[0], span[1] + 1) if span else [b for b in range(256) if startable(b)] + [EOS]
    poem = set(ids[opened:]) - {10}
    banned = _repeats(ids[opened:], sampling.no_repeat_ngram)
    weight = {}
    for token in allowed:
        logit = math.log(p[token])
        if token in poem and sampling.repetition_penalty != 1:
            logit *= sampling.repetition_penalty  # log-probabilities are never above 0
        if token not in banned or span:
            weight[token] = logit
    ranked = sorted(weight, key=lambda token: (-weight[token], token))
    if sampling.temperature == 0:
        return ranked[0]
    if sampling.top_k:
        ranked = ranked[: sampling.top_k]
    top = weight[ranked[0]]
    shares = [math.exp((weight[token] - top) / sampling.temperature) for token in ranked]
    whole, kept = sum(shares), 0.0
    sums: list[float] = []
    for share in shares:
        if sums and kept >= sampling.top_p * whole:
            break
        kept += share
        sums.append(kept)
    return next((ranked[i] for i, edge in enumerate(sums) if uniform * kept < edge), ranked[len(sums) - 1])


def _repeats(poem: list[int], n: int) -> set[int]:
    if n == 0 or len(poem) < n:
        return set()
    tail = poem[len(poem) - n + 1 :]
    return {poem[i + n - 1] for i in range(len(poem) - n + 1) if poem[i : i + n - 1] == tail} - {EOS}
