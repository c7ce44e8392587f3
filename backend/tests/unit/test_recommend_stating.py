"""What a sentence tells of is no wish of the buyer; what is said to the model is."""

import pytest

from agent_marketplace.recommend.reading import read

_STATED = {"effort", "require", "makers", "context"}


@pytest.mark.parametrize(
    "text",
    [
        "Write a blog post, from OpenAI to Anthropic",
        "Explain deep reasoning in law",
        "The athlete gave maximum effort; write a poem",
        "Write a summary without thinking about style",
        "How to parse json only with regex?",
        "Write code that must return JSON",
        "Explain the 200k context window of Claude",
        "Summarize: the team showed high effort today",
        "Write a function that should return JSON",
        "Explain what structured outputs are",
        "What is JSON mode in OpenAI?",
        "Write about deep reasoning models",
        "Explain the 128k context limit",
        "He left without thinking. Continue the story",
        "Think long and hard, said the king; write the tale",
        "Write an essay on people who think deeply",
        "The story of a man who acted without thinking",
        "Explain how structured outputs work",
        "What does high reasoning effort mean?",
        "A history of AI, from OpenAI to Mistral",
        "Write a poem, by Claude Monet's window",
        "Our API must return JSON, write the handler",
        "I gave it max effort",
    ],
)
def test_a_story_a_question_or_a_program_states_no_condition(text: str) -> None:
    assert [u for u in read(text) if u.kind in _STATED] == []


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Write a poem, by Mistral", "makers", ["mistral"]),
        ("Translate this, by mistral please", "makers", ["mistral"]),
        ("A model by Anthropic for contracts", "makers", ["anthropic"]),
        ("Solve this olympiad problem, you may think as long as you like", "effort", "high"),
        ("Think hard about this proof", "effort", "high"),
        ("Think carefully: is 91 prime?", "effort", "high"),
        ("Solve it with high effort", "effort", "high"),
        ("use maximum reasoning", "effort", "high"),
        ("Solve this equation, maximum effort", "effort", "high"),
        ("Answer without thinking", "effort", "none"),
        ("Translate this without thinking, fast", "effort", "none"),
        ("no thinking, just translate this", "effort", "none"),
        ("a non-thinking model for translation", "effort", "none"),
        ("Summarize it, json only", "require", ["structured_output"]),
        ("Extract the names. Answer must return JSON", "require", ["structured_output"]),
        ("Extract names as valid json.", "require", ["structured_output"]),
        ("It must return json", "require", ["structured_output"]),
        ("extract the invoice data, the output must be JSON", "require", ["structured_output"]),
        ("I need structured outputs for extraction", "require", ["structured_output"]),
        ("I need at least 500k context", "context", 500000),
        ("a model with 1M context", "context", 1000000),
        ("needs 200k context for a contract", "context", 200000),
        ("context of at least 128k", "context", 128000),
        ("Summarize a book, 200k context", "context", 200000),
        ("think deeply about this", "effort", "high"),
        ("Review this contract, high reasoning effort", "effort", "high"),
        ("please reason carefully and prove it", "effort", "high"),
        ("max effort please: prove it", "effort", "high"),
        ("Prove it without reasoning", "effort", "none"),
        ("use deep reasoning to solve it", "effort", "high"),
        ("write a poem, from Anthropic", "makers", ["anthropic"]),
        ("Explain gravity with maximum effort", "effort", "high"),
        ("A letter, by Mistral, with vision", "makers", ["mistral"]),
        ("Which models have at least 500k context?", "context", 500000),
        ("Find a proof and think carefully", "effort", "high"),
        ("What model supports structured outputs?", "require", ["structured_output"]),
    ],
)
def test_what_is_said_to_the_model_is_still_heard(text: str, kind: str, value: object) -> None:
    assert [u.value for u in read(text) if u.kind == kind] == [value]
