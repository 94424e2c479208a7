"""Draw the log of a training run as a picture: AbsRel of every validation source over the pictures seen.

python examples/train_tiny/curve.py WORK/run2/log.csv curve.svg
"""

import csv
import sys
from pathlib import Path

WIDTH, HEIGHT, MARGIN = 640, 360, 48
COLORS = ("#1b6ca8", "#c8553d", "#4a7c59", "#8e6c8a")


def svg(rows: list[dict[str, str]]) -> str:
    """The curves of all columns that end in "absrel"; both axes start at 0."""
    names = [name for name in rows[0] if name.endswith("absrel")]
    right = max(float(row["pictures"]) for row in rows) or 1.0
    top = 1.05 * max(float(row[name]) for row in rows for name in names)

    def place(x: float, y: float) -> str:
        return (
            f"{MARGIN + (WIDTH - 2 * MARGIN) * x / right:.1f},{HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * y / top:.1f}"
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<polyline points="{place(0, top)} {place(0, 0)} {place(right, 0)}" fill="none" stroke="#444"/>',
        f'<text x="{WIDTH // 2}" y="{HEIGHT - 12}" text-anchor="middle">training pictures (0 to {right:.0f})</text>',
    ]
    for step in range(1, int(top / 0.05) + 1):
        x, y = place(0, 0.05 * step).split(",")
        parts.append(f'<text x="{float(x) - 6}" y="{float(y) + 4}" text-anchor="end">{0.05 * step:.2f}</text>')
    for index, name in enumerate(names):
        color = COLORS[index % len(COLORS)]
        points = " ".join(place(float(row["pictures"]), float(row[name])) for row in rows)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
        title = name.removesuffix(" absrel").replace("_", " ")
        label = f'<text x="{WIDTH - MARGIN}" y="{24 + 16 * index}" fill="{color}" text-anchor="end">'
        parts.append(f"{label}{title}: AbsRel</text>")
    return "\n".join([*parts, "</svg>"]) + "\n"


def main(log: Path, output: Path) -> None:
    """Write the picture."""
    with log.open(newline="") as stream:
        output.write_text(svg(list(csv.DictReader(stream))), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
