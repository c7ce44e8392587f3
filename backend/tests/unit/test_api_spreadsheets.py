"""Files for spreadsheets: what somebody typed is never taken for a formula there."""

import pytest

from agent_marketplace.api import spreadsheets


@pytest.mark.parametrize("text", ["=1+1", "\n=1+1", " \t@SUM(A1)", "\uff1dcmd()", "-2+3", "+1", "\r=x"])
def test_a_reason_is_no_formula_in_an_export(text: str) -> None:
    cell = spreadsheets.lines([{"reason": text}], ["reason"], "csv").decode().strip("\r\n").strip('"')
    assert cell.startswith("'")


def test_plain_texts_and_numbers_stay_as_they_are() -> None:
    rows = [{"a": "bank-1", "b": -2, "c": ""}]
    assert spreadsheets.lines(rows, ["a", "b", "c"], "csv") == b"bank-1,-2,\r\n"
