"""Lists the node classes of a ComfyUI that may be merged, for src/graph/optimise/idempotent-classes.ts.

Run it with ComfyUI's own interpreter, in its folder: python /path/to/comfyui-classes.py
"""
import asyncio
import os
import sys

sys.argv = ["main.py", "--cpu"]
sys.path.insert(0, os.getcwd())

import comfy.options  # noqa: E402

comfy.options.enable_args_parsing()

import nodes  # noqa: E402

asyncio.run(nodes.init_extra_nodes(init_custom_nodes=False, init_api_nodes=False))

for name, node in sorted(nodes.NODE_CLASS_MAPPINGS.items()):
    hidden = [str(value) for value in node.INPUT_TYPES().get("hidden", {}).values()]
    changes = hasattr(node, "IS_CHANGED") or "fingerprint_inputs" in vars(node)
    if getattr(node, "OUTPUT_NODE", False) or getattr(node, "NOT_IDEMPOTENT", False) or hidden:
        continue
    checks = hasattr(node, "VALIDATE_INPUTS") or "validate_inputs" in vars(node)
    print(name, "IS_CHANGED" if changes else "", "VALIDATE_INPUTS" if checks else "", sep="\t")
