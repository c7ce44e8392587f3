"""How much a request asks of a model, 0..1, from its kind, its size and telling words. A rule of thumb, stated as such. Pure."""

import re
from collections.abc import Mapping

_USUAL: Mapping[str, float] = {
    "quick_task": 0.2, "translation": 0.35, "summarisation": 0.35, "brainstorming": 0.4, "documentation": 0.42, "explain_concept": 0.4,
    "data_extraction": 0.4, "vision": 0.4, "code_generation": 0.5, "maths": 0.5, "tool_use": 0.5, "code_review": 0.6, "debugging": 0.58,
}  # fmt: skip
_HARD = re.compile(
    r"\b(?:prove|proof|theorem|lemma|lean|coq|olympiad|rigorous\w*|optimi[sz]e|optimal|concurren\w+|"
    r"race condition|deadlock\w*|distributed|"
    r"architect\w+|refactor\w*|migrat\w+|threat model|vulnerab\w+|exploit\w*|security|audit\w*|"
    r"contract|legal|liabilit\w+|derive|"
    r"multi-?step|compiler|kernel|cuda|simd|formal(?:ly)?|np-\w+|asymptotic|"
    r"differential equation|integral|beweis\w*|"
    r"démontre\w*|demuestra|dimostra|докажи\w*)|证明|証明|साबित|برهن"
)
_SUM = re.compile(
    r"\W*(?:what is |what's |whats |calculate |was ist |wieviel ist |combien font |cuánto es |quanto é |quanto fa |ile to |"
    r"сколько будет )?\d[\d\s.,()]{0,6}(?:[+*/x×÷-]\s?\d[\d\s.,()]{0,6}){1,2}[=?\W]*"
)
"""A sum or two of small numbers, which every model gets right."""

_EASY = re.compile(
    r"^\W*(?:what is |what's |was ist |combien font |cuánto es |quanto é |"
    r"сколько будет )?[\d\s.,()+*/x×÷^=-]{3,}\W*$|"
    r"\b(?:(?:in|with) one word|one[- ]word|yes or no|capital of|'s capital|capital city|one[- ]line\w*|typo|rename|off by one|"
    r"translate [\"“'][^\"”']{1,24}[\"”'] (?:in)?to|"
    r"haiku|positive or negative|synonym|"
    r"what time|how many days|define \w+$|politely|spell\w*)\b"
)
_CHATTER = re.compile(
    r"\W*(?:(?:ok(?:ay)?|k|thanks?|thank you|thx|ty|great|cool|nice|perfect|awesome|good|got it|"
    r"i see|yes|yep|yeah|no|nope|sure|hi|hello|hey|"
    r"bye|please|go on|continue|more|lovely|super|danke|gut|ja|nein|weiter|hallo|merci|oui|non|"
    r"salut|gracias|vale|sí|hola|obrigad[oa]|"
    r"sim|"
    r"não|olá|grazie|sì|ciao|спасибо|хорошо|да|нет|привет|谢谢你?|好的?谢谢|好的?|是的?|你好|继续|ありがとう\w*|はい|いいえ|了解|続けて|"
    r"alright|all right|ta|cheers|sounds good|makes sense|that (?:really |has )?help(?:ed|s)|understood|noted|appreciate (?:it|that)|"
    r"no worries|no problem|np|you're welcome|good (?:morning|evening|night|day)|lol|haha\w*|wow|yup|thats|that's|it|is|work|job|"
    r"next|keep going|proceed|bye|alles klar|verstanden|dir|vielen dank|besten dank|bitte|beaucoup|mille|d'accord|parfait|"
    r"muchas|de acuerdo|perfecto|muito|perfeito|molte|tante|perfetto|большое|понял\w*|отлично|dziękuję|dzięki|teşekkür(?:ler| ederim)|"
    r"dank je|bedankt|감사합니다|고마워요?|"
    r"धन्यवाद|ठीक है|हाँ|"
    r"नमस्ते|شكرا|نعم|حسنا|مرحبا|so much|very much|a lot|that works|it works|"
    r"works)(?![^\W_])[\s,.!…-]*)+\W*"
)


_NO_ANSWER = re.compile(r"\W*(?:is|it|that's|thats|work|job|is it|it is|does it work|is it good)[\s?]*\W*")


def relative(found: float, kind: str) -> float:
    """A difficulty against what is usual for its kind of task: 1 = as usual, at least 0.2, at most 1.2."""
    return max(0.2, min(1.2, found / _USUAL.get(kind, 0.45)))


def is_chatter(text: str) -> bool:
    """Whether a turn asks nothing new: thanks, agreement, a greeting, "go on"."""
    if len(text) > 80:
        return False
    words = _CHATTER.fullmatch(text.lower()) is not None and not _NO_ANSWER.fullmatch(text.lower())
    return words or (bool(text.strip()) and re.search(r"\w", text) is None and "?" not in text)


def difficulty(text: str, kind: str, input_tokens: int, *, has_code: bool = False) -> float:
    """text: the words that ask; kind: the task's type; input_tokens: of the whole call."""
    low = text[:2000].lower()
    if is_chatter(low) or _SUM.fullmatch(low):
        return 0.05
    words = len(re.findall(r"\w+", low)) + len(re.findall(r"[\u3040-\u9fff]", low)) // 2
    found = _USUAL.get(kind, 0.45)
    found += 0.2 * min(2, len(set(_HARD.findall(low)))) - (0.25 if _EASY.search(low) else 0.0)
    found += 0.06 if words > 40 else 0.0
    found += 0.1 if words > 150 else 0.0
    found += 0.05 if has_code else 0.0
    found += 0.1 if input_tokens > 20_000 else 0.0
    found -= 0.05 if words <= 5 else 0.0
    return max(0.05, min(1.0, found))
