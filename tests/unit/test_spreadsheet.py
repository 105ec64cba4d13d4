"""A text that a spreadsheet would compute is guarded, and comes back as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.spreadsheet import guard_formula, unguard_formula


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+A1", "-A1", "@SUM(A1)", "\n=1+1", "\r\n =1+1", "＝1+1", "＠A1", "\u200b=1", "-2+3"],
)
def test_what_could_be_a_formula_is_guarded(text: str) -> None:
    assert guard_formula(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["", "Rác", "a=b", "-2,5", "+84", "-1.234,5", "-12%", "'", "1-2", "Lê Lợi\n- số 5"]
)
def test_other_texts_and_signed_numbers_stay(text: str) -> None:
    assert guard_formula(text) == text


@given(st.text(alphabet=st.sampled_from("'=-+＝\n\t 1a") | st.characters()))
def test_a_guarded_text_comes_back_and_no_two_become_one(text: str) -> None:
    assert unguard_formula(guard_formula(text)) == text
