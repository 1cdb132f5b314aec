"""How a user might name an author, alone or beside a theme, in several wordings of each language."""

import random

NAMELESS = ("", "不详", "无名氏", "佚名", "Anonymous", "Unknown")
NAMED = {
    "en": (
        "{theme}, {author}",
        "{author}",
        "A poem by {author}",
        "A poem about {theme} by {author}",
        "{theme}, in the style of {author}",
        "{author}: {theme}",
    ),
    "zh": (
        "{theme}，{author}",
        "{author}",
        "{author}的诗",
        "{author}写{theme}",
        "仿{author}，{theme}",
        "{author}体：{theme}",
    ),
}
WEIGHTS = (5, 2, 1, 1, 1, 1)
THEMELESS = {"en": "poem", "zh": "诗"}


def plain_title(row: dict) -> str:
    """The title if a user could have typed it: short, no digits; "" otherwise."""
    title = row["title"].strip()
    return title if len(title) <= (8 if row["lang"] == "zh" else 40) and not any(c.isdigit() for c in title) else ""


def theme(row: dict, chance: random.Random) -> str:
    """A word of the poem, or its title in about a third of the rows that have a plain one."""
    keys = [key for key in row["keys"] if key]
    found = chance.choice(keys) if keys else row["title"].strip()
    if plain_title(row) and chance.random() < 0.35:
        found = plain_title(row)
    return found or THEMELESS[row["lang"]]


def named(lang: str, theme: str, author: str, chance: random.Random) -> str:
    """The author's name beside the theme or alone, in one of the wordings."""
    return chance.choices(NAMED[lang], WEIGHTS)[0].format(theme=theme, author=author)
