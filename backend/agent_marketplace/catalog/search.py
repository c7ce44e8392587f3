"""Typo-forgiving search over names, ids, aliases, makers, providers, capabilities, price words and descriptions.

Words are read once per snapshot. A query's words are read in three ways: words of intent ("cheap", "vision",
"long context") filter and order; words that are in the vocabulary match exactly or as a prefix; the rest match by
Damerau-Levenshtein distance. A model's score is the sum over words of rarity x similarity x weight of the field, times
how much of the query it covers; naming nearly all of a model's own name lifts it, and prominence breaks ties.
"""

import bisect
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from agent_marketplace.catalog.hosts import HERE, title
from agent_marketplace.catalog.models import AIModel
from agent_marketplace.catalog.search_words import WORDS
from agent_marketplace.catalog.snapshot import ModelRecord

MAX_QUERY = 200
_SAMPLES = 20
_NEWER = 3.0
_VERSION = re.compile(r"(?<![a-z\d.])[a-z]{0,2}(\d{1,2}(?:\.\d)?)(?![\db.])")
MAX_TERMS = 10
_TERM = re.compile(r"\d+(?:\.\d+)?(?:[a-z]{1,2}(?![a-z]))?|[a-z]+")
_STOP = frozenset((
    "a", "ai", "an", "and", "any", "are", "at", "best", "by", "can", "do", "for", "from", "give", "good", "i",
    "in", "is", "it", "llm", "me", "model", "models", "my", "of", "on", "or", "please", "some", "that", "the",
    "to", "use", "with",
))  # fmt: skip
_PHRASES = tuple((re.compile(pattern), f" {word} ") for word, pattern in WORDS)
_CAPABILITY_WORDS = {
    "vision": "vision", "images": "vision", "photo": "vision", "photos": "vision", "see": "vision", "ocr": "vision",
    "multimodal": "vision", "code": "code", "coding": "code", "coder": "code", "programming": "code",
    "developer": "code", "reasoning": "reasoning", "thinking": "reasoning", "tools": "tools", "agents": "tools",
    "json": "json", "audio": "audio", "speech": "audio", "voice": "audio", "video": "video", "pdf": "pdf",
    "embedding": "embeddings", "embeddings": "embeddings", "longcontext": "long_context", "imagegen": "image",
    "drawing": "image", "draw": "image", "speechout": "speech", "anychat": "text",
    "fim": "fim", "infill": "fim", "autocomplete": "fim", "autocompletion": "fim",
}  # fmt: skip
_SYNONYMS = {
    "chatgpt": "gpt",
    "bard": "gemini",
    "copilot": "gpt",
    "bedrock": "amazon",
    "huggingface": "hugging",
}
_CHEAP = frozenset(("cheap", "cheapest", "affordable", "budget", "inexpensive", "economical"))
_NEW = frozenset(("new", "newest", "latest", "recent"))
_FREE = frozenset(("free", "gratis"))
_FAST = frozenset(("fast", "fastest", "quick", "quickest", "speedy"))
_QUICK_TIERS = re.compile(
    r"(?:^|[-_.])(?:flash|lite|mini|nano|luna|haiku|instant|turbo|lightning|highspeed|small|fast)(?:[-_.]|$)"
)
_WEIGHTS = {"name": 1.0, "alias": 0.85, "maker": 0.8, "provider": 0.45, "description": 0.25}


def terms(text: str) -> list[str]:
    """Words and numbers of a text: `Llama-3.3-70B` -> llama, 3.3, 70b."""
    return _TERM.findall(text.lower())


def squash(text: str) -> str:
    """Letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


class _Intent(msgspec.Struct):
    """What a query asks for besides a name."""

    words: list[str]
    soft: list[str]  # name a capability, but may be part of a name as well: "coder", "thinking"
    capabilities: list[str]
    cheap: bool = False
    fast: bool = False
    free: bool = False
    new: bool = False
    local: bool = False
    open_weights: bool = False

    @property
    def any(self) -> bool:
        return (
            bool(self.capabilities)
            or self.cheap
            or self.fast
            or self.free
            or self.new
            or self.local
            or self.open_weights
        )


class Words:
    """What search knows of a catalogue's names: the dear part of an index, made once for each snapshot."""

    def __init__(self, records: Sequence[ModelRecord]) -> None:
        self.own: list[frozenset[str]] = []
        self.exact: dict[str, list[int]] = defaultdict(list)
        postings: dict[str, dict[int, float]] = defaultdict(dict)
        for doc, record in enumerate(records):
            self._add(doc, record, postings)
        self.postings = dict(postings)
        self.rarity = {t: math.log(1 + len(records) / len(docs)) for t, docs in postings.items()}
        self.vocabulary = sorted(t for t in postings if t[0].isalpha() and len(t) > 2)
        self.prefixes: dict[str, list[str]] = defaultdict(list)
        for term in postings:
            for length in range(1, min(len(term), 12)):
                self.prefixes[term[:length]].append(term)
        self.squashed = list(self.exact)
        self.newness = _newness(records)
        self.lines = [
            frozenset(
                (
                    *terms(r.family),
                    *terms(r.maker),
                    *terms(title(r.maker)),
                    squash(title(r.maker)),
                    r.id.split("-")[0],
                )
            )
            for r in records
        ]

    def _add(self, doc: int, record: ModelRecord, postings: dict[str, dict[int, float]]) -> None:
        own = _spread([*terms(record.id), *terms(record.name)])
        self.own.append(
            frozenset(
                t
                for t in terms(record.id.replace("-instruct", "").replace("-it", ""))
                if t not in ("v", "preview")
            )
        )
        upstream = record.offers[0].upstream_id
        fields: list[tuple[str, Iterable[str]]] = [
            ("name", own),
            ("alias", _spread(t for a in (*record.aliases, upstream) for t in terms(a.split("/")[-1]))),
            (
                "maker",
                [
                    *terms(title(record.maker)),
                    *terms(record.maker),
                    *terms(record.family),
                    squash(title(record.maker)),
                ],
            ),
            ("provider", [t for o in record.offers for t in (*terms(o.provider), *terms(title(o.provider)))]),
            ("description", (t for t in terms(record.description) if len(t) > 3)),
        ]
        for field, words in fields:
            for word in filter(None, words):
                known = postings[word]
                known[doc] = max(known.get(doc, 0.0), _WEIGHTS[field])
        for text in {record.id, record.name, *record.aliases, upstream}:
            for form in {squash(text), squash(text.split("/")[-1])}:
                if form and doc not in self.exact[form]:
                    self.exact[form].append(doc)


class SearchIndex:
    """The index of one set of models, in the order of its words' records.

    prominence: model id -> 0..1, orders what matches equally well.
    """

    def __init__(self, words: Words, models: Sequence[AIModel], prominence: Mapping[str, float]) -> None:
        self._models = models
        self._prominence = [prominence.get(m.id, 0.0) for m in models]
        self._own, self._exact, self._squashed = words.own, words.exact, words.squashed
        self._postings, self._rarity = words.postings, words.rarity
        self._vocabulary, self._prefixes = words.vocabulary, words.prefixes
        costs = [_blend(m) for m in models]
        rank = {cost: i / max(1, len(costs) - 1) for i, cost in enumerate(sorted(costs))}
        self._cheapness = [1.0 - rank[cost] for cost in costs]
        self._newness, self._lines = words.newness, words.lines

    def search(self, query: str, limit: int = 50) -> list[AIModel]:
        """The best matches first; at most `limit`. An empty query, or one of no words at all, finds nothing."""
        text = query[:MAX_QUERY].lower()
        intent = _read(text)
        scores = self._by_name(intent) if intent.words else {}
        if intent.any:
            scores = self._by_intent(intent, scores)
        for doc in self._exact.get(squash(text), ()):
            scores[doc] = scores.get(doc, 0.0) + (
                100.0 if squash(self._models[doc].id) == squash(text) else 50.0
            )
            scores[doc] += 25.0 if self._models[doc].id == text.strip() else 0.0
        if not scores:
            scores = self._by_spelling(squash(text))
        best = sorted(scores, key=lambda d: (-scores[d], -self._prominence[d], self._models[d].id))
        return [self._models[d] for d in best[:limit]]

    def _by_name(self, intent: _Intent) -> dict[int, float]:
        """Scores of models that match the words of a name."""
        found: dict[int, float] = defaultdict(float)
        covered: dict[int, float] = defaultdict(float)
        total = 0.0
        for term in intent.words:
            matches = self._similar(term)
            weight = max((self._rarity[t] for t, _ in matches), default=4.0)
            total += weight
            best: dict[int, float] = {}
            for word, similarity in matches:
                for doc, field in self._postings[word].items():
                    value = similarity * field
                    if value > best.get(doc, 0.0):
                        best[doc] = value
            for doc, value in best.items():
                found[doc] += weight * value
                covered[doc] += weight
        words = {w for term in intent.words for w, s in self._similar(term) if s >= 0.7}
        # A name of a maker or a line and nothing else: the newest of it is meant.
        lines_only = not any(c.isdigit() for term in intent.words for c in term)
        out: dict[int, float] = {}
        for doc, score in found.items():
            share = covered[doc] / total
            if share < 0.5:
                continue
            own = self._own[doc]
            fullness = len(own & words) / max(1, len(own))
            stale = 0.75 if self._models[doc].retired else 1.0
            out[doc] = stale * score * share * share * (1.0 + 0.5 * fullness) + 0.9 * self._prominence[doc]
            out[doc] += 1.3 * sum(1 for term in intent.soft if term in own)
            if lines_only and any(term in self._lines[doc] for term in intent.words):
                out[doc] += _NEWER * self._newness[doc] - 2.0 * self._models[doc].retired
        return out

    def _by_intent(self, intent: _Intent, named: Mapping[int, float]) -> dict[int, float]:
        """Orders by what was asked for; with a name in the query only models that match it."""
        wanted: list[Callable[[AIModel], bool]] = [_has(c) for c in intent.capabilities]
        wanted += [_is_free] if intent.free else []
        wanted += [_is_local] if intent.local else []
        wanted += [_is_open] if intent.open_weights else []
        pool: Iterable[int] = named or range(len(self._models))
        out: dict[int, float] = {}
        for doc in pool:
            model = self._models[doc]
            met = sum(1 for test in wanted if test(model))
            if wanted and met < len(wanted) and not named:
                continue
            score = named.get(doc, 0.0) + 2.0 * met + self._prominence[doc]
            score += 2.0 * (model.pricing_tier == "free") if intent.free else 0.0
            score += 2.5 * self._cheapness[doc] if intent.cheap else 0.0
            score += 8.0 * self._newness[doc] if intent.new else 0.0
            score += self._speed(doc) if intent.fast else 0.0
            score += (
                min(1.5, math.log2(max(1.0, model.context_window / 200_000)) / 3)
                if "long_context" in intent.capabilities
                else 0.0
            )
            if "audio" in intent.capabilities and re.search(r"transcribe|whisper|asr", model.id):
                score += 1.5
            chat_wanted = not {"embeddings", "image", "speech"} & set(intent.capabilities)
            score -= (
                3.0 * (chat_wanted and "text" not in model.capabilities)
                + 2.0 * model.retired
                + 1.5 * ("demo" in model.tags)
            )
            if "code" in intent.capabilities and re.search(r"code|codestral|devstral|codex", model.id):
                score += 0.6
            out[doc] = score
        return out

    def _speed(self, doc: int) -> float:
        """What was measured here wins; without measurements, the quick tiers of a line, by name, the newest first."""
        model = self._models[doc]
        if model.stats.samples >= _SAMPLES and model.stats.throughput_p50:
            return 6.0 + min(3.0, model.stats.throughput_p50 / 100)
        return 1.5 + 2.5 * self._newness[doc] if _QUICK_TIERS.search(model.id) else 0.0

    def _similar(self, term: str) -> list[tuple[str, float]]:
        """Words of the vocabulary like this one, with similarity 0..1."""
        exact = [(term, 1.0)] if term in self._postings else []
        longer = self._prefixes.get(term, ())
        if term[0].isdigit():
            return exact + [(w, 0.55) for w in longer if not w[len(term)].isdigit()]
        near = [(w, 0.6 + 0.3 * len(term) / len(w)) for w in longer] if len(term) > 1 else []
        if exact or len(term) < 3 or any(s > 0.8 for _, s in near):
            return exact + near
        cutoff = 0.6 if len(term) < 6 else 0.66
        fuzzy = process.extract(
            term, self._vocabulary, scorer=OSA.normalized_similarity, score_cutoff=cutoff, limit=8
        )
        return near + [(str(w), 0.9 * similarity) for w, similarity, _ in fuzzy]

    def _by_spelling(self, text: str) -> dict[int, float]:
        """Whole-name similarity, for queries whose words are run together or badly broken."""
        if len(text) < 3:
            return {}
        close = process.extract(text, self._squashed, scorer=fuzz.ratio, score_cutoff=62, limit=20)
        return {doc: similarity / 20 for form, similarity, _ in close for doc in self._exact[str(form)]}


def _read(text: str) -> _Intent:
    """Takes a query apart into words of a name and words of intent."""
    for pattern, replacement in _PHRASES:
        text = pattern.sub(replacement, text)
    intent = _Intent(words=[], soft=[], capabilities=[])
    for term in terms(text)[:MAX_TERMS]:
        if term in _CHEAP or term in _FREE or term in _NEW or term in _FAST:
            intent.cheap |= term in _CHEAP
            intent.fast |= term in _FAST
            intent.free |= term in _FREE
            intent.new |= term in _NEW
        elif term in ("local", "offline"):
            intent.local = True
        elif term == "openweights":
            intent.open_weights = True
        elif term in _CAPABILITY_WORDS:
            intent.capabilities.append(_CAPABILITY_WORDS[term])
            intent.soft.append(term)
        elif term not in _STOP:
            intent.words.append(_SYNONYMS.get(term, term))
    return intent


def _spread(words: Iterable[str]) -> list[str]:
    """Words and the forms people write instead: 4, 5 -> 4.5 as well; 3.3 -> 3 as well."""
    out: list[str] = []
    last = ""
    for word in words:
        out.append(word)
        if word.isdigit() and len(word) <= 2 and last.isdigit() and len(last) <= 2:
            out.append(f"{last}.{word}")
        if "." in word:
            out.append(word.split(".")[0])
        last = word
    return out


def _newness(models: Sequence[ModelRecord]) -> list[float]:
    """0..1 by day of release; an unknown day is that of the newest sibling with no higher a version."""
    days = [m.released_on or "" for m in models]
    siblings: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, m in enumerate(models):
        siblings[m.maker, m.family].append(i)
    versions = [tuple(float(n) for n in _VERSION.findall(m.id)[:2]) for m in models]
    for i, m in enumerate(models):
        if m.released_on is None and versions[i]:
            older = (
                days[j]
                for j in siblings[m.maker, m.family]
                if models[j].released_on and versions[j] <= versions[i]
            )
            days[i] = max(older, default="")
    ordered = sorted(days)
    return [bisect.bisect_left(ordered, day) / max(1, len(days) - 1) for day in days]


def _blend(model: AIModel) -> float:
    """For ordering only: dollars per 1,000 tokens; unknown prices last."""
    return float(model.cost_per_1k) if model.cost_per_1k is not None else math.inf


def _has(capability: str) -> Callable[[AIModel], bool]:
    if capability == "speech":
        return lambda model: "audio" in model.output_modalities
    return lambda model: capability in model.capabilities


def _is_free(model: AIModel) -> bool:
    return model.pricing_tier == "free" or "free_offer" in model.tags


def _is_local(model: AIModel) -> bool:
    return bool(HERE & set(model.providers))


def _is_open(model: AIModel) -> bool:
    return "open_weights" in model.tags
