"""Lists whose recordings the models have heard: python attribution.py CORPUS > ATTRIBUTION.md."""

import sys

from bank import read_manifest

INTRODUCTION = """# Recordings that the models were trained on

Made by `models/training/attribution.py` from the corpus's manifest (training split). Models trained
with `--free-only` use no recording under a GPL, GFDL or BY-SA licence.
"""


def main(corpus):
    print(INTRODUCTION)
    rows = [row for row in read_manifest(corpus) if (row["split"] or "train") == "train"]
    for kind in ("speech", "noise", "rir"):
        print(f"## {kind}\n")
        lines = {
            f"- {row['source_repo']}: {row['attribution'] or 'own work'} ({row['licence']})"
            for row in rows
            if row["kind"] == kind
        }
        print("\n".join(sorted(lines)), end="\n\n")


if __name__ == "__main__":
    main(sys.argv[1])
