import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest

from staffeln_cli.errors import ConfigError
from staffeln_cli.model import BackupRecord, InventoryVolume, State
from staffeln_cli.reports.pages.html import Pages
from staffeln_cli.reports.pages.layout import ROWS, Page, Row, lasting, listed, noted, writing
from staffeln_cli.reports.pages.project import project_page
from staffeln_cli.reports.quota_forecast import Gauge, QuotaForecast
from tests.build import NOW, ago
from tests.unit.reports.builders import a_failure, a_protected_volume, a_report, a_success

WHEN = writing(None)


def in_letters(number: int) -> str:
    """Figures would not tell one reason from another."""
    return chr(ord("a") + number // 26) + chr(ord("a") + number % 26)


def everything(number: int, reasons: int = 2) -> list[InventoryVolume | BackupRecord]:
    """Volumes that failed, went well, were left out, lost, removed and pinned."""
    things: list[InventoryVolume | BackupRecord] = []
    for index in range(number):
        things += [
            a_protected_volume(f"bad{index}", last_success_at=ago(days=9), failures=1),
            a_failure(f"bad{index}", f"reason {in_letters(index % reasons)}"),
            a_protected_volume(f"good{index}", bad_retention="'x'"),
            a_success(f"good{index}", pinned=True, pin_note=f"note {index}"),
            a_success(f"lost{index}", state=State.MISSING, deleted_at=NOW),
            a_success(f"old{index}", state=State.DELETED, deleted_at=NOW),
            a_protected_volume(f"left{index}", protected=False, skip_reason="not marked"),
        ]
    return things


@pytest.mark.parametrize(("number", "reasons"), [(0, 1), (1, 1), (300, 2), (300, 300)])
def test_html_and_plain_text_say_the_same(number: int, reasons: int) -> None:
    page = project_page(a_report(*everything(number, reasons)), WHEN)
    html = " ".join(unescape(Pages().html(page)).split())
    text = " ".join(Pages().text(page).split())
    said = [page.headline, page.name, page.period, page.footer, *_words(page)]
    assert [words for words in said if words not in html] == []
    assert [words for words in said if words not in text] == []
    assert len(html) < 100_000


def _words(page: Page) -> list[str]:
    words = []
    for section in page.sections:
        words += [section.title, section.figure, section.note]
        for block in section.blocks:
            words += [block.heading, block.more]
            for row in block.rows:
                words += [row.name, row.below, row.right, row.right_below, row.note]
    return words


def test_a_bar_says_in_both_how_full_it_is() -> None:
    forecast = QuotaForecast(Gauge(1000, 812, timedelta(days=12)), Gauge(-1, 3))
    page = project_page(replace(a_report(a_protected_volume()), quota_forecast=forecast), WHEN)
    for shown in (Pages().html(page), Pages().text(page)):
        assert "812 of 1,000 GiB, 81 %" in shown
        assert "Full in 12 days at the present rate." in shown
        assert "3, no limit" in shown


def test_many_backups_are_counted_by_server_few_are_named() -> None:
    for number, name in ((12, "backup of v11"), (13, "13 volumes")):
        page = project_page(a_report(*(a_success(f"v{one}") for one in range(number))), WHEN)
        assert name in Pages().text(page)


def test_what_does_not_fit_into_the_rows_is_named_up_to_a_point() -> None:
    block = listed([Row(f"v{number}", "web") for number in range(ROWS + 302)])
    assert len(block.rows) == ROWS
    assert block.more.startswith(f"also web: v{ROWS}, v{ROWS + 1}, ")
    assert block.more.endswith("; and 2 more")


def test_those_that_are_only_named_are_named_by_where_they_are() -> None:
    rows = [Row("shown")] * ROWS + [Row("a", "web"), Row("b", "web"), Row("c"), Row("d", "db")]
    assert listed(rows).more == "also web: a, b; c; db: d"


@pytest.mark.parametrize(("days", "told"), [(0, "less than a day"), (1, "1 day")])
def test_a_quota_that_is_full_tomorrow_says_so(days: int, told: str) -> None:
    forecast = QuotaForecast(Gauge(1000, 999, timedelta(days=days)), Gauge(-1, 3))
    page = project_page(replace(a_report(a_protected_volume()), quota_forecast=forecast), WHEN)
    assert f"Full in {told} at the present rate." in Pages().text(page)


def test_a_long_remark_gets_a_line_of_its_own() -> None:
    assert noted(Row("v"), "short") == Row("v", right_below="short")
    assert noted(Row("v"), "x" * 80) == Row("v", note="x" * 80)


def test_moments_are_written_with_their_distance_from_utc() -> None:
    moment = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert writing(None)(moment) == "2026-07-01 22:30 UTC"
    assert writing("utc")(moment) == "2026-07-01 22:30 UTC"
    assert writing("Europe/Berlin")(moment) == "2026-07-02 00:30+02:00"
    assert writing(None)(None) == ""


@pytest.mark.parametrize("name", ["Europe/Nowhere", "", "/etc/passwd", "../x", "\0"])
def test_a_time_zone_that_is_none_is_a_mistake_of_the_configuration(name: str) -> None:
    with pytest.raises(ConfigError, match=r"report\.timezone"):
        writing(name)


def test_a_length_of_time_is_written_in_its_two_largest_units() -> None:
    lengths = [0, 59, 60, 3599, 3600, 90_000]
    shown = [lasting(ago(seconds=one), NOW) for one in lengths]
    assert shown == ["0 s", "59 s", "1 min", "59 min 59 s", "1 h", "25 h"]
    assert lasting(None, NOW) == ""


def test_a_folder_of_templates_that_is_none_is_a_mistake_of_the_configuration(
    tmp_path: Path,
) -> None:
    with pytest.raises(ConfigError, match="is not a folder"):
        Pages(tmp_path / "nowhere")
    (tmp_path / "page.txt.j2").write_text("{% if %}")
    with pytest.raises(ConfigError, match=r"page\.txt\.j2, line 1"):
        Pages(tmp_path).text(project_page(a_report(), WHEN))


def test_no_control_of_a_name_gets_into_a_mail() -> None:
    page = replace(project_page(a_report(), WHEN), name="shop\x1b[2J\u202e\x9b<b>")
    for shown in (Pages().html(page), Pages().text(page)):
        assert not {"\x1b", "\u202e", "\x9b"} & set(shown)
        assert "shop\\u001b[2J" in shown


@pytest.mark.parametrize(
    "template",
    ["{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ page.tiles.append(1) }}"],
)
def test_a_template_can_do_nothing_but_show(tmp_path: Path, template: str) -> None:
    (tmp_path / "page.txt.j2").write_text(template)
    with pytest.raises(ConfigError, match=r"report\.templates: page\.txt\.j2: "):
        Pages(tmp_path).text(replace(project_page(a_report(), WHEN), tiles=[]))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("whose", [".", "page.txt.j2"])
def test_a_template_that_a_stranger_could_change_is_refused(tmp_path: Path, whose: str) -> None:
    (tmp_path / "page.txt.j2").write_text("all is well")
    assert Pages(tmp_path).text(project_page(a_report(), WHEN)) == "all is well"
    os.chown(tmp_path / whose, os.geteuid() + 4711, -1)
    with pytest.raises(ConfigError, match="belongs to the user with the number"):
        Pages(tmp_path).text(project_page(a_report(), WHEN))
