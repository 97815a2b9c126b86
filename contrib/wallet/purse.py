"""purse.py - the wallet's file, its addresses, its coins, and transactions that spend them.

A slot is an address with its place: (kind, branch, index). Each kind has two branches, 0 to
receive and 1 for change (BIP-44, Change)."""
import json
import os
from decimal import Decimal

from keys import Problem, account_key, seed_of_words
from node import COIN, Refused, coins, sat

GAP = 20  # unused addresses looked at behind the last used one (BIP-44, Address gap limit)
PAGE = 1000
KINDS = {"segwit": (84, "wpkh"), "taproot": (86, "tr")}
INPUT_WEIGHT = {"segwit": 272, "taproot": 230}  # with a signature of 72 bytes, of 64
DUST_SAT = {"segwit": 294, "taproot": 330}
OVERHEAD_WEIGHT = 46  # version, marker, counts of up to 252 inputs and 252 outputs, lock time
COUNT_WEIGHT = 16  # counts of more take two bytes more each


class Slot:
    def __init__(self, kind, branch, index, address, script):
        self.kind, self.branch, self.index = kind, branch, index
        self.address, self.script = address, script


class Coin:
    def __init__(self, slot, outpoint, value, depth, immature=False):
        self.slot, self.outpoint, self.value = slot, tuple(outpoint), value
        self.depth, self.immature = depth, immature


class File:
    """What the wallet must not forget: words, how many addresses were given, what was sent."""

    def __init__(self, path, data):
        self.path, self.data = path, data

    @classmethod
    def load(cls, path):
        try:
            with open(path, encoding="utf-8") as file:
                data = json.load(file)
            if data["format"] != "cairn wallet 1":
                raise Problem(f"{path} is not a wallet of this program")
            return cls(path, data)
        except FileNotFoundError as error:
            raise Problem(f"no wallet at {path}: create or restore makes one") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Problem(f"{path} cannot be read: {error or type(error).__name__}") from error

    @classmethod
    def new(cls, path, chain, words, passphrase):
        """Refuses what is there: that may be somebody's money."""
        if os.path.lexists(path):
            raise Problem(f"{path} exists: --wallet names another")
        data = {"format": "cairn wallet 1", "chain": chain, "words": words,
                "passphrase": passphrase, "next": {}, "sent": {}}
        return cls(path, data)

    def write(self, part):
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(self.data, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.rename(part, self.path)
        except OSError:
            os.unlink(part)  # the words are in it
            raise

    def save(self):
        """On the disk when it returns, its name too, or all as it was."""
        try:
            self.write(f"{self.path}.{os.getpid()}.new")
            folder = os.open(os.path.dirname(self.path) or ".", os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise Problem(f"{self.path} cannot be written: {error.strerror}") from error


class Purse:
    def __init__(self, node, file):
        self.node, self.file = node, file
        chain = node.call("getblockchaininfo")["chain"]
        if chain == "main":
            raise Problem("this wallet keeps its words unencrypted: not for the main network")
        if chain != file.data["chain"]:
            raise Problem(f"the wallet is for {file.data['chain']}, the node is on {chain}")
        seed = seed_of_words(file.data["words"], file.data["passphrase"])
        self.keys = {kind: account_key(seed, purpose, 1, node.chain.xprv)
                     for kind, (purpose, _) in KINDS.items()}
        self.public = {}
        self.indexed = node.call("getindexinfo", "addressindex").get(
            "addressindex", {}).get("synced", False)

    def private(self, kind, branch):
        return f"{KINDS[kind][1]}({self.keys[kind]}/{branch}/*)"

    def watched(self, kind, branch):
        """The descriptor without secrets; the node makes it once."""
        if (kind, branch) not in self.public:
            self.public[kind, branch] = self.node.call(
                "getdescriptorinfo", self.private(kind, branch))["descriptor"]
        return self.public[kind, branch]

    def next(self, kind, branch):
        return self.file.data["next"].get(f"{kind}/{branch}", 0)

    def reserve(self, kind, branch, index):
        """Give no address up to this one again."""
        if index >= self.next(kind, branch):
            self.file.data["next"][f"{kind}/{branch}"] = index + 1

    def branches(self):
        return [(kind, branch) for kind in KINDS for branch in (0, 1)]

    def slots(self, kind, branch, begin, end):
        addresses = self.node.call("deriveaddresses", self.watched(kind, branch), [begin, end])
        scripts = self.node.scripts(addresses)
        return [Slot(kind, branch, begin + i, address, scripts[i])
                for i, address in enumerate(addresses)]

    def fresh(self, kind, branch):
        """The next address that was not given yet."""
        index = self.next(kind, branch)
        self.reserve(kind, branch, index)
        return self.slots(kind, branch, index, index)[0]

    def ranges(self, gap):
        return [{"desc": self.watched(kind, branch), "range": self.next(kind, branch) + gap}
                for kind, branch in self.branches()]

    def entries_of_index(self, ranges):
        found = []
        while True:
            page = self.node.call("getaddressutxos", ranges, PAGE, len(found))
            found += page["utxos"]
            if not page["utxos"] or len(found) >= page["total"]:
                return found

    def entries_of_scan(self, ranges):
        """Without the index: all coins are read, and of what waits, what this wallet sent."""
        found = self.node.call("scantxoutset", "start", ranges)["unspents"]
        for txid in self.waiting():
            outputs = self.node.call("getrawtransaction", txid, 1)["vout"]
            found += [{"txid": txid, "vout": output["n"], "amount": output["value"],
                       "scriptPubKey": output["scriptPubKey"]["hex"]} for output in outputs]
        spent = self.node.call("gettxspendingprevout", [
            {"txid": entry["txid"], "vout": entry["vout"]} for entry in found]) if found else []
        return [entry for entry, by in zip(found, spent) if "spendingtxid" not in by]

    def waiting(self):
        """What this wallet sent and no block has yet."""
        return [txid for txid in self.file.data["sent"] if self.entry(txid)]

    def entry(self, txid):
        """What the mempool says of a transaction; None if it is not there."""
        try:
            return self.node.call("getmempoolentry", txid)
        except Refused as error:
            if error.code == -5:
                return None
            raise

    def coins(self, gap=GAP):
        """What is unspent. Looks further as long as it finds some behind what was known."""
        while True:
            before = dict(self.file.data["next"])
            ranges = self.ranges(gap)
            entries = (self.entries_of_index if self.indexed else self.entries_of_scan)(ranges)
            by_script = {slot.script: slot for kind, branch in self.branches()
                         for slot in self.slots(kind, branch, 0, self.next(kind, branch) + gap)}
            found = [self.coin(by_script[entry["scriptPubKey"]], entry)
                     for entry in entries if entry["scriptPubKey"] in by_script]
            for coin in found:
                self.reserve(coin.slot.kind, coin.slot.branch, coin.slot.index)
            if self.file.data["next"] == before:
                return found

    def coin(self, slot, entry):
        """What the node says of an output of ours."""
        depth = entry.get("confirmations", 0)
        immature = entry.get("coinbase", False) and depth < self.node.chain.coinbase_maturity
        return Coin(slot, (entry["txid"], entry["vout"]), sat(entry["amount"]), depth, immature)

    def find_used(self, gap):
        """After a restore: no address that has ever been paid is given again, which only the
        index tells; without it, none that has something."""
        for kind, branch in self.branches() if self.indexed else ():
            index = 0
            while index < self.next(kind, branch) + gap:
                for slot in self.slots(kind, branch, index, index + gap - 1):
                    if self.node.call("getaddressbalance", slot.address)["received"]:
                        self.reserve(kind, branch, slot.index)
                index += gap
        self.coins(gap)

    def spendable(self):
        """Coins in blocks, and change of what this wallet sent."""
        sent = self.file.data["sent"]
        return [coin for coin in self.coins() if not coin.immature
                and (coin.depth > 0 or (coin.outpoint[0] in sent and coin.slot.branch == 1))]

    def remember(self, txid, plan, change):
        """What a fee bump needs. Who left the mempool cannot be bumped and is forgotten."""
        sent = self.file.data["sent"]
        for gone in set(sent) - set(self.waiting()):
            del sent[gone]
        sent[txid] = {
            "inputs": [[*coin.outpoint, coin.value, coin.slot.kind, coin.slot.branch,
                        coin.slot.index] for coin in plan.inputs],
            "payments": plan.payments, "fee": plan.fee, "vsize": plan.vsize,
            "change": [change.kind, change.index] if change else None}

    def inputs_of(self, sent):
        """The coins that a transaction of ours spends."""
        return [Coin(self.slots(kind, branch, index, index)[0], (txid, vout), value, 1)
                for txid, vout, value, kind, branch, index in sent["inputs"]]

    def rate(self, target):
        """Satoshi for 1,000 virtual bytes, and whether that is an estimate."""
        info = self.node.call("getmempoolinfo")
        floor = sat(max(info["mempoolminfee"], info["minrelaytxfee"]))
        estimate = self.node.call("estimatesmartfee", target).get("feerate")
        return (max(sat(estimate), floor), True) if estimate else (max(1000, floor), False)

    def sign(self, inputs, outputs):
        """The transaction in hex, signed by the node, which forgets the keys again."""
        psbt = self.node.call(
            "createpsbt", [{"txid": coin.outpoint[0], "vout": coin.outpoint[1]} for coin in inputs],
            [{address: coins(value)} for address, value in outputs], 0, True)
        ends = {}
        for coin in inputs:
            place = coin.slot.kind, coin.slot.branch
            ends[place] = max(ends.get(place, 0), coin.slot.index)
        done = self.node.call("descriptorprocesspsbt", psbt, [
            {"desc": self.private(*place), "range": end} for place, end in ends.items()])
        if not done["complete"]:
            raise Problem("the node could not sign all inputs")
        return done["hex"]


def fee_of(inputs, scripts, rate):
    """The fee at a rate, rounded up, of a transaction with these inputs and outputs."""
    weight = OVERHEAD_WEIGHT + (COUNT_WEIGHT if len(inputs) > 252 or len(scripts) > 252 else 0)
    weight += sum(INPUT_WEIGHT[coin.slot.kind] for coin in inputs)
    weight += sum(4 * (9 + len(script) // 2) for script in scripts)
    vbytes = (weight + 3) // 4
    return -(-vbytes * rate // 1000), vbytes


class Plan:
    """Inputs, payments and change that pay the fee of a rate, and at least what least_fee says
    for a number of virtual bytes."""

    def __init__(self, payments, rate, note="", least_fee=lambda vbytes: 0):
        self.payments, self.rate = payments, rate  # [(address, script, value)]
        self.least_fee, self.note = least_fee, note
        self.inputs, self.change, self.fee, self.vsize = [], 0, 0, 0

    def cost(self, more=()):
        scripts = [script for _, script, _ in self.payments] + list(more)
        fee, vbytes = fee_of(self.inputs, scripts, self.rate)
        return max(fee, self.least_fee(vbytes))

    def total(self):
        return sum(coin.value for coin in self.inputs)

    def fill(self, fixed, spare):
        """The fixed inputs, then of the spare ones the largest first, and change for the rest."""
        paid = sum(value for _, _, value in self.payments)
        self.inputs = list(fixed)
        spare = sorted(spare, key=lambda coin: (coin.value, coin.outpoint))
        while not self.inputs or self.total() < paid + self.cost():
            if not spare:
                raise Problem(f"not enough: {coins(self.total())} can be spent, "
                              f"{coins(paid + self.cost())} is needed with the fee")
            self.inputs.append(spare.pop())
        kind = self.inputs[0].slot.kind
        fee = self.cost(["00" * (22 if kind == "segwit" else 34)])
        self.change = self.total() - paid - fee
        if self.change < DUST_SAT[kind]:
            self.change = 0  # too little to be worth an output: it is fee
        self.fee = self.total() - paid - self.change
        return self

    def sweep(self, spare):
        """All that is worth its own fee, to the one address."""
        self.inputs = [coin for coin in spare
                       if coin.value * 4000 > INPUT_WEIGHT[coin.slot.kind] * self.rate]
        self.fee = self.cost()
        address, script, _ = self.payments[0]
        if self.total() - self.fee < 1:
            raise Problem(f"not enough: {coins(self.total())} can be spent, "
                          f"the fee alone is {coins(self.fee)}")
        self.payments = [(address, script, self.total() - self.fee)]
        return self


def amount_of(text):
    try:
        exact = Decimal(text) * COIN
    except ArithmeticError as error:
        raise Problem(f"'{text}' is not an amount") from error
    if not exact.is_finite() or exact != exact.to_integral_value() or \
            not 0 < exact <= 21_000_000 * COIN:
        raise Problem(f"'{text}' is not an amount: 0.00000001 to 21000000, eight decimals at most")
    return int(exact)
