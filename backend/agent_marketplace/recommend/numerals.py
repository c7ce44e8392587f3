"""Numbers in words as figures: English ("one hundred twenty emails", "thirty-five cents") and Chinese ("三百五十元"). Pure.

A run of number words is read as a whole or left as it is: part of a number is another number.
"""

import re

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_TENS = {"十": 10, "百": 100, "千": 1000}
_MYRIAD = 10_000
_A_FEW = 5
_MONEY = (
    r"(?:毛钱?|角钱?|块钱?|分钱|元(?!.?次|组|函数|论|化|素|音)|美元|美金|美分|欧元|英镑|日元|円|ドル|人民币)"
)
_HAN = re.compile(
    rf"(?<![\d.,数上成第亿几万{''.join(_DIGITS)}{''.join(_TENS)}])[几万{''.join(_DIGITS)}{''.join(_TENS)}]{{1,24}}(?={_MONEY})"
    rf"(?:块(?P<tenth>[一二三四五六七八九])(?!{_MONEY}|[{''.join(_DIGITS)}{''.join(_TENS)}万])(?:毛|角)?)?"
)
"""Chinese numerals right before money; 三块五 is 3.5. Not 数千元 and 上万元, which are no numbers, nor the 元 of 一元二次方程."""

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_ENGLISH = {word: i for i, word in enumerate(_ONES.split())} | {
    word: 10 * i
    for i, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), 2
    )
}
_SCALES = {"thousand": 1000, "million": 1_000_000}
_WORD = "|".join(sorted((*_ENGLISH, *_SCALES, "hundred"), key=len, reverse=True))
_FIRST = rf"(?:an?(?=[ -](?:hundred|thousand|million)\b)|{'|'.join(sorted(_ENGLISH, key=len, reverse=True))})"
_RUN = re.compile(
    rf"(?<![\w-])(?<!half )(?<!quarter of )(?<![\d.,] ){_FIRST}"
    rf"(?:(?:[ -]|(?<=hundred) and |(?<=thousand) and |(?<=million) and )(?:{_WORD})\b){{0,15}}+(?![\w-])"
    r"(?P<money>\s(?:cents?|pence|dollars?|bucks?|euros?|pounds?|yen|rupees?)\b)?",
    re.IGNORECASE,
)
_READ_ELSEWHERE = frozenset({"one", "two", "three", "four", "five", "ten", "twenty"})
"""Words that a sum may begin with as they are: "two dollars"."""


def han_number(run: str) -> int | None:
    """What Chinese numerals say, or None where they are no number (两三, 几百): 三百五十, 两千零五, 一万五."""
    total = section = 0
    unit, digit, zero = 10 * _MYRIAD, None, False
    for sign in run:
        if sign == "万":
            unclear = section > 10 and unit > 10 and digit is not None and not zero  # 一百五万
            if total or unclear or (section == 0 and digit is None and run != "万"):
                return None
            total = (section + (digit or 0) or 1) * _MYRIAD
            section, unit, digit, zero = 0, _MYRIAD, None, False
        elif sign in _TENS:
            if _TENS[sign] >= unit or (digit is None and section == 0 and sign != "十" and run != sign):
                return None
            if digit is None and section and sign != "十":
                return None
            unit = _TENS[sign]
            section, digit, zero = section + (1 if digit is None else digit) * unit, None, False
        elif sign == "零" or sign == "〇":
            if digit is not None or zero:
                return None
            zero = True
        elif digit is not None or sign not in _DIGITS:
            return None
        else:
            digit = _DIGITS[sign]
    if digit is not None:
        section += digit * (unit // 10 if 10 < unit <= _MYRIAD and not zero else 1)
    return total + section


def english_number(words: list[str]) -> int | None:
    """What English number words say, or None where they are no number ("twenty eleven", "one two")."""
    total = current = 0
    last = scale = 1_000_000_000
    for word in words:
        if word in _SCALES:
            if _SCALES[word] >= scale or current == 0:
                return None
            scale = _SCALES[word]
            total, current, last = total + current * scale, 0, 1_000_000_000
        elif word == "hundred":
            if not 0 < current < 100:
                return None
            current, last = current * 100, 100
        else:
            value = 1 if word in ("a", "an") else _ENGLISH[word]
            room = 10 if last in range(20, 100, 10) and value < 10 else last
            if value == 0 or (last < 100 and room != 10) or (last == 100 and value >= 100):
                return None
            current, last = current + value, value
    return total + current


def _han(match: re.Match[str]) -> str:
    run = match[0].split("块", 1)[0] if match["tenth"] else match[0]
    found = _A_FEW if run == "几" else han_number(run)
    if not found:
        return match[0]
    return f"{found}.{match['tenth'] and _DIGITS[match['tenth']]}块" if match["tenth"] else str(found)


def _english(match: re.Match[str]) -> str:
    money = match["money"] or ""
    said = match[0].removesuffix(money)
    words = [w for w in re.split(r"[\s-]", said.lower()) if w != "and"]
    scaled = any(w == "hundred" or w in _SCALES for w in words)
    if not scaled and (not money or (len(words) == 1 and words[0] in _READ_ELSEWHERE)):
        return match[0]
    found = english_number(words)
    return match[0] if found is None else f"{found}{money}"


def in_figures(text: str, *, ascii_only: bool) -> str:
    """The text with numbers in words as figures: Chinese ones before money, English ones from a hundred on or before money."""
    if not ascii_only:
        text = _HAN.sub(_han, text)
    return _RUN.sub(_english, text)
