"""Task analysis: what people write, hostile text, and what stands beside the type."""

import time

import pytest

from agent_marketplace.recommend.classifier import default_classifier
from agent_marketplace.recommend.reading import read
from agent_marketplace.recommend.spelling import spelled
from agent_marketplace.recommend.tasks import TaskType, analyze, estimate_tokens

SPOKEN = [
    ("Debug this Python code", "debugging"),
    ("get_total returns None after upgrading to 3.1", "debugging"),
    ("generate code", "code_generation"),
    ("Add OAuth login to the admin page", "code_generation"),
    ("Review my pull request", "code_review"),
    ("Update README with the new flags", "documentation"),
    ("How do tides work?", "explain_concept"),
    ("Think of a name for my bakery", "brainstorming"),
    ("Summarise these minutes", "summarisation"),
    ("Translate the menu into Italian", "translation"),
    ("Übersetze diesen Brief ins Französische", "translation"),
    ("Extract all dates from the letter", "data_extraction"),
    ("Paul has 14 pears and eats 3 a day for 4 days. How many are left?", "maths"),
    ("What is the woman in the picture holding?", "vision"),
    ("Book a table for four in Lyon on Friday", "tool_use"),
    ("Who wrote Faust?", "quick_task"),
    ("I need to debug a complex Python issue", "debugging"),
    ("Fix flaky test in CI", "debugging"),
    ("TypeError: Cannot read properties of undefined (reading 'map')", "debugging"),
    ("Build a todo app in React", "code_generation"),
    ("review this function for bugs", "code_review"),
    ("explain how closures work", "explain_concept"),
    ("write documentation for this API", "documentation"),
    ("brainstorm names", "brainstorming"),
    ("Write a short story about a robot", "brainstorming"),
    ("Is this review positive or negative?", "quick_task"),
    ("describe this image", "vision"),
]


@pytest.mark.parametrize(("text", "kind"), SPOKEN)
def test_plain_requests_are_not_sent_to_the_wrong_kind_of_model(text: str, kind: str) -> None:
    assert analyze(text).type == kind


def test_every_label_of_the_contract_is_known_to_the_head() -> None:
    assert set(default_classifier().labels) == set(TaskType.__args__)  # type: ignore[attr-defined]


def test_a_commit_prefix_beats_the_words_after_it() -> None:
    assert analyze("docs: add login").type == "documentation"
    assert analyze("fix(api): add missing field").type == "debugging"
    assert analyze("feat: typo tolerance").type == "code_generation"


def test_an_attached_picture_makes_a_short_question_a_picture_question() -> None:
    assert analyze("What colour is it?", attachments=["image/png"]).type == "vision"
    assert analyze("What colour is it?", attachments=[{"type": "image/jpeg"}]).has_images
    assert analyze("What colour is it?", attachments=["scan.PNG"]).has_images
    assert not analyze("Read this", attachments=["text/csv"]).has_images


def test_empty_text_is_uncertain_and_asks_instead_of_pretending() -> None:
    for text in ("", "   \n\t "):
        found = analyze(text)
        assert found.uncertain
        assert found.confidence == 0
        assert found.question
        assert found.type == "quick_task"


def test_a_sure_answer_asks_nothing() -> None:
    found = analyze("Translate this sentence into French")
    assert not found.uncertain
    assert "question" not in found.to_dict()


def test_nonsense_is_uncertain() -> None:
    found = analyze("zxqv blorp fnord kkrt")
    assert found.uncertain
    assert found.question is not None
    assert found.question.startswith("Should the model")


FIGURES = (
    "1",
    " ",
    "$1 ",
    "1,000 ",
    "1,000,",
    "123 ",
    "三",
    "三百",
    "十五元",
    "1a",
    "and $1 ",
    "twenty one ",
    "01101001 ",
)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 2_000_000,
        "aA" * 500_000,
        "_" * 1_000_000,
        "[" * 1_000_000,
        "1." * 500_000,
        "\u3042" * 1_000_000,
        "\x00\ufffe\u202e" * 100_000,
        "\ud800" * 1000,
        "e\u0301" * 500_000,
        "ﷺ" * 100_000,
        "((((" + "a.b(" * 200_000,
        "```" * 300_000,
        *(part * (1_000_000 // len(part)) for part in FIGURES),
    ],
    ids=lambda t: ascii(t[:9]),
)
def test_hostile_text_costs_no_more_than_its_window(text: str) -> None:
    start = time.perf_counter()
    found = analyze(text)
    assert time.perf_counter() - start < 0.5
    assert 0 <= found.confidence <= 1


@pytest.mark.parametrize("part", FIGURES)
def test_a_long_row_of_figures_is_read_in_linear_time(part: str) -> None:
    """A prime to be tested or a list to be sorted held the event loop for seconds: twice the text took eight times as long."""

    def cost(size: int) -> float:
        text = "Sort: " + (part * size)[:size]
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            read(spelled(text))
            best = min(best, time.process_time() - start)
        return best

    assert cost(2_000) < 24 * max(cost(250), 0.001)


def test_analysis_stays_in_the_order_of_a_millisecond() -> None:
    analyze("warm up")
    start = time.perf_counter()
    for _ in range(50):
        analyze("Our checkout page throws a 500 after the last deploy, see the stack trace below")
    assert (time.perf_counter() - start) / 50 < 0.02


def test_the_wanted_length_is_read_from_the_text() -> None:
    assert analyze("Write a 200 word essay on bees").wanted_output_tokens == 270
    assert analyze("Explain it in two sentences").wanted_output_tokens == 56
    assert analyze("Explain it").wanted_output_tokens is None


def test_circumstances_stand_beside_the_type() -> None:
    assert analyze("Summarise this", input_tokens=200_000).long_context
    assert analyze("the cheapest way to translate a book").budget_conscious
    assert analyze("Fix this:\n```python\nx = 1\n```").has_code


def test_languages_are_told_apart() -> None:
    said = {
        "de": "Wie kann ich den Fehler in meinem Programm beheben?",
        "ja": "このコードを直してください",
        "ru": "Исправь ошибку в коде",
    }
    for code, text in {
        **said,
        "en": "How can I fix the error?",
        "es": "¿Cómo puedo corregir el error en mi programa?",
    }.items():
        assert analyze(text).language == code


def test_a_token_estimate_counts_wide_scripts_by_the_character() -> None:
    assert estimate_tokens("word" * 100) == 100
    assert estimate_tokens("漢" * 100) == 100


def test_a_mixed_request_shows_both_types() -> None:
    found = analyze("Translate this article into German and summarise it")
    assert {name for name, _ in found.labels} & {"translation", "summarisation"}
    assert found.labels[0][0] == found.type


ARTICLE = (
    "The harbour authority presented its plans for the new ferry terminal on Monday evening. The building is to open in four years and "
    "will cost 85 million euros, half of which the state pays. Fishermen fear for their berths, and the sailing club has written an open "
    "letter. The mayor called the plan the largest change to the waterfront since the railway came in 1871. "
)
SHELL = "def area(w, h):\n    result = w + h\n    return result\n\nprint(area(2, 3))\n"


@pytest.mark.parametrize("behind", [False, True], ids=["before", "behind"])
@pytest.mark.parametrize(
    ("ask", "material", "kind"),
    [
        ("tl;dr please", ARTICLE * 3, "summarisation"),
        ("Fasse den Text in drei Sätzen zusammen.", ARTICLE, "summarisation"),
        ("Translate this into Portuguese.", ARTICLE, "translation"),
        ("Extract all amounts and dates as JSON.", ARTICLE * 2, "data_extraction"),
        ("Find the bug.", SHELL, "debugging"),
        ("Please review this before I merge it.", SHELL, "code_review"),
        ("Write docstrings for all functions.", SHELL, "documentation"),
    ],
)
def test_pasted_text_does_not_drown_the_request(ask: str, material: str, kind: str, behind: bool) -> None:
    text = f"{material}\n\n{ask}" if behind else f"{ask}\n\n{material}"
    assert analyze(text).type == kind


@pytest.mark.parametrize("text", ["🙂🙂🙂", "…", "\x00\x01", "?!", "—"])
def test_pictograms_and_marks_ask_nothing_and_are_not_taken_for_a_task(text: str) -> None:
    found = analyze(text)
    assert found.uncertain
    assert found.confidence == 0
    assert found.question


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("用 Go 写一个解析 CSV 的函数", "code_generation"),
        ("什么是区块链？", "explain_concept"),
        ("この記事を要約してください", "summarisation"),
        ("Pourquoi mon programme plante au démarrage ?", "debugging"),
        ("Traduce al inglés: no tengo tiempo", "translation"),
        ("Wie wird das Wetter morgen in Kiel?", "tool_use"),
        ("Кто написал «Войну и мир»?", "quick_task"),
        ("Escribe un cuento sobre un faro", "brainstorming"),
    ],
)
def test_other_languages_are_not_sent_to_the_wrong_kind_of_model(text: str, kind: str) -> None:
    assert analyze(text).type == kind
