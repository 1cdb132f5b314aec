from poetune.score.checkpoints import advice
from poetune.score.contents import Figures, Step


def step(number, held, delta=None, copied=0.0, train=None):
    return Step(number, Figures(f"step {number}", 20, 1.0, 8.0, delta, None, copied, None, 200), train, held)


def test_of_losses_that_are_as_good_the_nearer_voice_is_taken_and_it_says_why():
    found = advice([step(50, 2.5, 0.3), step(100, 2.0, 0.2), step(150, 2.01, 0.05), step(200, 2.4, 0.0)], 0.01)
    assert found.step == 150
    assert any("Lowest loss on held-out poems: step 100 (2.000" in why and "150" in why for why in found.why)
    assert any("step 150 stands nearest" in why for why in found.why)
    assert any("on to step 200 made the held-out loss 0.390 worse" in why for why in found.why)


def test_a_checkpoint_that_copies_is_passed_over_but_one_line_by_chance_is_not():
    found = advice([step(50, 2.5), step(100, 2.0, copied=0.2)], 0.01)
    assert found.step == 50
    assert "step 100" in found.why[0]
    assert advice([step(50, 2.5), step(100, 2.0, copied=0.03)], 0.01).step == 100


def test_where_all_copy_the_least_is_named_and_where_nothing_was_held_out_it_is_said():
    assert advice([step(50, 2.5, copied=0.3), step(100, 2.0, copied=0.5)], 0.0).step == 50
    found = advice([step(50, None, train=3.0), step(100, None, train=2.0)])
    assert found.step == 100
    assert "no held-out loss" in found.why[0]
    assert advice([]) is None


def test_a_training_that_made_nothing_better_is_said():
    assert any("started from (1.900)" in why for why in advice([step(50, 2.0), step(100, 2.2)], 0.0, 1.9).why)
    assert not any("started from" in why for why in advice([step(50, 2.0)], 0.0, 2.5).why)
