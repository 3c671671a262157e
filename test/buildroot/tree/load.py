"""Loads a defconfig and writes the whole configuration, as Kconfig's conf does: what it does not know is dropped, and what
is selected without what it depends on is warned of."""
import os
import sys

import kconfiglib

here = os.path.dirname(os.path.abspath(__file__))
kconf = kconfiglib.Kconfig(os.path.join(here, "Config.in"), warn_to_stderr=False)
kconf.load_config(sys.argv[1])
kconf.write_config(sys.argv[2], save_old=False)
for warning in kconf.warnings:
    if "has direct dependencies" in warning:
        print(f"WARNING: unmet direct dependencies detected\n{warning}", file=sys.stderr)
