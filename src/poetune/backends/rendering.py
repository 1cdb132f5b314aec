"""Conversations and poems to token ids and back: one way for training, writing and scoring."""

import hashlib
from functools import cached_property
from typing import Any

from jinja2.exceptions import TemplateError

from poetune.errors import EngineError
from poetune.records import Conversation, Message

_PLAIN = "{system}\n{user}\n"  # the rendering of a base that has no chat template: contents, a line each


class Renderer:
    """A tokenizer with its chat template. `stops` are the ids that end a text; the first is the one that is trained."""

    def __init__(self, tokenizer: Any, stops: list[int]) -> None:
        self.tokenizer = tokenizer
        self.eos = stops[0]
        self.stops = frozenset(stops)
        bos = tokenizer.bos_token_id
        head = tokenizer("a", add_special_tokens=True)["input_ids"][:1]
        self._bos = [bos] if bos is not None and head == [bos] else []
        self._document = self._bos or [bos if bos is not None else self.eos]

    @cached_property
    def template_hash(self) -> str:
        """Hash of the chat template, or of the plain rendering that stands in for it."""
        return hashlib.sha256((self.tokenizer.chat_template or _PLAIN).encode()).hexdigest()[:16]

    @cached_property
    def line_break_ids(self) -> frozenset[int]:
        """Ids of tokens that hold a line break: their byte, its byte-level sign, or its name in byte fallback."""
        vocabulary = self.tokenizer.get_vocab()
        return frozenset(i for t, i in vocabulary.items() if "\n" in t or "Ċ" in t or t == "<0x0A>")

    @cached_property
    def unwritable(self) -> list[int]:
        """Special ids that do not end a text; a model must not write them."""
        return sorted(set(self.tokenizer.all_special_ids) - self.stops)

    def opener(self) -> list[int]:
        """What stands before a plain text: BOS, or the sign that parts documents where there is none."""
        return list(self._document)

    def prompt(self, conversation: Conversation) -> list[int]:
        """The ids a model reads before it writes: exactly one BOS where the tokenizer uses one, prefix last.

        Raises:
            EngineError: the chat template refuses the conversation.
        """
        if conversation.raw:
            ids = self._encode(conversation.raw)
            opener = self._bos
        else:
            text, opener = self._text(conversation)
            ids = self._encode(text + conversation.lead)
        if opener:
            while ids[: len(opener)] == opener:
                ids = ids[len(opener) :]
            ids = opener + ids
        return (ids or self.opener()) + self.completion(conversation.prefix)

    def spelled(self, conversation: Conversation) -> str:
        """The text of `prompt`, without the BOS that the tokenizer itself puts first where it uses one."""
        text = conversation.raw or self._text(conversation)[0] + conversation.lead
        first = self.tokenizer.bos_token if self._bos else ""
        while first and text.startswith(first):
            text = text.removeprefix(first)
        return text + conversation.prefix

    @property
    def endings(self) -> list[str]:
        """The texts of the tokens that end a text, the one that is trained first."""
        ids = [self.eos, *sorted(self.stops - {self.eos})]
        return [str(token) for token in self.tokenizer.convert_ids_to_tokens(ids) if token]

    def completion(self, text: str) -> list[int]:
        """The ids of a poem, tokenised by itself; nothing in it is read as a special token."""
        if not text:
            return []
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
        return ids

    def decode(self, ids: list[int]) -> str:
        """The text of a whole sequence."""
        text: str = self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return ids

    def _text(self, conversation: Conversation) -> tuple[str, list[int]]:
        if not conversation.messages:
            return "", self._document
        if self.tokenizer.chat_template is None:
            text = "".join(f"{message.content}\n" for message in conversation.messages if message.content)
            opener = self._document
        else:
            text, opener = self._templated(conversation.messages), self._bos
        return (text.rstrip() if conversation.trim else text), opener

    def _templated(self, messages: tuple[Message, ...]) -> str:
        """Where a template refuses or drops the system text, it goes before the first user text."""
        system = "\n".join(m.content for m in messages if m.role == "system" and m.content)
        turns = [m for m in messages if m.role != "system"]
        if system:
            try:
                text = self._apply([Message("system", system), *turns])
                if system.strip() in text:
                    return text
            except TemplateError:
                pass
            first = next((i for i, m in enumerate(turns) if m.role == "user"), None)
            if first is None:
                turns.insert(0, Message("user", system))
            else:
                turns[first] = Message("user", f"{system}\n\n{turns[first].content}")
        try:
            return self._apply(turns)
        except TemplateError as error:
            raise EngineError(
                f"base: its chat template refuses the conversation ({error}); change the turns"
            ) from error

    def _apply(self, messages: list[Message]) -> str:
        # A date or a thinking block in the prompt would make training and writing read different ids.
        text: str = self.tokenizer.apply_chat_template(
            [{"role": m.role, "content": m.content} for m in messages],
            tokenize=False,
            add_generation_prompt=True,
            date_string="01 Jan 2025",
            enable_thinking=False,
        )
        return text
