"""manifest.py - reads the manifests of contrib/kubernetes, and checks them against the interfaces
that Kubernetes has, as the npm package kubernetes-models tells them.

The part of YAML that they are written in: maps, lists, plain and double-quoted words, [a, b], {}.
"""
import os
import re

INTERFACE = re.compile(r"export interface \w+[^{]*\{\n(.*?)\n\}", re.S)
PROPERTY = re.compile(r'^    "([^"]+)"\??: (.*)$', re.M)
IMPORT = re.compile(r'import \{ ([^}]*) \} from "([^"]+)"')


def scalar(text):
    if text.startswith('"'):
        return text[1:-1]
    if text.startswith("["):
        return [scalar(word.strip()) for word in text[1:-1].split(",") if word.strip()]
    if text == "{}":
        return {}
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"-?\d+", text) else text


class Reader:
    """One document: its lines as (indent, text), and where it is."""

    def __init__(self, text):
        self.lines, self.at = [], 0
        for line in text.splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                self.lines.append((len(line) - len(line.lstrip()), line.strip()))

    def here(self):
        return self.lines[self.at] if self.at < len(self.lines) else (-1, "")

    def value(self, above):
        """What is indented more than above, or a list at the same place."""
        indent, text = self.here()
        if text.startswith("- ") and indent >= above:
            return self.list(indent)
        assert indent > above, f"a value is missing before {text!r}"
        return self.map(indent)

    def list(self, indent):
        items = []
        while self.here()[0] == indent and self.here()[1].startswith("- "):
            rest = self.here()[1][2:]
            if re.match(r"[\w./-]+:( |$)", rest):
                self.lines[self.at] = (indent + 2, rest)
                items.append(self.map(indent + 2))
            else:
                items.append(scalar(rest))
                self.at += 1
        return items

    def map(self, indent):
        found = {}
        while self.here()[0] == indent and not self.here()[1].startswith("- "):
            key, colon, rest = self.here()[1].partition(":")
            assert colon and key not in found, f"{self.here()[1]!r} is no entry, or there twice"
            self.at += 1
            found[key] = scalar(rest.strip()) if rest else self.value(indent)
        return found


def read(text):
    """The documents of a file."""
    documents = []
    for part in re.split(r"^---$", text, flags=re.M):
        reader = Reader(part)
        documents.append(reader.map(0))
        assert reader.at == len(reader.lines), f"not understood: {reader.here()[1]!r}"
    return documents


def interface(path):
    """The properties of a type: {name: the file of its own type, None for texts, numbers, maps}."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    files = {}
    for names, place in IMPORT.findall(text):
        if place.startswith("."):
            place = os.path.join(os.path.dirname(path), re.sub(r"\.js$", "", place))
        else:
            place = os.path.join(path[:path.index("node_modules")], "node_modules", place)
        files.update({name.strip(): os.path.normpath(place) + ".d.ts" for name in names.split(",")})
    return {name: next((files[word] for word in re.findall(r"\w+", kind) if word in files), None)
            for name, kind in PROPERTY.findall(INTERFACE.search(text).group(1))}


def unknown_names(document, models):
    """What a document has at a place where Kubernetes knows no such name; models: where the package
    is."""
    start = os.path.join(models, *document["apiVersion"].split("/"), document["kind"] + ".d.ts")
    found, left = [], [(document, start, document["kind"])]
    while left:
        value, path, place = left.pop()
        if isinstance(value, list):
            left += [(item, path, place) for item in value]
        elif isinstance(value, dict) and path and os.path.exists(path):
            known = interface(path)
            found += [f"{place}.{name}" for name in value if name not in known]
            left += [(value[name], known.get(name), f"{place}.{name}") for name in value]
    return found
