"""Hands Callsheet's tools to CrewAI and calls one, without a language model.

    python3 -m venv crew && crew/bin/pip install 'crewai-tools[mcp]'
    crew/bin/python examples/agents/with_crewai.py

Give the tools to an agent with Agent(..., tools=list(tools)). Ends with code 0 only if the picture that the run made is there.
"""

import ast
import os
import re
import sys
from pathlib import Path

from crewai_tools import MCPServerAdapter
from mcp import StdioServerParameters

ROOT = Path(__file__).resolve().parents[2]
PICTURE_SIZE = (720, 560)

# MCP gives a program little of the environment; Callsheet wants to know where its data lies.
environment = {name: value for name, value in os.environ.items() if name.startswith(("CALLSHEET_", "XDG_")) or name in ("HOME", "PATH")}
server = StdioServerParameters(
    command=os.environ.get("CALLSHEET", str(ROOT / "bin" / "callsheet")),
    args=["mcp", "--root", str(ROOT / "templates")],
    env=environment,
)


def png_size(path: Path) -> tuple[int, int]:
    head = path.read_bytes()[:24]
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


with MCPServerAdapter(server, connect_timeout=60) as tools:
    for tool in tools:
        print(f"{tool.name}: {tool.description.split('Tool Description: ')[-1]}")
    photo = ROOT / "templates" / "image" / "pixel-postcard" / "example.png"
    postcard = next(tool for tool in tools if tool.name.replace("_", "-") == "run-pixel-postcard")
    answer = postcard.run(photo=str(photo))

# An answer of several parts comes as the text of a Python list.
text = "\n".join(ast.literal_eval(answer)) if answer.startswith("[") else answer
print(text)
path = re.search(r"^\s+(/.+?\.png)  ", text, re.MULTILINE)
if path is None or png_size(Path(path.group(1))) != PICTURE_SIZE:
    sys.exit("the run gave no picture of the size that was asked for")
print("crewai: ok")
