"""`staffeln --help` beside importing click alone."""

import sys

from tests.bench.measure import middle, run, say, title

RUNS = 7


def main() -> None:
    title("staffeln --help beside `python -c 'import click'` (spec 8: 3 times)")
    ours, bare = [], []
    for _ in range(RUNS):
        ours.append(run([sys.executable, "-m", "staffeln_cli", "--help"], {}))
        bare.append(run([sys.executable, "-c", "import click"], {}))
    wall, cpu = (
        middle(ours, figure) / middle(bare, figure)
        for figure in (lambda one: one.wall, lambda one: one.cpu)
    )
    say("ratio of wall and CPU time", f"{wall:.2f}", f"{cpu:.2f}")
