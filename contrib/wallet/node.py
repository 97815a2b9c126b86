"""node.py - calls to the node, and its refusals as lines for the user."""
import base64
import http.client
import json
import os
from decimal import Decimal

from keys import Problem, XPRV_TEST

COINBASE_MATURITY = 100
TIMEOUT_S = 900  # a scan of all coins
COIN = 100_000_000


def sat(amount):
    return int(Decimal(amount) * COIN)


def coins(amount_sat):
    return f"{Decimal(amount_sat) / COIN:.8f}"


class Chain:
    """What a wallet must know of a chain; addresses are written and read by the node."""

    def __init__(self, name, folder, port, xprv=XPRV_TEST, coinbase_maturity=COINBASE_MATURITY):
        self.name, self.folder, self.port = name, folder, port
        self.xprv, self.coinbase_maturity = xprv, coinbase_maturity

    @classmethod
    def of_file(cls, path):
        """That of a node with -chainfile, which has checked it. What is left out is regtest's."""
        try:
            with open(os.path.expanduser(path), encoding="utf-8") as file:
                said = json.load(file)
            return cls(str(said["name"]), str(said["name"]), int(said["rpc_port"]),
                       bytes.fromhex(said.get("addresses", {}).get("xprv", XPRV_TEST.hex())),
                       int(said.get("coinbase_maturity", COINBASE_MATURITY)))
        except OSError as error:
            raise Problem(f"{path} cannot be read: {error.strerror}") from error
        except KeyError as error:
            raise Problem(f"{path} is no chain file: it has no {error}") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise Problem(f"{path} is no chain file: {error}") from error


CHAINS = {chain.name: chain for chain in (
    Chain("regtest", "regtest", 18443), Chain("signet", "signet", 38332),
    Chain("testnet4", "testnet4", 48332), Chain("test", "testnet3", 18332))}


class Refused(Problem):
    """An error of a method."""

    def __init__(self, method, error):
        super().__init__(f"the node refuses {method}: {error['message']}")
        self.code = error["code"]


def chain_of(args):
    """Which chain the user named."""
    return Chain.of_file(args.chainfile) if args.chainfile else CHAINS[args.chain]


class Node:
    def __init__(self, args):
        self.chain = chain_of(args)
        self.host, self.port = args.rpcconnect, args.rpcport or self.chain.port
        self.cookie = args.rpccookiefile or os.path.join(
            os.path.expanduser(args.datadir), self.chain.folder, ".cookie")
        self.user = args.rpcuser

    def login(self):
        if self.user:
            return f"{self.user}:{os.environ.get('RPCPASSWORD', '')}"
        try:
            with open(self.cookie, encoding="ascii") as file:
                return file.read()
        except OSError as error:
            raise Problem(f"no cookie at {self.cookie}: is the node running, and are --datadir "
                          "and --chain or --chainfile its own?") from error

    def post(self, body):
        login = base64.b64encode(self.login().encode()).decode()
        connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_S)
        try:
            connection.request("POST", "/", body, {"Authorization": "Basic " + login,
                                                   "Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Problem(f"no node answers at {self.host}:{self.port} ({error}): start it, or "
                          "see --rpcport") from error
        finally:
            connection.close()

    def call(self, method, *params):
        status, body = self.post(json.dumps({"id": 1, "method": method, "params": params}))
        if status == 401:
            raise Problem("the node does not know this login")
        try:
            answer = json.loads(body, parse_float=Decimal)
        except ValueError as error:
            raise Problem(f"the answer to {method} is not JSON (HTTP {status})") from error
        if answer["error"] is None:
            return answer["result"]
        if answer["error"]["code"] == -28:
            raise Problem(f"the node is starting ({answer['error']['message']}): try again soon")
        raise Refused(method, answer["error"])

    def scripts(self, addresses):
        """What addresses stand for, in hex: a transaction that pays to all of them shows it."""
        if not addresses:
            return []
        paying = self.call("createrawtransaction", [], [{a: 0} for a in addresses])
        outputs = self.call("decoderawtransaction", paying, False)["vout"]
        return [output["scriptPubKey"]["hex"] for output in outputs]
