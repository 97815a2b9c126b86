"""test_hidden.py - an onion service and an I2P destination, made by fakes that check each word."""
import base64
import hashlib
import hmac
import os
import shutil
import socket
import stat
import subprocess

import framework
from framework import Skip, equal, wait_until

ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd"
I2P = "zsxwyo6qcn3chqzwxnseusqgsnuw3maqnztkiypyfxtya4snkoka.b32.i2p"


class Server(framework.Listener):
    """Answers each line of each stream by answer()."""

    def __init__(self):
        self.lines = []
        super().__init__()

    def serve(self, stream):
        file, state = stream.makefile("rb"), {}
        while line := file.readline():
            if state.get("is_peers"):
                continue
            self.lines.append(line.decode().rstrip("\r\n"))
            answer = self.answer(line, state)
            if answer:
                stream.sendall(answer.encode())


class Tor(Server):
    """A control port with a cookie."""

    def __init__(self, folder):
        self.cookie = os.urandom(32)
        self.path = os.path.join(folder, "co okie\"\\")
        with open(self.path, "wb") as file:
            file.write(self.cookie)
        self.key = "ED25519-V3:" + base64.b64encode(bytes(64)).decode()
        super().__init__()

    def answer(self, line, state):
        assert line.endswith(b"\r\n"), line
        word, *rest = line.decode().split()
        if word == "PROTOCOLINFO":
            equal(rest, ["1"])
            quoted = self.path.replace("\\", "\\\\").replace('"', '\\"')
            return ("250-PROTOCOLINFO 1\r\n250-AUTH METHODS=COOKIE,SAFECOOKIE,HASHEDPASSWORD "
                    f'COOKIEFILE="{quoted}"\r\n250-VERSION Tor="0.4.8.1"\r\n250 OK\r\n')
        if word == "AUTHCHALLENGE":
            equal(rest[0], "SAFECOOKIE")
            server_nonce = os.urandom(32)
            message = self.cookie + bytes.fromhex(rest[1]) + server_nonce
            state["want"] = self.tag("controller-to-server", message)
            return (f"250 AUTHCHALLENGE SERVERHASH={self.tag('server-to-controller', message)} "
                    f"SERVERNONCE={server_nonce.hex().upper()}\r\n")
        if word == "AUTHENTICATE":
            equal(rest, [state["want"]])
            state["is_in"] = True
            return "250 OK\r\n"
        assert state.get("is_in"), line
        if word == "GETINFO":
            equal(rest, ["net/listeners/socks"])
            return '250-net/listeners/socks="127.0.0.1:9999"\r\n250 OK\r\n'
        equal(word, "ADD_ONION")
        if rest[1] == "PoWDefensesEnabled=1":
            return "512 Unrecognized option\r\n"
        state["target"] = rest[1]
        if rest[0] == "NEW:ED25519-V3":
            return f"250-ServiceID={ONION}\r\n250-PrivateKey={self.key}\r\n250 OK\r\n"
        equal(rest[0], self.key)
        return f"250-ServiceID={ONION}\r\n250 OK\r\n"

    @staticmethod
    def tag(direction, message):
        key = f"Tor safe cookie authentication {direction} hash".encode()
        return hmac.new(key, message, hashlib.sha256).hexdigest()


def local_names(node):
    return [a["address"] for a in node.rpc.getnetworkinfo()["localaddresses"]]


def test_an_onion_service_is_made_and_kept(context):
    tor = Tor(context.scratch)
    options = ("-listen=1", f"-port={framework.free_port()}", "-discover=0", "-listenonion=1",
               f"-torcontrol=127.0.0.1:{tor.port}")
    node = context.started(*options)
    wait_until(lambda: local_names(node) == [ONION + ".onion"], 20, "the address")
    networks = {n["name"]: n for n in node.rpc.getnetworkinfo()["networks"]}
    equal(networks["onion"]["proxy"], "127.0.0.1:9999")
    equal(networks["onion"]["reachable"], True)
    port = [o for o in options if o.startswith("-port=")][0][6:]
    equal(tor.lines[-1], f"ADD_ONION NEW:ED25519-V3 Port=18444,127.0.0.1:{int(port) + 1}")
    path = os.path.join(node.datadir, "regtest", "onion_v3_private_key")
    equal(stat.S_IMODE(os.stat(path).st_mode), 0o600)
    with open(path, encoding="ascii") as file:
        equal(file.read(), tor.key)
    node.stop()
    node.start(*options)
    wait_until(lambda: local_names(node) == [ONION + ".onion"], 20, "the same address")
    assert tor.lines[-1].startswith(f"ADD_ONION {tor.key} Port="), tor.lines[-1]
    for stream in tor.streams:
        stream.shutdown(socket.SHUT_RDWR)
    wait_until(lambda: len(tor.streams) == 3 and local_names(node), 20, "it again")
    node.stop()
    tor.close()


def test_a_real_tor_makes_one(context):
    program = shutil.which("tor", path=os.environ["PATH"] + ":/usr/sbin")
    if not program:
        raise Skip("tor is not installed")
    port, folder = framework.free_port(), os.path.join(context.scratch, "tor")
    with subprocess.Popen([program, "-f", "/nonexistent", "--ignore-missing-torrc", "--quiet",
                           "--DisableNetwork", "1", "--DataDirectory", folder,
                           "--SocksPort", "auto", "--ControlPort", f"127.0.0.1:{port}",
                           "--CookieAuthentication", "1"]) as tor:
        try:
            node = context.started("-listen=1", f"-port={framework.free_port()}", "-discover=0",
                                   "-listenonion=1", f"-torcontrol=127.0.0.1:{port}")
            wait_until(lambda: local_names(node), 60, "an address")
            assert local_names(node)[0].endswith(".onion")
            node.stop()
        finally:
            tor.terminate()


class Bridge(Server):
    """A SAM bridge: one session a stream, destinations that are their names' hashes."""

    def __init__(self):
        self.sessions, self.waiting = {}, []
        super().__init__()

    @staticmethod
    def key(seed):
        destination = hashlib.sha256(seed.encode()).digest() * 12 + b"\5\0\4" + bytes(4)
        return base64.b64encode(destination + bytes(288), b"-~").decode()

    def answer(self, line, state):
        text = line.decode().rstrip("\n")
        words = text.split(" ")
        values = dict(w.split("=", 1) for w in words if "=" in w)
        if not state.get("is_greeted"):
            equal(text, "HELLO VERSION MIN=3.1 MAX=3.1")
            state["is_greeted"] = True
            return "HELLO REPLY RESULT=OK VERSION=3.1\n"
        if words[:2] == ["DEST", "GENERATE"]:
            equal(text, "DEST GENERATE SIGNATURE_TYPE=7")
            return f"DEST REPLY PUB=x PRIV={self.key('kept')}\n"
        if words[:2] == ["SESSION", "CREATE"]:
            n = 1 if values["DESTINATION"] == "TRANSIENT" else 3
            kind = "TRANSIENT SIGNATURE_TYPE=7" if n == 1 else self.key("kept")
            equal(text, f"SESSION CREATE STYLE=STREAM ID={values['ID']} DESTINATION={kind} "
                        f"i2cp.leaseSetEncType=4,0 inbound.quantity={n} outbound.quantity={n}")
            self.sessions[values["ID"]] = kind
            given = self.key(values["ID"]) if n == 1 else self.key("kept")
            return f"SESSION STATUS RESULT=OK DESTINATION={given}\n"
        if words[0] == "NAMING":
            equal(text, f"NAMING LOOKUP NAME={I2P}")
            return f"NAMING REPLY RESULT=OK NAME={I2P} VALUE=its-destination\n"
        assert values["ID"] in self.sessions, text
        if words[1] == "CONNECT":
            state["is_peers"] = True
            equal(text,
                  f"STREAM CONNECT ID={values['ID']} DESTINATION=its-destination SILENT=false")
            return "STREAM STATUS RESULT=OK\n"
        equal(text, f"STREAM ACCEPT ID={values['ID']} SILENT=false")
        self.waiting.append(values["ID"])
        return "STREAM STATUS RESULT=OK\n"


def test_a_destination_is_made_and_kept(context):
    bridge = Bridge()
    options = (f"-i2psam=127.0.0.1:{bridge.port}", "-i2pacceptincoming=1")
    node = context.started(*options)
    name = base64.b32encode(hashlib.sha256(base64.b64decode(bridge.key("kept"), b"-~")[:391])
                            .digest()).decode().lower().rstrip("=") + ".b32.i2p"
    wait_until(lambda: local_names(node) == [name], 20, "the address")
    path = os.path.join(node.datadir, "regtest", "i2p_private_key")
    equal(stat.S_IMODE(os.stat(path).st_mode), 0o600)
    node.rpc.addnode(I2P, "onetry")
    wait_until(lambda: [p["network"] for p in node.rpc.getpeerinfo()] == ["i2p"], 20, "the peer")
    equal(node.rpc.getpeerinfo()[0]["addr"], I2P + ":0")
    node.stop()
    node.start(*options)
    wait_until(lambda: local_names(node) == [name], 20, "the same address")
    equal(len([line for line in bridge.lines if line.startswith("DEST")]), 1)
    node.stop()
    bridge.close()


def test_who_takes_no_calls_has_no_address(context):
    bridge = Bridge()
    node = context.started(f"-i2psam=127.0.0.1:{bridge.port}", "-i2pacceptincoming=0")
    node.rpc.addnode(I2P, "onetry")
    wait_until(lambda: node.rpc.getpeerinfo(), 20, "the peer")
    equal(local_names(node), [])
    equal(list(bridge.sessions.values()), ["TRANSIENT SIGNATURE_TYPE=7"])
    node.stop()
    bridge.close()


if __name__ == "__main__":
    framework.main(globals())
