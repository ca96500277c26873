"""An encoder as an HTTP service: batches across requests, limits, metrics."""

from opensearch_neural_sparse.errors import MissingDependencyError

try:
    from opensearch_neural_sparse.serving.app import create_app as create_app
    from opensearch_neural_sparse.serving.options import ServiceOptions as ServiceOptions
    from opensearch_neural_sparse.serving.server import listen as listen
    from opensearch_neural_sparse.serving.server import serve as serve
except ModuleNotFoundError as error:
    if error.name not in ("fastapi", "starlette", "uvicorn", "prometheus_client"):
        raise
    raise MissingDependencyError(error.name, "serve", "Serving an encoder") from None
