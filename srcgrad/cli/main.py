"""Commands and their options.

Exit status: 0 done, 1 the answer is no (cannot be compiled, does not agree, not up to date), 2 bad input, 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from ..errors import SrcgradError
from . import commands, measure, pages
from .errors import CommandError, Failed
from .terminal import COLORS

_EXAMPLES = """examples:
  srcgrad show model.py:loss --args "f8[n, d], f8[d]"     the gradient, as source
  srcgrad show model.py:loss --hvp --side-by-side         second derivatives, beside the function
  srcgrad check package.model:loss --args "f8[3], float"  against finite differences
  srcgrad export model.py:loss -o loss_grad.py            a module that needs NumPy alone

--args takes types and values: f8[n, d], float, 2.5, [f8[n], f8[n]], or Python in the module's own names. It may be left
out where defaults and annotations tell. Exit status: 0 done, 1 the answer is no, 2 bad input.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
        return status
    except CommandError as error:
        print(f"srcgrad: {error}", file=sys.stderr)
        return 2
    except (Failed, SrcgradError) as error:
        print(f"srcgrad: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    from .. import __version__

    parser = argparse.ArgumentParser(
        prog="srcgrad", description="The gradient of a NumPy function, as source.", epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"srcgrad {__version__}")
    add = parser.add_subparsers(title="commands", required=True, metavar="COMMAND").add_parser

    show = add("show", help="print a function's gradient, or another derivative")
    _target(show)
    _mode(show)
    show.add_argument("--annotate", action="store_true", help="say which lines each generated line differentiates")
    show.add_argument("--side-by-side", action="store_true", help="beside the function's own source")
    show.add_argument("--stage", metavar="NAME", help="the compiler's IR after a stage instead: lower, reverse, ...")
    show.add_argument("--color", choices=COLORS, default="auto", help="default: on a terminal, with srcgrad[cli]")
    show.add_argument("--plain", action="store_true", help="no colours, no pager")
    show.set_defaults(run=commands.show)

    explain = add("explain", help="say what a gradient stores, computes again, and finds zero")
    _target(explain)
    _mode(explain)
    explain.set_defaults(run=commands.explain)

    check = add("check", help="compare the derivatives with finite differences, and name a wrong statement")
    _target(check)
    check.add_argument("--seed", type=int, default=0, metavar="N", help="of the random arguments (default: 0)")
    check.add_argument("--order", type=int, choices=(1, 2, 3), default=2, help="up to which derivative (default: 2)")
    check.add_argument("--modes", choices=("fwd", "rev", "both"), default="both", help="default: both")
    check.set_defaults(run=measure.check)

    bench = add("bench", help="time the gradient against the function, and against peers that can run it")
    _target(bench)
    bench.add_argument("--seed", type=int, default=0, metavar="N", help="of the random arguments (default: 0)")
    bench.add_argument("--seconds", type=float, default=1.0, metavar="S", help="to spend in all (default: 1)")
    bench.set_defaults(run=measure.bench)

    export = add("export", help="write a module with the gradient that needs NumPy alone")
    _target(export)
    export.add_argument("-o", "--output", metavar="FILE", help="where to write it (default: print it)")
    export.add_argument("--check", action="store_true", help="write nothing; exit with 1 if FILE is not up to date")
    export.set_defaults(run=commands.export)

    report = add("report", help="write a page: the function and its gradient side by side, explained and drawn")
    _target(report)
    report.add_argument("-o", "--output", metavar="FILE", default="report.html", help="default: %(default)s")
    report.add_argument("--measure", action="store_true", help="run it, and show times and shapes beside the lines")
    report.set_defaults(run=pages.report)

    explore = add("explore", help="follow a file in the browser: its functions, and the gradient beside each")
    explore.add_argument("file", metavar="FILE[:FUNCTION]", help="as in loss.py or loss.py:loss")
    explore.add_argument("--wrt", metavar="NAMES", default="", help="what to differentiate at first")
    explore.add_argument("--args", metavar="TYPES", default="", help="example arguments at first")
    explore.add_argument("--port", type=int, default=0, help="on 127.0.0.1 (default: any that is free)")
    explore.add_argument("--open", action="store_true", help="open the browser")
    explore.set_defaults(run=pages.explore)

    cache = add("cache", help="the folder of compiled gradients")
    cache.add_argument("action", choices=("path", "list", "show", "clear"))
    cache.add_argument("key", nargs="?", help="for show: an entry, or how its key starts")
    cache.set_defaults(run=commands.cache)
    return parser


def _mode(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--mode", choices=commands.MODES, default="grad", help="which derivative (default: %(default)s)")
    for mode, text in (("jvp", "directional derivative"), ("hvp", "Hessian-vector product")):
        group.add_argument(
            f"--{mode}", dest="mode", action="store_const", const=mode, help=f"the {text}: --mode {mode}"
        )


def _target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target", metavar="MODULE_OR_FILE:FUNCTION", help="as in package.module:loss, loss.py:loss, loss.py:Net.energy"
    )
    parser.add_argument("--wrt", metavar="NAMES", help="what to differentiate, comma-separated (default: the first)")
    parser.add_argument("--args", metavar="TYPES", help='like which it is called, as in "f8[n, d], f8[d], steps=10"')
