"""What people type: slips in words that matter are put right, names and other words are left alone."""

import pytest

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
