"""JSON-RPC itself: versions, batches, named parameters, credentials, limits, malformed requests."""
import hashlib
import hmac
import json
import socket
import time

import framework
from framework import Rpc, RpcError, equal, rpc_fails


def ask(node, request):
    """Send a request as it is. Returns (HTTP status, parsed answer or None)."""
    body = request if isinstance(request, (str, bytes)) else json.dumps(request)
    status, _, content = node.rpc.post(body)
    return status, json.loads(content) if content else None


def test_version_1_answers_have_three_members(context):
    node = context.started()
    for request in ({"method": "getblockcount", "id": 7},
                    {"version": "1.1", "method": "getblockcount", "params": [], "id": 7},
                    {"jsonrpc": "1.0", "method": "getblockcount", "params": {}, "id": 7}):
        status, answer = ask(node, request)
        equal((status, answer), (200, {"result": 0, "error": None, "id": 7}))
    status, answer = ask(node, {"method": "nosuchmethod", "id": "x"})
    equal((status, answer["result"], answer["error"]["code"], answer["id"]),
          (404, None, -32601, "x"))
    status, answer = ask(node, {"method": "getblockhash", "params": [99], "id": None})
    equal((status, answer["error"]),
          (500, {"code": -8, "message": "Block height out of range"}))
    node.stop()


def test_version_2_answers_are_200_and_name_the_version(context):
    node = context.started()
    status, answer = ask(node, {"jsonrpc": "2.0", "method": "getblockcount", "id": "a"})
    equal((status, answer), (200, {"jsonrpc": "2.0", "result": 0, "id": "a"}))
    status, answer = ask(node, {"jsonrpc": "2.0", "method": "nosuchmethod", "id": 1})
    equal(status, 200)
    equal(sorted(answer), ["error", "id", "jsonrpc"])
    equal(answer["error"]["code"], -32601)
    node.stop()


def test_notifications_get_no_answer(context):
    node = context.started()
    equal(ask(node, {"jsonrpc": "2.0", "method": "getblockcount"}), (204, None))
    equal(ask(node, [{"jsonrpc": "2.0", "method": "getblockcount"}] * 3), (204, None))
    equal(ask(node, {"jsonrpc": "2.0", "method": "nosuchmethod"}), (204, None))
    status, answer = ask(node, [{"jsonrpc": "2.0", "method": "getblockcount"},
                                {"jsonrpc": "2.0", "method": "getblockcount", "id": 2}])
    equal((status, [a["id"] for a in answer]), (200, [2]))
    node.stop()


def test_an_unknown_version_is_refused(context):
    node = context.started()
    for version in ("3.0", "2.1", 2, 2.0, ["2.0"]):
        _, answer = ask(node, {"jsonrpc": version, "method": "getblockcount", "id": 1})
        equal(answer["error"]["code"], -32600, repr(version))
    node.stop()


def test_batches_keep_their_order_and_mix_versions(context):
    node = context.started()
    status, answer = ask(node, [
        {"method": "getblockcount", "id": 1},
        {"method": "nosuchmethod", "id": 2},
        {"jsonrpc": "2.0", "method": "getblockhash", "params": [0], "id": 3},
        {"method": 7, "id": 4},
        5,
    ])
    equal(status, 200)
    equal([a["id"] for a in answer], [1, 2, 3, 4, None])
    equal([(a.get("error") or {}).get("code") for a in answer],
          [None, -32601, None, -32600, -32600])
    equal("error" in answer[2], False)
    equal(ask(node, []), (200, []))
    many = [{"method": "echo", "params": [i], "id": i} for i in range(2000)]
    status, answer = ask(node, many)
    equal([a["result"] for a in answer], [[i] for i in range(2000)])
    node.stop()


def test_malformed_json_is_a_parse_error_and_the_node_lives_on(context):
    node = context.started()
    for body in ("", "{", "[", "nonsense", '{"method": "getblockcount"', '{"id":1,}', "\x00", "1e",
                 '{"method": "getblockcount"} trailing', '"\\ud800', b"\xff\xfe",
                 "[" * 100000, '{"a":' * 100000, '{"method":"getblockcount","params":[NaN]}'):
        status, answer = ask(node, body)
        equal((status, answer["error"]["code"]), (500, -32700), repr(body[:40]))
    for body, code in (("7", -32700), ('"text"', -32700), ("null", -32700), ("{}", -32600),
                       ('{"method": 1}', -32600), ('{"method": "echo", "params": 5}', -32600)):
        _, answer = ask(node, body)
        equal(answer["error"]["code"], code, body)
    equal(node.rpc.getblockcount(), 0)
    node.stop()


def test_a_request_that_is_too_large_is_refused(context):
    node = context.started()
    status = None
    with socket.create_connection(("127.0.0.1", node.port), 20) as s:
        size = 33 << 20
        s.sendall(f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n"
                  f"Authorization: {basic(node.rpc.credentials)}\r\n\r\n".encode())
        try:
            block = b" " * 65536
            for _ in range(size // len(block)):
                s.sendall(block)
            status = int(s.recv(100).split()[1])
        except OSError:
            pass  # it hung up: as good
    assert status in (None, 400, 413), status
    with socket.create_connection(("127.0.0.1", node.port), 20) as s:
        try:
            s.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * 100000 + b"\r\n\r\n")
            answer = s.recv(100)
            assert not answer or answer.split()[1] in (b"400", b"413"), answer
        except OSError:
            pass
    equal(node.rpc.getblockcount(), 0)
    node.stop()


def basic(credentials):
    import base64  # pylint: disable=import-outside-toplevel
    return "Basic " + base64.b64encode(credentials.encode()).decode()


def test_wrong_types_and_numbers_of_parameters(context):
    node = context.started()
    rpc_fails(-3, "Wrong type passed", node.rpc.getblockhash, "zero")
    rpc_fails(-3, "JSON value of type bool is not of expected type number",
              node.rpc.getblockhash, True)
    rpc_fails(-3, "Wrong type passed", node.rpc.getblock, 5)
    rpc_fails(-3, "expected type", node.rpc.getblockhash, [0])
    rpc_fails(-1, "getblockhash height", node.rpc.getblockhash)
    rpc_fails(-1, "getblockhash height", node.rpc.getblockhash, 0, 1)
    rpc_fails(-8, "must be of length 64", node.rpc.getblock, "abc")
    rpc_fails(-8, "hexadecimal", node.rpc.getblock, "z" * 64)
    rpc_fails(None, "range|integer", node.rpc.getblockhash, 1e300)
    rpc_fails(None, "integer|range", node.rpc.getblockhash, 0.5)
    node.stop()


def test_named_parameters(context):
    node = context.started()
    genesis = node.rpc.getblockhash(0)
    equal(node.rpc.getblockhash(height=0), genesis)
    equal(node.rpc.getblock(blockhash=genesis, verbosity=1)["height"], 0)
    equal(node.rpc.getblock(blockhash=genesis, verbose=1)["height"], 0)  # the old name
    equal(node.rpc.getblock(verbosity=0, blockhash=genesis)[:8], "01000000")
    rpc_fails(-8, "Unknown named parameter colour", node.rpc.getblockhash, height=0, colour=1)
    equal(node.rpc.getblock(args=[genesis], verbosity=0)[:8], "01000000")
    rpc_fails(-8, "specified twice", node.rpc.getblock, args=[genesis, 0], verbosity=1)
    equal(node.rpc.echo(arg1="b"), [None, "b"])
    node.stop()


def test_credentials(context):
    salt, password = "0123456789abcdef", "secret-word"
    digest = hmac.new(salt.encode(), password.encode(), hashlib.sha256).hexdigest()
    node = context.started(f"-rpcauth=alice:{salt}${digest}")
    for credentials, good in ((node.rpc.credentials, True), (f"alice:{password}", True),
                              ("alice:wrong", False), ("bob:" + password, False), ("", False),
                              ("alice:", False), ("__cookie__:", False), ("alice", False)):
        rpc = Rpc(node.port, credentials, 20)
        start = time.monotonic()
        try:
            equal(rpc.getblockcount(), 0)
            assert good, credentials
        except RpcError as error:
            equal((error.status, good), (401, False), credentials)
            if credentials:
                assert time.monotonic() - start >= 0.2, "a wrong guess is answered at once"
    status, headers, _ = Rpc(node.port, None).post("{}")
    equal((status, headers["WWW-Authenticate"]), (401, 'Basic realm="jsonrpc"'))
    node.stop()


def test_user_and_password_of_the_options(context):
    node = context.node(options=["-rpcuser=carol", "-rpcpassword=pass:word"])
    node.launch()
    rpc = Rpc(node.port, "carol:pass:word", 20)

    def ready():
        try:
            return rpc.getblockcount() == 0
        except OSError:
            return False
        except RpcError as error:
            return error.code not in (-28,) and error.status != 401
    framework.wait_until(ready)
    assert node.connect_rpc() is None, "a cookie although there is a password"
    rpc.stop()
    node.wait_exit(0)


def test_malformed_rpcauth_is_refused(context):
    context.node().refuses_to_start("rpcauth", "-rpcauth=nocolon")


def test_only_post_is_taken(context):
    node = context.started()
    with socket.create_connection(("127.0.0.1", node.port), 20) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        equal(s.recv(100).split()[1], b"405")
    node.stop()


def test_a_client_that_goes_away_harms_nobody(context):
    node = context.started()
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", node.port), 20) as s:
            body = b'{"method":"waitfornewblock","params":[20000]}'
            s.sendall(f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
                      f"Authorization: {basic(node.rpc.credentials)}\r\n\r\n".encode() + body)
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", node.port), 20) as s:
            s.sendall(b"POST / HTTP/1.1\r\nContent-Le")
    equal(node.rpc.getblockcount(), 0)
    node.stop()


def test_requests_are_pipelined_in_order(context):
    node = context.started()
    with socket.create_connection(("127.0.0.1", node.port), 20) as s:
        for i in range(50):
            body = json.dumps({"method": "echo", "params": [i], "id": i}).encode()
            s.sendall(f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
                      f"Authorization: {basic(node.rpc.credentials)}\r\n\r\n".encode() + body)
        received = b""
        end = time.monotonic() + 20
        while received.count(b'"error"') < 50 and time.monotonic() < end:
            received += s.recv(65536)
    ids = [json.loads("{" + part.split(b"{", 1)[1].split(b"}")[0].decode() + "}")["id"]
           for part in received.split(b"HTTP/1.1")[1:]]
    equal(ids, list(range(50)))
    node.stop()


def test_a_whitelist_limits_methods(context):
    salt = "00"
    digest = hmac.new(salt.encode(), b"pw", hashlib.sha256).hexdigest()
    node = context.started(f"-rpcauth=reader:{salt}${digest}",
                           "-rpcwhitelist=reader:getblockcount,getblockhash",
                           "-rpcwhitelistdefault=0")
    rpc = Rpc(node.port, "reader:pw", 20)
    equal(rpc.getblockcount(), 0)
    status, _, _ = rpc.post('{"method":"stop"}')
    equal(status, 403)
    equal(node.rpc.getblockcount(), 0)
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
