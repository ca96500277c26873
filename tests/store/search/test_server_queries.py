"""Queries that the server encodes: by a model, a tokenizer or an analyzer that it runs."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    Bm25Leg,
    ChunkOptions,
    FieldType,
    HybridOptions,
    IdfQueryEncoder,
    IndexNotBoundError,
    IndexSchema,
    IndexSchemaError,
    ModelMismatchError,
    NeuralSparseStore,
    Prune,
    SearchHits,
    SearchOptions,
    ServerQuery,
    ServerRequestError,
    SparseLeg,
    SparseTokenizer,
    TwoPhase,
    UnsupportedServerError,
    get_model,
    register_model,
    resolve_files,
)
from opensearch_neural_sparse.index.binding.model_binding import ModelBinding, write_bindings
from opensearch_neural_sparse.index.binding.server_encoding import ServerEncoding
from opensearch_neural_sparse.models import registry
from opensearch_neural_sparse.models.files.idf import read_idf
from opensearch_neural_sparse.server_models.archive import write_tokenizer_archive
from opensearch_neural_sparse.server_models.deployed_model import DeployedModel
from opensearch_neural_sparse.server_models.identity import ModelIdentity
from tests.conftest import RunningServer
from tests.paths import MODELS, SMALL_MODEL
from tests.server_models.deployment import deployed_archive

ONE_SHARD = {"number_of_shards": 1}
TEXTS = ("a red planet", "the red fox jumps over a dog", "planets around a distant star", "a cat sleeps", "foxes hunt")
QUERY = "red planet fox"
CLOSE = 1e-5
ANALYZER = MODELS / "bert-uncased"


@pytest.fixture
def store(model_client: Any, model_index: str) -> Iterator[NeuralSparseStore]:
    with make(model_client, model_index) as made:
        yield made


@pytest.fixture
def other_model(model_client: Any, tmp_path: Path) -> Iterator[str]:
    """A tokenizer in the server, of a model with other query weights."""
    folder = tmp_path / "other-small-en"
    shutil.copytree(SMALL_MODEL, folder)
    (folder / "query_0_SparseStaticEmbedding" / "model.safetensors").unlink()
    weights = json.loads((folder / "idf.json").read_text())
    (folder / "idf.json").write_text(json.dumps({token: weight + 1 for token, weight in weights.items()}))
    files = resolve_files(get_model(folder))
    identity = ModelIdentity(
        model="other-small-en", query_sha256=files.query_sha256, weights_sha256=files.weights_sha256
    )
    archive = write_tokenizer_archive(files, tmp_path)
    with deployed_archive(model_client, archive, description=identity.describe()) as model_id:
        yield model_id


def make(client: Any, index: str, **schema: Any) -> NeuralSparseStore:
    register_model(SMALL_MODEL, name=SMALL_MODEL.name)
    store = NeuralSparseStore(index, client=client, model="small-en", schema=IndexSchema(**schema))
    store.create(settings=ONE_SHARD)
    store.write({"id": f"{n}", "text": text, "metadata": {"n": n}} for n, text in enumerate(TEXTS))
    return store


def stamp(client: Any, index: str, **changes: Any) -> ModelBinding:
    """Write a stamp of the index with these changes."""
    mappings = client.indices.get_mapping(index=index)[index]["mappings"]
    fields = mappings["_meta"]["opensearch_neural_sparse"]["fields"]
    binding = replace(ModelBinding.from_meta(fields["sparse_vector"]), **changes)
    client.indices.put_mapping(index=index, body={"_meta": write_bindings({"sparse_vector": binding})})
    return binding


def unstamp(client: Any, index: str) -> None:
    client.indices.put_mapping(index=index, body={"_meta": {}})


def by(deployed: DeployedModel) -> ServerQuery:
    return ServerQuery(model_id=deployed.query_model_id)


def scores(hits: SearchHits) -> dict[str, float]:
    return {hit.id: hit.score for hit in hits}


def assert_same(found: SearchHits, expected: SearchHits) -> None:
    assert expected
    assert [hit.id for hit in found] == [hit.id for hit in expected]
    assert scores(found) == pytest.approx(scores(expected), rel=CLOSE)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"filter": {"range": {"n": {"gte": 1}}}},
        {"size": 1, "offset": 1},
        {"options": SearchOptions(two_phase=TwoPhase())},
        {"options": SearchOptions(collapse="n")},
    ],
    ids=["plain", "filter", "page", "two-phase", "collapse"],
)
def test_scores_are_those_of_our_vector(
    store: NeuralSparseStore, deployed: DeployedModel, arguments: dict[str, Any]
) -> None:
    options = replace(arguments.pop("options", SearchOptions()), server_query=by(deployed))
    ours = store.search(QUERY, **arguments, options=replace(options, server_query=None))
    assert_same(store.search(QUERY, **arguments, options=options), ours)


def test_many_queries_are_encoded_by_the_server_in_one_request(
    store: NeuralSparseStore, deployed: DeployedModel
) -> None:
    queries = [QUERY, "", "   ", "a sleeping cat"]
    found = store.search_many(queries, options=SearchOptions(server_query=by(deployed)))
    ours = store.search_many(queries)
    assert [len(hits) for hits in ours][1:3] == [0, 0]
    assert [scores(hits) for hits in found] == [pytest.approx(scores(hits), rel=CLOSE) for hits in ours]


def test_model_of_another_tokenizer_is_refused(
    store: NeuralSparseStore, model_client: Any, deployed: DeployedModel, other_model: str
) -> None:
    by = ServerQuery(model_id=other_model)
    hybrid = HybridOptions(legs=(Bm25Leg(), SparseLeg(server_query=by)))
    for search in (
        lambda: store.search(QUERY, options=SearchOptions(server_query=by)),
        lambda: store.search_many([QUERY], options=SearchOptions(server_query=by)),
        lambda: store.hybrid_search(QUERY, options=hybrid),
        lambda: store.hybrid_search(QUERY, options=HybridOptions(server_query=by)),
    ):
        with pytest.raises(ModelMismatchError, match=f"server model {other_model}.*another tokenizer"):
            search()
    by = ServerQuery(model_id=deployed.query_model_id)
    assert store.search(QUERY, options=SearchOptions(server_query=by))


@pytest.mark.parametrize("text", ["", " \n\t ", "\u200b", "☃"], ids=["empty", "blank", "nothing", "unknown"])
def test_text_without_known_tokens_finds_nothing(store: NeuralSparseStore, deployed: DeployedModel, text: str) -> None:
    options = SearchOptions(server_query=by(deployed))
    assert store.search(text, options=options, explain=True) == store.search(text, explain=True) == []
    hybrid = HybridOptions(server_query=by(deployed), fusion="client")
    assert scores(store.hybrid_search(text, options=hybrid)) == scores(
        store.hybrid_search(text, options=HybridOptions(fusion="client"))
    )


def test_long_texts_stay_within_the_server_s_limit_of_clauses(
    store: NeuralSparseStore, deployed: DeployedModel
) -> None:
    words = " ".join(f"{a}{b}{c} planet" for a in "bcdfg" for b in "aeiou" for c in "klmnprst" * 4)
    options = SearchOptions(server_query=by(deployed))
    assert_same(store.search(words, options=options), store.search(words))
    hybrid = HybridOptions(legs=[Bm25Leg(), SparseLeg(), SparseLeg(name="again")], server_query=by(deployed))
    assert store.hybrid_search(words, options=hybrid, filter={"range": {"n": {"gte": 0}}})


@pytest.mark.parametrize("fusion", ["server", "client"])
@pytest.mark.parametrize("explain", [False, True])
def test_hybrid_legs_have_the_scores_of_our_vector(
    store: NeuralSparseStore, deployed: DeployedModel, fusion: str, explain: bool
) -> None:
    own = HybridOptions(fusion=fusion)
    ours = store.hybrid_search(QUERY, options=own, explain=explain)
    for options in (
        replace(own, server_query=by(deployed)),
        replace(own, legs=[Bm25Leg(), SparseLeg(server_query=by(deployed))]),
    ):
        found = store.hybrid_search(QUERY, options=options, explain=explain)
        assert_same(found, ours)
        if explain:
            for hit, expected in zip(found, ours, strict=True):
                assert weights(hit) == pytest.approx(weights(expected), rel=CLOSE)
                assert hit.legs["sparse"].score == pytest.approx(expected.legs["sparse"].score, rel=CLOSE)


def test_filter_goes_into_hybrid_legs(store: NeuralSparseStore, deployed: DeployedModel) -> None:
    wanted: dict[str, Any] = {"filter": {"range": {"n": {"gte": 1}}}, "size": 2}
    ours = store.hybrid_search(QUERY, **wanted)
    assert_same(store.hybrid_search(QUERY, **wanted, options=HybridOptions(server_query=by(deployed))), ours)


def weights(hit: Any) -> dict[str, float]:
    return {match.token: match.query_weight for match in hit.matches}


def test_explained_tokens_are_those_of_the_server_and_sum_to_the_score(
    store: NeuralSparseStore, deployed: DeployedModel
) -> None:
    found = store.search(QUERY, options=SearchOptions(server_query=by(deployed)), explain=True)
    ours = store.search(QUERY, explain=True)
    assert_same(found, ours)
    for hit, expected in zip(found, ours, strict=True):
        assert weights(hit) == pytest.approx(weights(expected), rel=CLOSE)
        assert sum(match.score for match in hit.matches or ()) == pytest.approx(hit.score, rel=CLOSE)
    assert [hit.to_html() for hit in found] == [hit.to_html() for hit in ours]
    assert "<mark" in found[0].to_html()


def test_chunks_are_scored_by_the_server_s_encoding(
    model_client: Any, model_index: str, deployed: DeployedModel
) -> None:
    with make(model_client, model_index, chunking=ChunkOptions(tokens=4, overlap=1)) as store:
        options = SearchOptions(server_query=by(deployed))
        ours = store.search(QUERY, explain=True)
        found = store.search(QUERY, options=options, explain=True)
        assert_same(found, ours)
        assert [hit.chunk.text for hit in found] == [hit.chunk.text for hit in ours]
        hybrid = HybridOptions(server_query=by(deployed))
        assert_same(store.hybrid_search(QUERY, options=hybrid), store.hybrid_search(QUERY))


def test_approximate_field_is_searched_by_the_server_s_encoding(
    model_server: RunningServer, model_client: Any, model_index: str, deployed: DeployedModel
) -> None:
    if model_server.version.startswith("2."):
        pytest.skip("OpenSearch 2.19 has no field of type sparse_vector")
    with make(model_client, model_index, field_type=FieldType.SPARSE_VECTOR) as store:
        for wanted in ({}, {"filter": {"range": {"n": {"gte": 1}}}}):
            ours = store.search(QUERY, **wanted, explain=True)
            options = SearchOptions(server_query=by(deployed))
            found = store.search(QUERY, **wanted, options=options, explain=True)
            assert_same(found, ours)
            assert [weights(hit) == pytest.approx(weights(own)) for hit, own in zip(found, ours, strict=True)]
        hybrid = HybridOptions(server_query=by(deployed))
        assert_same(store.hybrid_search(QUERY, options=hybrid), store.hybrid_search(QUERY))


def test_user_supplied_body_holds_the_text(store: NeuralSparseStore, deployed: DeployedModel) -> None:
    body = {"query": {"bool": {"must": "$sparse", "filter": "$filters"}}}
    ours = store.custom_search(body, query=QUERY)
    assert_same(store.custom_search(body, query=QUERY, server_query=by(deployed)), ours)


def test_analyzer_encodes_queries_with_the_weights_that_it_explains(
    model_server: RunningServer, store: NeuralSparseStore
) -> None:
    options = SearchOptions(server_query=ServerQuery(analyzer="bert-uncased"))
    if model_server.version.startswith("2."):
        with pytest.raises(UnsupportedServerError, match=r"by an analyzer|analyzer encodes"):
            store.search(QUERY, options=options)
        return
    found = store.search(QUERY, options=options, explain=True)
    by_weights = store.search({match.token: match.query_weight for hit in found for match in hit.matches or ()})
    assert_same(found, by_weights)
    assert store.search("☃", options=options, explain=True) == []


@pytest.mark.skipif(not ANALYZER.is_dir(), reason="the query side bert-uncased is not at hand")
def test_analyzer_encodes_as_our_table_does(model_server: RunningServer, store: NeuralSparseStore) -> None:
    if model_server.version.startswith("2."):
        pytest.skip("analyzers with weights came with OpenSearch 3.1")
    tokenizer = SparseTokenizer.from_file(ANALYZER / "tokenizer.json", max_length=512)
    table = read_idf(ANALYZER / "idf.json", tokenizer.vocabulary, ignored=tokenizer.special_ids)
    encoder = IdfQueryEncoder(tokenizer, table)
    by_analyzer = SearchOptions(server_query=ServerQuery(analyzer="bert-uncased"))
    for text in (QUERY, "red \u2603 planet", "The foxes hunt"):  # no document has the [UNK] that the analyzer keeps
        assert_same(store.search(text, options=by_analyzer), store.search(encoder.encode_query(text)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filter": {"term": {"n": 1}}}, "With a filter, a query that the server encodes is not searched in two"),
        ({"offset": 1}, "With an offset, a query that the server encodes is not searched in two phases"),
    ],
)
def test_two_phases_that_the_client_would_split_are_refused(
    store: NeuralSparseStore, deployed: DeployedModel, arguments: dict[str, Any], message: str
) -> None:
    options = SearchOptions(server_query=by(deployed), two_phase=TwoPhase())
    with pytest.raises(ValueError, match=message):
        store.search(QUERY, options=options, **arguments)


def test_two_phases_go_into_the_hybrid_leg(store: NeuralSparseStore, deployed: DeployedModel) -> None:
    options = HybridOptions(two_phase=TwoPhase(), server_query=by(deployed))
    ours = store.hybrid_search(QUERY, options=replace(options, server_query=None))
    assert_same(store.hybrid_search(QUERY, options=options), ours)


def test_contradictions_are_refused() -> None:
    query = ServerQuery(model_id="m")
    with pytest.raises(ValueError, match="prune cannot be used with server_query"):
        SearchOptions(server_query=query, prune=Prune.parse("top_k:3"))
    with pytest.raises(ValueError, match="encoded by one of them, got model_id='m' and analyzer='a'"):
        ServerQuery(model_id="m", analyzer="a")
    with pytest.raises(ValueError, match="either a vector or a server_query"):
        SparseLeg(vector={"a": 1.0}, server_query=query)
    with pytest.raises(TypeError, match="server_query is a ServerQuery or None, got str"):
        SearchOptions(server_query="m")  # type: ignore[arg-type]


def test_token_weights_are_not_encoded_again(store: NeuralSparseStore) -> None:
    query = ServerQuery(model_id="m")
    with pytest.raises(ValueError, match="encoded already; leave server_query out"):
        store.search({"red": 1.0}, options=SearchOptions(server_query=query))
    with pytest.raises(ValueError, match="encoded already; leave server_query out"):
        store.hybrid_search("red", vector={"red": 1.0}, options=HybridOptions(server_query=query))


@pytest.mark.parametrize("explain", [False, True])
def test_unknown_model_is_an_error_with_a_way_out(store: NeuralSparseStore, explain: bool) -> None:
    options = SearchOptions(server_query=ServerQuery(model_id="nope"))
    with pytest.raises(ServerRequestError, match=r"Failed to find model.*The server has no model of this id"):
        store.search(QUERY, options=options, explain=explain)
    with pytest.raises(ServerRequestError, match=r"Failed to find model.*The server has no model of this id"):
        store.search_many([QUERY, QUERY], options=options)


@pytest.fixture
def unknown_here(model_client: Any, model_index: str, deployed: DeployedModel) -> NeuralSparseStore:
    """A store of an index that a model in the server encodes and that no file here belongs to."""
    make(model_client, model_index).close()
    server = ServerEncoding(model_id=deployed.model_id, query_model_id=deployed.query_model_id)
    stamp(model_client, model_index, server=server, model="elsewhere", query_sha256="0" * 64)
    return NeuralSparseStore(model_index, client=model_client)


def test_index_of_a_model_that_is_unknown_here_is_searched_by_the_server(
    unknown_here: NeuralSparseStore, model_client: Any, deployed: DeployedModel
) -> None:
    vector = small_query(QUERY)
    with unknown_here as store:
        expected = store.search(vector, explain=True)
        assert_same(store.search(QUERY), expected)
        assert_same(store.search(QUERY, explain=True), expected)
        assert_same(store.hybrid_search(QUERY), store.hybrid_search(QUERY, vector=vector))
        assert dict(store.encode_query(QUERY)) == pytest.approx(dict(vector), rel=CLOSE)
        body = {"query": "$sparse"}
        assert_same(store.custom_search(body, query=QUERY), expected)
        assert store.count() == len(TEXTS)
        assert store.delete(["0"], refresh=True) == 1
        with pytest.raises(ValueError, match=r"cannot be pruned\. Search by token weights"):
            store.search(QUERY, options=SearchOptions(prune=Prune.parse("top_k:3")))


def small_query(text: str) -> Any:
    from opensearch_neural_sparse import load_query_encoder

    return load_query_encoder(SMALL_MODEL).encode_query(text)


def test_asynchronous_store_searches_in_the_same_way(
    unknown_here: NeuralSparseStore, model_server: RunningServer, model_index: str, deployed: DeployedModel
) -> None:
    expected = unknown_here.search(small_query(QUERY), explain=True)

    async def search() -> Sequence[SearchHits]:
        async with AsyncNeuralSparseStore(model_index, url=model_server.url) as store:
            return (
                await store.search(QUERY, explain=True),
                await store.search(QUERY, options=SearchOptions(server_query=by(deployed))),
            )

    for found in asyncio.run(search()):
        assert_same(found, expected)


def test_doc_only_query_is_encoded_here_where_its_files_are(
    model_client: Any, model_index: str, deployed: DeployedModel
) -> None:
    make(model_client, model_index).close()
    stamp(model_client, model_index, server=ServerEncoding(model_id="gone", query_model_id="gone"))
    with NeuralSparseStore(model_index, client=model_client) as store:
        assert_same(store.search(QUERY), store.search(small_query(QUERY)))
        with pytest.raises(ServerRequestError, match="Failed to find model"):
            store.search(QUERY, options=SearchOptions(server_query=ServerQuery()))


def test_bi_encoder_query_is_encoded_by_the_server_unless_a_model_is_named(
    model_client: Any, model_index: str, deployed: DeployedModel
) -> None:
    make(model_client, model_index).close()
    stamp(model_client, model_index, server=ServerEncoding(model_id=deployed.model_id), mode="bi-encoder")
    with NeuralSparseStore(model_index, client=model_client) as store:
        expected = store.search(QUERY, options=SearchOptions(server_query=ServerQuery(model_id=deployed.model_id)))
        assert_same(store.search(QUERY), expected)
        assert dict(store.encode_query("fox"))["fox"] > 0


@pytest.fixture
def search_pipeline(model_client: Any, model_index: str, deployed: DeployedModel) -> Iterator[str]:
    """The default search pipeline of the index: its enricher names the tokenizer for the sparse field alone."""
    path = f"/_search/pipeline/{model_index}"
    enricher = {"neural_field_default_id": {"sparse_vector": deployed.query_model_id}}
    body = {"request_processors": [{"neural_query_enricher": enricher}]}
    model_client.transport.perform_request("PUT", path, body=body)
    yield model_index
    model_client.indices.delete(index=model_index, ignore_unavailable=True)
    model_client.transport.perform_request("DELETE", path)


def test_unstamped_index_is_searched_by_the_model_of_its_search_pipeline(
    model_client: Any, model_index: str, search_pipeline: str
) -> None:
    make(model_client, model_index).close()
    unstamp(model_client, model_index)
    model_client.indices.put_settings(index=model_index, body={"index.search.default_pipeline": search_pipeline})
    asked = ServerQuery()
    with NeuralSparseStore(model_index, client=model_client) as store:
        with pytest.raises(IndexNotBoundError, match=r"server_query=ServerQuery\(\)"):
            store.search(QUERY)
        named = NeuralSparseStore(model_index, client=model_client, model="small-en")
        assert_same(store.search(QUERY, options=SearchOptions(server_query=asked)), named.search(QUERY))
        two_phase = SearchOptions(server_query=asked, two_phase=TwoPhase())
        assert_same(store.search(QUERY, options=two_phase, explain=True), named.search(QUERY))
        assert_same(store.hybrid_search(QUERY, options=HybridOptions(server_query=asked)), named.hybrid_search(QUERY))
        assert len(store.search_many([QUERY, "cat"], options=SearchOptions(server_query=asked))) == 2
        with pytest.raises(IndexNotBoundError):
            store.search(QUERY)
        with pytest.raises(IndexNotBoundError):
            store.write(["a text"])


def test_index_that_names_no_model_for_queries_says_so(model_client: Any, model_index: str) -> None:
    make(model_client, model_index).close()
    with (
        NeuralSparseStore(model_index, client=model_client) as store,
        pytest.raises(
            IndexSchemaError,
            match=r"does not say what encodes queries for 'sparse_vector'.*ServerQuery\(model_id=",
        ),
    ):
        store.search(QUERY, options=SearchOptions(server_query=ServerQuery()))


def test_each_of_several_models_is_searched_by_its_own_stamp(
    model_client: Any, model_index: str, deployed: DeployedModel
) -> None:
    make(model_client, model_index).close()
    other = f"{model_index}-other"
    try:
        make(model_client, other).close()
        server = ServerEncoding(model_id=deployed.model_id, query_model_id=deployed.query_model_id)
        stamp(model_client, other, server=server, model="elsewhere", weights_sha256="1" * 64, query_sha256="1" * 64)
        with NeuralSparseStore(f"{model_index},{other}", client=model_client) as store:
            found = store.search(QUERY, size=10)
            assert {hit.index for hit in found} == {model_index, other}
            ranked = {index: [hit.id for hit in found if hit.index == index] for index in (model_index, other)}
            assert ranked[model_index] == ranked[other]
    finally:
        registry._registered.clear()
        model_client.indices.delete(index=other, ignore_unavailable=True)
