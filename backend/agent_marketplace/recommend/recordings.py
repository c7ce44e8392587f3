"""Recordings and films that go in, by their length, and the language that the answer is to be in, read off a request's words. Pure."""

import re
from collections.abc import Mapping

from agent_marketplace.recommend import grammar as g
from agent_marketplace.recommend.amounts import number
from agent_marketplace.recommend.understood import Understood

_LANGUAGES: Mapping[str, tuple[str, str]] = {
    "en": ("English", r"english|englisch|anglais|inglés|inglês|inglese|английск\w+"),
    "fr": ("French", r"french|französisch|français|francés|francês|francese|французск\w+"),
    "de": ("German", r"german|deutsch|allemand|alemán|alemão|tedesco|немецк\w+"),
    "es": ("Spanish", r"spanish|spanisch|espagnol|español|espanhol|spagnolo|испанск\w+"),
    "it": ("Italian", r"italian|italienisch|italien|italiano|итальянск\w+"),
    "pt": ("Portuguese", r"portuguese|portugiesisch|portugais|portugués|português|portoghese|португальск\w+"),
    "nl": ("Dutch", r"dutch|niederländisch|néerlandais|nederlands"),
    "pl": ("Polish", r"polish|polnisch|polonais|polsku"),
    "ru": ("Russian", r"russian|russisch|russe|ruso|русск\w+"),
    "zh": ("Chinese", r"chinese|mandarin|chinesisch|chinois|chino|中文|汉语"),
    "ja": ("Japanese", r"japanese|japanisch|japonais|japonés|日本語"),
    "ko": ("Korean", r"korean|koreanisch|coréen|한국어"),
    "hi": ("Hindi", r"hindi|हिन्दी|हिंदी"),
    "ar": ("Arabic", r"arabic|arabisch|arabe|árabe|العربية"),
    "tr": ("Turkish", r"turkish|türkisch|turc|türkçe"),
}  # fmt: skip
"""Languages that an answer is wished in: ISO 639-1 -> (name, how it is called)."""

_ANSWER_IN = (
    r"(?:please )?(?:reply|answer|respond|responses?|answers?|replies)(?: only| always| to me| back)?(?: must be| should be)? in|"
    r"(?:antworte\w*|antwort)(?: mir| bitte)?(?: nur)? (?:auf|in)|répond\w+(?:[- ]moi)?(?: uniquement)? en|"
    r"respond\w+(?:me)?(?: solo)? en|responda\w*(?:[- ]me)? em|rispond\w+(?:mi)? in|ответ\w+(?: мне)? на"
)

FILMED: tuple[tuple[str, int, str], ...] = (
    ("video", 300, r"videos?|films?|movies?|clips?|screen recordings?|footage|webinars?"),
    (
        "audio",
        32,
        (
            r"podcasts?|interviews?|(?:voice |audio )?recordings?|audio\w*|calls?|lectures?|voice (?:memos?|notes?)|episodes?|"
            r"meetings?|talks?|songs?|entrevistas?|entretiens?|grabaciones|gravações|interviste|aufnahmen?|интервью|аудио\w*"
        ),
    ),
)
"""(what goes in, tokens a second of it, how it is called). Google bills a second of sound as 32 tokens and one of film, with its sound,
as about 300 (https://ai.google.dev/gemini-api/docs/video-understanding, /audio); who bills by the minute is cheaper for most."""


_RECORDED = tuple(
    (
        kind,
        rate,
        re.compile(
            rf"(?<![\w.,])(?P<n>{g.NUMBER}|an?|one|two|three|half an)[\s-]?(?:(?P<h>hours?|hrs?|horas?|heures?|"
            rf"stunden?|ore|часов|часа?|h)|(?P<m>{g.MINUTES})|(?P<s>{g.SECONDS}))"
            rf"[\s-](?:long |of )?(?:[\w-]+ ){{0,2}}?(?P<what>{words})\b"
        ),
    )
    for kind, rate, words in FILMED
)
_WORKED_ON = re.compile(
    r"transcri|summar[iy]|descri|watch|listen|analy[sz]|caption|subtitl|what (?:happens|is said|was said)|extract|"
    r"(?:notes?|minutes) (?:from|of)|translat|key points|highlights|zusammenfass|fass |résum|resum|riassum"
)
_PROGRAM = re.compile(r"\b(?:code|css|html|function|component|player|script|bug|regex|api|loop|class)\b")
_LATER_LENGTH = re.compile(r"\b(?:make|create|generate|produce|render|animate|record|script|write|plan)\b")
_COUNTS = {"a": 1.0, "an": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "half an": 0.5}


def recorded(low: str) -> list[Understood]:
    """Tokens of a recording or film that goes in, by its length; not of one that is to be made."""
    if not _WORKED_ON.search(low) or _PROGRAM.search(low):
        return []
    for kind, rate, pattern in _RECORDED:
        match = pattern.search(low)
        if match is None or _LATER_LENGTH.search(low[: match.start()]):
            continue
        many = _COUNTS.get(match["n"]) or float(number(match["n"]))
        seconds = many * (3600 if match["h"] else 60 if match["m"] else 1)
        tokens = round(seconds * rate)
        if not 0 < tokens <= 10_000_000:
            continue
        says = f"{match[0].strip()} going in: about {tokens:,} tokens ({rate} a second at Google)"
        inputs = Understood(
            "inputs", [kind], match[0].strip(), "a film goes in" if kind == "video" else "sound goes in"
        )
        return [inputs, Understood("input_tokens", tokens, match[0].strip(), says)]
    return []


_ANSWERED = tuple(
    (
        code,
        name,
        re.compile(
            rf"(?<![^\W_])(?:{_ANSWER_IN}) (?:{words})(?![^\W_])|(?:^|[.,;:(] ?)auf (?:{words}) (?:antworten|bitte)"
        ),
    )
    for code, (name, words) in _LANGUAGES.items()
)


def language(low: str) -> list[Understood]:
    """The language that the answer is to be in: nothing of the task, and no length."""
    for code, name, pattern in _ANSWERED:
        if match := pattern.search(low):
            return [Understood("language", code, match[0].strip(" ,.;:("), f"answered in {name}")]
    return []
