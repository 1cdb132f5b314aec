"""Gates: what can be seen to be wrong with a candidate without any judge, and the sentence that says so."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from poetune.recipe.gates import Gate, Gates
from poetune.records import Candidate, Poem
from poetune.verse.grams import GramIndex
from poetune.verse.lines import language, lines, units
from poetune.verse.overlap import LineIndex
from poetune.verse.script import traditional
from poetune.verse.talk import talk
from poetune.verse.twins import TwinIndex
from poetune.verse.usual import Usual, foreign, loops, prose, strange_words, usual

_NAMES = {"en": "English", "zh": "Chinese"}
_CLOSED = tuple(".!?。！？…\"”’'』」）)—-~")
_OPEN = tuple(",，、")
_ONE_SCRIPT = 0.95


@dataclass(frozen=True, slots=True)
class Draft:
    """A candidate as the gates see it: whole text, its own part (without the prompt's opening), whether it was cut."""

    text: str
    own: str
    failed: bool
    cut: bool


class Gatekeeper:
    """Looks at candidates one after the other; a twin is one of an earlier candidate that passed.

    `corpus` are the poet's poems, `languages` those that a candidate may be in ("en", "zh"; none = the corpus's).
    """

    def __init__(self, settings: Gates, corpus: Sequence[Poem], languages: Sequence[str] = ()) -> None:
        self._settings = settings
        texts = {poem.id: poem.text for poem in corpus}
        self._titles = {poem.id: poem.title or lines(poem.text)[0] for poem in corpus if poem.text.strip()}
        self._usual: Mapping[str, Usual] = usual(texts.values())
        self._languages = tuple(languages) or tuple(self._usual)
        self._lines, self._grams = LineIndex(texts), GramIndex(texts)
        scripts = [share for text in texts.values() if (share := traditional(text)) is not None]
        self._script = sum(scripts) / len(scripts) if scripts else None
        self._seen = TwinIndex()

    def look(self, candidate: Candidate, opening: str = "") -> tuple[str, str]:
        """The gate that holds the candidate back and why, both "" for one that passes."""
        own = candidate.text.removeprefix(opening)
        draft = Draft(candidate.text, own, candidate.stop == "error", candidate.stop == "length")
        for gate, reason in self._found(draft):
            if reason:
                return gate, reason
        self._seen.add(candidate.id, candidate.text)
        return "", ""

    def _found(self, draft: Draft) -> Iterator[tuple[Gate, str]]:
        looks: dict[Gate, Callable[[Draft], str]] = {
            "empty": self._empty,
            "talk": self._talk,
            "language": self._language,
            "loop": self._loop,
            "prose": self._prose,
            "copied": self._copied,
            "twin": self._twin,
            "unfinished": self._unfinished,
        }
        return ((gate, look(draft)) for gate, look in looks.items() if gate in self._settings.use)

    def _empty(self, draft: Draft) -> str:
        if draft.failed:
            return "the engine could not write it to an end"
        return "" if units(draft.own) else "it has no word"

    def _talk(self, draft: Draft) -> str:
        said = talk(draft.own)
        return f"it talks about the poem: {said[:120]}" if said else ""

    def _language(self, draft: Draft) -> str:
        found = language(draft.text)
        if self._languages and found not in self._languages:
            wanted = " or ".join(_NAMES.get(name, name) for name in self._languages)
            return f"it is not in {wanted}"
        like = self._usual.get(found)
        if like is None:
            return ""
        share = foreign(draft.text, like)
        if share > self._settings.foreign:
            return f"{share:.0%} of its characters are not of the corpus's language"
        if found == "en" and strange_words(draft.text, like):
            return "it hardly uses the corpus's commonest words"
        script = traditional(draft.text)
        if script is None or self._script is None:
            return ""
        if self._script < 1 - _ONE_SCRIPT and script > 0.5:
            return "it is in traditional characters, and the corpus is in simplified ones"
        if self._script > _ONE_SCRIPT and script < 0.5:
            return "it is in simplified characters, and the corpus is in traditional ones"
        return ""

    def _loop(self, draft: Draft) -> str:
        like = self._usual.get(language(draft.text))
        share = loops(draft.text)
        most = self._settings.loop + (like.loop if like else 0.0)
        return f"{share:.0%} of it was said before in it, and {most:.0%} is the most" if share > most else ""

    def _prose(self, draft: Draft) -> str:
        like = self._usual.get(language(draft.text))
        share = prose(draft.text, like) if like else 0.0
        return f"{share:.0%} towards prose by its line lengths and punctuation" if share > self._settings.prose else ""

    def _copied(self, draft: Draft) -> str:
        copies, countable = self._lines.copied(draft.own), self._lines.countable(draft.own)
        if copies and len(copies) > self._settings.copied * countable:
            title, line = self._titles[copies[0].source], copies[0].original
            return f"{len(copies)} of {countable} lines are the corpus's, as in {title}: {line}"
        share = self._grams.share(draft.own)
        if share <= self._settings.copied:
            return ""
        run = self._grams.runs(draft.own)[0]
        return f"{share:.0%} of it is the corpus's word for word, as in {self._titles[run.source]}: {run.original}"

    def _twin(self, draft: Draft) -> str:
        twin = self._seen.nearest(draft.text)
        if twin is None or twin.share < self._settings.twin:
            return ""
        return f"it is {'the same as' if twin.share == 1 else f'{twin.share:.0%} that of'} the candidate {twin.key}"

    def _unfinished(self, draft: Draft) -> str:
        last = draft.text.rstrip()
        if last.endswith(_OPEN) or (draft.cut and not last.endswith(_CLOSED)):
            return f"its last line is not finished: {lines(last)[-1]}"
        return ""
