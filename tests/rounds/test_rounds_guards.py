import json

from poetune.records import Poem
from poetune.rounds.guards import guards

WORDS = [f"{a}{b}" for a in ("sal", "tor", "min", "vel", "quo") for b in ("a", "en", "id", "os", "um", "ix")]


def poem(start, count=24, **more):
    words = [WORDS[(start + i * i + i * start) % len(WORDS)] for i in range(count)]
    return Poem("\n".join(" ".join(words[i : i + 6]) for i in range(0, count, 6)), **more)


def own(start, **more):
    return poem(start, origin="round:1", parent=f"c{start}", **more)


def test_own_share_counts_earlier_rounds_and_ignores_what_already_stands_in_the_corpus():
    originals, earlier, new = [poem(1), poem(2)], own(3), own(4)
    found = guards([*originals, earlier], [new])
    assert found.own_share == 0.5
    assert any("50%" in note for note in found.notes)
    assert guards([*originals, earlier, new], [new]) == found
    assert not any("own poems" in note for note in guards([poem(i) for i in range(1, 9)], [own(9)]).notes)


def test_twins_and_copied_lines_are_found_and_said():
    original = poem(1)
    copy = Poem(original.text.upper(), origin="round:1", parent="c1")
    found = guards([original, poem(2)], [copy, own(7)])
    assert [(t.poem, t.other, t.share) for t in found.twins] == [(copy.id, original.id, 1.0)]
    assert (found.copied_lines, found.countable_lines, found.copied_share) == (4, 8, 0.5)
    assert any("1 accepted poem is a near twin" in note for note in found.notes)
    assert any("4 of 8" in note for note in found.notes)
    json.dumps(found.figures())


def test_a_narrower_round_is_said_at_equal_size():
    loop = Poem("\n".join(["rain and rain again"] * 20), origin="round:1", parent="c1")
    corpus = [poem(i, 60) for i in range(1, 8)]
    found = guards(corpus, [loop])
    assert found.distinct2 is not None
    assert found.distinct2 < 0.2 < found.distinct2_before
    assert any("vary less" in note for note in found.notes)
    assert guards(corpus, []).distinct2 is None
