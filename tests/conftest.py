"""What all test folders share: the referees and the specimens are importable from each of them."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session", autouse=True)
def own_cache_and_checked_stages(tmp_path_factory):
    """No test touches the user's cache; `verify` runs between all stages."""
    from srcgrad.dispatch import DISK

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SRCGRAD_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("SRCGRAD_CHECK", "1")
        vars(DISK).pop("folder", None)  # the folder is settled at first use
        yield
        vars(DISK).pop("folder", None)
