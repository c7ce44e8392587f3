"""PURE: from the forms of a call to the tokens that one target can bill for reading them, and in which classes.

The rules are the providers' own, where they publish one (docs/billing.md has the table with the sources); else the largest
input that the model takes. Lengths in tokens.
"""

import re
from functools import lru_cache

from agent_marketplace.gateway.plan import Target
from agent_marketplace.ledger.pricing import Load, Price
from agent_marketplace.usage import INPUTS
from agent_marketplace.wires.shared.bounds import Family, family_of
from agent_marketplace.wires.shared.forms import Forms, Picture

LARGEST_UNKNOWN = 2_000_000
"""The largest input of a model whose window nobody tells: the widest window that is sold in 2026."""

_A_TURN = 8  # role, name and separators; OpenAI's chat format takes 3 or 4, ChatML 5, Llama's 6
_A_CALL = 16
_A_TEMPLATE = 128  # open models' chat templates open with instructions of their own (gpt-oss about 70, Llama 3 about 30)
_OPENINGS = ((re.compile(r"grok"), 1_024), (re.compile(r"command"), 1_024), (re.compile(r"magistral"), 512))
"""Instructions that a maker puts before every conversation, and counts: 679 tokens of grok-4, 113 to 194 of its later ones (usage
as xAI's customers publish it, cached in whole); Cohere's preamble and tags (its "How does pricing work": `tokens` beside
`billed_units`); the system prompt that Magistral's template brings (its model card)."""
_A_TOOL = 16
_TOOLS = {"claude": 900, "claude_newest": 900, "openai": 64}  # what a provider says about tools in general
_TOOLS_TEMPLATE = 512
_NATIVE_TOOL = (
    1_500  # Anthropic's computer, text editor and bash tools are described in 245 to 735 tokens each
)
_A_SCHEMA = 512
_CITING, _A_PASSAGE = (
    512,
    16,
)  # Anthropic "Citations": more of a system prompt, and documents cut into marked passages

# Sound. Google "Audio understanding": 32 a second; OpenAI "Pricing" (GPT-4o audio): a minute of input is about 600, 10 a second;
# Mistral "Audio" (Voxtral): 12.5 a second.
_AUDIO_A_SECOND = 40
# Anthropic "Vision": width x height / 750, in patches of 28 pixels; scaled to 1.15 megapixels (about 1,600 tokens) at most, from
# Opus 4.7 on to 3.75 megapixels (about 5,000).
_CLAUDE_PIXELS, _CLAUDE_PATCH = 750, 28
_CLAUDE_MOST = {"claude": 1_700, "claude_newest": 5_000}
# OpenAI "Images and vision", models that count tiles of 512 pixels after scaling to 2048 and 768 (so at most 8): GPT-4o, 4.1,
# 4.5: 85 + 170 a tile; o1, o3: 75 + 150; GPT-4o mini: 2,833 + 5,667, which is also its price of `low`.
_TILES = 85 + 8 * 170
_MINI_TILES = 2_833 + 8 * 5_667
_LOW_DETAIL = 2_833
# The same page, models that count patches of 32 pixels: at most 1,536, since GPT-5.4 10,000 (`original`); a patch is 1 token, 1.62
# at `mini`, 1.72 at o4-mini, 2.46 at `nano`. In hundredths.
_PATCH, _PATCH_WEIGHT = 32, 246
_MOST_PATCHES, _MOST_PATCHES_FIXED = 10_000, 1_536
# Google "Image understanding": 258 a tile of the crop unit; "Media resolution" (Gemini 3): up to 2,240 an image (`ultra high`).
_GEMINI_TILE, _GEMINI_LEAST = 258, 2_240
# Llama 3.2's processor: 4 tiles of 1,601. Qwen-VL's: patches of 14 pixels, at most 16,384.
_LLAMA_IMAGE, _OPEN_MOST, _OPEN_PATCH = 6_404, 16_384, 14
_TILED = re.compile(r"gpt-?4|chatgpt|(?:^|[/ ])o[13](?:-|$)")
_PATCHED_OLD = re.compile(r"gpt-4\.1-(?:mini|nano)|o4-mini|gpt-5(?:-mini|-nano|-codex)?(?:-20\d\d.*)?$")


def largest_input(target: Target, *, long_context: bool) -> int:
    """The most input that a target takes. long_context: the whole window is asked for, of which some Claude models else take a
    part."""
    whole = target.context or LARGEST_UNKNOWN
    if long_context or target.max_input is None or not family(target).startswith("claude"):
        return whole
    return min(whole, target.max_input)


def inputs(forms: Forms, target: Target, price: Price, *, long_context: bool = False) -> tuple[Load, ...]:
    """What the target can bill for reading these forms; long_context: as `largest_input`."""
    once = _once(forms, target, price, long_context=long_context)
    if forms.readings == 1:
        return once
    return tuple(Load(forms.readings * load.tokens, load.classes) for load in once)


def _once(forms: Forms, target: Target, price: Price, *, long_context: bool) -> tuple[Load, ...]:
    counts = family(target)
    writes = _writes(forms, counts, price)
    text = forms.text.tokens(counts) + _around(forms, counts) + _opening(target.model, target.upstream_id)
    if not (forms.pictures or forms.audio_ms or forms.unsized):
        return (Load(text, ("input", *writes)),)
    name = _name(target.model, target.upstream_id)
    largest = largest_input(target, long_context=long_context)
    pictures = sum(_picture(p, name, counts, largest) for p in forms.pictures)
    if (
        "gpt-4o-mini" not in name
    ):  # there a picture is billed as 33 times the tokens that it takes of the window
        pictures = min(largest, pictures)
    audio = -(-forms.audio_ms * _AUDIO_A_SECOND // 1000)
    if forms.unsized:
        # All of it together: the others' sizes are bounds, and what they do not take the unsized may, at a dearer class.
        unasked = {"cache_write_5m", "cache_write_1h"} - set(writes)
        classes = tuple(name for name in INPUTS if name not in unasked)
        return (Load(max(largest, text + pictures + audio), classes),)
    loads = (
        Load(text, ("input", *writes)),
        Load(pictures, ("image_input", "input", *writes)),
        Load(audio, ("audio_input", "input", *writes)),
    )
    return tuple(load for load in loads if load.tokens)


def output_classes(forms: Forms, target: Target, price: Price) -> tuple[str, ...]:
    """The classes that the target can bill its answer in."""
    classes = ["output"]
    if price.reasoning is not None or price.tiers:
        classes.append("reasoning")
    if price.image_output is not None or price.tiers:
        classes.append("image_output")
    spoken = forms.speaks or family(target) != "openai"
    if spoken and price.audio_output is not None:
        classes.append("audio_output")
    return tuple(classes)


def predicted(forms: Forms, target: Target) -> int:
    """Output that is billed beyond the answer: a prediction that was not met."""
    return forms.predicted.tokens(family(target)) if forms.predicted.size else 0


def family(target: Target) -> Family:
    """Whose vocabulary a target counts with."""
    return _family(target.model, target.upstream_id)


def _name(model: str, upstream_id: str) -> str:
    """Both names of a model, ours and its provider's: either may tell its family."""
    return f"{model} {upstream_id}".lower()


@lru_cache(maxsize=4096)
def _family(model: str, upstream_id: str) -> Family:
    return family_of(_name(model, upstream_id))


@lru_cache(maxsize=4096)
def _opening(model: str, upstream_id: str) -> int:
    name = _name(model, upstream_id)
    return next((tokens for pattern, tokens in _OPENINGS if pattern.search(name)), 0)


def _writes(forms: Forms, family: Family, price: Price) -> tuple[str, ...]:
    """Cache writes that can be billed: those that are asked for; and where a provider that is not Anthropic lists a price for
    them, always, since it decides itself."""
    if forms.cache == "1h":
        return "cache_write_5m", "cache_write_1h"
    if forms.cache == "5m":
        return ("cache_write_5m",)
    if price.cache_write_5m is not None and not family.startswith("claude"):
        return ("cache_write_5m",)
    return ()


def _around(forms: Forms, family: Family) -> int:
    """What a provider puts around the caller's words."""
    total = _A_TURN * forms.messages + _A_CALL
    if family in ("public", "small", "closed"):
        total += _A_TEMPLATE
    if forms.tools or forms.native:
        total += _TOOLS.get(family, _TOOLS_TEMPLATE) + _A_TOOL * forms.tools + _NATIVE_TOOL * forms.native
    if forms.cited:
        total += _CITING + _A_PASSAGE * forms.cited
    return total + (_A_SCHEMA if forms.schema else 0)


def _picture(picture: Picture, name: str, family: Family, largest: int) -> int:
    """The most tokens of an image."""
    width, height = picture.width, picture.height
    known = width > 0
    if family in _CLAUDE_MOST:
        most = _CLAUDE_MOST[family]
        patches = (width // _CLAUDE_PATCH + 1) * (height // _CLAUDE_PATCH + 1)
        return min(most, max(-(-width * height // _CLAUDE_PIXELS), patches)) if known else most
    if family == "openai":
        return _openai_picture(picture, name)
    if "gemini" in name:
        if not known:
            return largest
        unit = min(768, max(1, 2 * min(width, height) // 3))
        return max(_GEMINI_LEAST, _GEMINI_TILE * -(-width // unit) * -(-height // unit))
    patches = -(-width // _OPEN_PATCH) * (-(-height // _OPEN_PATCH) + 1)
    return min(_OPEN_MOST, max(_LLAMA_IMAGE, patches)) if known else _OPEN_MOST


def _openai_picture(picture: Picture, name: str) -> int:
    if "gpt-4o-mini" in name:
        return _LOW_DETAIL if picture.low else _MINI_TILES
    if _TILED.search(name) and not _PATCHED_OLD.search(name):
        return _TILES
    most = _MOST_PATCHES_FIXED if _PATCHED_OLD.search(name) else _MOST_PATCHES
    if picture.width:
        most = min(most, -(-picture.width // _PATCH) * -(-picture.height // _PATCH))
    return max(_TILES, -(-most * _PATCH_WEIGHT // 100))
