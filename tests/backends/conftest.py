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
