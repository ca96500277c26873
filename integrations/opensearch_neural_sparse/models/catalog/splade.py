"""Catalogue entries of SPLADE models by other authors.

Relevance is the mean NDCG@10 over the 13 BEIR collections and MRR@10 on MS MARCO that sentence-transformers' list of
pretrained models or the model cards state; `splade-v3`'s tokens a text are those that the announcement of SPARSEUP
measured. A revision is pinned where a commit with all files is publicly recorded; else the commit found at download is
recorded with the files. The recorded commits of `splade_v2_distil` and `splade_v2_max` have no `tokenizer.json`.
"""

from __future__ import annotations

from opensearch_neural_sparse.models.relevance import Relevance
from opensearch_neural_sparse.models.spec import Activation, Mode, ModelSpec

_NON_COMMERCIAL = "CC-BY-NC-SA-4.0"
_BERT_BASE = 109_514_298
_DISTILBERT_BASE = 66_985_530


def _naver(
    name: str,
    relevance: Relevance,
    *,
    mode: Mode = Mode.BI_ENCODER,
    distil: bool = False,
    gated: bool = False,
    revision: str | None = None,
    note: str = "",
) -> ModelSpec:
    return ModelSpec(
        id=f"naver/{name}",
        name=name,
        mode=mode,
        activation=Activation.RELU,
        revision=revision,
        vocabulary_size=30_522,
        parameters=_DISTILBERT_BASE if distil else _BERT_BASE,
        backbone="DistilBERT base" if distil else "BERT base",
        licence=_NON_COMMERCIAL,
        gated=gated,
        note=note,
        relevance=relevance,
    )


def _permissive(
    id: str,  # noqa: A002
    relevance: Relevance,
    *,
    licence: str,
    parameters: int = _BERT_BASE,
    backbone: str = "BERT base",
) -> ModelSpec:
    return ModelSpec(
        id=id,
        name=id.rpartition("/")[2],
        mode=Mode.BI_ENCODER,
        activation=Activation.RELU,
        vocabulary_size=30_522,
        parameters=parameters,
        backbone=backbone,
        licence=licence,
        relevance=relevance,
    )


def _figures(beir: float, msmarco: float | None = None) -> Relevance:
    return Relevance(beir_average=beir, msmarco=msmarco)


SPLADE: tuple[ModelSpec, ...] = (
    ModelSpec(
        id="ibm-granite/granite-embedding-30m-sparse",
        name="granite-embedding-30m-sparse",
        mode=Mode.BI_ENCODER,
        activation=Activation.RELU,
        tokenizer="granite-embedding-30m-sparse",
        vocabulary_size=50_265,
        parameters=30_300_000,  # as published
        backbone="RoBERTa",
        licence="Apache-2.0",
        max_active_dims=192,
        query_max_active_dims=50,
        relevance=_figures(0.508),
    ),
    _permissive("prithivida/Splade_PP_en_v1", _figures(0.487, 0.372), licence="Apache-2.0"),
    _permissive("prithivida/Splade_PP_en_v2", _figures(0.494, 0.378), licence="Apache-2.0"),
    _permissive(
        "rasyosef/splade-mini", _figures(0.445, 0.341), licence="MIT", parameters=11_201_594, backbone="BERT mini"
    ),
    _permissive(
        "rasyosef/splade-tiny", _figures(0.406, 0.309), licence="MIT", parameters=4_416_698, backbone="BERT tiny"
    ),
    _naver(
        "splade-v3",
        Relevance(beir_average=0.517, msmarco=0.402, document_tokens=170, query_tokens=25),
        gated=True,
        revision="fdfeceb91d7b9de7985b38addd3ba9f53a59a355",
    ),
    _naver("splade-v3-distilbert", _figures(0.500, 0.387), distil=True),
    _naver("splade-v3-lexical", _figures(0.491, 0.400), gated=True, note="Queries are weighed without expansion."),
    _naver("splade-v3-doc", _figures(0.470), mode=Mode.DOC_ONLY, gated=True),
    _naver(
        "splade-cocondenser-ensembledistil",
        _figures(0.505, 0.380),
        revision="49cf4c7b0db5b870a401ddf5e2669993ef3699c7",
    ),
    _naver("splade-cocondenser-selfdistil", _figures(0.507, 0.376)),
    _naver("splade_v2_distil", _figures(0.506, 0.368), distil=True),
    _naver("splade_v2_max", _figures(0.464, 0.340), distil=True),
)
