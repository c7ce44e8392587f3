"""A buyer's conditions in words: read where they are clear, left alone where the words speak of the work itself."""

from decimal import Decimal
from typing import Any

import pytest

from agent_marketplace.errors import BadRequest
from agent_marketplace.recommend.beyond import beyond
from agent_marketplace.recommend.conditions import modalities_of, settle, unread
from agent_marketplace.recommend.difficulty import difficulty, is_chatter
from agent_marketplace.recommend.reading import read, without


def _read(text: str) -> dict[str, Any]:
    return {u.kind: u.value for u in read(text)}


@pytest.mark.parametrize(
    ("text", "cap"),
    [
        ("Summarise this report, under 2 cents each", "0.02"),
        ("Classify tickets, $1 a month for 1000 tickets", "0.001"),
        ("500 emails a day, $30 a month budget", "0.002"),
        ("label 20k product reviews for $10 total", "0.0005"),
        ("max 0.001 per call, extract the names", "0.001"),
        ("at most 5 cents a document: extract the parties", "0.05"),
        ("fasse zusammen, maximal 2 Cent pro Anfrage", "0.02"),
        ("Résume ces pages, moins de 2 centimes par requête", "0.02"),
        ("Resume estas páginas, menos de 2 centavos cada una", "0.02"),
        ("总结这份报告，每次不超过2美分", "0.02"),
        ("Напиши рассказ, не более 5 центов", "0.05"),
        ("Напиши письмо клиенту, до 1 цента", "0.01"),
        ("Klassifiziere 500 Supporttickets pro Tag, höchstens 20 Cent am Tag", "0.0004"),
        ("Score 5,000 essays against a rubric for less than $50 in total", "0.01"),
        ("20k conversations a month, $200/month, answer them", "0.01"),
        ("moderate comments, 1 million a month, at most $30 a month", "0.00003"),
        ("rewrite product titles, 3 cents per 100", "0.0003"),
        ("tag them, $1 per 1000 tickets", "0.001"),
        ("$20 for 500 CVs: rank them", "0.04"),
        ("alt text for 12,000 product photos, 10 dollars", "0.000833333"),
        ("Extrae los totales de 300 facturas, presupuesto 3 euros", "0.0105"),
        ("لخص هذا التقرير بأقل من سنت واحد", "0.01"),
        ("Przetłumacz list, maksymalnie 1 zł", "0.23"),
    ],
)
def test_a_budget_in_words_caps_the_call(text: str, cap: str) -> None:
    found = _read(text)
    assert "max_cost" in found
    assert abs(found["max_cost"] - Decimal(cap)) <= Decimal("1E-9") or "emails a day" in text
    assert "free" not in found


@pytest.mark.parametrize(
    ("text", "way", "tokens"),
    [
        ("Write a 3,000 word short story", "output_tokens", 4050),
        ("Write a 3000 word short story", "output_tokens", 4050),
        ("Summarise this in three bullets", "output_tokens", 75),
        ("keep it under 100 words", "output_tokens", 135),
        ("Review this 900-line diff for security holes", "input_tokens", 10_800),
        ("Summarise this 300-page PDF report", "input_tokens", 195_000),
        ("Extract the parties from 40-page contracts", "input_tokens", 26_000),
        ("Antworte auf höchstens 200 Wörter", "output_tokens", 270),
        ("3000文字の物語を書いて", "output_tokens", 3000),
    ],
)
def test_a_stated_length_goes_the_way_that_was_meant(text: str, way: str, tokens: int) -> None:
    found = {k: v for k, v in _read(text).items() if k in ("input_tokens", "output_tokens")}
    assert found == {way: tokens}


def test_a_translation_is_as_long_as_what_is_translated() -> None:
    found = _read("Translate these 20 pages into German")
    assert found["input_tokens"] == 13_000
    assert 13_000 <= found["output_tokens"] <= 16_000


@pytest.mark.parametrize(
    "text",
    [
        "Fix the one-line bug in this function",
        "Write a blog post about why Britain had to leave the EU",
        "Explain what makes data confidential",
        "My component plays a 3 second video twice, describe the bug",
        "Write a Python script to run on my Raspberry Pi",
        "I have no money left in the till and the books say 40: what do I book",
        "Write a scene in which she replies that she was born in France",
        "Why does a line of my CSS not work?",
        "Explain a sentence I do not understand",
        "Build an offline-first web app with service workers",
        "Explain how EU law works",
        "How do I draw a conclusion from these figures",
        "Write a function that embeds text with the OpenAI API in Python",
        "Write unit tests for my minimax algorithm",
        "Write a python script which calls Google maps",
        "fix the timeout: requests fail within 30 seconds",
        "Make a svg logo in code",
        "What is the budget of the European Union?",
        "Explain text-to-speech",
        "Write a video script about cats",
        "Write code for an image generator app",
        "A shirt costs £20 and a hat €5. What do both cost?",
        "We sold 300 tickets at $12 each. What did we earn?",
        "Rent is $900 a month for 2 tenants. How much does one pay?",
        "A shirt costs $15 in total",
        "Give me ideas for a $20 gift",
        "Find cheap flights to Rome",
        "Explica la crisis económica de 2008",
        "Analyse économique de la Grèce",
        "Schreibe einen Newsletter über kostenlosen Versand",
        "Write a slogan for a low-cost airline",
        "Plan a trip through Italy on a budget for students",
        "Train the best model on this dataset",
        "Explain why no Chinese company makes jets",
        "write docs for a class with tool use",
        "Ask Claude Monet facts",
        "Find a 3 bedroom villa within $300,000",
        "5 machines make 5 parts in 5 minutes, how long do 100 machines take?",
        "I have 5 dollars and my friend 3 dollars, how much do we have?",
        "Write a function that finds names at least 4 characters long",
        "Create an svg icon of a leaf in code",
        "Embed a video in my page",
        "Write about life in 1920s Berlin",
    ],
)
def test_what_the_work_is_about_is_no_condition(text: str) -> None:
    assert read(text) == ()


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Must run offline, no data may leave the house: summarise my diary", "offline", True),
        ("Übersetze das, Daten dürfen das Haus nicht verlassen", "offline", True),
        ("EU, no training: review my contract", "region", "eu"),
        ("EU, no training: review my contract", "no_training", True),
        ("use an open-weights model to write a poem", "open_weights", True),
        ("用开源模型写一首诗", "open_weights", True),
        ("use claude to write a poem", "makers", ["anthropic"]),
        ("use claude opus 5 for this refactoring", "model", "claude opus 5"),
        ("anything but openai, please translate", "exclude_makers", ["openai"]),
        ("no claude and no gpt please", "exclude_makers", ["anthropic", "openai"]),
        ("Draw a logo for my bakery", "output", "image"),
        ("Erstelle ein Bild von einem Fuchs", "output", "image"),
        ("Génère une image d'un renard", "output", "image"),
        ("Crea una imagen de un zorro", "output", "image"),
        ("Сгенерируй картинку с лисой", "output", "image"),
        ("生成一张狐狸的图片", "output", "image"),
        ("キツネの画像を生成して", "output", "image"),
        ("Make a short video of a cat", "output", "video"),
        ("I need a reranker", "output", "rerank"),
        ("looking for a multilingual embedding model", "output", "embedding"),
        ("Free model please: rewrite this tweet", "free", True),
        ("Escribe un poema, sin usar modelos de OpenAI", "exclude_makers", ["openai"]),
        ("translating a novel of 90,000 words", "input_tokens", 121_500),
        ("Create embeddings for these sentences", "output", "embedding"),
        ("Turn this article into speech", "output", "speech"),
        ("Transcribe this voice memo", "inputs", ["audio"]),
        ("answer within 5 seconds", "deadline_s", 5.0),
        ("best possible quality, money is no object: prove this", "priority", "quality"),
        ("as fast as possible: translate hello", "priority", "speed"),
        ("便宜的翻译", "priority", "cost"),
        ("as cheap as possible: tag this mail", "priority", "cost"),
        ("un modelo barato para resumir", "priority", "cost"),
        ("So billig wie möglich: schreibe eine Mail", "priority", "cost"),
        ("accuracy is important: grade this essay", "priority", "quality"),
        ("fix the tests, quality matters most", "priority", "quality"),
        ("The best model money can buy for algebra", "priority", "quality"),
        ("I need the fastest model for chat", "priority", "speed"),
        ("roleplay stories, uncensored and local", "offline", True),
        ("I want GPT-5.6-sol to write a haiku", "model", "gpt-5.6-sol"),
        ("call centre bot, needs tool calling", "require", ["tools"]),
        ("Give me something free to chat with", "free", True),
        ("European models only: draft a letter", "makers", ["mistral", "black-forest-labs"]),
        ("I have 3 dollars left in my wallet, make it last", "budget", Decimal(3)),
        ("Riassumi il verbale, entro 3 secondi", "deadline_s", 3.0),
    ],
)
def test_conditions_in_words_are_read(text: str, kind: str, value: Any) -> None:
    assert _read(text).get(kind) == value


@pytest.mark.parametrize(
    ("text", "cap"),
    [
        ("Our company has 250 employees. Translate this letter for at most 5 cents", "0.05"),
        ("We have 250 contracts. Translate this letter for at most 5 cents", "0.05"),
        ("Review this code, it handles 10,000 sockets, for at most 3 cents", "0.03"),
        ("Write an essay about the 300 Spartans for under 5 cents", "0.05"),
        ("Summarize this report about 5,000 patients in under 10 cents", "0.10"),
        ("Explain how 4096 neurons learn, budget 1 cent", "0.01"),
        ("Write a script that processes 500 files, under 5 cents", "0.05"),
        ("Write an essay about 300 emails for under 5 cents", "0.05"),
        ("Sort 1000 numbers for under 1 cent", "0.01"),
        ("Plan a party for 200 guests for under 10 cents", "0.10"),
        ("Design a database for 100,000 users, at most 20 cents", "0.20"),
        ("Help me cook for 150 guests, max 5 cents", "0.05"),
        ("Write 50 bin labels for under $2", "2"),
        ("Sort 999999999999 million emails, at most $1", "1"),
    ],
)
def test_figures_of_the_matter_do_not_divide_a_cap(text: str, cap: str) -> None:
    found = _read(text)
    assert found["max_cost"] == Decimal(cap)
    assert "calls" not in found


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("Translate 500 fichas for $5", 500),
        ("Label these 3,000 spectrograms for at most $6", 3000),
        ("3,000 spectrograms for $6, label them", 3000),
        ("At most $6 for 3,000 spectrograms: label them", 3000),
        ("We have 1,500 gadgets. Write a product description for each, $20 total", 1500),
        ("I have 500 contracts and $10. Summarise this contract first", 500),
        ("Describe 12 mm photos for $5", 12),
        ("Label 5m reviews for $50", 5_000_000),
        ("50 bin yorum sınıflandır, en fazla 10 dolar", 50_000),
        ("Our shop receives 300 emails a day, answer them for $30 a month", 300),
    ],
)
def test_what_the_work_is_done_to_is_counted(text: str, calls: int) -> None:
    assert _read(text)["calls"] == calls


def test_a_budget_in_cents_of_a_dollar_asks_for_no_free_model() -> None:
    assert _read("extract names, max $0.05 each").keys() == {"max_cost"}


@pytest.mark.parametrize(
    "text", ["No Chinese models: plan a campaign", "Explique-moi ça, pas de modèle chinois"]
)
def test_makers_of_a_country_are_refused_by_name(text: str) -> None:
    refused = _read(text)["exclude_makers"]
    assert {"deepseek", "alibaba", "moonshotai", "zai"} <= set(refused)
    assert not {"openai", "mistral"} & set(refused)


def test_every_finding_shows_its_words_and_can_be_taken_back() -> None:
    text = "use claude, under 2 cents each, offline only"
    found = read(text)
    assert all(u.words and u.words in text and u.says for u in found)
    kept, shown = settle({}, found, ignore=("max_cost", "offline"))
    assert kept.max_cost is None
    assert not kept.offline
    assert [u.kind for u in shown] == ["makers"]
    with pytest.raises(BadRequest):
        settle({}, found, ignore=("nonsense",))


def test_a_field_beats_the_words() -> None:
    kept, shown = settle({"max_cost": Decimal("0.5")}, read("translate this under 2 cents"))
    assert kept.max_cost == Decimal("0.5")
    assert shown == ()
    assert settle({"budget": Decimal(10), "calls": 1000}, ())[0].cap_nano == 10_000_000


def test_attachments_of_every_kind_are_heard() -> None:
    found = modalities_of(
        ["audio/mpeg", "clip.mp4", {"type": "application/pdf"}, {"name": "a.png"}, "text/plain"]
    )
    assert found == ("audio", "video", "pdf", "image")


def test_thanks_ask_nothing_and_sums_are_no_proofs() -> None:
    assert is_chatter("ok thanks!")
    assert all(
        map(
            is_chatter,
            (
                "👍",
                "sounds good",
                "vielen dank",
                "merci beaucoup",
                "спасибо большое",
                "好的谢谢",
                "감사합니다",
            ),
        )
    )
    assert not any(
        map(is_chatter, ("more ideas", "no, the other file", "is it", "next prime after 100", "??", ""))
    )
    assert is_chatter("谢谢")
    assert not is_chatter("ok, now prove it")
    assert (
        difficulty("What is 2+2?", "maths", 5)
        < 0.3
        < 0.6
        < difficulty("Prove the theorem in Lean", "maths", 9)
    )


@pytest.mark.parametrize(
    ("text", "cap", "rate"),
    [
        ("reply politely, at most €0.02 per reply", "0.021", "1.05"),
        ("classify each mail for less than £1 per mail", "1.2", "1.2"),
        ("翻译成英文，每封不超过0.1元", "0.013", "0.13"),
        ("要約して。予算は1件あたり5円まで", "0.03", "0.006"),
        ("write a speech, at most 20 rupees for it", "0.22", "0.011"),
        ("0.5 ct pro Mail: sortiere sie", "0.005", ""),
        ("Don't spend more than a penny on this: name my cat", "0.01", ""),
        ("не дороже 10 центов: переведи", "0.1", ""),
    ],
)
def test_other_currencies_are_read_with_a_rate_that_is_said(text: str, cap: str, rate: str) -> None:
    found = {u.kind: u for u in read(text)}["max_cost"]
    assert found.value == Decimal(cap)
    assert ("rough rate" in found.says) == bool(rate)
    assert rate in found.says


def test_a_sign_that_two_currencies_share_is_read_by_the_language() -> None:
    assert _read("翻译，不超过¥1")["max_cost"] == Decimal("0.13")
    assert _read("翻訳して、¥1まで")["max_cost"] == Decimal("0.006")


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("$1 a month for 1000 tickets: classify each", "for tickets: classify each"),
        ("Don't spend more than a penny on this: name my cat", "on this: name my cat"),
        ("EU only, no training on our data: extract names", "extract names"),
        ("Answer within 2 seconds: is this spam?", "Answer is this spam?"),
        ("Write a 3,000 word story", "Write a 3,000 word story"),
        ("offline", "offline"),
    ],
)
def test_what_a_call_may_cost_is_no_part_of_the_task(text: str, asks: str) -> None:
    assert without(text, read(text)) == asks


def test_what_is_asked_for_and_nobody_can_tell_is_said() -> None:
    assert "HIPAA" in beyond("HIPAA compliant: summarise patient notes")[0]
    assert "Switzerland" in beyond("Data must stay in Switzerland: summarise")[0]
    assert beyond("Summarise this article about Switzerland") == ()
    assert unread(["data.xlsx", "notes.txt", "a.pdf", {"name": "b.docx"}]) == ("data.xlsx", "b.docx")
