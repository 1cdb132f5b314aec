import pytest


@pytest.fixture(scope="session")
def mini(tmp_path_factory):
    """Base folders by architecture, made once."""
    pytest.importorskip("torch")
    import miniatures

    made = {}

    def get(architecture="llama", template=miniatures.CHATML, seed=0):
        key = architecture, template, seed
        if key not in made:
            folder = tmp_path_factory.mktemp(f"base-{architecture}")
            made[key] = miniatures.base(folder, architecture, template, seed)
        return str(made[key])

    return get


@pytest.fixture(scope="session")
def mini_mlx(tmp_path_factory):
    """Base folders by architecture, made once and without torch."""
    pytest.importorskip("mlx_lm")
    import miniatures_numpy

    made = {}

    def get(architecture="llama", **more):
        key = architecture, *more.items()
        if key not in made:
            made[key] = miniatures_numpy.base(tmp_path_factory.mktemp(f"base-{architecture}"), architecture, **more)
        return str(made[key])

    return get
