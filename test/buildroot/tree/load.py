"""Loads a defconfig and writes the whole configuration, as Kconfig's conf does: what it does not know is dropped."""
import os
import sys

import kconfiglib

here = os.path.dirname(os.path.abspath(__file__))
kconf = kconfiglib.Kconfig(os.path.join(here, "Config.in"), warn=False)
kconf.load_config(sys.argv[1])
kconf.write_config(sys.argv[2], save_old=False)
