"""What a corpus usually has, and what drifts away from it."""

from poetune.verse.usual import prose, strange_words, usual

POEMS = [
    f"The {a} is on the {b}, and I am here.\nIt weighs what it weighed, the {a} of the {b};\n"
    f"I wrote it in the book. Who owes for the {a}?\nThe driver of the {b} is gone, and it is late."
    for a in ("plate", "dog", "coat", "truck", "lamp")
    for b in ("scale", "road", "nail", "salt", "door")
]
LIKE = usual(POEMS)["en"]
WORDS = "the scale of the yard was old when I came to it, and it was mine. Nobody asked for it. I am its man"


def test_prose_is_seen_by_its_lines_and_by_its_punctuation() -> None:
    assert all(prose(poem, LIKE) == 0.0 for poem in POEMS)
    assert prose(f"{WORDS} {WORDS} {WORDS}", LIKE) == 1.0
    words = f"{WORDS} {WORDS}".split()
    broken = "\n".join(" ".join(words[i : i + 7]) for i in range(0, len(words), 7))
    assert prose(broken, LIKE) > 0.5
    assert prose("\n".join(line.capitalize() + "," for line in broken.split("\n")), LIKE) < 0.2


def test_another_language_in_the_same_letters_is_strange() -> None:
    assert not any(strange_words(poem, LIKE) for poem in POEMS)
    assert strange_words("Demain dès l'aube\nà l'heure où blanchit la campagne\nje partirai", LIKE)
    assert not strange_words("Nobody", LIKE)
