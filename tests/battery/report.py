"""`python tests/battery/report.py`: the verdict on every case, and the counts of each file."""

import sys
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from cases import verdict
from test_battery import FILES


def main() -> None:
    total: Counter[str] = Counter()
    for file in FILES:
        counts: Counter[str] = Counter()
        for case in file.case:
            got, said = verdict(case)
            counts[got] += 1
            expected = "right" if case.refused is None else "refused"
            if got != expected:
                first = next((line for line in said.splitlines() if line.strip()), "")
                print(f"{file.__name__}.{case.name}: {got}, not {expected}: {first[:150]}")
        print(f"{file.__name__}: {dict(counts)}")
        total += counts
    print(f"all: {dict(total)}, {sum(total.values())} cases")


if __name__ == "__main__":
    main()
