"""The buyer's conditions: what was said in fields, else what was read off the words; the words' part can be taken back."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from agent_marketplace.errors import BadRequest
from agent_marketplace.ledger import nano
from agent_marketplace.recommend.understood import Understood

OUTPUTS = ("text", "image", "video", "embedding", "speech", "rerank")
REGIONS = ("eu", "us")
MODALITIES = ("image", "audio", "video", "pdf")


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """max_cost: dollars for one call; budget: dollars for all; lengths in tokens; deadline_s: seconds to a whole answer.

    makers, exclude_makers: `anthropic`, ...; model: a name to look up; inputs: of MODALITIES; output: of OUTPUTS; region: of
    REGIONS; effort: how hard it shall think; context: tokens that it must be able to read; require: of
    `needs.REQUIREMENTS`; language: what is to be answered in (ISO 639-1; shown, no filter: who speaks
    what is published for few models).
    """

    max_cost: Decimal | None = None
    budget: Decimal | None = None
    calls: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    deadline_s: float | None = None
    offline: bool = False
    no_training: bool = False
    region: str | None = None
    open_weights: bool = False
    free: bool = False
    makers: tuple[str, ...] = ()
    exclude_makers: tuple[str, ...] = ()
    model: str | None = None
    exclude_models: tuple[str, ...] = ()
    language: str | None = None
    inputs: tuple[str, ...] = ()
    output: str = "text"
    priority: str | None = None
    require: tuple[str, ...] = ()
    effort: str | None = None
    context: int | None = None

    @property
    def cap_nano(self) -> int | None:
        """The most that one call may cost, nano-dollars: the cap itself, or the budget's share of one call."""
        each = [] if self.max_cost is None else [nano(self.max_cost)]
        if self.budget is not None and self.calls:
            each.append(nano(self.budget) // self.calls)
        return min(each, default=None)


_FIELDS = tuple(Conditions.__struct_fields__)


def settle(
    said: Mapping[str, Any], read: Collection[Understood], ignore: Collection[str] = ()
) -> tuple[Conditions, tuple[Understood, ...]]:
    """(conditions, what of the words went into them). said: fields of the request, which win; ignore: kinds not to be read."""
    unknown = sorted(set(ignore) - set(_FIELDS))
    if unknown:
        raise BadRequest(f"Unknown condition {unknown[0][:60]!r}; known: {', '.join(_FIELDS)}")
    given = {k: v for k, v in said.items() if v is not None and v != () and v is not False}
    kept = tuple(u for u in read if u.kind not in given and u.kind not in ignore)
    if "budget" in given:
        kept = tuple(u for u in kept if u.kind != "max_cost")
    values: dict[str, Any] = {}
    for found in kept:
        values[found.kind] = tuple(found.value) if isinstance(found.value, list) else found.value
    if "inputs" in given and "inputs" in {u.kind for u in read}:
        given["inputs"] = tuple(
            dict.fromkeys((*given["inputs"], *next(u.value for u in read if u.kind == "inputs")))
        )
    return Conditions(**(values | given)), kept


def modalities_of(attachments: Collection[str | Mapping[str, Any]]) -> tuple[str, ...]:
    """What kinds of attachments go in, of media types, file names, or mappings with `type` or `media_type`."""
    found = []
    for attachment in attachments:
        name = str(
            attachment
            if isinstance(attachment, str)
            else attachment.get("type") or attachment.get("media_type") or attachment.get("name") or ""
        ).lower()
        found += [
            kind for kind, (lead, ends) in _KINDS.items() if name.startswith(lead) or name.endswith(ends)
        ]
    return tuple(dict.fromkeys(found))


def unread(attachments: Collection[str | Mapping[str, Any]]) -> tuple[str, ...]:
    """Names of attachments that no model takes as they are and that are no plain text."""
    found = []
    for attachment in attachments:
        name = str(
            attachment
            if isinstance(attachment, str)
            else attachment.get("name") or attachment.get("media_type") or attachment.get("type") or ""
        )[:80]
        if not modalities_of([attachment]) and name.lower().endswith(_OFFICE):
            found.append(name)
    return tuple(found)


_OFFICE = (
    ".xlsx", ".xls", ".docx", ".doc", ".pptx", ".ppt", ".odt", ".ods", ".zip", ".gz", ".epub", "sheet", "msword", "ms-excel",
    "ms-powerpoint", "document", "presentation", "application/zip", "octet-stream",
)  # fmt: skip
_KINDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "image": (("image",), (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".heic", ".tiff")),
    "audio": (("audio",), (".mp3", ".wav", ".m4a", ".ogg", ".flac", ".opus", ".aac")),
    "video": (("video",), (".mp4", ".mov", ".mkv", ".webm", ".avi")),
    "pdf": (("application/pdf", "pdf"), (".pdf",)),
}
