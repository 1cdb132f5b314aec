"""A word of the poem's own that may stand for it, weighed against the other poems."""

import math
import re
from collections import Counter
from collections.abc import Sequence

from poetune.verse.lines import clauses, language, units

_STOP_EN = frozenset(
    """
    about above after again against alas all almost already also always amid among and another any anything are
    around art away back because been before behind being below beneath beside between betwixt both bring brought
    but came can cannot canst come comes could couldn couldst did didn didst does doesn doing don dost doth down
    each else enough ere even ever every everyone everything far few find first five for forth found four from
    further gave get give given goes gone good great had hadst half has hast hath have having hence her here hers
    herself him himself his hither how howe indeed into isn its itself just keep kept know known laid last lay left
    less lest let like little long look made make makes many may might mine more most much must myself nay near
    never new none nor not nothing now off oft often old once one only onto other others our ours ourselves out over
    own perhaps put quite round said same saw say says see seek seem seems seen set shall shalt she should shouldn
    shouldst since some someone something sometime sometimes speak still such take taken tell than that the thee
    their theirs them themselves then thence there therefore these they thine thing things think this those thou
    though three thro through throughout thus thy thyself till tis together told too took toward towards turn turned
    turns twas twixt two under until unto upon very was wasn way ways well went were what whate when whence whene
    where wherefore wherever whether which while whilst whither who whole whom whose why will wilt with within
    without won would wouldn wouldst yea yes yet you your yours yourself
    """.split()  # noqa: SIM905 - a list of quoted words is harder to read
)
# Characters that make a pair of them grammar rather than a thing.
_STOP_ZH = frozenset(
    "的了是我你他她它们在有不和与也就都而之其何这那么着过来去上下里中把被让给对从到向于以为因所但却又还再很更最太只才已"
    "曾将要会能可得地个些一二三四五六七八九十两几多少每各某谁啊呀吗呢吧哦呵嘛若如似像好说道看见没无非莫勿且乎者矣兮此彼"
    "吾汝尔君們這個來對從於為會沒無還過與後前时時后起出入自己叫使便等当當然同样樣什怎哪"
)
_HAN_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")


def words_of(text: str) -> Counter[str]:
    """The words that might name the poem, with how often they stand in it."""
    if language(text) == "zh":
        runs = [run for clause in clauses(text) for run in _HAN_RUN.findall(clause)]
        pairs = [run[i : i + 2] for run in runs for i in range(len(run) - 1)]
        return Counter(pair for pair in pairs if not _STOP_ZH & set(pair))
    return Counter(word for word in units(text) if len(word) >= 3 and word not in _STOP_EN and "'" not in word)


def keywords(texts: Sequence[str]) -> list[str]:
    """One word for each text, or "" where none stands out.

    English: most frequent here and rarest in the other poems (tf-idf). Chinese: a pair of characters that two poems or
    more have, so that it is likely to be a word, but not most of them; pairs that occur once in all are left alone.
    """
    counts = [words_of(text) for text in texts]
    holders = Counter(word for count in counts for word in count)
    return [_best(count, holders, len(texts), language(text)) for count, text in zip(counts, texts, strict=True)]


def _best(count: Counter[str], holders: Counter[str], poems: int, tongue: str) -> str:
    def weight(word: str) -> float:
        held = holders[word]
        rare = math.log((1 + poems) / (1 + held)) + 0.1
        if tongue != "zh":
            return count[word] * rare * (1.0 if held > 1 else 0.7)  # a word of one poem may be an odd spelling
        shared = math.log(held) if held > 1 else math.log(1.5) * (count[word] > 1)
        return math.sqrt(count[word]) * rare * shared

    best = max(count, key=weight, default="")  # the first of equals: where the poem says it first
    return best if best and weight(best) > 0 else ""
