"""A judge that reads: a rubric over a language model behind the Chat door."""

from functools import cache
from pathlib import Path

from poetune.errors import AnswerRefused
from poetune.judge.prompting import prompted
from poetune.judge.reading import read
from poetune.judge.rubric import Rubric, load_rubric
from poetune.ports import Ballot, Block, Chat


class LLMJudge:
    """Asks `chat` to rank a block; rubrics of the project's own are looked for in `extra_dir`."""

    def __init__(self, chat: Chat, extra_dir: Path | None = None) -> None:
        self.name = chat.name
        self._chat = chat
        self._rubric = cache(lambda name: load_rubric(name, extra_dir))

    def rank(self, block: Block, rubric: str) -> Ballot:
        """The ranking that the model stated, or an invalid ballot with its words.

        Raises JudgeError where the rubric is unknown or the endpoint cannot be used.
        """
        return self._ask(block, self._rubric(rubric))

    def _ask(self, block: Block, rubric: Rubric) -> Ballot:
        prompt = prompted(block, rubric)
        try:
            said = self._chat.ask(prompt.system, prompt.user, prompt.schema)
        except AnswerRefused as refusal:
            return Ballot((), "invalid", "", str(refusal))
        raw = said.text.encode("utf-8", "replace").decode("utf-8")
        reading = read(raw, prompt.labels)
        took = said.prompt_tokens, said.completion_tokens
        if reading.problem:
            return Ballot((), "invalid", raw, reading.problem, *took)
        by_label = dict(zip(prompt.labels, block.ids, strict=True))
        return Ballot(tuple(by_label[label] for label in reading.ranking), "ok", raw, reading.reason, *took)
