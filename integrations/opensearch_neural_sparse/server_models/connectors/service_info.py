"""Identity of the model of an encoder service of this package."""

from __future__ import annotations

from opensearch_neural_sparse.encode.remote.connection import EncoderConnection
from opensearch_neural_sparse.encode.remote.remote_encoder import request_info
from opensearch_neural_sparse.encode.remote.remote_options import RemoteOptions
from opensearch_neural_sparse.errors import RemoteEncoderError
from opensearch_neural_sparse.server_models.identity import ModelIdentity
from opensearch_neural_sparse.server_models.reasons import cause_named

_ONCE = RemoteOptions(timeout=5.0, max_retries=0)
_REFUSED = (401, 403)


def ask_identity(url: str, api_key: str | None) -> ModelIdentity | None:
    """Return the identity of the model that a service encodes with; None where it is out of reach from here.

    Args:
        url: Its base address.
        api_key: Its token, or None.

    Raises:
        ServerModelError: It refuses the token.
    """
    connection = EncoderConnection(url, api_key, _ONCE)
    try:
        info = request_info(connection, _ONCE)
    except RemoteEncoderError as error:
        if error.status in _REFUSED:
            raise cause_named("encoder_login").error(url, f"status {error.status}") from None
        return None
    finally:
        connection.close()
    if info.query_sha256 is None or info.weights_sha256 is None:
        return None
    return ModelIdentity(model=info.model, query_sha256=info.query_sha256, weights_sha256=info.weights_sha256)
