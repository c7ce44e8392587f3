"""The language of a prompt from its script and its commonest words: enough to notice that a model must read more than English."""

import re

_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")), ("ko", re.compile(r"[\uac00-\ud7af]")), ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("uk", re.compile(r"[іїєґ]")), ("ru", re.compile(r"[\u0430-\u044f]")), ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")), ("hi", re.compile(r"[\u0900-\u097f]")), ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("el", re.compile(r"[\u03b1-\u03c9]")),
)  # fmt: skip
_COMMON = {
    "en": "the of and to in is for with that on how what this are my from it write",
    "es": "el la los las de que en un una por para con cómo qué es del al y se mi",
    "fr": "le la les des une est dans pour avec que qui sur ce cette du et comment moi",
    "de": "der die das und ist ein eine nicht mit für auf den dem wie zu im ich mir von",
    "it": "il lo gli della che per con una sono come nel questo questa di e mi perché",
    "pt": "os as uma para com não que do da em como por um este isso você meu",
    "nl": "het een van en dat niet met voor zijn deze naar hoe wat ik mijn",
    "pl": "jest nie się na do że jak to w z czy dla",
    "tr": "bir ve bu için ile nasıl ne bana çok mi",
    "sv": "och att det är en som på för med inte till",
}
_WORD = re.compile(r"[^\W\d_]+")


def language_of(text: str) -> str:
    """ISO 639-1 code; "en" when nothing speaks against it. Looks at the first 600 characters."""
    lower = text[:600].lower()
    letters = sum(1 for c in lower if c.isalpha()) or 1
    for code, pattern in _SCRIPTS:
        found = len(pattern.findall(lower))
        if found >= (2 if code in ("ja", "uk") else 1) and found / letters > 0.1:
            return code
    words = _WORD.findall(lower)
    scores = {
        code: sum(w in common for w in words)
        for code, common in ((c, set(t.split())) for c, t in _COMMON.items())
    }
    best = max(scores, key=lambda code: (scores[code], code == "en"))
    return best if scores[best] > scores["en"] + (len(words) > 12) else "en"
