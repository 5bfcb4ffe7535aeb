"""Argos packages as small as can be, but real: one-layer CTranslate2 transformers that know a few phrases.

No training: attention looks at the source's own position and the projection is a table of phrases. What is not in the
table comes out as it went in, letter by letter, as a large model copies a name.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import ctranslate2
import numpy as np
import sentencepiece

LONGEST = 257
"""Pieces of the longest sentence, a phrase or a letter each: the engine looks for other ways to end one that far."""
LETTERS = (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;!?'’()[]#/@+-€éèàçêîôûù"
    "؟،ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي"
)
ARABIC: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("ar", "en"): {"أحتاج مساعدة": "I need help"},
    ("en", "fr"): {"I need help": "J'ai besoin d'aide"},
    ("fr", "ar"): {"Venez ici à": "تعالوا هنا في"},
}
"""A few words of each, Arabic to French through English."""
PERSIAN: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("fa", "en"): {"کمک لازم دارم": "I need help"},
    ("fr", "fa"): {"Venez ici à": "اینجا بیایید ساعت"},
}
"""The same for Persian; the English of both is one model."""
FORGETFUL = {"1": "."}
"""Letters of a model that loses numbers."""


def package(source: str, target: str, phrases: Mapping[str, str], *, version: str = "1.0") -> bytes:
    """An `.argosmodel` from one language to the other."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        pieces = _tokenizer(folder / "sentencepiece.model", phrases)
        _network(folder / "model", pieces, phrases)
        metadata = {
            "package_version": version, "argos_version": "1.9", "from_code": source, "from_name": source,
            "to_code": target, "to_name": target,
        }  # fmt: skip
        (folder / "metadata.json").write_text(json.dumps(metadata))
        kept = io.BytesIO()
        with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(folder.rglob("*")):
                if file.is_file():
                    archive.write(file, f"{source}_{target}/{file.relative_to(folder)}")
        return kept.getvalue()


def install(models: Path, source: str, target: str, phrases: Mapping[str, str]) -> None:
    """Put a package where the worker looks for it."""
    with zipfile.ZipFile(io.BytesIO(package(source, target, phrases))) as archive:
        archive.extractall(models)


def _tokenizer(file: Path, phrases: Mapping[str, str]) -> list[str]:
    """A model of letters in which each phrase is one piece; its pieces, in order."""
    known = sorted({phrase for pair in phrases.items() for phrase in pair if len(phrase) > 1})
    letters = sorted({letter for phrase in known for letter in phrase} | set(LETTERS))
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["".join(letters)]),
        model_writer=written,
        model_type="char",
        vocab_size=len(letters) + len(known) + 3,
        hard_vocab_limit=False,
        character_coverage=1.0,
        user_defined_symbols=[phrase.replace(" ", "▁") for phrase in known],
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        minloglevel=2,
    )
    file.write_bytes(written.getvalue())
    loaded = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())
    return [loaded.id_to_piece(number) for number in range(loaded.get_piece_size())]


def _network(folder: Path, pieces: list[str], phrases: Mapping[str, str]) -> None:
    """One dimension a piece, then one a position."""
    spec = ctranslate2.specs.TransformerSpec.from_config(1, 1, pre_norm=True)
    size = len(pieces) + LONGEST
    tokens, places = np.eye(len(pieces), size), np.eye(LONGEST, size, len(pieces))
    for side in (spec.encoder, spec.decoder):
        side.scale_embeddings = False
        side.position_encodings.encodings = places.astype(np.float32)
        _plain(side.layer_norm, size)
        for layer in side.layer:
            _nothing(layer.self_attention, size)
            _plain(layer.ffn.layer_norm, size)
            _zeros(layer.ffn.linear_0, 8, size)
            _zeros(layer.ffn.linear_1, size, 8)
    spec.encoder.embeddings[0].weight = tokens.astype(np.float32)
    spec.decoder.embeddings.weight = tokens.astype(np.float32)
    _looking(spec.decoder.layer[0].attention, size, len(pieces))
    said = {piece: piece for piece in pieces} | {
        one.replace(" ", "▁"): other.replace(" ", "▁") for one, other in phrases.items()
    }
    projection = np.zeros((len(pieces), size), dtype=np.float32)
    for piece, other in said.items():
        projection[pieces.index(other), pieces.index(piece)] = 8  # so sure that no other way is looked into
    spec.decoder.projection.weight = projection
    spec.decoder.projection.bias = np.zeros(len(pieces), dtype=np.float32)
    spec.register_source_vocabulary(pieces)
    spec.register_target_vocabulary(pieces)
    spec.config.add_source_eos = True
    spec.validate()
    spec.optimize(quantization="int8")
    folder.mkdir()
    spec.save(str(folder))


def _looking(
    attention: ctranslate2.specs.attention_spec.MultiHeadAttentionSpec, size: int, pieces: int
) -> None:
    """Each place of the translation looks at the same place of the source, and takes its piece from there."""
    of_places = np.diag(np.r_[np.zeros(pieces), np.full(size - pieces, 12.0)])
    of_tokens = np.diag(np.r_[np.ones(pieces), np.zeros(size - pieces)])
    _plain(attention.layer_norm, size)
    query, keys_and_values, out = attention.linear
    query.weight = of_places.astype(np.float32)
    keys_and_values.weight = np.vstack([of_places, of_tokens]).astype(np.float32)
    out.weight = (20 * np.eye(size)).astype(np.float32)
    for linear in attention.linear:
        linear.bias = np.zeros(linear.weight.shape[0], dtype=np.float32)


def _nothing(attention: ctranslate2.specs.attention_spec.MultiHeadAttentionSpec, size: int) -> None:
    _plain(attention.layer_norm, size)
    _zeros(attention.linear[0], 3 * size, size)
    _zeros(attention.linear[1], size, size)


def _zeros(linear: ctranslate2.specs.common_spec.LinearSpec, rows: int, columns: int) -> None:
    linear.weight = np.zeros((rows, columns), dtype=np.float32)
    linear.bias = np.zeros(rows, dtype=np.float32)


def _plain(norm: ctranslate2.specs.common_spec.LayerNormSpec, size: int) -> None:
    norm.gamma = np.ones(size, dtype=np.float32)
    norm.beta = np.zeros(size, dtype=np.float32)
