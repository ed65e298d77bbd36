from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.api import BadAnswer, Busy, Refused
from drivers.modbus import pdu
from drivers.profile import Table


@pytest.mark.parametrize(
    ("built", "wire"),
    [
        (pdu.read_question(Table.COIL, 19, 37), "01 00 13 00 25"),
        (pdu.read_question(Table.DISCRETE, 196, 22), "02 00 c4 00 16"),
        (pdu.read_question(Table.HOLDING, 107, 3), "03 00 6b 00 03"),
        (pdu.read_question(Table.INPUT, 8, 1), "04 00 08 00 01"),
        (pdu.write_question(Table.COIL, 172, [1]), "05 00 ac ff 00"),
        (pdu.write_question(Table.COIL, 172, [0]), "05 00 ac 00 00"),
        (pdu.write_question(Table.HOLDING, 1, [3]), "06 00 01 00 03"),
        (pdu.write_question(Table.COIL, 19, [1, 0, 1, 1, 0, 0, 1, 1, 1, 0]), "0f 00 13 00 0a 02 cd 01"),
        (pdu.write_question(Table.HOLDING, 1, [0x000A, 0x0102]), "10 00 01 00 02 04 00 0a 01 02"),
    ],
)
def test_requests_are_the_examples_of_the_specification(built: pdu.Question, wire: str) -> None:
    assert built.pdu.hex(" ") == wire


@pytest.mark.parametrize(
    ("question", "answer", "words"),
    [
        (pdu.read_question(Table.HOLDING, 107, 3), "03 06 02 2b 00 00 00 64", [555, 0, 100]),
        (pdu.read_question(Table.INPUT, 8, 1), "04 02 00 0a", [10]),
        (pdu.read_question(Table.DISCRETE, 196, 22), "02 03 ac db 35", [int(b) for b in "0011010111011011101011"]),
    ],
)
def test_answers_are_the_examples_of_the_specification(question: pdu.Question, answer: str, words: list[int]) -> None:
    pdu.check(question, bytes.fromhex(answer))
    assert pdu.words(question, bytes.fromhex(answer)) == words


@given(table=st.sampled_from(list(Table)), count=st.integers(1, 125), answer=st.binary(max_size=260))
def test_any_answer_is_exactly_what_was_asked_or_an_error(table: Table, count: int, answer: bytes) -> None:
    question = pdu.read_question(table, 7, count)
    try:
        pdu.check(question, answer)
    except (BadAnswer, Busy, Refused):
        return
    assert len(pdu.words(question, answer)) == count
    assert answer[0] == question.pdu[0]
    assert len(answer) == question.longest


@given(words=st.lists(st.integers(0, 65535), min_size=1, max_size=123), answer=st.binary(max_size=8))
def test_only_the_echo_acknowledges(words: list[int], answer: bytes) -> None:
    question = pdu.write_question(Table.HOLDING, 1, words)
    pdu.check(question, question.pdu[:5])
    if answer != question.pdu[:5]:
        with pytest.raises((BadAnswer, Busy, Refused)):
            pdu.check(question, answer)
