"""Reads Kconfig files, and a defconfig where one is given, and prints what there is as JSON (kconfiglib, of Debian)."""
import json
import os
import sys

import kconfiglib

top, *defconfigs = sys.argv[1:]
kconf = kconfiglib.Kconfig(top, warn_to_stderr=False)
problems = list(kconf.warnings)


def names(expr):
    return sorted({item.name for item in kconfiglib.expr_items(expr) if item.name and item.name not in "ymn"})


symbols = {}
for symbol in kconf.unique_defined_syms:
    symbols[symbol.name] = {
        "type": kconfiglib.TYPE_TO_STR[symbol.orig_type],
        "depends": kconfiglib.expr_str(symbol.direct_dep),
        "names": names(symbol.direct_dep),
        "selects": [[target.name, kconfiglib.expr_str(cond)] for target, cond in symbol.orig_selects],
        "file": os.path.abspath(symbol.nodes[0].filename),
    }

loaded = {}
for file in defconfigs:
    kconf.load_config(file, replace=True)
    problems += [warning for warning in kconf.warnings if warning not in problems]
    # As Kconfig's own conf: what is selected without what it depends on is a mistake of the one that selects.
    unmet = [
        [symbol.name, target.name, kconfiglib.expr_str(target.direct_dep)]
        for symbol in kconf.unique_defined_syms
        if symbol.tri_value
        for target, cond in symbol.selects
        if kconfiglib.expr_value(cond) and not kconfiglib.expr_value(target.direct_dep)
    ]
    loaded[file] = {"config": kconf._config_contents(""), "unmet": unmet}

print(json.dumps({"symbols": symbols, "loaded": loaded, "problems": problems}))
