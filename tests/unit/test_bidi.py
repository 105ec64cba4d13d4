"""Controls of text direction in texts from outside: none reaches a screen."""

import json
from typing import Any, cast

import pytest
from dash import html
from hypothesis import given
from hypothesis import strategies as st

from dashboard.i18n.bidi import (
    CONTROLS,
    MARKS,
    REPLACEMENT,
    without_controls,
    without_controls_json,
)
from dashboard.request.answers import to_json

OVERRIDDEN = "hồ sơ \u202egnp.exe\u202c"


def test_marks_are_left_out_and_other_controls_are_shown_as_what_cannot_be_read() -> None:
    assert without_controls("0234\u200e 3822") == "0234 3822"
    assert without_controls(OVERRIDDEN) == f"hồ sơ {REPLACEMENT}gnp.exe{REPLACEMENT}"
    assert without_controls("\u2069\u202eabc") == f"{REPLACEMENT * 2}abc", (
        "what ends an isolation is a control too"
    )
    assert without_controls("Phường Phú Xuân – שלום") == "Phường Phú Xuân – שלום", (
        "letters stay, whatever their direction"
    )


@given(
    st.recursive(
        st.text(st.sampled_from(MARKS + CONTROLS + '\\"u202eđ–\n😀')),
        lambda inner: st.lists(inner, max_size=3),
    )
)
def test_json_says_the_same_as_its_texts_one_by_one(said: object) -> None:
    def by_one(part: object) -> object:
        return without_controls(part) if isinstance(part, str) else [by_one(one) for one in part]  # type: ignore[attr-defined]

    assert json.loads(without_controls_json(json.dumps(said))) == by_one(said)


@pytest.mark.parametrize("attribute", ["title", "aria-label"])
def test_what_a_page_is_sent_has_none_in_words_nor_in_attributes_and_addresses_keep_theirs(
    attribute: str,
) -> None:
    sent = to_json(
        html.A(
            OVERRIDDEN,
            href="/record/filing/~?entity=%E2%80%AE1",
            **cast(Any, {attribute: OVERRIDDEN}),
        )
    )
    assert not any(
        one in json.dumps(json.loads(sent), ensure_ascii=False) for one in CONTROLS + MARKS
    )
    assert "%E2%80%AE1" in sent
