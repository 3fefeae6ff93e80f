"""`python -m srcgrad`: the `srcgrad` command."""

from .cli import main

raise SystemExit(main())
