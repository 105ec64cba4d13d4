"""What tests of the desk's parts share: Huế at one moment, and a component's texts."""

import json
from datetime import UTC, datetime
from typing import Any

from plotly.utils import PlotlyJSONEncoder  # type: ignore[import-untyped]

from dashboard.i18n.translator import Translator
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PLACE = ProvinceContext("46")
VI, EN = Translator("vi"), Translator("en")
ASKED = PageRequest("/unit/46")


def text(components: Any) -> str:
    return json.dumps(json.loads(json.dumps(components, cls=PlotlyJSONEncoder)), ensure_ascii=False)
