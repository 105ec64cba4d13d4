"""A mapping of reports for tests, and a row that it takes."""

from pathlib import Path

from ingest.importer.mapping import Mapping
from ingest.importer.mapping_file import load

MAPPING = """
kind = "feedback"
source = "/test"
zone = "Asia/Ho_Chi_Minh"
times = ["%d/%m/%Y %H:%M", "%d/%m/%Y"]

[fields]
report_id = { column = "number" }
agency = { column = "agency", lookup = { "Sở Y tế" = "H57.08", "VP" = "H57.01" } }
commune = { column = "commune", lookup = { "Thuận Hóa" = "19774" }, default = "" }
category = { constant = "traffic" }
reported_at = { column = "day", as = "time" }
lat = { column = "lat", as = "number", needs = ["lon"] }
lon = { column = "lon", as = "number", needs = ["lat"] }
rating = { column = "stars", as = "integer" }
address = { template = "{street}, {commune}", needs = ["street"] }

[[step]]
id = "{number}/received"
time = "day"
fields = { status = "received" }

[[step]]
id = "{number}/published"
time = { column = "done", zone = "UTC" }
when = [{ column = "done", present = true }, { column = "state", in = ["xong"] }]
fields = { status = "published", finished_at = { column = "done", as = "time" } }
"""
ROW = {
    "number": " 7 ",
    "agency": "Sở Y tế",
    "commune": "",
    "day": "01/11/2026 08:30",
    "lat": "16.46",
    "lon": "107.59",
    "stars": "",
    "street": "",
    "done": "",
    "state": "",
}


def mapped(folder: Path, text: str) -> Mapping:
    path = folder / "test.toml"
    path.write_text(text, "utf-8")
    return load(str(path))
