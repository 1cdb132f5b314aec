from poetune.generate.ways import measured, ways_text
from poetune.records import Candidate, Sampling


def poem(text, stop):
    return Candidate(text, "m", "p", Sampling(), 0, text, "", stop, 5)


def test_a_way_of_drawing_in_figures():
    drawn = Sampling(temperature=0, beams=5, max_tokens=40)
    way = measured(drawn, [poem("one two\nthree four five six", "eos"), poem("seven\n\neight", "length")])
    assert (way.poems, way.lines, way.words_a_line, way.ended) == (2, 2.0, 2.0, 0.5)
    assert way.sampling.startswith("greedy")
    assert ways_text([way, measured(drawn, [])]).count("\n") == 2
