"""The gallery shows what is generated now, and each generated gradient is what the hand wrote."""

import gallery
import pytest


@pytest.fixture(scope="module")
def entries():
    return gallery.entries()


def test_generated_and_hand_written_gradients_agree(entries):
    for entry in entries:
        assert entry.difference < 1e-12, entry.title


def test_the_page_is_of_now(entries):
    now = gallery.page(entries)
    assert gallery.same(gallery.PAGE.read_text(), now), f"run python docs/gallery.py, and read the difference:\n{now}"
