import choix
import numpy as np
import pytest

from poetune.judge.plackett import Rankings, covariance, fit


def rankings(data: list[list[int]], count: int, given: np.ndarray | None = None) -> Rankings:
    columns = 0 if given is None else given.shape[1]
    rows = [np.zeros((len(r), 0)) if given is None else given[r] for r in data]
    return Rankings(data, rows, count, columns)


def peak(found: Rankings, precision: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    one = np.ones((1, found.number)) if weights is None else weights[None]
    fitted = fit(found, one, np.zeros((1, len(precision))), precision, tolerance=1e-10)
    return np.concatenate([fitted.strength[0], fitted.effect[0]])


@pytest.mark.parametrize("seed", range(4))
def test_strengths_are_those_of_choix(seed: int) -> None:
    chance = np.random.default_rng(seed)
    data = [list(chance.permutation(12)[: chance.integers(2, 9)]) for _ in range(25)]
    ours = peak(rankings(data, 12), np.full(12, 0.2))
    theirs = choix.opt_rankings(12, data, alpha=0.1, tol=1e-10)  # its penalty is alpha |x|^2, ours precision |x|^2 / 2
    assert np.abs(ours - theirs).max() < 1e-6


def test_a_weight_counts_as_so_many_verdicts() -> None:
    data = [[0, 1, 2], [2, 1, 0], [1, 0, 3]]
    weighted = peak(rankings(data, 4), np.full(4, 0.3), np.array([3.0, 1.0, 0.0]))
    assert np.allclose(weighted, peak(rankings([data[0]] * 3 + [data[1]], 4), np.full(4, 0.3)), atol=1e-8)


def test_the_covariates_of_a_biased_judge_are_found_and_strengths_freed_of_them() -> None:
    chance = np.random.default_rng(3)
    strength, given = chance.normal(size=30), chance.normal(size=(30, 1))
    shown = [chance.permutation(30)[:8] for _ in range(400)]
    felt = [strength[r] + 1.5 * given[r, 0] + chance.gumbel(size=8) for r in shown]
    data = [list(r[np.argsort(-f)]) for r, f in zip(shown, felt, strict=True)]
    precision = np.append(np.full(30, 0.25), 1.0)
    found = peak(rankings(data, 30, given), precision)
    # A poem's own covariate never changes, so the prior shares it out between effect and strength.
    assert 1.2 < found[-1] < 1.8
    assert np.corrcoef(found[:30], strength)[0, 1] > 0.95


def test_curvature_is_that_of_the_posterior() -> None:
    data = [[0, 1, 2], [2, 0], [1, 2, 0]]
    found, precision = rankings(data, 3), np.full(3, 0.4)
    top = peak(found, precision)

    def log_posterior(x: np.ndarray) -> float:
        total = -0.2 * float(x @ x)
        for r in data:
            total += sum(x[r[i]] - np.log(np.exp(x[r[i:]]).sum()) for i in range(len(r) - 1))
        return total

    step = 1e-4
    hessian = np.array(
        [
            [
                (
                    log_posterior(top + step * (a + b))
                    - log_posterior(top + step * (a - b))
                    - log_posterior(top - step * (a - b))
                    + log_posterior(top - step * (a + b))
                )
                / (4 * step**2)
                for b in np.eye(3)
            ]
            for a in np.eye(3)
        ]
    )
    assert np.allclose(covariance(found, top, precision, [0, 1, 2]), np.linalg.inv(-hessian), atol=1e-4)
