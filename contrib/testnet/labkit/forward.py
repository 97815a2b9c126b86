"""forward.py - ports of this machine that lead to the RPC of nodes in namespaces, for browsers: a
namespace has its loopback for itself."""
import asyncio
import socket
import threading

from labkit import rpc

PIECE_BYTES = 65536
OPEN_MAX = 256  # connections at a time; a browser has six to a place


class Forwarder:
    """A port of 127.0.0.1 for each node that was asked for, as long as the lab lives."""

    def __init__(self):
        self.ports = {}  # by node
        self.n_open = 0
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def port(self, node):
        """Which leads to a node. Any thread but the forwarder's own; raises OSError."""
        if node not in self.ports:
            future = asyncio.run_coroutine_threadsafe(self._listen(node), self.loop)
            self.ports[node] = future.result(10)
        return self.ports[node]

    async def _listen(self, node):
        async def serve(reader, writer):
            self.n_open += 1
            try:
                await self._serve((reader, writer), node)
            except OSError:
                pass  # the node is away, or the browser
            finally:
                self.n_open -= 1
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        return server.sockets[0].getsockname()[1]

    async def _serve(self, caller, node):
        if self.n_open > OPEN_MAX:
            return
        stream = rpc.socket_in(node.namespace)
        stream.setblocking(False)
        try:
            await self.loop.sock_connect(stream, (node.rpc_host, node.rpc_port))
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            called = await asyncio.open_connection(sock=stream)
        except OSError:
            stream.close()
            raise
        halves = [asyncio.ensure_future(_half(caller[0], called[1])),
                  asyncio.ensure_future(_half(called[0], caller[1]))]
        await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
        for half in halves:
            half.cancel()
        called[1].close()


async def _half(reader, writer):
    """One direction, until an end closes."""
    try:
        while data := await reader.read(PIECE_BYTES):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
