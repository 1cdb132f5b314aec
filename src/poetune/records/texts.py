"""What is learned: poems, what is asked, and the rows and data sets made of both."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from poetune.records.digests import digest

Split = Literal["train", "validation", "test"]


@dataclass(frozen=True, slots=True)
class Poem:
    """One poem of the corpus, or an accepted candidate that came back (`origin` "round:N", `parent` its candidate)."""

    text: str
    title: str = ""
    author: str = ""
    language: str = ""
    form: str = ""
    theme: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    licence: str = ""
    origin: str = "corpus"
    parent: str = ""

    @property
    def id(self) -> str:
        """Hash of the text, its own question and the candidate it came from: the same poem read twice is one row."""
        asked = self.tags.get("prompt", "")
        return digest("poem", self.text, self.parent, *([asked] if asked else []))


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked of a model: a theme in a template, or an opening to go on from."""

    theme: str
    template: str = "plain.v1"
    system: str = ""
    opening: str = ""
    held_out: bool = False

    @property
    def id(self) -> str:
        """Hash of what the model reads."""
        return digest("prompt", self.theme, self.template, self.system, self.opening)


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """What an engine renders to token ids: turns, then the opening of the assistant's answer.

    `lead` is the template's own white space before the poem, `prefix` is text of the poem that is already written;
    `trim` drops the white space with which the chat template opens the answer; `raw` replaces everything by a literal
    prompt, in which special tokens are read as such.
    """

    messages: tuple[Message, ...] = ()
    lead: str = ""
    prefix: str = ""
    trim: bool = False
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """One training row: a conversation and the completion that is learned, or plain verse where `plain` is set.

    A preference row has a `rejected` poem beside its completion, or says whether its completion was `liked`.
    """

    conversation: Conversation
    completion: str
    split: Split
    poem: str = ""
    prompt: str = ""
    plain: bool = False
    rejected: str = ""
    liked: Literal["", "yes", "no"] = ""

    @property
    def id(self) -> str:
        """Hash of the whole row."""
        preferred = [self.rejected, self.liked] if self.rejected or self.liked else []
        return digest("example", self.conversation, self.completion, self.split, self.plain, *preferred)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A frozen list of examples, in order, with the settings that made it."""

    examples: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    round: int = 1

    @property
    def id(self) -> str:
        """Hash of the rows and settings."""
        return digest("dataset", self.examples, self.settings)
