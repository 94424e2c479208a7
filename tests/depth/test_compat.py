"""timm comes in whatever torchvision is installed."""

from __future__ import annotations

import subprocess
import sys


def test_timm_and_torchvision_import_in_a_fresh_process() -> None:
    program = (
        "from depth3d.depth._compat import import_timm; timm = import_timm(); import_timm();"
        "import torchvision.transforms; print('lite3' in timm.list_models('tf_efficientnet_lite3')[0])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "True"
