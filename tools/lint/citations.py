"""citations.py - a rule of a BIP is cited with its section: BIP-341, Signature validation rules."""
import os
import re

from source import TOKEN, line_at

TEXTS = os.path.join("..", "shared", "vectors", "bips", "text")
NAMED = re.compile(r"\bBIP-?(\d+)\b")
# Words that must be a section. In lists, like BIP-34, BIP-66, there is none.
MEANT = re.compile(r"BIP-\d+,\s+(?!BIP)([A-Z0-9][^\n]*)")


def headings(name, text):
    """The headings of a BIP's text, in mediawiki or markdown, their markup taken off."""
    pattern = r"#+\s+(.*)" if name.endswith(".md") else r"=+\s*(.*?)\s*=+\s*$"
    found = [re.match(pattern, line) for line in text.split("\n")]
    return {plain(match.group(1)) for match in found if match}


def plain(words):
    words = re.sub(r"<ref.*|<[^>]*>|\[\[[^|\]]*\||\]\]|'''?|`|\*\*", "", words)
    return re.sub(r"\s+", " ", words).strip()


def read_headings(tree):
    """{number: headings} of the texts, the folder being beside the tree; None without it."""
    folder = os.path.join(tree.root, TEXTS)
    if not os.path.isdir(folder):
        return None
    found = {}
    for name in sorted(os.listdir(folder)):
        match = re.match(r"bip-(\d+)\.", name)
        if match:
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                found[int(match.group(1))] = headings(name, f.read())
    return found


def comments(tree, path):
    """(first line, text) of each comment, its lines' decoration taken off; of a .def, where the
    rules stand in literals, the literals too."""
    text = tree.text(path)
    for match in TOKEN.finditer(text):
        words = match.group(0)
        if words[0] == "/" or path.endswith(".def"):
            yield line_at(text, match.start()), re.sub(r"\n[ \t]*\*?[ \t]*", "\n", words)


def cited(tree):
    """(path, line, number, words) of each BIP named in a comment; words: what follows after a
    comma and may be a section, or None."""
    for path in tree.select("src/", ends=(".c", ".h", ".inc", ".def")):
        for first, text in comments(tree, path):
            for match in NAMED.finditer(text):
                meant = MEANT.match(text, match.start())
                # The section may go on in the next line.
                words = text[meant.start(1):].replace("\n", " ") if meant else None
                yield (path, first + text.count("\n", 0, match.start()), int(match.group(1)), words)


def section_of(words, known):
    """The longest heading that the words begin with."""
    fitting = [h for h in known if re.match(re.escape(h) + r"(?!\w)", words)]
    return max(fitting, key=len, default=None)


def count(tree):
    """Citations with a section that exists (that is written, without the texts), and without."""
    known = read_headings(tree)
    sound = bare = 0
    for _, _, number, words in cited(tree):
        if words and (known is None or section_of(words, known.get(number, ()))):
            sound += 1
        else:
            bare += 1
    return sound, bare


def lint_citations(tree):
    """A section that is cited is a heading of that BIP's text."""
    known = read_headings(tree)
    if known is None:
        print(f"citations: skipped, there is no folder {TEXTS}")
        return
    for path, line, number, words in cited(tree):
        if words is None:
            continue
        if number not in known:
            yield (path, line, f"cites a section of BIP-{number}, whose text is not there",
                   "name the BIP alone, or add its text")
        elif not section_of(words, known[number]):
            yield (path, line, f'BIP-{number} has no section "{words[:40].strip()}"',
                   "cite one of: " + ", ".join(sorted(known[number])))
