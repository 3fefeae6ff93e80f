"""`python -m tests`: style, types, then every test, with the code on the pages and the examples among them.

Arguments go to pytest: `python -m tests -m quick`.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHECKS = (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"])


def run(*command: str) -> int:
    """The command's exit status; what it prints goes straight through."""
    print("$", "python -m", *command, flush=True)
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False).returncode


def main(arguments: list[str]) -> int:
    """All checks run, also after one has failed; pytest runs last, so that its summary closes the output."""
    failed = [" ".join(check) for check in CHECKS if run(*check)]
    if failed:
        print(f"failed: {', '.join(failed)}; the tests follow", flush=True)
    status = run("pytest", "-q", "-n", "2", *arguments)
    return status or int(bool(failed))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
