"""Remedies of errors in the words of the shell."""

import re
from collections.abc import Mapping

from opensearch_neural_sparse.errors import NeuralSparseError, Remedy

PROGRAM = "opensearch-neural-sparse"
SHELL: Mapping[str, str] = {
    Remedy.CREATE_INDEX: f"Check its name, or create it: {PROGRAM} index create.",
    Remedy.CREATE_BY_WRITE: f"Check its name, or create it: {PROGRAM} index create.",
    Remedy.CREATE_INDICES: f"Check their names, or create them: {PROGRAM} index create.",
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
PHRASES: Mapping[str, str] = {
    # loads and journals
    "A load creates it: ingest(Load(..., journal=...)).": f"A load creates it: {PROGRAM} ingest ... --journal FILE.",
    "restart=True (--restart)": "--restart",
    "sync=True needs all rows, but only=... names some.": "--sync needs all rows, but --retry-failed names some.",
    " WriteOptions(refresh=False) requests none.": "",
    "Leave workers out unless": "Leave --workers out unless",
    "Give fewer workers.": "Give fewer --workers.",
    "give fewer workers or smaller batch_tokens": "give fewer --workers",
    "give fewer workers.": "give fewer --workers.",
    # models and their files
    "(cache_dir=... or HF_HUB_CACHE names it)": "(HF_HUB_CACHE names it)",
    "needs token=... or HF_TOKEN": "needs HF_TOKEN",
    ", or set trust_remote_code=True if you have read the code.": ".",
    ", or set trust_remote_code=True.": ".",
    "Encode with dtype='float32', and check the model's files.": "Check the model's files.",
    "Resolve it with side=Side.DOCUMENT.": f"{PROGRAM} models download MODEL --side document.",
    "list_models() names them.": f"`{PROGRAM} models list` names them.",
    "State the fingerprint that an index or another machine has, remote_options={'weights_sha256': '...'}, or download "
    "the weights once: resolve_files(get_model(...)).": (
        f"Download the weights once: {PROGRAM} models download MODEL --side document."
    ),
    "Load the model for queries on this machine: query_encoder=load_query_encoder(model).": (
        "Leave --encoder-url out, so that queries are encoded here."
    ),
    "Give query_encoder=load_query_encoder(...).": "Leave --encoder-url out.",
    # indices
    "Name the field: schema=IndexSchema(sparse_field='...').": (
        "Name the field once: `index bind INDEX --model MODEL --sparse-field FIELD`."
    ),
    "leave out IndexSchema(chunking=...), or leave out ServerEncoding(chunking=...).": (
        "leave out --chunk-tokens or --server-chunking."
    ),
    "ServerEncoding(chunking=ServerChunking(...)); or leave server_encoding out.": (
        "--server-chunking RULE instead of --chunk-tokens; or leave --server-model-id out."
    ),
    "Delete it, or name another one: ServerEncoding(pipeline='...').": "Delete it, or name the index otherwise.",
    "Leave verify at 0, or give the text field: IndexSchema(text_field='...').": (
        "Leave --verify out, or give the text field: --text-field FIELD."
    ),
    "on_missing_text='keep' copies them without a vector.": "--keep-missing-text copies them without a vector.",
    "Leave encoder_options and document_encoder out to write to it, or write its documents to another index: "
    "other.write(store.scan()).": "Leave --encoder-url and --workers out to write to it.",
    ": store.write(other.scan()).": ".",
    # searches
    "ServerQuery(model_id='...'), or leave server_query out.": "--server-model-id ID, or leave that option out.",
    "ServerQuery(model_id='...')": "--server-model-id ID",
    "(model='...')": "(--model MODEL)",
    ", or put the clause into the body of custom_search().": ".",
    "HybridOptions(fusion='client') ranks over all shards.": "Leave --normalization out: ranks are fused here.",
    " fusion='client' takes any.": " Give --weights that sum to 1.",
    # models in a server
    "or give force=True.": "or give --force.",
    "Give change_settings=True, or send": "Give --change-settings, or send",
    "deploy_remote(change_settings=True) does so.": "`server-model deploy-remote --change-settings` does so.",
    "Set client_config.read_timeout, in seconds; deploy_remote() does.": (
        "Set client_config.read_timeout, in seconds; `server-model deploy-remote` does."
    ),
    "Delete it and deploy it by deploy() or deploy_remote().": (
        "Delete it and deploy it by `server-model deploy` or `server-model deploy-remote`."
    ),
    "Deploy it: deploy() does, and": "Deploy it: `server-model deploy` does, and",
    "list() shows the models; deploy() makes one.": (
        "`server-model list` shows the models; `server-model deploy` makes one."
    ),
    "Wait for it: deploy() does.": "Wait for it: `server-model deploy` does.",
    "Give the encoder's token: deploy_remote(api_key=...).": (
        "Give the encoder's token in ENCODER_API_KEY: `server-model deploy-remote`."
    ),
    "Give fewer texts at once (batch_size), or deploy_remote(read_timeout=...).": (
        "Give fewer texts at once (--batch-size), or `server-model deploy-remote --read-timeout SECONDS`."
    ),
    "Give serve_from, an address of this machine that the nodes reach, or archive_url.": (
        "Give --serve-from, an address of this machine that the nodes reach, or --archive-url."
    ),
    "Give api_key or credential; any value works if the encoder needs none.": (
        "Give ENCODER_API_KEY or --credential; any value works if the encoder needs none."
    ),
    "Use deploy() for others.": "Leave --pretrained out for others.",
    "model='...'": "--model MODEL",
    "Name it: server_version='...'.": "The server does not say its version.",
}
"""Words of Python in a message -> those of the shell, longer ones before their parts."""
PATTERNS: Mapping[str, str] = {
    r"\b(engine|dtype|device|format)='(\w+)'": r"--\1 \2",
    r"\b(restart|sync)=True needs a journal: journal='articles\.journal'\.": r"--\1 needs a journal: --journal FILE.",
    r"\bGive at most workers=(\S+), or fewer threads\.": r"Give at most --workers \1.",
    r", or create the index with metadata_fields=.*?\.$": ".",
    r"Declare the field: metadata_fields=.*?, or keep such numbers as text\.": "Keep such numbers as text.",
    r"Give schema=IndexSchema\(text_field=(.*?)\)\.": r"`index bind` with --text-field \1 names it.",
    r"Give schema=IndexSchema\(field_type=.*?\)\.": "`index bind` records its type.",
    r"Restore it: create\(exist_ok=True\) of a store with server_encoding=ServerEncoding\(model_id=(.*?), "
    r"pipeline=.*?\) makes it\.": r"Restore it: `index create --exist-ok --server-model-id \1` makes it.",
    r"New indices get one by IndexSchema\(languages=\[(.*?)\]\)\.": r"New indices get one by --languages \1.",
    r"\bmodel_id=(\S+) and analyzer=(\S+); leave": r"--server-model-id \1 and --server-analyzer \2; leave",
    r"\blanguages=(.*?), mode=(\S+), max_params=(\S+), min_context=(\S+), commercial=(\S+), "
    r"min_relevance=(\S+?)\. ": (
        r"languages \1, mode \2, --max-params \3, --min-context \4, commercial use \5, --min-relevance \6. "
    ),
}
"""Regular expression of words of Python -> those of the shell."""


def in_shell_words(error: Exception) -> str:
    """Return the message of an error, its remedy in the words of the shell.

    Args:
        error: An error of this package, or a refused value; any other has but its own words.
    """
    message = str(error)
    return shell_words(message) if isinstance(error, NeuralSparseError | ValueError) else message


def shell_words(message: str) -> str:
    """Return a message with remedies in the words of the shell.

    Args:
        message: The message, in the words of Python.
    """
    for words in (SHELL, PHRASES):
        for python, shell in words.items():
            message = message.replace(python, shell)
    for pattern, shell in PATTERNS.items():
        message = re.sub(pattern, shell, message)
    return message
