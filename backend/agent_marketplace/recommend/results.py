"""The kind of result that a request asks for: a picture, a film, vectors, speech, an order; and sound that goes in. Pure."""

import re

from agent_marketplace.recommend import grammar as g
from agent_marketplace.recommend.amounts import number
from agent_marketplace.recommend.understood import Understood

_IMAGE = re.compile(
    r"(?:^|[.,!?]\s*|\b(?:please|can you|could you|i (?:want|need) you to) )(?:draw|paint|sketch|"
    r"illustrate)\b(?!.{0,40}\b(?:svg|ascii|conclusion|"
    r"attention|code|html|css|mermaid|diagram|chart|comparison))(?! (?:(?:up|out|on|from|how|why|that|with|by)\b|"
    r"(?:(?:the|this|that|your|my|our|an?|some|any) )?(?:(?!floor|site|street|seating)[\w-]+ )?"
    r"(?:concepts?|ideas?|points?|principles?|differences?|notions?|"
    r"theor(?:y|em)|importance|use|usage|meaning|argument|proof|plan|outline|approach|strategy|distinctions?|parallels?|lessons?|"
    r"inferences?|analog(?:y|ies)|solution|roadmap|timeline|process)"
    r"(?=\W*$|[.,;:!?]| (?:of|for|to|from|between|that|in|behind|about|with|how|and|by)\b)))|"
    r"\b(?:generate|create|make|design|render|produce)(?: me| us)?(?: an?| the| some|"
    r" \d+)?(?: [\w-]+){0,3} (?:image|picture|photo|illustration|"
    r"logo|icon|painting|drawing|wallpaper|poster|avatar)s?\b(?!.{0,40}\b(?:svg|ascii|prompt|code|"
    r"html|css|component|upload|description|caption|"
    r"idea|name|slogan|function|class|script|viewer|gallery|classif))|"
    r"^(?:zeichne|male|dessine|dibuja|desenhe?a?|disegna|нарисуй)\b|画一(?:张|个|幅)|绘制一(?:张|幅)|"
    rf"(?:{g.PICTURES})|"
    r"(?:चित्र|तस्वीर) बना|^ارسم|\b(?:image|picture) generat(?:or|ion model)\b(?! (?:code|app|class|ui))"
)
_EMBED = re.compile(
    r"\b(?:create|compute|make|generate|get|produce|calculate|need|turn .{1,40} into)(?: the| me|"
    r" vector| text| sentence| some)* embeddings?\b|"
    r"\b(?:need|want|find|looking for|recommend|suggest)(?: me)? (?:an? |the |some )?(?:[\w-]+ ){0,3}embeddings? models?\b|"
    r"\b(?:^|please |to |and |, )?embed (?:these|this|my|our|the|all|\d[\d.,]*[km]?)\b(?!.{0,20}\b(?:video|map|"
    r"form|widget|iframe|font|tweet))|embeddings? (?:erzeugen|erstellen|berechnen)|(?:生成|"
    r"计算)(?:向量|嵌入)|埋め込み(?:を|ベクトル)"
)
_FILM = re.compile(
    r"\b(?:make|create|generate|produce|render|animate)(?: me| us)?(?: an?| the)?(?: [\w-]+){0,3} "
    r"(?:video|clip|animation|movie)s?\b(?!.{0,30}\b(?:scripts?|player|tags?|editor|idea|title|description|component|game|"
    r"call|css|code|html|function|summar\w+|caption|transcript|prompt|ad copy))"
    r"(?! (?:recommend\w*|suggest\w*|system|algorithm|lists?|reviews?|quiz\w*|trivia|database|apps?|web ?sites?|site|platform|"
    r"stream\w*|upload\w*|download\w*|convert\w*|night|pitch|plot|outline|storyboard|channel|theat\w+|catalog\w*|rental|"
    r"library|search|chat|conferenc\w*|process\w*|analy\w+|data ?set|table|feed|page)\b)|"
    r"\b(?:turn|make|convert|animate|bring) (?:this|the|my|our|these) (?:[\w-]+ )?(?:photos?|pictures?|images?|"
    r"sketch|drawing|logo|selfie)s?"
    r"(?: in)?to (?:an? )?(?:[\w-]+ ){0,4}?(?:video|animation|clip|film|movie|gif)\b|\banimate (?:this|the|"
    r"my) (?:photo|picture|image|drawing|logo)\b|"
    rf"(?:{g.FILMS})"
)
_SECONDS_LONG = re.compile(rf"(?P<n>{g.NUMBER})[\s-]?(?:(?P<s>{g.SECONDS})|(?P<m>{g.MINUTES}))(?![a-z])")
FILM_TOKENS = 5_700
"""Output tokens of a second of film: what $0.10 a second (runwayml/gemini_omni_flash) comes to at $17.50 per million of them
(gemini/gemini-omni-1.1-flash), both in litellm 1.110.2's price list."""

SPEECH_TOKENS = 25
"""Output tokens of a second of speech (Google, ai.google.dev/gemini-api/docs/tokens; OpenAI counts 20)."""

SPOKEN_PER_TOKEN = 7.5
"""Tokens of speech for a token of text: 150 words a minute, 1.35 tokens a word."""

USUAL_FILM_S, USUAL_SPEECH_S = 8, 60
"""Seconds of a film and of speech whose length nobody said."""

_EDIT = re.compile(
    r"\b(?:remove|erase|replace|change|blur|delete) (?:the |my |its |all )?(?:[\w-]+ ){0,2}(?:background|sky|logo|"
    r"watermark|person|people|"
    r"object|text|blemish\w*|wrinkles?)\b.{0,40}\b(?:photo|picture|image|portrait|selfie|pic)\b|"
    r"\b(?:upscale|colou?ri[sz]e|retouch|photoshop|sharpen|restore|denoise) (?:this|the|my|these|"
    r"an?) (?:[\w-]+ ){0,3}(?:photos?|pictures?|images?|"
    r"portraits?|selfies?|pics?)\b|"
    r"\b(?:turn|make|convert|transform) (?:this|the|my|these) (?:[\w-]+ )?(?:photo|picture|image|sketch|drawing|selfie|portrait)s? "
    r"(?:in)?to (?:an? )?(?!.{0,40}\b(?:html|code|css|text|table|markdown|latex|react|json|csv|excel|svg|prompt|"
    r"poem|story|words))(?:[\w-]+ ){0,4}?"
    r"(?:render\w*|painting|cartoon|illustration|photo|picture|image|poster|drawing|logo|style|portrait|avatar|"
    r"anime|watercolou?r|sticker)\b"
)
_EDIT_ABROAD = (
    r"背景を(?:消|削除|透明)|(?:去掉|去除|移除|删除).{0,8}背景|\bentfern\w* .{0,20}hintergrund|\b(?:supprime|"
    r"enlève) .{0,20}(?:arrière-plan|fond)\b|"
    r"\b(?:elimina|quita|rimuovi) .{0,6}(?:el fondo|lo sfondo)|\bremov[ae] o fundo|(?:удали|убери) фон"
)
_EDIT = re.compile(f"{_EDIT.pattern}|{_EDIT_ABROAD}")
"""Pictures that are to be changed: a picture goes in and a picture comes out."""

_NO_PICTURE_WORDS = re.compile(
    r"\b(?:svg|ascii|html|css|mermaid|tikz|latex|code|react|python|javascript|plantuml)\b"
)
_BY_PROGRAM = re.compile(
    r"\b(?:using|with|in|via|through|by) (?:the |my |plain |pure |vanilla )?(?:python|turtle|(?:python )?opencv|cv2|pil|pillow|"
    r"numpy|matplotlib|tikz|latex|javascript|typescript|js|react|vue|angular|svelte|css|html|svg|three\.?js|d3|sql|regex\w*|"
    r"java|kotlin|swiftui|flutter|golang|php|c\+\+|c#|matlab|bash|imagemagick|ffmpeg|excel|powerpoint|photoshop|gimp|"
    r"lightroom)(?!\w)|\b(?:using|with|in|via|through|by) (?:an? |the |my )?(?:[\w-]+ )?scripts?\b|"
    r"\b(?:using|in|via|through|by) code\b|\bin words\b|\bin \S{1,12} (?:words|sentences|paragraphs)\b"
)
"""The rest of a sentence that asks for a program, a how-to or a text: "draw a triangle with turtle in Python"."""

_OF_A_PROGRAM = re.compile(
    r"\b(?:opencv|cv2|sql|regex\w*|html|css|svg|react|javascript|typescript|python|scripts?|code|functions?|methods?|"
    r"components?|docker\w*|kubernetes|registry|repositor(?:y|ies)|data ?sets?|database)\b|"
    r"\b(?:images?|pictures?|photos?|portraits?|texts?|objects?|person|people|logos?|background) (?:colou?r )?(?:in (?:the |my )?"
    r"(?:\w+ )?)?(?:tables?|tags?|columns?|class(?:es)?|views?|elements?|fields?|rows?|urls?|paths?|properties|property|"
    r"attributes?|galler(?:y|ies)|widgets?|uploads?|carousels?|sliders?)\b|"
    r"\b(?:in|of) (?:the|my|our|an?|this) (?:[\w-]+ )?(?:apps?|application|web ?sites?|web ?page|page|component|stylesheet|ui)\b"
)
"""A sentence whose picture stands in a program: "delete the person object from the picture table"."""

_NEW_PLACE = re.compile(r"\b(?:to|into|with) (?:an? |the |my |our )")
_REST = 60
"""Characters behind a match in which its sentence is looked at."""
_SPEAK = re.compile(
    r"\b(?:read (?:this|it|the (?:text|following|article|letter|story)).{0,30}(?:aloud|out loud)|"
    r"text[- ]to[- ]speech|\btts\b|voice-?over|"
    r"turn (?:this|the|my) .{1,30}into (?:speech|an? (?:audio|voice)\w*)|narrate (?:this|the|my)|audio ?book|"
    r"(?:clone|imitate|use) (?:my|this|the|his|her) voice\b.{0,20}\b(?:read|speak|say)|"
    r"read (?:this|the|my|our) (?!(?:\w+ ){0,2}(?:contract|lease|agreement|code|report|paper|policy|document|file|log|data)s?\b)"
    r"[\w ]{1,30}in (?:an? |my )(?:[\w-]+ ){0,3}voice\b"
    r"(?! and (?:then )?(?:tell|find|summar|explain|list|check|review|give|write|say)))|"
    r"(?:transform[ae]|convert[ae]|convierte|convertis|transforme|trasforma|verwandle|wandle) .{1,30} (?:em|en|"
    r"in) (?:áudio|audio|voz|voix|voce|sprache|fala)\b|"
    r"(?:als|in) (?:audio|sprache) (?:umwandeln|vorlesen)|lis (?:ce|cette|le|la) .{1,30} à (?:haute )?voix|"
    r"lee .{1,30} en voz alta|leia .{1,30} em voz alta|"
    r"leggi .{1,30} ad alta voce|озвучь|прочитай .{1,30}вслух|语音合成|音声にして|"
    r"lies .{1,30} vor\b|朗读|読み上げ"
)
_HEAR = re.compile(
    r"\btranscri(?:be|pt of|ption of) (?:this|the|my|an?|our|these)?\s?(?:[\w-]+ ){0,4}?(?:voice|audio|"
    r"recordings?|memos?|calls?|podcasts?|videos?|interviews?|lectures?|episodes?|meetings?|mp3s?|wavs?)\b|(?:speech|audio|"
    r"voice)[- ]to[- ]text|\bcaptions? (?:from|of) (?:an? |the |my )?(?:micro\w+|mic|live)|\blive (?:captions?|"
    r"subtitles|transcri\w+)|"
    r"\btranskribier\w*|\btranscri(?:re|s|vez|s-moi|be|ba|va|vi|bir|ver|vere)\b.{0,30}\b(?:audio|vocal\w*|entretien\w*|"
    r"entrevista\w*|grabaci\w*|grava\w*|nota)|"
    r"расшифруй .{0,20}(?:аудио|запись|голос)|转录|转写|文字起こし|받아쓰기"
)
_RERANK = re.compile(
    r"\bre-?rank(?:s|ing)? (?:these|the|my|our|\d+|search|results|documents|passages)|"
    r"\b(?:need|want|use|find|looking for|recommend|suggest)(?: me)? (?:an? |the |some )?(?:\w+ ){0,2}re-?rank(?:er|ing model)s?\b|"
    r"^(?:\w+ ){0,2}re-?rankers?$"
)
NOT_DONE = re.compile(
    r"^(?:what|how|why|when|explain|is|are|does|do|write|implement|debug|fix|review|was|wie|warum|"
    r"erkläre)\b"
)
_RESULTS = (
    ("video", _FILM, "a video as the result"),
    ("image", _EDIT, "a changed picture as the result"),
    ("image", _IMAGE, "a picture as the result"),
    ("embedding", _EMBED, "vectors as the result"),
    ("speech", _SPEAK, "speech as the result"),
    ("rerank", _RERANK, "an order of passages as the result"),
)


def results(low: str) -> list[Understood]:
    """A result that no text model gives. Questions about it and programs for it are texts."""
    if NOT_DONE.match(low):
        return []
    for kind, pattern, says in _RESULTS:
        match = pattern.search(low)
        if match is None or (kind in ("image", "video") and _programmed(low, match, edit=pattern is _EDIT)):
            continue
        found = [Understood("output", kind, match[0].strip(" ,.!?"), says)]
        if pattern is _EDIT or (kind == "video" and _FROM_A_PICTURE.search(match[0])):
            found.append(Understood("inputs", ["image"], match[0].strip(" ,.!?"), "a picture goes in"))
        return [*found, *_long(low, kind)]
    match = _HEAR.search(low)
    return [Understood("inputs", ["audio"], match[0], "sound goes in")] if match else []


def _programmed(low: str, match: "re.Match[str]", *, edit: bool) -> bool:
    """Whether the sentence of a match asks for a program that deals with pictures, not for a picture."""
    behind = re.split(r"[.!?;](?:\s|$)", low[match.end() : match.end() + _REST], maxsplit=1)[0]
    if _NO_PICTURE_WORDS.search(match[0]) or _BY_PROGRAM.search(f"{match[0]}{behind}"):
        return True
    if not edit:
        return False
    before = re.split(r"[.!?;]\s", low[max(0, match.start() - _REST) : match.start()])[-1]
    same = _NEW_PLACE.split(behind)[0]  # what is put there says nothing of what the picture is
    return _OF_A_PROGRAM.search(f"{before}{match[0]}{same}") is not None


_FROM_A_PICTURE = re.compile(r"photo|picture|image|sketch|drawing|selfie|logo")


def _long(low: str, kind: str) -> list[Understood]:
    """How long a film or a piece of speech is to be, in tokens of the answer."""
    match = _SECONDS_LONG.search(low) if kind in ("video", "speech") else None
    if match is None:
        return []
    seconds = number(match["n"]) * (60 if match["m"] else 1)
    tokens = round(seconds * (FILM_TOKENS if kind == "video" else SPEECH_TOKENS))
    if not 0 < tokens <= 10_000_000:
        return []
    says = f"{match[0].strip()} of {'film' if kind == 'video' else 'speech'}: about {tokens:,} tokens"
    return [Understood("output_tokens", tokens, match[0].strip(), says)]
