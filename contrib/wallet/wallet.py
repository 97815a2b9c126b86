#!/usr/bin/env python3
"""A small wallet for a private testnet, all of it over the JSON-RPC of a node: keys of BIP39, BIP84
and BIP86 in a file of its own. The words are not encrypted: never for money."""
import argparse
import fcntl
import getpass
import os
import secrets
import sys

sys.dont_write_bytecode = True  # what is installed for all is not written to

# pylint: disable=wrong-import-position
from keys import Problem, WORD_COUNTS, check_words, words_of_entropy
from node import CHAINS, Node, chain_of, coins, sat
from purse import File, GAP, KINDS, Plan, Purse, amount_of

VBYTES_PER_RATE = 1000  # --feerate is for a virtual byte, estimates are for a thousand


def ask(prompt):
    if sys.stdin.isatty():
        return getpass.getpass(prompt)
    return sys.stdin.readline().rstrip("\n")


def ask_passphrase(is_new):
    """A new one twice: with one that was mistyped the words alone would lead to an empty wallet."""
    passphrase = ask("Passphrase: ")
    if not passphrase:
        raise Problem("the passphrase is empty: without --passphrase there is none")
    if is_new and ask("Once more: ") != passphrase:
        raise Problem("these are two passphrases: nothing was made")
    return passphrase


def begin(args, words, is_new):
    """A new wallet. The node is asked first: one for another chain would help nobody."""
    passphrase = ask_passphrase(is_new) if args.passphrase else ""
    file = File.new(args.wallet, chain_of(args).name, words, passphrase)
    return Purse(Node(args), file)


def tell_words(has_passphrase):
    beside = ", with the passphrase, which is shown nowhere" if has_passphrase else ""
    print(f"Write these words down: they are the wallet{beside}.", file=sys.stderr)


def create(args):
    words = words_of_entropy(secrets.token_bytes(args.words * 4 // 3))
    begin(args, words, True).file.save()
    print(words)
    tell_words(args.passphrase)


def restore(args):
    purse = begin(args, check_words(ask("Words: ")), False)
    purse.find_used(args.gap)
    purse.file.save()
    show_balance(purse)


def opened(args):
    return Purse(Node(args), File.load(args.wallet))


def show_words(args):
    data = File.load(args.wallet).data
    print(data["words"])
    tell_words(data["passphrase"])


def address(args):
    purse = opened(args)
    slot = purse.fresh(args.type, 0)
    purse.file.save()
    print(slot.address)


def show_balance(purse):
    found = purse.coins()
    purse.file.save()
    sums = {"confirmed": sum(c.value for c in found if c.depth > 0 and not c.immature),
            "waiting": sum(c.value for c in found if c.depth == 0),
            "immature": sum(c.value for c in found if c.immature)}
    for name, value in sums.items():
        print(f"{name:<10} {coins(value):>20}")


def balance(args):
    show_balance(opened(args))


def list_coins(args):
    for coin in sorted(opened(args).coins(), key=lambda c: (-c.depth, c.outpoint)):
        print(f"{coins(coin.value):>18} {coin.depth:>7} {coin.slot.address} "
              f"{coin.outpoint[0]}:{coin.outpoint[1]}{' immature' if coin.immature else ''}")


def chosen_rate(purse, args, least=0):
    """Satoshi for 1,000 virtual bytes: what the user says, or the node, or one for a byte, and a
    word on that."""
    if args.feerate is not None:
        if not 0 < args.feerate <= 10_000:
            raise Problem("--feerate must be more than 0 and at most 10000 sat/vB")
        return int(args.feerate * VBYTES_PER_RATE), ""
    rate, estimated = purse.rate(args.target)
    return max(rate, least), "" if estimated else "no estimate yet, "


def payment(purse, target, amount):
    """What to pay, for a Plan; the amount "all" is decided there."""
    if not purse.node.call("validateaddress", target)["isvalid"]:
        raise Problem(f"'{target}' is no address of {purse.file.data['chain']}")
    value = 0 if amount == "all" else amount_of(amount)
    return target, purse.node.scripts([target])[0], value


def commit(purse, plan, replaced=None, dry_run=False):
    """Sign, let the node judge, write down, send: in this order, so that no change is forgotten.
    A replacement has the change of the replaced, or many bumps would leave a gap."""
    outputs, change = [(target, value) for target, _, value in plan.payments], None
    if plan.change:
        known = replaced and purse.file.data["sent"][replaced]["change"]
        change = purse.slots(known[0], 1, known[1], known[1])[0] if known \
            else purse.fresh(plan.inputs[0].slot.kind, 1)
        outputs.append((change.address, plan.change))
    raw = purse.sign(plan.inputs, outputs)
    verdict = purse.node.call("testmempoolaccept", [raw])[0]
    if not verdict["allowed"]:
        raise Problem(f"the node refuses the transaction: {verdict['reject-reason']}")
    plan.vsize = verdict["vsize"]
    print(f"{plan.note}fee {coins(plan.fee)}, {plan.fee / plan.vsize:.2f} sat/vB, "
          f"change {coins(plan.change)}", file=sys.stderr)
    if dry_run:
        print(raw)
        return
    purse.remember(verdict["txid"], plan, change)
    purse.file.save()
    purse.node.call("sendrawtransaction", raw)
    print(verdict["txid"])


def send(args):
    purse = opened(args)
    paid = payment(purse, args.address, args.amount)
    plan = Plan([paid], *chosen_rate(purse, args))
    if args.amount == "all":
        plan.sweep(purse.spendable())
    else:
        plan.fill([], purse.spendable())
    commit(purse, plan, dry_run=args.dry_run)


def bump(args):
    """The same payments with the same inputs for more fee, which the change pays, or coins that
    are in blocks. BIP-125, Implementation Details: more in all, by what relaying it again costs."""
    purse = opened(args)
    old = purse.file.data["sent"].get(args.txid)
    entry = purse.entry(args.txid)
    if not old:
        raise Problem(f"this wallet sent no transaction {args.txid}")
    if not entry:
        raise Problem(f"{args.txid} does not wait any more: nothing to bump")
    if entry["descendantcount"] > 1:
        raise Problem(f"{args.txid} is spent by another that waits: bump that one")
    step = sat(purse.node.call("getmempoolinfo")["incrementalrelayfee"])
    rate, note = chosen_rate(purse, args, old["fee"] * 1000 // old["vsize"] + max(step, 1000))
    plan = Plan([tuple(paid) for paid in old["payments"]], rate, note,
                lambda vbytes: old["fee"] + -(-vbytes * step // 1000))
    if rate * old["vsize"] // 1000 <= old["fee"]:
        raise Problem(f"--feerate must be above the {old['fee'] / old['vsize']:.2f} sat/vB of now")
    spare = [coin for coin in purse.spendable() if coin.depth > 0]
    commit(purse, plan.fill(purse.inputs_of(old), spare), args.txid, args.dry_run)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"wallet: {message} (wallet.py {self.prog.split()[-1]} --help tells more)\n"
                  if " " in self.prog else f"wallet: {message} (--help tells more)\n")


def add_sending(parser):
    parser.add_argument("--feerate", type=float, help="satoshi for a virtual byte; without it "
                        "the node's estimate")
    parser.add_argument("--target", type=int, default=6, help="blocks within which it should "
                        "confirm, for the estimate; default 6")
    parser.add_argument("--dry-run", action="store_true", help="sign and show, do not send")


def parse(argv):
    parser = Parser(prog="wallet.py", description=__doc__)
    parser.add_argument("--wallet", default="wallet.json", help="its file; default wallet.json")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--chain", choices=CHAINS, default="regtest", help="default regtest")
    which.add_argument("--chainfile", metavar="FILE", help="that of the node, for a chain of one's "
                       "own: its name, port, key prefix and maturity")
    parser.add_argument("--datadir", default="~/.cairn", help="of the node, for its cookie")
    parser.add_argument("--rpcconnect", default="127.0.0.1", help="the node's host")
    parser.add_argument("--rpcport", type=int, help="the node's port")
    parser.add_argument("--rpccookiefile", help="the cookie, if it is elsewhere")
    parser.add_argument("--rpcuser", help="instead of the cookie; password in $RPCPASSWORD")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name, function, text):
        part = commands.add_parser(name, help=text, description=text)
        part.set_defaults(function=function)
        return part

    part = command("create", create, "make a wallet and show its words")
    part.add_argument("--words", type=int, choices=WORD_COUNTS, default=12, help="default 12")
    part.add_argument("--passphrase", action="store_true", help="ask for BIP39's passphrase")
    part = command("restore", restore, "make a wallet from its words, which are asked for or read "
                   "from standard input, and find its coins")
    part.add_argument("--passphrase", action="store_true", help="ask for BIP39's passphrase")
    part.add_argument("--gap", type=int, default=GAP, help="unused addresses to look at behind "
                      f"the last used; default {GAP}")
    part = command("address", address, "a new address")
    part.add_argument("--type", choices=KINDS, default="segwit", help="BIP84 or BIP86")
    command("balance", balance, "what there is: in blocks, waiting, mined and immature")
    command("coins", list_coins, "each coin: amount, confirmations, address, outpoint")
    command("words", show_words, "show the words")
    part = command("send", send, "pay to an address")
    part.add_argument("address")
    part.add_argument("amount", help="in coins, or all")
    add_sending(part)
    part = command("bump", bump, "send a waiting transaction again for more fee")
    part.add_argument("txid")
    add_sending(part)
    return parser.parse_args(argv)


def lock_folder(path):
    """One program at a time has the wallets of a folder; the lock ends with the program."""
    try:
        fcntl.flock(os.open(os.path.dirname(path), os.O_RDONLY), fcntl.LOCK_EX)
    except OSError as error:
        raise Problem(f"{os.path.dirname(path)}: {error.strerror}") from error


def main(argv):
    args = parse(argv)
    args.wallet = os.path.abspath(os.path.expanduser(args.wallet))
    try:
        lock_folder(args.wallet)
        args.function(args)
    except Problem as problem:
        print(f"wallet: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
