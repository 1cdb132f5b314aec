"""Function words: the small words that a hand repeats whatever its subject; 虚词 in Chinese, old and new."""

from collections import Counter

from poetune.verse.lines import language, units

_ENGLISH = (
    "a about above across after again against all am among an and any are art as at away be because been before "
    "behind being below beneath beside between beyond both but by can could did do does done dost doth down each "
    "either else ere even ever every few for from had has hast hath have he hence her here hers him his how i if in "
    "into is it its lest like may me might mine more most much must my neither never no none nor not now o'er of "
    "off on once one only or other our ours out over own perhaps quite rather round same shall shalt she should "
    "since so some still such than that the thee their theirs them then thence there these they thine this those "
    "thou though through thus thy till to too toward towards under unless until unto up upon us very was we were "
    "wert what when whence where which while who whom whose why will wilt with within without would yea yet you "
    "your yours tis twas i'm i'll i've i'd it's don't can't won't isn't that's there's he's she's they're we're "
    "you're didn't doesn't couldn't wouldn't ain't"
)
ENGLISH = frozenset(_ENGLISH.split(" "))
CHINESE = frozenset(
    "之乎者也矣焉哉兮于而以其则乃若所与为且耳尔夫盖惟唯虽亦即既因由自从向对把被给让使的地得了着过吗呢吧啊呀哦么们这那"
    "我你他她它您谁何不没无未莫勿弗又再还都也就才只很太最更正在是有和跟同或但却然如像似已曾将欲可应须当能会要想个些"
    "此彼斯兹吾余汝君孰安岂宁复犹尚皆俱每各遂仍方初忽渐空但休罢咧哩啦咯嘛吾"
)


def function_words(text: str) -> Counter[str]:
    """How often each function word (each 虚字 in Chinese) stands in a text; all other words together under ""."""
    known = CHINESE if language(text) == "zh" else ENGLISH
    return Counter(unit if unit in known else "" for unit in units(text))
