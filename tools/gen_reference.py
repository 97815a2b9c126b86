#!/usr/bin/env python3
"""Write what follows from the tables of methods and options, as the programs themselves tell it:

    doc/rpc/                   a page for each category of methods
    doc/man/                   cairnd.1, cairn-cli.1
    contrib/completion/        of cairn-cli, for bash and zsh

    tools/gen_reference.py --build=DIR           write them
    tools/gen_reference.py --build=DIR --check   exit 1 if one is not what would be written
"""
import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MADE = "made by tools/gen_reference.py; do not edit"


class Programs:
    """What a build says of itself; its node is on a private chain and hears nobody."""

    def __init__(self, build):
        self.bin = os.path.join(build, "bin")

    def help_of(self, program):
        return self.run(program, "-help")

    def run(self, program, *args):
        return subprocess.run([os.path.join(self.bin, program), *args], check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    def methods(self):
        """[(category, name, description, params, help)] in the table's order."""
        with socket.socket() as free, tempfile.TemporaryDirectory() as folder:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
            free.close()
            where = [f"-datadir={folder}", "-regtest", f"-rpcport={port}"]
            node = subprocess.Popen([os.path.join(self.bin, "cairnd"), *where, "-connect=0",
                                     "-listen=0", "-printtoconsole=0"], stdout=subprocess.DEVNULL)
            try:
                cli = [*where, "-rpcwait", "-rpcwaittimeout=60"]
                document = json.loads(self.run("cairn-cli", *cli, "getopenrpcinfo"))
                return [(row["x-bitcoin-category"], row["name"], row["description"],
                         row["params"], self.run("cairn-cli", *cli, "help", row["name"]))
                        for row in document["methods"]]
            finally:
                node.terminate()
                node.wait()


def options_of(text):
    """[(heading, [(option, what it does)])] of a help text."""
    groups = []
    for line in text.splitlines():
        if re.match(r"\S.*:$", line):
            groups.append((line[:-1], []))
        elif line.startswith("  -"):
            groups[-1][1].append([line.strip(), ""])
        elif line.startswith("       ") and groups and groups[-1][1]:
            last = groups[-1][1][-1]
            last[1] = f"{last[1]} {line.strip()}".strip()
    return [group for group in groups if group[1]]


def brief(text):
    """The first sentence, in one line."""
    return re.split(r"(?<=[.:])\s", " ".join(text.split()))[0].rstrip(".:")


# -- doc/rpc -----------------------------------------------------------------------------------


def rpc_pages(methods):
    categories = list(dict.fromkeys(row[0] for row in methods))
    index = ["# Methods", "", f"As `cairn-cli help METHOD` shows them; {MADE}.",
             "How calls are made, and where answers differ from Bitcoin Core's, is told in "
             "[rpc.md](../rpc.md).", ""]
    pages = {}
    for category in categories:
        page = category.lower() + ".md"
        rows = [row for row in methods if row[0] == category]
        index += [f"## [{category}]({page})", ""]
        index += [f"- [{name}]({page}#{name}): {brief(text)}" for _, name, text, _, _ in rows]
        index.append("")
        pages["doc/rpc/" + page] = "\n".join(
            [f"# {category}", "", f"As `cairn-cli help METHOD` shows it; {MADE}.", ""] +
            [f"## {name}\n\n```\n{shown.strip()}\n```\n" for _, name, _, _, shown in rows])
    pages["doc/rpc/README.md"] = "\n".join(index)
    return pages


# -- doc/man -----------------------------------------------------------------------------------


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def man_options(text):
    out = []
    for heading, options in options_of(text):
        out.append(f".SS {roff(heading)}" if heading != "Options" else ".SH OPTIONS")
        for option, what in options:
            out += [".TP", f".B {roff(option)}", roff(what)]
    return out


def man_page(name, what, synopsis, text, more):
    lines = [f'.\\" {MADE}', f'.TH {name.upper()} 1 "" "Cairn"', ".SH NAME",
             f"{name} \\- {roff(what)}", ".SH SYNOPSIS"]
    for line in synopsis:
        program, rest = line.split(" ", 1)
        lines += [f".B {roff(program)}", roff(rest), ".br"]
    return "\n".join([*lines, *man_options(text), *more]) + "\n"


def man_pages(programs, methods):
    files = [".SH FILES", ".TP", ".I ~/.cairn/cairn.conf",
             roff("Options without their first dash, a line each."), ".TP",
             ".I ~/.cairn/debug.log", roff("The log; on SIGHUP it is opened anew.")]
    listed = [".SH METHODS", roff("help METHOD tells the arguments and the answer.")]
    for category in dict.fromkeys(row[0] for row in methods):
        listed.append(f".SS {category}")
        for _, name, text, _, _ in (row for row in methods if row[0] == category):
            listed += [".TP", f".B {name}", roff(brief(text))]
    status = [".SH EXIT STATUS", roff("0; the absolute value of the error code of a method; 1 if "
                                      "the node cannot be asked.")]
    return {
        "doc/man/cairnd.1": man_page(
            "cairnd", "a Bitcoin full node", ["cairnd [options]"], programs.help_of("cairnd"),
            files + [".SH SEE ALSO", ".BR cairn\\-cli (1)"]),
        "doc/man/cairn-cli.1": man_page(
            "cairn-cli", "call a method of a running node",
            ["cairn-cli [options] method [argument...]",
             "cairn-cli [options] -named method [name=value...]",
             "cairn-cli [options] help [method]"],
            programs.help_of("cairn-cli"),
            listed + status + [".SH SEE ALSO", ".BR cairnd (1)"])}


# -- contrib/completion ------------------------------------------------------------------------

BASH = """# bash completion of cairn-cli, {made}
_cairn_cli()
{{
    local cur=${{COMP_WORDS[COMP_CWORD]}} method="" place=0 i words=""
    local methods="{methods}"
    local options="{options}"
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${{COMP_WORDS[i]}} in
        =) i=$((i + 1)) ;;
        -*) ;;
        *)
            method=${{COMP_WORDS[i]}}
            place=$((COMP_CWORD - i))
            break
            ;;
        esac
    done
    case $method:$place:$cur in
    :*:-*) words=$options ;;
    :*) words=$methods ;;
    help:1:*) words=$methods ;;
{booleans}
        words="true false" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    if [[ ${{COMPREPLY[0]}} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
}}
complete -F _cairn_cli cairn-cli
"""

ZSH = """#compdef cairn-cli
# zsh completion of cairn-cli, {made}
_cairn_cli() {{
    local -a methods options
    methods=(
{methods}
    )
    options=(
{options}
    )
    local -i at=2
    while ((at < CURRENT)) && [[ $words[at] == -* ]]; do
        ((at++))
    done
    if ((at == CURRENT)); then
        if [[ $PREFIX == -* ]]; then
            compadd -S '' -- $options
        else
            _describe method methods
        fi
        return
    fi
    case $words[at]:$((CURRENT - at)) in
    help:1) _describe method methods ;;
{booleans}
        compadd true false ;;
    esac
}}
_cairn_cli "$@"
"""


def wrapped(words, join, indent):
    """Words in lines that are not too long."""
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) + len(indent) > 94:
            lines.append("")
        lines[-1] += (join if lines[-1] else "") + word
    return ("\n" + indent).join(lines)


def completions(programs, methods):
    names = sorted(row[1] for row in methods)
    options = [re.sub("=.*", "=", option) for _, group in options_of(programs.help_of("cairn-cli"))
               for option, _ in group]
    booleans = [(name, place) for _, name, _, params, _ in methods
                for place, param in enumerate(params, 1)
                if param["schema"].get("type") == "boolean"]
    bash = "    " + "|\\\n    ".join(f"{name}:{place}:*" for name, place in booleans) + ")"
    zsh = "    " + "|\\\n    ".join(f"{name}:{place}" for name, place in booleans) + ")"
    described = ["        '{}:{}'".format(name, brief(text).replace("'", "").replace(":", ""))
                 for name, text in sorted((row[1], row[2]) for row in methods)]
    described.append("        'help:The list of all methods, or one explained'")
    if "help" in names:
        described.pop()
    return {
        "contrib/completion/cairn-cli.bash": BASH.format(
            made=MADE, methods=wrapped(names, " ", "        "),
            options=wrapped(options, " ", "        "), booleans=bash),
        "contrib/completion/_cairn-cli": ZSH.format(
            made=MADE, methods="\n".join(described),
            options="        " + wrapped(options, " ", "        "), booleans=zsh)}


def all_pages(build):
    programs = Programs(build)
    methods = programs.methods()
    return {**rpc_pages(methods), **man_pages(programs, methods), **completions(programs, methods)}


def stale_pages(pages):
    """What is not as it would be written, or would not be written at all."""
    stale = []
    for path, text in pages.items():
        try:
            with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                if file.read() != text:
                    stale.append(path)
        except FileNotFoundError:
            stale.append(path)
    for folder in {os.path.dirname(path) for path in pages}:
        full = os.path.join(ROOT, folder)
        there = os.listdir(full) if os.path.isdir(full) else ()
        stale += [f"{folder}/{name}" for name in there if f"{folder}/{name}" not in pages]
    return sorted(stale)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="the build whose programs are asked")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    pages = all_pages(os.path.abspath(args.build))
    if args.check:
        stale = stale_pages(pages)
        print("\n".join(f"{path} is not current: run tools/gen_reference.py" for path in stale))
        sys.exit(1 if stale else 0)
    for path, text in pages.items():
        os.makedirs(os.path.dirname(os.path.join(ROOT, path)), exist_ok=True)
        with open(os.path.join(ROOT, path), "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
