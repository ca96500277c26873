from tests.store.conftest import encoder, files  # noqa: F401  fixtures
