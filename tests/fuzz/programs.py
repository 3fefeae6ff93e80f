"""Heavy runs: `python tests/fuzz/programs.py --count 20000 --seed 7` prints what was right, refused and wrong.

Each wrong program is shrunk and written to --out, ready to become a test in test_regressions.py.
"""

from __future__ import annotations

import argparse
import collections
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from fuzz_calls import Calls
from fuzz_choice import seeded
from fuzz_control import Control
from fuzz_judge import Verdict, first_order, judge
from fuzz_orders import compare_orders
from fuzz_program import program
from fuzz_shrink import shrink
from fuzz_statements import Statements

Check = Callable[[Any], None]


def main() -> int:
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="fuzz_"))
    options.out.mkdir(parents=True, exist_ok=True)
    kinds: collections.Counter[str] = collections.Counter()
    reasons: collections.Counter[tuple[str, str]] = collections.Counter()
    kind = Calls if options.calls else Control if options.control else Statements
    check = compare_orders if options.orders else first_order
    start = time.perf_counter()
    for number in range(options.first, options.first + options.count):
        text = program(seeded((options.seed, number).__repr__()), options.statements, kind).text
        name = f"p{options.seed}_{number}"
        verdict = timed(text, folder, name, check)
        kinds[verdict.kind] += 1
        if verdict.kind != "right":
            reasons[verdict.kind, verdict.what] += 1
        if verdict.kind == "wrong":
            _report(options, folder, name, text, verdict, check, reasons[verdict.kind, verdict.what])
        if sys.stderr.isatty() or number % 200 == 199:
            print(f"\r{number + 1 - options.first} {dict(kinds)}", end="", file=sys.stderr, flush=True)
    seconds = time.perf_counter() - start
    print(f"\n{sum(kinds.values())} programs in {seconds:.0f} s: {dict(kinds)}")
    for (kind, what), count in reasons.most_common():
        print(f"{count:6d}  {kind}: {what}")
    return 1 if kinds["wrong"] else 0


def timed(text: str, folder: Path, name: str, check: Check, seconds: int = 20) -> Verdict:
    """The verdict, or that there was none in so many seconds of this process's own time."""

    def ring(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return judge(text, folder, name, check)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _report(
    options: argparse.Namespace, folder: Path, name: str, text: str, verdict: Verdict, check: Check, seen: int
) -> None:
    """The first few of each kind, shrunk."""
    print(f"\n{name} {verdict.kind}: {verdict.what}", flush=True)
    if seen > options.each:
        return

    def still(candidate: str) -> bool:
        return _same(timed(candidate, folder, "shrinking", check), verdict)

    small = text if options.no_shrink else shrink(text, still)
    final = timed(small, folder, "shrinking", check)
    notes = "\n".join(f"# {line}" for line in [f"{verdict.kind}: {verdict.what}", *final.detail.split("\n")])
    (options.out / f"{name}.py").write_text(f"{small}\n{notes}\n")


def _same(a: Verdict, b: Verdict) -> bool:
    return (a.kind, a.what) == (b.kind, b.what)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--statements", type=int, default=8, help="most statements of a program's outer block")
    parser.add_argument("--each", type=int, default=3, help="how many programs of one fault are shrunk")
    parser.add_argument("--calls", action="store_true", help="many calls, recursion, closures that rebind, containers")
    parser.add_argument("--control", action="store_true", help="many jumps, and variables perhaps not assigned")
    parser.add_argument("--orders", action="store_true", help="forward mode and second derivatives, against each other")
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "srcgrad_fuzz")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
