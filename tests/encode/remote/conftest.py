from tests.encode.remote.fixtures import local, stub, without_weights  # noqa: F401  fixtures
