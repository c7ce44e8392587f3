"""Where an answer's words come from: pages that a provider looked up, in each wire's words. Places are characters of the
answer's whole text; both are 0 where a provider names a source and no place."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from agent_marketplace.wires.base import Citation


def _citation(url: Any, title: Any, start: Any = 0, end: Any = 0) -> Iterator[Citation]:
    if isinstance(url, str) and url:
        places = (place if isinstance(place, int) and place >= 0 else 0 for place in (start, end))
        yield Citation(url, title if isinstance(title, str) else "", *places)


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    return (item for item in (value if isinstance(value, list) else ()) if isinstance(item, Mapping))


def from_openai(annotations: Any, shift: int = 0) -> list[Citation]:
    """`url_citation`s of chat completions or Responses. shift: characters of the answer before the text that they count in."""
    found: list[Citation] = []
    for said in _objects(annotations):
        if said.get("type") == "url_citation":
            inner = said.get("url_citation")
            c = inner if isinstance(inner, Mapping) else said
            start, end = c.get("start_index"), c.get("end_index")
            places = [p + shift if isinstance(p, int) else 0 for p in (start, end)]
            found += _citation(c.get("url"), c.get("title"), *places)
    return found


def from_perplexity(results: Any, citations: Any) -> list[Citation]:
    """Its `search_results`, or the bare URLs of `citations`: pages, without places."""
    found = [c for r in _objects(results) for c in _citation(r.get("url"), r.get("title"))]
    urls = citations if isinstance(citations, list) else ()
    return found or [c for url in urls for c in _citation(url, "")]


def from_anthropic(citations: Any, start: int, end: int) -> list[Citation]:
    """Search results that a block of text cites; the block is the cited text."""
    return [
        c for s in _objects(citations) if s.get("type") == "web_search_result_location"
        for c in _citation(s.get("url"), s.get("title"), start, end)
    ]  # fmt: skip


def from_gemini(metadata: Any, text: str) -> list[Citation]:
    """`groundingMetadata`, which counts in bytes of UTF-8. text: the answer's."""
    if not isinstance(metadata, Mapping):
        return []
    webs = [
        w if isinstance(w := c.get("web"), Mapping) else {} for c in _objects(metadata.get("groundingChunks"))
    ]
    data = text.encode("utf-8", "surrogatepass")
    found: list[Citation] = []
    used: set[int] = set()
    for support in _objects(metadata.get("groundingSupports")):
        segment = support.get("segment")
        segment = segment if isinstance(segment, Mapping) else {}
        start, end = (_characters(data, segment.get(name)) for name in ("startIndex", "endIndex"))
        for number in support.get("groundingChunkIndices") or ():
            if isinstance(number, int) and 0 <= number < len(webs):
                used.add(number)
                found += _citation(webs[number].get("uri"), webs[number].get("title"), start, end)
    for number, web in enumerate(webs):
        if number not in used:
            found += _citation(web.get("uri"), web.get("title"))
    return found


def _characters(data: bytes, place: Any) -> int:
    return len(data[:place].decode("utf-8", "ignore")) if isinstance(place, int) and place > 0 else 0


def flat(citation: Citation, shift: int = 0) -> dict[str, Any]:
    """A citation of Responses. shift: characters before its item."""
    places = {"start_index": max(0, citation.start - shift), "end_index": max(0, citation.end - shift)}
    return {"type": "url_citation", "url": citation.url, "title": citation.title, **places}


def nested(citations: Iterable[Citation]) -> list[dict[str, Any]]:
    """`annotations` of chat completions."""
    return [
        {"type": "url_citation", "url_citation": {k: v for k, v in flat(c).items() if k != "type"}}
        for c in citations
    ]


def within(citations: Iterable[Citation], start: int, end: int) -> list[dict[str, Any]]:
    """Those of Responses that end in a stretch of the answer, as that stretch counts; the ones without a place stand in the first."""
    return [flat(c, start) for c in citations if (start < c.end <= end) or (not c.end and not start)]


def grounding(citations: Sequence[Citation], text: str) -> dict[str, Any]:
    """`groundingMetadata` of a candidate, nothing where nothing is cited."""
    if not citations:
        return {}
    pages = list(dict.fromkeys((c.url, c.title) for c in citations))
    supports = []
    for c in citations:
        if c.end > c.start:
            start, end = (len(text[:place].encode("utf-8", "surrogatepass")) for place in (c.start, c.end))
            segment = {"startIndex": start, "endIndex": end, "text": text[c.start : c.end]}
            supports.append({"segment": segment, "groundingChunkIndices": [pages.index((c.url, c.title))]})
    chunks = [{"web": {"uri": url, "title": title}} for url, title in pages]
    return {"groundingMetadata": {"groundingChunks": chunks, "groundingSupports": supports}}
