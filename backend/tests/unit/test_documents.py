"""Documents are opened in a process with limits: text comes out, or a refusal that says why; nothing else."""

import asyncio
import io
import zipfile
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_marketplace.documents import DocumentReader, DocumentRefused
from agent_marketplace.documents.child import Refused, answer_to, extract
from agent_marketplace.errors import MarketplaceError, PayloadTooLarge
from tests.fakes.examples import examples

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def packed(**members: str | bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return out.getvalue()


def docx(*paragraphs: str, before: str = "") -> bytes:
    body = "".join(f"<w:p><w:r><w:t>{escape(p)}</w:t></w:r></w:p>" for p in paragraphs)
    xml = f'<?xml version="1.0"?>{before}<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>'
    return packed(word__document_xml=xml)


PPTX = packed(
    ppt__presentation_xml="<p/>",
    ppt__slides__slide10_xml=f'<a:p xmlns:a="{A}"><a:t>last</a:t></a:p>',
    ppt__slides__slide2_xml=f'<a:p xmlns:a="{A}"><a:t>first</a:t></a:p>',
)
XLSX = packed(
    xl__workbook_xml="<w/>",
    xl__sharedStrings_xml=f'<sst xmlns="{S}"><si><t>Name</t></si><si><r><t>Ada </t></r><r><t>L</t></r></si></sst>',
    xl__worksheets__sheet1_xml=(
        f'<worksheet xmlns="{S}"><row><c r="A1" t="s"><v>0</v></c><c r="C1"><v>3.5</v></c></row>'
        '<row><c r="A2" t="s"><v>1</v></c><c r="B2" t="b"><v>1</v></c>'
        '<c r="C2" t="inlineStr"><is><t>x</t></is></c><c r="D2" t="s"><v>99</v></c></row></worksheet>'
    ),
)


def read(data: bytes, wall_s: float = 60) -> str:
    return asyncio.run(DocumentReader(wall_s).read(data)).text


def reason(data: bytes) -> str:
    with pytest.raises(Refused) as refusal:
        extract(data)
    return str(refusal.value)


def test_the_words_come_out_in_their_order() -> None:
    assert extract(docx("One & two", "Grüße")) == {
        "kind": "docx", "text": "One & two\nGrüße", "parts": 1, "cut": False,
    }  # fmt: skip
    assert extract(PPTX)["text"] == "Slide 1\nfirst\n\nSlide 2\nlast"
    assert str(extract(XLSX)["text"]).split("\n")[1:] == ["Name\t\t3.5", "Ada L\tTRUE\tx"]


def test_a_document_is_read_by_a_process_of_its_own() -> None:
    assert read(docx("From another process")) == "From another process"


def test_what_is_no_document_is_refused_with_words() -> None:
    assert reason(b"\xd0\xcf\x11\xe0 old") == "old_format"
    assert reason(b"hello") == "unsupported"
    assert reason(packed(a="b")) == "unsupported"
    assert reason(docx("x")[:-30]) == "unreadable"
    with pytest.raises(DocumentRefused) as refusal:
        read(docx(" "))
    assert (refusal.value.status, refusal.value.extra) == (422, {"reason": "no_text"})


def test_entities_that_would_swell_are_not_read() -> None:
    entity = '<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    assert reason(docx("x", before=entity)) == "unreadable"


def test_a_zip_bomb_ends_its_own_process_only() -> None:
    bomb = docx("0" * 160_000_000)
    assert len(bomb) < 1_000_000
    with pytest.raises(DocumentRefused) as refusal:
        read(bomb)
    assert refusal.value.extra["reason"] == "too_large"


def test_more_text_than_a_model_takes_is_cut_and_says_so() -> None:
    found = extract(docx("word " * 300_000))
    assert (len(str(found["text"])) <= 1_000_000, found["cut"]) == (True, True)


def test_a_file_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(DocumentRefused) as refusal:
        read(docx("x"), wall_s=0)
    assert refusal.value.extra["reason"] == "too_large"


def test_a_file_over_the_limit_is_not_even_opened() -> None:
    with pytest.raises(PayloadTooLarge):
        read(b"PK" + bytes(20_000_000))


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([docx("some words", "more"), PPTX, XLSX]), st.data())
def test_a_damaged_file_is_read_or_refused(whole: bytes, data: st.DataObject) -> None:
    damaged = bytearray(whole)
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=8)):
        damaged[place] = data.draw(st.integers(0, 255))
    answer = answer_to(bytes(damaged))
    assert isinstance(answer.get("text"), str) != isinstance(answer.get("refused"), str)


def test_refusals_are_the_callers_fault() -> None:
    assert issubclass(DocumentRefused, MarketplaceError)
    assert 400 <= DocumentRefused.status < 500
