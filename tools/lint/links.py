"""links.py - which module needs which, from the symbols of the built objects: exact, macros and
tables of functions included. A module is a .c file with its headers."""
import os
import re
import subprocess
from collections import Counter

from source import components, folder_of, includes, layer_of, prototypes

OBJECT = re.compile(r"(src/[a-z0-9_]+/(?:[^/]+/)?[^/]+\.c)\.o$")


class Links:
    """What each object of src defines and needs."""

    def __init__(self, tree):
        self.tree = tree
        known = set(tree.paths)
        objects = {}
        for folder, _, files in os.walk(tree.objects):
            for name in files:
                full = os.path.join(folder, name)
                match = OBJECT.search(full)
                # Objects of files that are gone stay in a build folder.
                if match and match.group(1) in known:
                    objects[full] = match.group(1)
        self.defines, self.needs = {}, {}  # name: source; source: set of names
        if objects:
            self._read(objects)

    def _read(self, objects):
        out = subprocess.run(["nm", "-A", "-g", *sorted(objects)], capture_output=True, check=True,
                             text=True).stdout
        for line in out.splitlines():
            full, _, rest = line.partition(".o:")
            source = objects[full + ".o"]
            kind, name = rest.split()[-2:]
            if kind == "U":
                self.needs.setdefault(source, set()).add(name)
            elif source.split("/")[1] != "programs":
                self.defines[name] = source

    def edges(self):
        """{module: modules it needs}: it uses a symbol that the other defines, or includes a
        header that is internal to the other. What is internal to a whole layer, like
        p2p/p2p_internal.h, makes nobody need p2p.c: how far a struct is open is counted apart."""
        modules = {p for p in self.tree.select("src/", ends=(".c",)) if layer_of(p)}
        edges = {m: set() for m in modules}
        for source, names in self.needs.items():
            edges[source] |= {self.defines[n] for n in names if n in self.defines}
        for path in modules:
            for header, _ in includes(self.tree, path):
                whole = f"/{layer_of(header)}_internal.h"
                if header.endswith("_internal.h") and not header.endswith(whole):
                    edges[path].add(header.replace("_internal.h", ".c"))
        return {m: {o for o in others if o in modules and o != m} for m, others in edges.items()}

    def circles(self):
        """{layer: circles of modules, each a sorted list}."""
        found = {}
        for group in components(self.edges()):
            found.setdefault(layer_of(group[0]), []).append(group)
        return found

    def uncalled(self):
        """Public functions that no other .c of src uses: {name: (header, line, kind)}. Kinds:
        dead (nobody uses it), static (its own file alone), tests (they alone), seam (its own file
        and tests). The layer sim is there for tests, so what they use of it is alive."""
        used = {n for names in self.needs.values() for n in names}
        used |= set(words(self.tree, self.tree.select("src/programs/")))
        tests = words(self.tree, self.tree.select("tests/", ends=(".c", ".h", ".inc", ".def")))
        found = {}
        for path in self.tree.select("src/", ends=(".h",)):
            for name, line, _, _ in prototypes(self.tree, path):
                if name not in self.defines or name in used:
                    continue
                # Once it is defined.
                at_home = words(self.tree, [self.defines[name]])[name] > 1
                if name in tests:
                    kind = "seam" if at_home or layer_of(path) == "sim" else "tests"
                else:
                    kind = "static" if at_home else "dead"
                found[name] = (path, line, kind)
        return found


def words(tree, paths):
    """How often each word stands in the code of some files."""
    return Counter(w for p in paths for w in re.findall(r"\b[a-z]\w+\b", tree.code(p)))


def struct_openers(tree, struct):
    """The .c files that see a struct's definition through their includes: (of src, of tests)."""
    definition = re.compile(r"^struct " + struct + r" \{", re.M)
    holders = {p for p in tree.select("src/", "tests/") if definition.search(tree.code(p))}
    seen = {}

    def visible(path):
        """The path and all that it includes."""
        todo, found = [path], {path}
        while todo:
            here = todo.pop()
            if here not in seen:
                seen[here] = [h for h, _ in includes(tree, here)] + [
                    h.replace("src/", "tests/", 1) for h, _ in includes(tree, here)]
            for header in seen[here]:
                if header not in found and header in known:
                    found.add(header)
                    todo.append(header)
        return found

    known = set(tree.paths)
    return tuple([p for p in tree.select(start, ends=(".c",)) if visible(p) & holders]
                 for start in ("src/", "tests/"))


def shared_prototypes(tree):
    """(path, name, line, own) of each prototype that another folder may call: those of headers
    that are not internal."""
    for path in tree.select("src/", ends=(".h",)):
        if layer_of(path) is None or path.endswith("_internal.h"):
            continue
        for name, line, _, own in prototypes(tree, path):
            yield path, name, line, own


def called_folders(tree):
    """{header: folders (layer, folder) of src that include it, its own left out}."""
    found = {}
    for path in tree.select("src/", ends=(".c", ".h", ".inc")):
        here = (layer_of(path), folder_of(path))
        for header, _ in includes(tree, path):
            if here != (layer_of(header), folder_of(header)):
                found.setdefault(header, set()).add(here)
    return found


def waiting(tree):
    """{function: why} of what nobody calls yet because an open issue will."""
    path = "tools/lint/waiting.txt"
    if path not in tree.paths:
        return {}
    rows = [line.partition(": ") for line in tree.lines(path) if line and line[0] != "#"]
    return {name.strip(): why for name, _, why in rows}


# -- Lints --------------------------------------------------------------------------------


# Within a layer, a folder needs those to its left; "" holds the files of no folder.
FOLDERS = {
    "spend": ["keys", "miniscript", "book", "descriptor", "psbt", "sign", ""],
    "chain": ["core", "coins", "disk", "tree", "upkeep", "pipeline", "intake", "ask", ""],
    "p2p": ["core", "peer", "addr", "connect", "headers", "blocks", "txs", "serve",
            "snapshot", "session", ""],
    "sim": ["", "actors", "study", "report", "replay", "program"],
}


def folders_right_of(path):
    """The folders of a file's layer that it must not need; None if its own has no place."""
    layer, own = layer_of(path), folder_of(path)
    order = FOLDERS.get(layer, [""])
    return order[order.index(own) + 1:] if own in order else None


def lint_folder_includes(tree):
    """Within a layer too, includes go to the left: the table FOLDERS."""
    for path in tree.select("src/", ends=(".c", ".h", ".inc", ".def")):
        if layer_of(path) is None:
            continue
        right = folders_right_of(path)
        if right is None:
            yield (path, 1, f"{folder_of(path)} has no place in the order of folders",
                   "add it to FOLDERS in tools/lint/links.py")
            continue
        for header, line in includes(tree, path):
            if layer_of(header) == layer_of(path) and folder_of(header) in right:
                yield (path, line, f"includes {header[len('src/'):]}, whose folder is to its right",
                       "move it, or hand over a callback")


def lint_folders(tree):
    """Within a layer too, calls go to the left: the table FOLDERS."""
    if not tree.objects:
        return
    links = Links(tree)
    for path, names in sorted(links.needs.items()):
        right = folders_right_of(path) if layer_of(path) else None
        for name in sorted(names):
            other = links.defines.get(name, "")
            if right and layer_of(other) == layer_of(path) and folder_of(other) in right:
                yield (path, 1, f"uses {name} of {other[4:]}, whose folder is to its right",
                       "let it be told through a callback")


def lint_circles(tree):
    """Files of a layer do not need each other in a circle."""
    if not tree.objects:
        return
    for layer, groups in sorted(Links(tree).circles().items()):
        for group in groups:
            names = ", ".join(m[len(f"src/{layer}/"):] for m in group)
            for module in group:
                what = f"of {names}" if module == group[0] else f"with {group[0]}"
                yield (module, 1, f"is in a circle {what}",
                       "let one of them tell the other through a callback")


ADVICE = {
    "dead": "delete it, or name the open issue it waits for in tools/lint/waiting.txt",
    "static": "make it static: only its own file uses it",
    "tests": "only tests use it: let them look another way, or name an issue in waiting.txt",
}


def lint_dead_functions(tree):
    """What a header declares, another file of src uses."""
    if not tree.objects:
        return
    exempt = waiting(tree)
    for name, (path, line, kind) in Links(tree).uncalled().items():
        if name not in exempt and kind in ADVICE:
            yield path, line, f"{name}() is used by no other file of src", ADVICE[kind]


def lint_own_comments(tree):
    """Each prototype of a header that another folder includes has a comment of its own."""
    called = called_folders(tree)
    for path, name, line, own in shared_prototypes(tree):
        if path in called and not own:
            yield (path, line, f"{name}() has no comment of its own",
                   "say what it does: In, Out, Returns, Units, Owns, Fails, Spec as apply")
