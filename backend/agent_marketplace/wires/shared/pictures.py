"""Pictures that a model made: read from a provider's answer, and told to a client in each wire's words."""

from collections.abc import Iterator, Mapping
from typing import Any

from agent_marketplace.wires.base import ImagePart, TextDelta
from agent_marketplace.wires.shared.media import type_of

_DATA = "data:"


def from_openai(images: Any) -> Iterator[ImagePart]:
    """`images` of a message or delta (OpenRouter, "Image generation"): data URLs, or addresses."""
    for item in images if isinstance(images, list) else ():
        inner = item.get("image_url") if isinstance(item, Mapping) else None
        url = inner.get("url") if isinstance(inner, Mapping) else inner
        if not isinstance(url, str):
            continue
        head, mark, data = url.partition(";base64,")
        if mark and head.startswith(_DATA):
            yield ImagePart(media_type=type_of(head.removeprefix(_DATA), data), data=data)
        elif url.startswith(("http://", "https://")):
            yield ImagePart(url=url)


def from_gemini(blob: Any) -> Iterator[ImagePart]:
    """A part's `inlineData`, where it is a picture."""
    if not isinstance(blob, Mapping):
        return
    kind, data = blob.get("mimeType", blob.get("mime_type")), blob.get("data")
    if isinstance(kind, str) and isinstance(data, str) and kind.startswith("image/"):
        yield ImagePart(media_type=kind, data=data.replace("-", "+").replace("_", "/"))


def nested(image: ImagePart, index: int) -> dict[str, Any]:
    """As OpenRouter tells it beside a message's content."""
    url = image.url or f"data:{image.media_type};base64,{image.data}"
    return {"type": "image_url", "image_url": {"url": url}, "index": index}


def inline(image: ImagePart) -> dict[str, Any]:
    """As a part of Google's."""
    if image.url:
        return {"fileData": {"fileUri": image.url}}
    return {"inlineData": {"mimeType": image.media_type, "data": image.data}}


def in_words(image: ImagePart) -> TextDelta:
    """What is said of a picture where the client's wire has no place for one."""
    where = image.url or f"{image.media_type}, {len(image.data) * 3 // 4} bytes"
    return TextDelta(
        f"[The model made a picture ({where}). This API has no place for it: ask over /v1/chat/completions.]"
    )


def modalities(asked: Any) -> list[str]:
    """Which of text and image are asked for, in small letters; [] where it is another thing or says nothing of pictures."""
    names = [str(m).lower() for m in asked] if isinstance(asked, list) else []
    return names if "image" in names and set(names) <= {"text", "image"} else []
