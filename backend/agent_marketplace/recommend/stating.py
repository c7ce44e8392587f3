"""Whether words that could state a condition do state it, or are part of what the request is about. Pure.

A condition is said to the model ("think hard", "json only"); a sentence may as well tell of athletes who gave maximum effort.
"""

import re

from agent_marketplace.recommend.results import NOT_DONE

_CLAUSE = re.compile(r"[.,;:!?()]\s|\s[-–—]\s|[。，；：]")
_TOLD_OF = re.compile(
    r"\b(?:he|she|they|who|whoever|people|man|woman|team|athletes?|gave|gives?|made|put|showed|shown|was|were|had|there)\b|"
    r"\babout (?:\w+ )?\w+ing $"
)
"""A clause that tells a story."""

_BEHIND_SPEECH = re.compile(r".{0,12}\W(?:said|says|whispered|cried|shouted)\b")
_URGED = re.compile(
    r"(?:^|\b(?:please|and|then|but|let it|make it|need to|needs to|have to|has to|(?:model|llm|ai|it|you) (?:to|should|must|may|can)|"
    r"(?:model|llm|ai|one|something) (?:that|which) (?:can|will|should)|(?:model|llm|ai|one) (?:that|which)) )"
    r"(?:to |really |please |you |just |now )*$"
)
_ASKED_FOR = re.compile(
    r"(?:^|\b(?:use|using|with|at|on|set|want|needs?|requires?|do|apply|enable|please|and|take|effort) )"
    r"(?:an? |the |its |your |very |really |full )*$"
)
_ABOUT = re.compile(
    r"\s+(?:about|in|of|on|that|how|why|models?\s+(?:in|of|are|work))\b(?! (?:this|it|that)\b)"
)
_NO_THOUGHT_OF = re.compile(r"\s+(?:about|of|that|how|on|twice|ahead|too|much)\b")
_QUESTION = re.compile(
    r"(?:what|how|why|when|explain|describe|is|are|does|do|can i|implement|debug|fix|was|wie|warum|erkläre|compare|difference)\b"
)
_WHICH_MODEL = re.compile(r"what (?:[\w-]+ )?(?:models?|llms?) ")
_PROGRAM = (
    r"code|functions?|scripts?|programs?|endpoints?|apis?|class(?:es)?|methods?|handlers?|parsers?|services?|servers?|routes?|"
    r"controllers?|tools?|commands?|views?|apps?|queries|query|requests?"
)
_A_PROGRAM = re.compile(rf"\b(?:{_PROGRAM})(?: (?:that|which|it|to|and))* $")
_PARSED = re.compile(
    r"\b(?:pars\w+|loads?|validat\w+|decod\w+|serializ\w+|linting|check for) (?:the |an? |for )?$"
)
_NEEDED = re.compile(r"\b(?:needs?|requires?|must have|at least|minimum|looking for|min)\b")
_HAS = re.compile(r"\b(?:with|has|have|having|offers?|supports?|models?|llms?|over|above|and|want)\b")
_ITS_WINDOW = re.compile(r"(?: windows?| lengths?| limits?)? (?:of|in|that) ")


def stated(name: str, low: str, match: "re.Match[str]") -> bool:
    """name: of the condition in `phrases.PHRASES`, or "context"; match: its words in the lower-case request."""
    judge = _JUDGES.get(name)
    if judge is None:
        return True
    before = low[: match.start()]
    return judge(_CLAUSE.split(before)[-1].lstrip(), low[match.end() :], match[0])


def _thinking(clause: str, behind: str, words: str) -> bool:
    if _TOLD_OF.search(clause) or re.match(r"(?:how|what|why|when|does|do i|is|are|was|can i)\b", clause):
        return False
    if re.match(r"think|reason", words):
        return _URGED.search(clause) is not None and not _BEHIND_SPEECH.match(behind)
    if not words.isascii() or not re.search(r"reasoning|effort", words):
        return True
    return _ASKED_FOR.search(clause) is not None and not _ABOUT.match(behind)


def _no_thinking(clause: str, behind: str, words: str) -> bool:
    if re.search(r"(?:model|mode)$", words):
        return not re.match(r"(?:explain|how|why|describe|write|what (?:is|are) (?:an? )?$)", clause)
    if _TOLD_OF.search(clause) or _NO_THOUGHT_OF.match(behind):
        return False
    return not re.match(r"(?:explain|how|why|what|describe)\b", clause)


def _json(clause: str, _behind: str, _words: str) -> bool:
    if _A_PROGRAM.search(clause) or _PARSED.search(clause):
        return False
    return not clause or not _QUESTION.match(clause) or _WHICH_MODEL.match(clause) is not None


def _context(clause: str, behind: str, words: str) -> bool:
    if _NEEDED.search(clause) or _NEEDED.search(words):
        return True
    if _ITS_WINDOW.match(behind):
        return False
    if NOT_DONE.match(clause):
        return _WHICH_MODEL.match(clause) is not None and _HAS.search(clause) is not None
    return not clause or _HAS.search(clause) is not None


_JUDGES = {"thinking": _thinking, "no_thinking": _no_thinking, "json": _json, "context": _context}

ENDS = re.compile(
    r"\W*(?:please|pls|thanks|thank you)?\W*$|\s?[,;] (?:with|without|free|cheap|fast|offline|local|under|max|at most|no|open|json)\b"
)
"""What may stand behind ", by Mistral" for it to be a wish: nothing, or a further condition."""
