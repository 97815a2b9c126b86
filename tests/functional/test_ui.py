"""test_ui.py - the dashboard: who may look, what the page may do, and how it looks in Chromium
(Debian's, steered by playwright-core from npm; skipped where one of them is not there)."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import shutil
import signal
import time

import chain
import framework
import npm
import p2p
from framework import Failure, Skip, equal, rpc_fails, wait_until

ATTACK = ('<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
          '<b class="stranger" onmouseover="window.pwned=1">it\'s & "bold"</b>')
SAFE = "getblockchaininfo getblockhash getpeerinfo getmempoolinfo getmempoolbands uptime".split()
UNSAFE = ("stop setmocktime generatetoaddress sendrawtransaction addnode setban dumptxoutset "
          "invalidateblock submitblock logging ui getrawmempool help echo").split()
TOKENS_MAX, SESSIONS_MAX = 8, 16


def request(node, method, path, headers=None, body=None):
    """Returns (status, headers in lower case, body)."""
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return (answer.status, {k.lower(): v for k, v in answer.getheaders()},
                answer.read().decode())
    finally:
        connection.close()


def token_path(node):
    """The path that the next address of the dashboard has."""
    address = node.rpc.ui()
    start = f"http://127.0.0.1:{node.port}"
    if not re.fullmatch(re.escape(start) + r"/ui/\?token=[0-9a-f]{32}", address):
        raise Failure(f"no address: {address}")
    return address[len(start):]


def opened(node, path=None):
    """Open an address; returns the cookie of its session."""
    status, headers, body = request(node, "GET", path or token_path(node))
    equal((status, headers["location"], body), (303, "/ui/", ""))
    return headers["set-cookie"].split(";")[0]


def ask(node, cookie, method, *params, **changes):
    """A call as the page makes it, but for changes of its headers (None: without). Returns (status,
    body)."""
    fields = {"Cookie": cookie, "Content-Type": "application/json",
              "Origin": f"http://127.0.0.1:{node.port}"}
    fields.update({name.replace("_", "-"): value for name, value in changes.items()})
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    status, _, answer = request(node, "POST", "/ui/rpc",
                                {k: v for k, v in fields.items() if v is not None}, body)
    return status, answer


def is_in(node, cookie):
    return ask(node, cookie, "uptime")[0] == 200


def test_an_address_is_good_for_one_use(context):
    node = context.started()
    status, out, _ = context.cli(node, "ui")
    equal(status, 0)
    path = out.strip()[len(f"http://127.0.0.1:{node.port}"):]
    equal(request(node, "HEAD", path)[0], 405, "a look ahead uses nothing up")
    status, headers, _ = request(node, "GET", path)
    equal((status, headers["location"]), (303, "/ui/"))
    name, _, rest = headers["set-cookie"].partition("=")
    equal(name, f"cairn_ui_{node.port}", "each node's own")
    if not re.fullmatch(r"[0-9a-f]{32}; Path=/ui/; Max-Age=43200; HttpOnly; SameSite=Strict", rest):
        raise Failure(rest)
    equal(headers["cache-control"], "no-store")
    equal(headers["referrer-policy"], "no-referrer")
    cookie = headers["set-cookie"].split(";")[0]
    for again in (path, "/ui/?token=", "/ui/?token=" + "0" * 32, "/ui/?token=x"):
        status, headers, body = request(node, "GET", again)
        equal((status, "set-cookie" in headers), (403, False), again)
        equal("<title>Cairn</title>" in body, True)
    equal(is_in(node, cookie), True)
    equal(is_in(node, "a=b; " + cookie + "; c=d"), True)
    for wrong in ("", cookie[:-1], cookie + "0", cookie[:-1] + "x", cookie.replace("ui_", "ui"),
                  f"cairn_ui_{node.port}=" + "0" * 32):
        equal(is_in(node, wrong), False, wrong)
    equal(request(node, "GET", "/ui")[1]["location"], "/ui/")
    node.stop()


def test_addresses_and_sessions_end(context):
    node = context.started()
    path = token_path(node)
    cookie = opened(node)
    node.rpc.mockscheduler(119)
    node.rpc.setmocktime(int(time.time()) + 10 ** 6)  # is another clock
    equal(is_in(node, cookie), True)
    node.rpc.mockscheduler(1)
    equal(request(node, "GET", path)[0], 403, "after two minutes")
    for _ in range(11):
        node.rpc.mockscheduler(3600)
    node.rpc.mockscheduler(3600 - 130)
    equal(is_in(node, cookie), True)
    node.rpc.mockscheduler(10)
    equal(is_in(node, cookie), False, "after twelve hours")
    node.stop()


def test_no_more_than_so_many_addresses_and_sessions(context):
    node = context.started()
    paths = [token_path(node) for _ in range(TOKENS_MAX + 1)]
    equal(request(node, "GET", paths[0])[0], 403, "the oldest of one too many")
    cookies = [opened(node, path) for path in paths[1:]]
    cookies += [opened(node) for _ in range(SESSIONS_MAX - TOKENS_MAX)]
    equal([is_in(node, cookie) for cookie in cookies], [True] * SESSIONS_MAX)
    cookies.append(opened(node))
    equal([is_in(node, cookie) for cookie in cookies], [False] + [True] * SESSIONS_MAX)
    node.restart()
    equal([is_in(node, cookie) for cookie in cookies], [False] * (SESSIONS_MAX + 1))
    node.stop()


def test_a_session_reads_and_no_more(context):
    node = context.started()
    cookie = opened(node)
    for method in SAFE:
        params = [0] if method == "getblockhash" else []
        equal(ask(node, cookie, method, *params)[0], 200, method)
    for method in UNSAFE:
        equal(ask(node, cookie, method), (403, ""), method)
    both = json.dumps([{"method": "uptime", "id": 1}, {"method": "stop", "id": 2}])
    fields = {"Cookie": cookie, "Content-Type": "application/json",
              "Origin": f"http://127.0.0.1:{node.port}"}
    equal(request(node, "POST", "/ui/rpc", fields, both)[0], 403, "in a batch")
    equal(request(node, "POST", "/ui/rpc", fields, " " * 16385)[0], 413)
    equal(request(node, "GET", "/ui/rpc", fields)[0], 405)
    equal(request(node, "POST", "/", fields, both)[0], 401, "it is no login elsewhere")
    equal(request(node, "GET", "/events", fields)[0], 401)
    status, headers, _ = request(node, "POST", "/ui/rpc", fields, '[{"method": "uptime"}]')
    equal((status, headers["cache-control"], headers["x-content-type-options"]),
          (200, "no-store", "nosniff"))
    node.stop()


def test_pages_of_others_are_refused(context):
    node = context.started()
    cookie = opened(node)
    for origin in (None, "null", "http://evil.example", f"http://localhost:{node.port}",
                   "http://127.0.0.1:1", f"http://127.0.0.1:{node.port}.evil.example"):
        equal(ask(node, cookie, "uptime", Origin=origin)[0], 403, f"origin {origin}")
    for kind in (None, "text/plain", "application/x-www-form-urlencoded"):
        equal(ask(node, cookie, "uptime", Content_Type=kind)[0], 403, f"type {kind}")
    evil = f"evil.example:{node.port}"
    equal(ask(node, cookie, "uptime", Host=evil, Origin="http://" + evil)[0], 403, "rebinding")
    equal(request(node, "GET", "/ui/", {"Host": evil})[0], 403)
    equal(request(node, "GET", "/ui/events", {"Cookie": cookie,
                                              "Origin": "http://127.0.0.1:1"})[0], 403)
    equal(request(node, "OPTIONS", "/ui/rpc", {"Cookie": cookie})[0], 405)
    equal(is_in(node, cookie), True)
    node.stop()


def fetched(node, path, site, mode="navigate", dest="document", **others):
    """The answer to a request of which the browser says who has caused it."""
    fields = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest, **others}
    return request(node, "GET", path, fields)


def test_other_sites_may_not_ask_but_lead_here_with_an_address(context):
    node = context.started()
    path = token_path(node)
    cookie = opened(node)
    for site in ("cross-site", "same-site"):
        for mode, dest in (("no-cors", "image"), ("navigate", "iframe"), ("navigate", "document")):
            for at in ("/ui", "/ui/", "/ui/mesh", "/ui/events"):
                equal(fetched(node, at, site, mode, dest, Cookie=cookie)[0], 403, (at, site, dest))
        equal(fetched(node, path, site, "no-cors", "script")[0], 403, "uses nothing up")
        equal(ask(node, cookie, "uptime", Sec_Fetch_Site=site)[0], 403)
    status, headers, body = fetched(node, path, "cross-site")
    equal((status, headers["refresh"], body), (200, "0; url=/ui/", ""))
    equal("location" in headers, False)
    equal(is_in(node, headers["set-cookie"].split(";")[0]), True)
    equal(fetched(node, path, "cross-site")[0], 403, "a second time")
    for site in ("none", "same-origin"):
        equal(fetched(node, "/ui/", site)[0], 200, site)
        equal(fetched(node, token_path(node), site)[0], 303, site)
    equal(ask(node, cookie, "uptime", Sec_Fetch_Site="same-origin")[0], 200)
    node.stop()


def test_the_page_may_do_little(context):
    node = context.started()
    status, headers, body = request(node, "GET", "/ui/")
    equal((status, headers["content-type"]), (200, "text/html; charset=utf-8"))
    policy = dict((part.strip().split(" ", 1)) for part in
                  headers["content-security-policy"].split(";"))
    digests = {}
    for tag in ("script", "style"):
        texts = re.findall(f"<{tag}>(.*?)</{tag}>", body, re.DOTALL)
        equal(len(texts), 1, tag)
        digest = base64.b64encode(hashlib.sha256(texts[0].encode()).digest()).decode()
        digests[tag + "-src"] = f"'sha256-{digest}'"
    equal(policy, {"default-src": "'none'", "connect-src": "'self'", "img-src": "data:",
                   "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'",
                   **digests})
    equal(headers["x-frame-options"], "DENY")
    equal(headers["x-content-type-options"], "nosniff")
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        equal(word in body, False, word)
    equal(re.findall(r"<[^>]*\son[a-z]+=|javascript:|(?:src|href)=[\"']?(?:https?:|//)", body), [],
          "handlers and outside addresses")
    equal(request(node, "POST", "/ui/", {}, "x")[0], 405)
    node.stop()


def test_it_is_off_where_nobody_asked_for_it(context):
    node = context.node(chain="main").start()
    equal([request(node, "GET", path)[0] for path in ("/ui", "/ui/", "/ui/rpc", "/ui/events")],
          [404] * 4)
    rpc_fails(-1, "-ui", node.rpc.ui)
    node.restart("-ui")
    equal(is_in(node, opened(node)), True)
    node.stop()
    node.refuses_to_start("-uimesh is for test chains only", "-uimesh=x")
    test = context.started("-ui=0", name="test")
    equal(request(test, "GET", "/ui/")[0], 404)
    test.stop()


def test_who_asks_for_an_address_gives_what_he_may(context):
    tag = hmac.new(b"a0", b"pw", "sha256").hexdigest()
    node = context.started(f"-rpcauth=al:a0${tag}", "-rpcwhitelist=al:ui,uptime",
                           "-rpcwhitelistdefault=0")
    al = framework.Rpc(node.port, "al:pw")
    path = al.ui()[len(f"http://127.0.0.1:{node.port}"):]
    cookie = opened(node, path)
    equal(ask(node, cookie, "uptime")[0], 200)
    equal(ask(node, cookie, "getpeerinfo")[0], 403)
    equal(request(node, "GET", "/ui/events", {"Cookie": cookie})[0], 403)
    al.close()
    node.process.send_signal(signal.SIGHUP)  # who had a login may have none now
    wait_until(lambda: not is_in(node, cookie), what="the end of the session")
    node.stop()


def test_the_map_of_the_mesh(context):
    node = context.started("-uimesh=map.json")
    fields = {"Cookie": opened(node)}
    equal(request(node, "GET", "/ui/mesh")[0], 403)
    equal(request(node, "GET", "/ui/mesh", fields)[0], 404)
    text = json.dumps({"time": 1, "nodes": [], "links": []})
    with open(node.path("map.json"), "w", encoding="ascii") as file:
        file.write(text)
    status, headers, body = request(node, "GET", "/ui/mesh", fields)
    equal((status, headers["content-type"], body), (200, "application/json", text))
    with open(node.path("map.json"), "w", encoding="ascii") as file:
        file.write(" " * (1 << 20))
    equal(request(node, "GET", "/ui/mesh", fields)[0], 200)
    with open(node.path("map.json"), "a", encoding="ascii") as file:
        file.write(" ")
    equal(request(node, "GET", "/ui/mesh", fields)[0], 500)
    node.stop()


# -- In a browser ------------------------------------------------------------------------------

def lively(node):
    """Blocks, what waits at many rates, and a stranger's text. Returns what the browser looks
    for."""
    coins = []
    for height in node.rpc.generatetoaddress(130, chain.TRUE_ADDRESS)[:25]:
        coins.append(chain.wire(node.rpc.getblock(height)["tx"][0]))

    def made(coin, sat_per_vbyte, outputs=1, note=b""):
        outs = [chain.TxOut(0, b"\x6a" + chain.push(note))] if note else []
        value = 50 * chain.COIN - int(sat_per_vbyte * (80 + 43 * outputs + len(note) + 20))
        outs += [chain.TxOut(value // outputs, chain.TRUE_P2WSH)] * outputs
        return chain.spend_true_p2wsh([(coin, 0)], outs).encode().hex()

    note_tx = node.rpc.sendrawtransaction(made(coins[0], 5, 3, ATTACK.encode()))
    note_block = node.rpc.generatetoaddress(1, chain.TRUE_ADDRESS)[0]
    rates = (1, 1.2, 2, 2.5, 3, 3, 4, 5, 7, 9, 11, 14, 22)
    waiting = [made(coin, rates[i % 13], 1 + i * 3 % 20) for i, coin in enumerate(coins[1:])]
    for raw in waiting[:12]:
        node.rpc.sendrawtransaction(raw)
    return {"note": ATTACK, "note_tx": note_tx, "note_block": note_block,
            "address": chain.TRUE_ADDRESS, "later": waiting[12:]}


def write_mesh(path, tip):
    """As the lab keeps it up to date."""
    names = ("hub", "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", ATTACK[:20])
    nodes = [{"id": i, "name": name, "height": 130, "tip": tip if i != 5 else "ab" * 32,
              "up": i != 7, "peers": 3} for i, name in enumerate(names)]
    links = [{"from": i, "to": (i * 5 + 1) % 9, "rtt_ms": 20.5 * i} for i in range(9)]
    links += [{"from": 0, "to": i, "rtt_ms": 160.2} for i in (2, 4, 6)]
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"time": int(time.time()), "nodes": nodes, "links": links}, file)


def test_what_a_user_sees(context):
    chromium = shutil.which("chromium")
    if not chromium:
        raise Skip("no chromium here")
    folder = npm.installed("playwright", ["playwright-core@1.65.1"])
    node = p2p.node(context, "-uimesh=map.json", "-addressindex", "-txindex")
    given = lively(node)
    peers = [p2p.connect(context, node, agent=b"/stranger:1.0(<i>hi</i>)/", height=40),
             p2p.connect(context, node, agent=b"/Satoshi:31.0.0/", height=131)]
    wait_until(lambda: all("pingtime" in p for p in node.rpc.getpeerinfo()), what="round trips")
    write_mesh(node.path("map.json"), node.rpc.getbestblockhash())
    given.update(chromium=chromium, agent="/Satoshi:31.0.0/")
    pictures = os.environ.get("CAIRN_PICTURES", "")  # a folder, for who wants to look
    if pictures:
        os.makedirs(pictures, exist_ok=True)
    status, said = npm.run(folder, "ui_browser.js", node, pictures, json.dumps(given))
    equal((status, said), (0, "fine"))
    for peer in peers:
        peer.close()
    node.wait_exit()


if __name__ == "__main__":
    framework.main(globals())
