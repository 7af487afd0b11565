"""A program that is called as Apertium is, and knows some words of its lexicon.

In: an empty folder. Out: the program's path. Like the real one it takes unknown words as they are,
and puts an adjective behind its noun.
"""

import sys
from pathlib import Path

_PROGRAM = """#!{python}
import sys, time
pairs = {{"eng-spa": {{"large": "grande", "soft": "suave", "white": "blanco", "new": "nuevo",
          "cheap": "barato", "with": "con", "red": "rojo", "for": "para", "and": "y"}}}}
pairs["spa-eng"] = {{"grande": "big", "suave": "smooth", "blanco": "white", "nuevo": "fresh",
                    "barato": "inexpensive", "con": "having", "rojo": "red", "para": "to",
                    "y": "and"}}
unmarked, pair = sys.argv[1:]
assert unmarked == "-u"
if pair not in pairs:
    sys.exit("Error: Mode " + pair + " does not exist. Try one of:")
for line in sys.stdin.buffer.read().decode().split("\\n")[:-1]:
    assert line.endswith(" ."), line
    if line.startswith("sleep"):
        time.sleep(9)
    if line.startswith("fail"):
        sys.exit(3)
    end = "\\n\\n" if line.startswith("tear") else "\\n"
    words = [pairs[pair].get(word.lower(), word) for word in line.split(" ")]
    sys.stdout.buffer.write((" ".join(words) + end).encode())
"""


def small_apertium(folder: Path) -> Path:
    """Write the program; ``sleep``, ``fail`` and ``tear`` at a line's head make it do so."""
    path = folder / "apertium"
    path.write_text(_PROGRAM.format(python=sys.executable), encoding="utf-8")
    path.chmod(0o755)
    return path
