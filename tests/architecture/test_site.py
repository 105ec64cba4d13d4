"""The site of the docs.

Links work in the repository and in the site, and nothing is loaded from elsewhere.
"""

import itertools
import logging
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files, get_files
from mkdocs.structure.pages import Page

from docs.hooks import drawings, links

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config() -> MkDocsConfig:
    return load_config(str(ROOT / "mkdocs.yml"))


def turned(text: str, config: MkDocsConfig, files: Files, page: str = "how-to/run.md") -> str:
    """Return a text of a page with the links that the site has."""
    found = files.get_file_from_path(page)
    assert found is not None
    return config.plugins.on_page_markdown(
        text, page=Page(None, found, config), config=config, files=files
    )


def test_links_lead_to_pages_and_to_copies_of_other_files(config: MkDocsConfig) -> None:
    files = config.plugins.on_files(get_files(config), config=config)
    assert turned("[a](../tutorial.md#1)", config, files) == "[a](../tutorial.md#1)"
    assert turned("[a](../../SECURITY.md)", config, files) == "[a](../project/security.md)"
    assert turned("[a](../../LICENSE)", config, files) == "[a](../repository/LICENSE.txt)"
    assert files.get_file_from_path("repository/LICENSE.txt") is not None
    assert (
        turned("[a](docs/tutorial.md)", config, files, "project/architecture.md")
        == "[a](../tutorial.md)"
    )


@pytest.mark.parametrize(
    "text",
    [
        "[a](gone.md)",
        "[a](../../../outside.md)",
        "`[a](../../LICENSE)`",
        "[a](https://vi.example/)",
    ],
)
def test_links_to_nothing_and_code_stay_as_they_are(text: str, config: MkDocsConfig) -> None:
    assert turned(text, config, config.plugins.on_files(get_files(config), config=config)) == text


@pytest.mark.parametrize(
    ("output", "reported"),
    [
        ('<script src="https://elsewhere.example/a.js"></script>', True),
        ('<link href="//elsewhere.example/a.css" rel="stylesheet">', True),
        ('<script src="../js/base.js"></script>', False),
        ('<a href="https://elsewhere.example/">a link</a>', False),
    ],
)
def test_a_page_that_loads_from_elsewhere_is_reported(
    output: str, reported: bool, config: MkDocsConfig, caplog: pytest.LogCaptureFixture
) -> None:
    found = get_files(config).get_file_from_path("index.md")
    assert found is not None
    with caplog.at_level(logging.WARNING):
        links.on_post_page(output, Page(None, found, config))
    assert bool(caplog.records) is reported


@pytest.mark.slow
@pytest.mark.parametrize(
    ("links", "named"),
    [(["how-to/run.md"], []), (["gone.md", "how-to/run.md#gone"], ["gone.md", "#gone"])],
)
def test_a_broken_link_fails_the_build(links: list[str], named: list[str], tmp_path: Path) -> None:
    text = " ".join(f"[a link]({link})" for link in links)
    (tmp_path / "page.py").write_text(
        "from mkdocs.structure.files import File\n"
        "def on_files(files, config): files.append(File.generated(config, 'more.md', "
        f"content={text!r})); return files\n"
    )
    more = {
        "INHERIT": f"{ROOT}/mkdocs.yml",
        "docs_dir": f"{ROOT}/docs",
        "hooks": [f"{ROOT}/docs/hooks/links.py", f"{tmp_path}/page.py"],
    }
    (tmp_path / "mkdocs.yml").write_text(
        yaml.safe_dump(more | {"site_dir": f"{tmp_path}/site", "not_in_nav": "more.md"})
    )
    build = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--config-file",
        str(tmp_path / "mkdocs.yml"),
    ]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert bool(done.returncode) is bool(named), done.stderr
    assert all(one in done.stderr for one in named)


CHART = """flowchart LR
    file([a file]) -->|is read| importer[the import]
    subgraph Kafka
        one[("one × 4")]
        dead[("dead letters")]
    end
    importer --> Kafka
    Kafka --> worker[a worker]
    worker -.-> dead
"""


def test_a_flow_chart_is_read() -> None:
    chart = drawings.read(CHART)
    assert chart.labels == {
        "file": "a file",
        "importer": "the import",
        "one": "one × 4",
        "dead": "dead letters",
        "worker": "a worker",
    }
    assert chart.groups == {"Kafka": ["one", "dead"]}
    assert chart.arrows == [
        ("file", "importer", "is read", False),
        ("importer", "Kafka", "", False),
        ("Kafka", "worker", "", False),
        ("worker", "dead", "", True),
    ]


def test_items_stand_right_of_what_leads_to_them() -> None:
    assert drawings.columns(drawings.read(CHART)) == [["file"], ["importer"], ["Kafka"], ["worker"]]
    cycle = "flowchart LR\n a[a] --> b[b]\n b --> c[c]\n c --> b\n a --> c\n"
    assert drawings.columns(drawings.read(cycle)) == [["a"], ["b"], ["c"]]


def test_boxes_do_not_overlap() -> None:
    chart = drawings.read(CHART)
    placed = drawings.boxes(chart)
    outer = [placed[chart.item(name)] for name in ("file", "importer", "one", "worker")]
    assert all(a.x + a.width < b.x for a, b in itertools.pairwise(outer))
    assert placed["one"].y + placed["one"].height <= placed["dead"].y
    assert (
        placed["Kafka"].y < placed["one"].y
        and placed["dead"].y + placed["dead"].height <= placed["Kafka"].y + placed["Kafka"].height
    )


def test_a_drawing_takes_the_place_of_a_chart() -> None:
    page = drawings.on_page_markdown(f"before\n\n```mermaid\n{CHART}```\n\nafter")
    assert page.startswith("before\n\n<div") and page.endswith("</div>\n\nafter")
    assert all(f">{label}</text>" in page for label in ("a file", "one × 4", "Kafka"))


def test_a_line_that_no_drawing_shows_is_an_error() -> None:
    with pytest.raises(ValueError, match="not understood"):
        drawings.read("flowchart LR\n a --> b ==> c\n")
