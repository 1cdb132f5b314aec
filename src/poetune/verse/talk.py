"""Talk about the poem instead of the poem: what assistants say before and after, refusals, and a chat's own marks."""

import re

_ABOUT = r"(?:poem|verses?|stanzas?|haiku|sonnet|limerick|lines?\ (?:of|about)|version|draft|rewrite)"
_OPENERS = re.compile(
    rf"""^[\s"'*#>-]*(?:
    (?:sure|certainly|of\ course|absolutely|okay|ok|alright|gladly)\b(?:\ thing)?
        (?:[!.]|[,:—–-].*(?:\b{_ABOUT}\b|\bI(?:'ll|\ can|'d)\b|:$))
    | here(?:\ is|\ are|['’]s)\b.{{0,60}}\b{_ABOUT}\b.*(?:[:.!]|\.\.\.)\W*$
    | (?:this|the\ following|below)\ is\ (?:a|an|my|the|your)\b.{{0,40}}\b{_ABOUT}\b
    | (?:as|i\ am|i['’]m)\ an?\ (?:ai|artificial\ intelligence|(?:large\ )?language\ model)\b
    | (?:i['’]m|i\ am)\ (?:sorry|afraid|unable)\b
        .*\b(?:can(?:no|['’])t|unable|not\ able|won['’]t|help|assist|write)\b
    | sorry,?\ (?:but\ )?i\ (?:can(?:no|['’])t|am\ unable|won['’]t)
    | i\ can(?:not|['’]t|\ not)\ (?:help|assist|comply|fulfil
        |(?:write|create|generate|provide|produce)\ (?:a|an|that|this|such|about|you|poems?|content)\b)
    | (?:poem|theme|prompt|topic|explanation|notes?|translation|output|response)\s*:(?!\w)
    | (?:i\ hope\ (?:you|this|that\ this)|(?:please\ )?let\ me\ know|feel\ free\ to|would\ you\ like\ me\ to)\b
        .*\b(?:poem|like|enjoy|changes?|adjust|help|else|further|more)\b
    | (?:this|the)\ (?:poem|sonnet|haiku)
        \ (?:explores|captures|expresses|describes|reflects|uses|is\ (?:about|written)|was\ written)\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_CHINESE = re.compile(
    r"""^[\s"“*#>【（(-]*(?:
    (?:好的|好呀|当然(?:可以)?|没问题|可以的)[，,。！!：:]\s*(?:$|.{0,30}(?:诗|写|以下|下面|这是|创作|帮))
    | (?:以下|下面)(?:是|为).{0,40}(?:诗|作品|创作|[：:]\s*$)
    | 这(?:里)?是(?:一首|我|为|根据|以).{0,40}(?:诗|词|作品|[：:]\s*$)
    | (?:很|非常)?(?:抱歉|对不起)[，,].{0,30}(?:无法|不能|没有办法|不便)
    | 作为(?:一[个名款])?.{0,6}(?:人工智能|AI|语言模型|智能助手)
    | (?:我是|我只是)(?:一[个名款])?.{0,6}(?:人工智能|AI|语言模型|智能助手)
    | (?:希望|愿).{0,8}(?:您|你).{0,4}(?:喜欢|满意)
    | (?:如果|若)(?:您|你).{0,20}(?:需要|想要|修改|其他).{0,20}(?:告诉|请|随时|提供)
    | (?:这|本|该|此|全)(?:首)?(?:诗|词)(?:表达|描写|描绘|通过|以.{1,12}为|展现|讲述|抒发|运用|采用|借)
    | (?:注|注释|赏析|译文|解析|说明|创作说明|主题|题目要求|用户|助手|诗歌|提示)\s*[】）)]?\s*[：:]
    )""",
    re.VERBOSE,
)
_MARKS = re.compile(
    r"<\|[^|<>\s]{1,40}\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|```|</?think>"
    r"|^\s*(?:user|assistant|human|system|用户|助手)\s*[:：]",
    re.IGNORECASE | re.MULTILINE,
)
_ENDS = 2  # an assistant talks before the poem and after it


def talk(text: str) -> str:
    """The line that talks about the poem, as written; "" where there is none. Looked for at both ends of the text.

    Marks of a chat (`<|...|>`, `User:`, a code fence) count wherever they stand.
    """
    marked = _MARKS.search(text)
    if marked:
        return _line_of(text, marked.start())
    found = [line for line in text.split("\n") if line.strip()]
    for line in dict.fromkeys(found[:_ENDS] + found[-_ENDS:]):
        if _OPENERS.match(line) or _CHINESE.match(line):
            return line.strip()
    return ""


def _line_of(text: str, at: int) -> str:
    while at < len(text) and text[at] == "\n":
        at += 1
    return text[text.rfind("\n", 0, at) + 1 :].split("\n", 1)[0].strip()
