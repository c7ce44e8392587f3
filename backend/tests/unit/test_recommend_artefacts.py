"""Shipped artefacts are what their scripts make of the committed sources: nobody edits one without the other."""

import sys
from pathlib import Path

from agent_marketplace.recommend.classifier import default_classifier
from agent_marketplace.recommend.wording import Parts

SCRIPTS = Path(__file__).parents[3] / "scripts"
sys.path.insert(0, str(SCRIPTS))

import build_quality  # noqa: E402  the scripts are no package
import task_text  # noqa: E402
from task_phrases import Example  # noqa: E402


def test_the_quality_table_is_what_its_script_makes_of_the_dated_tables() -> None:
    assert build_quality.OUT.read_text() == build_quality.text()


def test_the_classifier_was_trained_on_the_committed_text() -> None:
    assert default_classifier().text == task_text.digest(task_text.training_text())


def test_no_prompt_kept_for_judging_is_learnt_from() -> None:
    learnt = {e.parts.asked.casefold() for e in task_text.training_text()}
    kept = {
        row["text"].casefold()
        for name, halves in task_text.KEPT
        for row in map(task_text.json.loads, (task_text.ROOT / name).read_text().splitlines())
        if row["half"] in halves
    }
    assert kept
    assert not learnt & kept


def test_no_line_of_the_encoder_repeats_a_prompt_kept_for_judging() -> None:
    extra = [Example(Parts("Schreibe ein Gedicht über den Herbst"), "brainstorming", "extra/0")]
    assert task_text.unseen(extra) == []
