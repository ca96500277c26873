"""Catalogue entries of models that weigh the tokens or words of a text alone.

BGE-M3's MIRACL rows are those of its sparse head in arXiv 2402.03216. uniCOIL's MS MARCO figures are those of the
reproductions in Pyserini and Anserini; of the two, `noexp` is for
documents without expansion. No mean over BEIR is published for uniCOIL and DeeperImpact. `unicoil-msmarco-passage` and
`deeper-impact` have no publicly recorded commit: the one found at download is recorded with the files.
"""

from __future__ import annotations

from opensearch_neural_sparse.models.catalog.benchmarks import miracl
from opensearch_neural_sparse.models.relevance import Relevance
from opensearch_neural_sparse.models.spec import Activation, Family, Mode, ModelSpec

_NO_LICENCE = "NOASSERTION"
_AS_A_FOLDER = (
    "Its repository states no licence, and has vocab.txt in place of the tokenizer.json that is read here: add that to "
    "a copy by AutoTokenizer.save_pretrained, and register the folder."
)
_BERT_BASE_AND_HEAD = 109_483_009
_XLM_R = (
    "af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha he hi hr hu hy id is it "
    "ja jv ka kk km kn ko ku ky la lo lt lv mg mk ml mn mr ms my ne nl no om or pa pl ps pt ro ru sa sd si sk sl so sq "
    "sr su sv sw ta te th tl tr ug uk ur uz vi xh yi zh"
)
"""Languages of XLM-R by the list of its authors, romanised and simplified scripts counted with their language."""


def _unicoil(name: str, *, msmarco: float, revision: str | None, note: str) -> ModelSpec:
    return ModelSpec(
        id=f"castorini/{name}",
        name=name,
        mode=Mode.BI_ENCODER,
        activation=Activation.PLAIN,
        family=Family.UNICOIL,
        tokenizer=name,
        revision=revision,
        vocabulary_size=30_522,
        parameters=_BERT_BASE_AND_HEAD,
        backbone="BERT base",
        licence=_NO_LICENCE,
        note=note,
        relevance=Relevance(msmarco=msmarco),
    )


TOKEN_WEIGHTS: tuple[ModelSpec, ...] = (
    ModelSpec(
        id="BAAI/bge-m3",
        name="bge-m3",
        mode=Mode.BI_ENCODER,
        activation=Activation.PLAIN,
        family=Family.BGE_M3,
        revision="5617a9f61b028005a4858fdac845db406aefb181",
        tokenizer="bge-m3",
        vocabulary_size=250_002,
        max_length=8192,
        parameters=567_755_777,
        backbone="XLM-R large",
        languages=(*_XLM_R.split(), "yo"),
        licence="MIT",
        note="Of more than 100 languages; listed are those of XLM-R and Yoruba, for which a figure is published. The "
        "figures are those of the sparse head alone.",
        relevance=Relevance(
            miracl=miracl(
                (
                    0.689,
                    0.791,
                    0.386,
                    0.353,
                    0.489,
                    0.482,
                    0.445,
                    0.671,
                    0.361,
                    0.451,
                    0.561,
                    0.654,
                    0.579,
                    0.615,
                    0.438,
                ),
                (0.709, 0.325, 0.700),
            ),
            miracl_average=0.539,
        ),
    ),
    _unicoil(
        "unicoil-msmarco-passage",
        msmarco=0.351,
        revision=None,
        note=f"The figure is of documents expanded by doc2query-T5. {_AS_A_FOLDER}",
    ),
    _unicoil(
        "unicoil-noexp-msmarco-passage",
        msmarco=0.315,
        revision="5e81be56f0ab665168ca8a5fbbedf27888989028",
        note=f"For documents without expansion. {_AS_A_FOLDER}",
    ),
    ModelSpec(
        id="soyuj/deeper-impact",
        name="deeper-impact",
        mode=Mode.DOC_ONLY,
        activation=Activation.PLAIN,
        family=Family.DEEP_IMPACT,
        tokenizer="deeper-impact",
        vocabulary_size=30_522,
        parameters=_BERT_BASE_AND_HEAD,
        backbone="BERT base",
        licence="Apache-2.0",
        note="Made for documents expanded by doc2query; its keys are words, each of weight 1 in a query.",
    ),
)
