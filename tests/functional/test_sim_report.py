"""test_sim_report.py - cairn-sim report and compare: pages that any parser takes, that need nothing
from elsewhere."""
import hashlib
import json
import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import framework
from framework import equal

CITIES = [("Frankfurt", 50.11, 8.68), ("New York", 40.71, -74.01), ("K<ö>ln & \"co\"", 50.94, 6.96)]


def block_hash(number):
    return hashlib.sha256(str(number).encode()).hexdigest()


def events(seed, with_places):
    """Eight nodes, an hour: each two minutes a block, a sample each minute, a partition, an act."""
    yield 0, "run", {"format": 1, "name": "a <small> & \"odd\" run", "seed": seed, "nodes": 8}
    for node in range(8):
        city = dict(zip(("place", "lat", "lon"), CITIES[node % 3])) if with_places else {}
        yield 0, "node", {"node": node, "power": 1.5, "role": "honest", **city}
        yield 0, "link", {"from": node, "to": (node + 1) % 8}
    for minute in range(1, 60):
        if minute % 2:
            height = minute // 2 + 1
            yield minute * 60 - 50, "mined", {
                "node": height % 8, "height": height, "hash": block_hash(height),
                "parent": block_hash(height - 1), "txs": 9, "bytes": 4000}
            for node in range(8):
                yield minute * 60 - 50 + (node - height) % 8 * 0.1 * seed, "tip", {
                    "node": node, "height": height, "hash": block_hash(height)}
        if minute == 20:
            yield 1195, "partition", {"groups": [[0, 1, 2, 3], [4, 5, 6, 7]]}
            yield 1196, "attack", {"node": 1, "kind": "selfish", "what": "withholds"}
            yield 1199, "heal", {}
        yield minute * 60, "sample", {"tips": 1, "mempool": [minute, minute + 3, minute + 9],
                                      "agreement": 1 - seed / 100,
                                      "traffic": {"inv": 900, "tx": 5000 * seed}}


def write_trace(path, seed, with_places=True):
    lines = []
    for t, event, members in sorted(events(seed, with_places), key=lambda e: e[0]):
        lines.append(json.dumps({"t": t, "ev": event, **members}, separators=(",", ":")) + "\n")
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    lines.append(json.dumps({"t": 3600, "ev": "end", "agreed": True, "height": 30, "stale": 0,
                             "txs_mined": 270, "bytes": 99999, "hash": digest}) + "\n")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(lines)
    return path


def sim(context, *args, status=0):
    done = subprocess.run([os.path.join(context.build, "bin/cairn-sim"), *args], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    equal(done.returncode, status, done.stdout)
    return done.stdout


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def check_picture(picture):
    """Each says what it shows, by ids that its attribute names."""
    tag = picture.tag.split("}")[-1]
    equal((tag, picture.get("role")), ("svg", "img"))
    told = {e.get("id") for e in picture if e.tag.split("}")[-1] in ("title", "desc") and e.text}
    equal(set(picture.get("aria-labelledby").split()) - told, set())


def check_page(path):
    """Well-formed, self-contained. Returns its root."""
    text = read(path)
    root = ElementTree.fromstring(text)
    equal(re.findall(r"https?:|//|url\(|@import", text), [], "references")
    equal({e.tag for e in root.iter()} & {"script", "link", "img", "iframe", "object"}, set())
    equal([a for e in root.iter() for a in e.attrib if a.startswith("on") or a in ("src", "href")],
          [])
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    equal(len(ids), len(set(ids)), "ids")
    for picture in root.iter("svg"):
        check_picture(picture)
    for table in root.iter("table"):
        equal(len({len(row) for row in table.iter("tr")}), 1, "columns of a table")
    return root


def test_a_page_is_whole_and_the_same_each_time(context):
    trace = write_trace(os.path.join(context.scratch, "a.trace"), 1)
    pages = [os.path.join(context.scratch, name) for name in ("one.html", "two.html")]
    for page in pages:
        text = sim(context, "report", trace, f"--out={page}")
    equal(read(pages[0]), read(pages[1]))
    equal(re.findall(r"mined +(\d+)", text), ["30", "270"])
    root = check_page(pages[0])
    equal(root.find("body/header/h1").text, "a <small> & \"odd\" run")
    equal(len(list(root.iter("svg"))), 8)
    equal(len(list(root.iter("details"))), 7)


def test_pictures_are_files_of_their_own(context):
    trace = write_trace(os.path.join(context.scratch, "a.trace"), 1, with_places=False)
    sim(context, "report", trace, f"--plots={context.scratch}")
    names = sorted(n for n in os.listdir(context.scratch) if n.endswith(".svg"))
    equal(names, ["agreement.svg", "distribution.svg", "forks.svg", "mempool.svg", "mesh.svg",
                  "propagation.svg", "stale.svg", "traffic.svg"])
    for name in names:
        check_picture(ElementTree.fromstring(read(os.path.join(context.scratch, name))))


def test_a_run_writes_the_page_of_its_trace(context):
    trace, live, later = (os.path.join(context.scratch, name)
                          for name in ("a.trace", "live.html", "later.html"))
    sim(context, "run", "--nodes=3", "--minutes=5", "--interval=60", f"--trace={trace}",
        f"--report={live}")
    sim(context, "report", trace, f"--out={later}")
    check_page(live)
    equal(read(live), read(later))


def test_two_runs_are_compared(context):
    a = write_trace(os.path.join(context.scratch, "a.trace"), 1)
    b = write_trace(os.path.join(context.scratch, "b.trace"), 3, with_places=False)
    page = os.path.join(context.scratch, "both.html")
    text = sim(context, "compare", a, b, f"--out={page}")
    # Seven others, 0.1 to 0.7 s each; three times that in the other run.
    equal(re.findall(r"a block reaches a node, median +(\d+ ms) +(\S+ s)", text),
          [("400 ms", "1.20 s")])
    root = check_page(page)
    equal(len(list(root.iter("svg"))), 9)
    cells = ["".join(c.itertext()) for c in root.iter("td")]
    equal("+800 ms" in cells and "+200 %" in cells and "-2.0 points" in cells, True, cells)


def test_the_scenarios_that_come_along_run(context):
    """For two minutes each; their names are the README's, and its pictures are there."""
    folder = os.path.join(framework.ROOT, "contrib", "scenarios")
    names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))
    readme = read(os.path.join(folder, "README.md"))
    equal(sorted(re.findall(r"\(([a-z-]+\.json)\)", readme)), names)
    for picture in re.findall(r"\((plots/[a-z-]+\.svg)\)", readme):
        check_picture(ElementTree.fromstring(read(os.path.join(folder, picture))))
    for name in names:
        page = os.path.join(context.scratch, name + ".html")
        sim(context, "run", f"--scenario={os.path.join(folder, name)}", "--minutes=2",
            f"--report={page}")
        check_page(page)


def test_damage_is_told_with_its_line(context):
    path = write_trace(os.path.join(context.scratch, "a.trace"), 1)
    lines = read(path).splitlines(keepends=True)
    other_hash = lines[-1].replace("\"hash\": \"", "\"hash\": \"00")[:-5] + "\"}\n"
    for number, line, why in ((5, "{\"t\":0,\n", "no JSON"),
                              (9, "{\"t\":0,\"ev\":\"tip\"}\n", "node"),
                              (len(lines), other_hash, "hash")):
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(lines[:number - 1] + [line] + lines[number:])
        text = sim(context, "report", path, status=1)
        equal(f"line {number}: " in text and why in text, True, text)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(lines[:-3] + [lines[-3][:20]])
    equal("has no end" in sim(context, "report", path), True)


if __name__ == "__main__":
    framework.main(globals())
