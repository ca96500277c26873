"""Remedies of errors in the words of the shell."""

from collections.abc import Mapping

from opensearch_neural_sparse.errors import NeuralSparseError, Remedy

PROGRAM = "opensearch-neural-sparse"
SHELL: Mapping[str, str] = {
    Remedy.CREATE_INDEX: f"Create it: {PROGRAM} index create.",
    Remedy.CREATE_BY_WRITE: f"Check its name, or create it: {PROGRAM} index create.",
    Remedy.CREATE_INDICES: f"Create them: {PROGRAM} index create.",
    Remedy.OPEN_EXISTING: "--exist-ok passes if it is of this model.",
    Remedy.NAME_MODEL: "Name the model that encoded it: --model MODEL; or search by --server-model-id ID.",
    Remedy.GIVE_MODEL: "Name one: --model MODEL.",
    Remedy.GIVE_FOLDER: "Give it, by name or folder: --model MODEL.",
    Remedy.REGISTER_FOLDER: "Name every model of the index, by name or folder: --model MODEL --model OTHER.",
    Remedy.REBIND: "--replace writes another stamp; `index reindex` encodes the documents again.",
    Remedy.REINDEX: "Name the model that encoded them: --model MODEL; or encode them again: `index reindex`.",
    Remedy.FIND_MODEL: f"`{PROGRAM} models list` shows them.",
    Remedy.LIST_MODELS: f"`{PROGRAM} models list` shows the known models.",
    Remedy.REGISTER_MODEL: "A folder with a model's files does as well.",
    Remedy.GIVE_LOGIN: "Give one: --user USER or OPENSEARCH_USERNAME, and its password in OPENSEARCH_PASSWORD.",
    Remedy.START_SERVER: "Is it running, and is that its address (--url URL or OPENSEARCH_URL)? For development: "
    f"{PROGRAM} devserver start.",
    Remedy.USE_HTTP: "Its address begins with http://: --url http://...",
    Remedy.USE_HTTPS: "Is it running and reachable from here? If it speaks TLS: --url https://...",
    Remedy.TRUST_AUTHORITY: "--ca-certs FILE names its authority; --insecure trusts any certificate.",
    Remedy.CHECK_HOST_NAME: "Reach it by a name in its certificate; --insecure trusts it under any.",
    Remedy.WAIT_LONGER: "Is it running, or is it overloaded?",
    Remedy.CHECK_CERTIFICATE_FILES: "--ca-certs names a PEM file.",
}
"""Remedy -> its form in the shell."""


def in_shell_words(error: Exception) -> str:
    """Return the message of an error, its remedy in the words of the shell.

    Args:
        error: An error of this package; any other has but its own words.
    """
    message = str(error)
    if not isinstance(error, NeuralSparseError):
        return message
    for remedy, words in SHELL.items():
        message = message.replace(remedy, words)
    return message
