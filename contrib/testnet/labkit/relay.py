"""relay.py - links on loopback: who dials a node dials a relay instead, which passes bytes on late,
slowly, or not at all. What is lost there comes again, as TCP sees to: it is later by the time of a
retransmission, and all behind it waits."""
import asyncio
import random
import threading

PIECE_BYTES = 1448  # of what one packet carries
AHEAD_PIECES_MAX = 4096  # on their way in one direction
CUT_PAUSE_S = 0.05
RETRANSMISSION_S_MIN = 0.2


class Relays:
    """rule(a, b) says how the link of two nodes is now; None: cut."""

    def __init__(self, seed, rule):
        self.seed, self.rule = seed, rule
        self.endpoints = {}
        self.n_bytes = self.n_lost = 0
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def endpoint(self, a, b, to):
        """Where node a dials node b, who listens at to. Any thread but the relays' own."""
        if (a, b) not in self.endpoints:
            future = asyncio.run_coroutine_threadsafe(self._listen(a, b, to), self.loop)
            self.endpoints[(a, b)] = f"127.0.0.1:{future.result(10)}"
        return self.endpoints[(a, b)]

    async def _listen(self, a, b, to):
        async def serve(reader, writer):
            await self._serve((reader, writer), (a, b), to)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        return server.sockets[0].getsockname()[1]

    async def _serve(self, caller, ends, to):
        writers = [caller[1]]
        try:
            while self.rule(*ends) is None:
                await asyncio.sleep(CUT_PAUSE_S)
            called = await asyncio.open_connection(*to)
            writers.append(called[1])
            halves = [asyncio.ensure_future(self._half(caller[0], called[1], ends)),
                      asyncio.ensure_future(self._half(called[0], caller[1], ends[::-1]))]
            await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
            for half in halves:
                half.cancel()
        except OSError:
            pass
        for writer in writers:
            writer.close()

    async def _half(self, reader, writer, ends):
        """One direction, until one end closes."""
        pieces = asyncio.Queue(AHEAD_PIECES_MAX)
        sender = asyncio.ensure_future(self._send(pieces, writer, ends))
        try:
            await self._receive(reader, pieces, ends)
            await pieces.join()
        except OSError:
            pass
        finally:
            sender.cancel()

    async def _receive(self, reader, pieces, ends):
        lot = random.Random(f"relay/{self.seed}/{ends}")
        clock, clear_s = self.loop.time, 0.0
        while data := await reader.read(PIECE_BYTES):
            rule = self.rule(*ends) or {"delay_ms": 0, "jitter_ms": 0, "loss": 0, "rate": 0}
            clear_s = max(clock(), clear_s) + (len(data) / rule["rate"] if rule["rate"] else 0)
            due_s = clear_s + (rule["delay_ms"] + lot.random() * rule["jitter_ms"]) / 1000
            while lot.random() < rule["loss"] < 1:
                self.n_lost += 1
                due_s += max(RETRANSMISSION_S_MIN, 2 * rule["delay_ms"] / 1000)
            await pieces.put((due_s, data))

    async def _send(self, pieces, writer, ends):
        while True:
            due_s, data = await pieces.get()
            if due_s > self.loop.time():
                await asyncio.sleep(due_s - self.loop.time())
            while (rule := self.rule(*ends)) is None or rule["loss"] >= 1:
                await asyncio.sleep(CUT_PAUSE_S)
            writer.write(data)
            self.n_bytes += len(data)
            pieces.task_done()
            await writer.drain()
