"""What people type: slips in words that matter are put right, names and other words are left alone."""

import pytest

from agent_marketplace.recommend.numerals import english_number, han_number
from agent_marketplace.recommend.spelling import spelled


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("plz sumarize tihs", "please summarize this"),
        ("transalte the letter", "translate the letter"),
        ("how much for 50 pagse", "how much for 50 pages"),
        ("less then 1 cent for it", "less than 1 cent for it"),
        ("half a million rows", "500000 rows"),
        ("up to a dollar fifty please", "up to 1.50 dollars please"),
        ("fix this function pls", "fix this function please"),
        ("Transalte the letter to Frensh", "Translate the letter to French"),
        ("can u pls help me with the esay", "can u please help me with the essay"),
        ("wud it hlep, and hw do i ask", "would it hlep, and how do i ask"),
        ("صنف ١٠٠٠ تذكرة", "صنف 1000 تذكرة"),
        ("预算两块钱", "预算2块钱"),
        ("用二十美元以内翻译这本书", "用20美元以内翻译这本书"),
        ("每封邮件分类十五美分以内", "每封邮件分类15美分以内"),
        ("预算：三十元以下", "预算：30元以下"),
        ("三块五以内翻译", "3.5块以内翻译"),
        ("twenty one thousand emails for $50", "21000 emails for $50"),
        ("one hundred and twenty emails", "120 emails"),
        ("at most thirty-five cents for it", "at most 35 cents for it"),
        ("hundert tausend Mails", "100 tausend Mails"),
    ],
)
def test_what_was_meant_is_read(typed: str, meant: str) -> None:
    assert spelled(typed) == meant


@pytest.mark.parametrize(
    "text",
    [
        "Corrige ce contrat",
        "the Mages of Emil wore a cape",
        "write it for transalte.py and sumarize()",
        "This is the sage, a pager and one massage",
        "Ask for a hat at 10.30",
        "A 30 second clip of the moth",
        "Schreibe einen Brief",
        "20 tausend Mails sortieren",
        "预算几百元",
        "两三块钱以内",
        "上万元的车",
        "解一元二次方程",
        "3百五十元",
        "twenty eleven thousand emails",
        "between one hundred and two hundred emails",
    ],
)
def test_words_of_their_own_are_left_alone(text: str) -> None:
    assert spelled(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "how do I use pls in R",
        "Is PLS regression in the .pls playlist of this",
        "the pls model with a pls regression",
        "The surname Pagee is from where",
        "Write a letter to my friend Frensh about the trip",
        "rename the variable wrod to foo",
        "the modle class is broken, fix it",
        "the function pagse is called",
        "Our server hw is down",
        "the variable cud is null",
        "What is in the `cotnract` of it",
    ],
)
def test_names_are_not_spelt_another_way(text: str) -> None:
    assert spelled(text) == text


def _in_chinese(number: int) -> str:
    if number >= 10_000:
        rest = number % 10_000
        between = "零" if 0 < rest < 1000 else ""
        return f"{_in_chinese(number // 10_000)}万{between}{_in_chinese(rest) if rest else ''}"
    out, gap = "", False
    for unit, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            out += ("零" if gap and out else "") + "零一二三四五六七八九"[digit] + sign
        gap = not digit
    return out


_SMALL = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"


def _in_english(number: int) -> list[str]:
    for scale, name in ((1_000_000, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= scale:
            rest = number % scale
            return [*_in_english(number // scale), name, *(_in_english(rest) if rest else ())]
    if number < 20:
        return [_SMALL.split()[number]]
    return [_TENS.split()[number // 10 - 2], *(_in_english(number % 10) if number % 10 else ())]


def test_no_number_in_words_is_read_as_another() -> None:
    """A budget of 二十 was read as ten, and twenty one thousand emails as a thousand."""
    for number in (*range(1, 1200), *range(1200, 99_999_999, 397_711)):
        assert han_number(_in_chinese(number)) == number
        assert english_number(_in_english(number)) == number
