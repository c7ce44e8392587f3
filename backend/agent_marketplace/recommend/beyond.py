"""What a request asks for and nothing here can tell of any model: said in words, so that nobody takes silence for a yes. Pure."""

import re

from agent_marketplace.recommend import grammar as g
from agent_marketplace.recommend.phrases import PHRASES
from agent_marketplace.recommend.reading import makers_in_conflict

_CERTIFIED = re.compile(r"\b(?:hipaa|soc ?2|iso ?27001|fedramp|pci[- ]dss|baa)\b")
_PLACE = re.compile(
    rf"(?:stays?|remains?|kept|hosted|processed|stored|residency|located)(?: \w+){{0,3}}? (?:in|within|"
    rf"inside) (?:the )?(?P<p>{g.PLACES})\b"
)


_KEPT = re.compile(
    r"nothing (?:may|must|should|can|is to) be (?:\w+ )?(?:stored|kept|logged|retained|saved)|"
    r"zero[- ]data[- ]retention|\bzdr\b|no (?:data )?retention|"
    r"(?:not|n't|never) (?:\w+ (?:or|and|nor) )?(?:store|retain|keep|log)\b"
)
_MUSIC = re.compile(
    r"\b(?:compose|produce|make|create|generate) (?:me )?(?:an? |some )?(?:[\w-]+ ){0,3}(?:beat|song|music|melody|"
    r"jingle|track|tune|soundtrack)s?\b"
    r"(?!.{0,20}\b(?:lyrics|player|app|website|list|title|name|recommendation))|\bsing (?:it|this|me|the)\b"
)
_PARAMETERS = re.compile(
    r"\b(?:under|below|less than|at most|max(?:imum)?|up to|over|above|"
    r"at least) \d+(?:\.\d+)?\s?b(?:illion)? ?(?:params|parameters)\b"
)
_SINCE = (
    r"yesterday|today|tonight|last (?:night|week)|this (?:week|morning|weekend)|right now|currently|latest|newest|"
    r"up[- ]to[- ]date|as of now|at the moment|"
    r"gestern|heute|aktuell\w*|derzeit|hier(?! \w+ (?:is|sind))|aujourd'hui|actuel\w*|en ce moment|ayer|hoy|"
    r"actual(?:mente)?|ontem|hoje|atual(?:mente)?|"
    r"ieri|oggi|attual\w*|вчера|сегодня|сейчас|последн\w+ новост\w+|wczoraj|dzisiaj|teraz|gisteren|vandaag|dün|bugün"
)
_SINCE_EAST = r"昨天|今天|现在|最新|昨日|今日|現在|어제|오늘|현재|कल|आज|أمس|اليوم|الآن"
_ASKS = (
    r"who|what|what's|whats|which|when|how|did|does|is|are|will|wer|was|wie|wann|welche\w*|qui|quel\w*|quand|"
    r"combien|quién|qué|cuál|cuándo|cuánto|"
    r"quem|qual|quando|quanto|chi|quale|кто|какой|какая|сколько|когда|kto|ile|jaki\w*|wie|wat|kim|kaç|show|find|"
    r"give|get|tell|list|look up"
)
_FRESH = re.compile(
    rf"^(?:(?:please|hey|hi|hello|and|so)[,! ]+)?(?:{_ASKS})\b.{{0,120}}\b(?:{_SINCE})\b|"
    rf"\b(?:news|headlines|weather|forecast|stock price|exchange rate|traffic|(?:game|match|final|live) scores?|"
    rf"nachrichten|wetter|météo|noticias|tiempo hace|notícias|notizie|"
    rf"погода|новости|курс)\b.{{0,50}}\b(?:{_SINCE}|in|for|on|about|from|über|sur|sobre|su|о|в)\b|"
    r"\b(?:aktuell\w*|neueste\w*|dernières|últimas|ultime|последние) (?:\w+ )?(?:nachrichten|news|nouvelles|"
    r"actualités|noticias|notícias|notizie|новости)|"
    rf"^(?:{_SINCE}) .{{0,30}}\b(?:news|weather|headlines|prices?|scores?)\b|"
    rf"\b(?:current|today's|latest) (?:price|rate|value|score|weather|news|version|status|ceo|president|population)\b|"
    rf"(?:{_SINCE_EAST}).{{0,30}}(?:谁|多少|什么|吗|怎么样|誰|いくら|何|ですか|누가|얼마|뭐|कौन|क्या|कितन|من|كم|ما|"
    rf"天气|新闻|股价|天気|ニュース|날씨)|"
    r"\bwho (?:is|are) the (?:[\w-]+ ){0,2}(?:ceo|president|prime minister|champions?|mayor|king|pope|owner|"
    r"chancellor)\b.{0,40}\bnow\b|\bwho won (?:the )?.{0,40}(?:last|this) "
)
_NO_FACTS = re.compile(
    r"```|\b(?:code|function|script|branch|release notes|changelog|component|api|write|draft|poem|story|translate|schedule|plan)\b"
)


_LOOKED_UP = frozenset({"tool_use", "quick_task"})


def beyond(asked: str, kind: str = "tool_use") -> tuple[str, ...]:
    """What the words ask for and nothing here can tell of any model, in words; and wishes that contradict each other.

    asked: the request's own words, material left aside; kind: the task's type.
    """
    low = " ".join(asked[:2000].lower().split())
    said = []
    if (certified := _CERTIFIED.search(low)) is not None:
        said.append(
            f"{certified[0].upper()}: what providers are certified for is not known here: not part of the choice"
        )
    if (place := _PLACE.search(low)) is not None:
        said.append(
            f"where in the world calls are processed is not known down to {place['p'].title()}: ask the provider"
        )
    if _KEPT.search(low):
        said.append(
            "how long a provider keeps what is sent is not known here: ask it, or run a model on this machine"
        )
    if _MUSIC.search(low):
        said.append(
            "no model of this catalogue makes music; models that write text can give lyrics and notes"
        )
    if _PARAMETERS.search(low):
        said.append("how many parameters a model has is published for few: not part of the choice")
    if kind in _LOOKED_UP and _FRESH.search(low) and not _NO_FACTS.search(low):
        said.append(
            "asks for facts of these days: a model alone knows what it was trained on; give it the text, or take an agent "
            "or a client that can search"
        )
    return (*said, *_contradictions(low))


_WISHES = {
    name: re.compile("|".join(f"(?:{p})" for p in PHRASES[name])) for name in ("cheap", "fast", "best")
}


def _contradictions(low: str) -> list[str]:
    said = []
    wished = {name for name, pattern in _WISHES.items() if pattern.search(low)}
    if {"cheap", "best"} <= wished:
        said.append(
            "both the best and the cheapest are wished for: ranked by cost; `priority` says otherwise"
        )
    return [
        *said,
        *(f"{name} is both asked for and refused: taken as refused" for name in makers_in_conflict(low)),
    ]
