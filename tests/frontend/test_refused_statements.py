"""Statements that are refused by name, with a way out."""

import numpy as np
import pytest

from srcgrad import CompileError, grad

pytestmark = pytest.mark.quick

X = np.array([0.5, -1.5, 2.0])
STATEMENTS = {
    "try": "try:\n        y = x[0]\n    except IndexError:\n        y = 0.0",
    "with": "with open('f') as x:\n        y = x[0]",
    "class": "class Inner:\n        pass",
    "async def": "async def inner():\n        pass",
    "global": "global later\n    later = x",
}


@pytest.mark.parametrize(("word", "text"), STATEMENTS.items(), ids=STATEMENTS)
def test_statements(word, text, tmp_path, load_text):
    loss = load_text(f"import numpy as np\n\n\ndef loss(x):\n    {text}\n    return np.sum(x)\n").loss
    with pytest.raises(CompileError) as caught:
        grad(loss)(X)
    (fault,) = caught.value.faults
    assert f"`{word}`" in fault.message
    assert fault.way_out
    assert fault.origin.file.endswith("module_under_test.py")
