"""A Hubbub client for asyncio, written from PROTOCOL.md alone. "Section" in a comment means a section of that page."""

import asyncio
import itertools
import json
import random
import secrets
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NoReturn, TypedDict

import msgpack
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

Frame = dict[str, Any]
Position = TypedDict("Position", {"epoch": str, "offset": int}, total=False)  # Empty for a room without a history.
Action = Literal["stop", "renew", "reconnect", "move"]

# Section 3. The client repeats every other code, known or not, where a repetition changes nothing (section 9.4).
FINAL_CODES = frozenset(
    "INVALID_FORMAT UNKNOWN_TYPE INVALID_PAYLOAD MISSING_ROOM INVALID_ROOM NOT_IN_ROOM FORBIDDEN ROOM_LIMIT TOO_LARGE"
    " UNAUTHORIZED ORIGIN_NOT_ALLOWED UPGRADE_REQUIRED NOT_FOUND UNSUPPORTED_SUBPROTOCOL CONFLICT".split()
)
UNSENT: Frame = {"type": "error", "payload": {"code": "UNAVAILABLE", "message": "there is no connection"}}
BROKEN: Frame = {"type": "error", "payload": {"code": "OUTCOME_UNKNOWN", "message": "the connection broke"}}
SILENCE_S = 10  # How long the client waits for the `welcome`, and for a frame after its `ping` (section 9).
GIVE_UP_S = 60  # Well below the 5 minutes for which an edge remembers a `message_id` (section 2).
RESUME_ENTRY_BYTES = 256  # At most, for one room in a frame `resume`.
SOCKET_LIMITS: Any = {"max_size": 16 * 1024 * 1024, "ping_interval": None, "close_timeout": 2, "compression": None}


class HubbubError(Exception):
    """The edge refused a frame, with the payload of `error`."""

    def __init__(self, payload: Frame) -> None:
        super().__init__(f"{payload['code']}: {payload['message']}")
        self.code, self.retry_after_s = payload["code"], payload.get("retry_after_ms", 0) / 1000


class Stopped(Exception):
    """The client ended for good; the text gives the reason."""


class HubbubClient:
    """Holds one session at a time, and opens a new one when the connection breaks: `async with HubbubClient(...)`.

    `get_token` returns a token that is valid now. `on_frame` gets each frame that answers no request. `on_notice` gets
    "open", "ready", "gap", "room_lost", "refreshed", "refresh_failed", "moving", "closed" and "stopped", with details.
    """

    def __init__(
        self, urls: Sequence[str], get_token: Callable[[], Awaitable[str]], encoding: Literal["json", "msgpack"],
        on_frame: Callable[[Frame], None], on_notice: Callable[[str, Frame], None],
    ) -> None:  # fmt: skip
        self._urls, self._get_token, self._encoding = itertools.cycle(urls), get_token, encoding
        self._on_frame, self._on_notice = on_frame, on_notice
        self._rooms: dict[str, Position] = {}
        self._pending: dict[str, asyncio.Future[Frame]] = {}  # By the `id` of the request.
        self._request_ids = map(str, itertools.count(1))
        self._socket: ClientConnection | None = None
        self._helpers: list[asyncio.Task[None]] = []  # They end with the session.
        self._ready = asyncio.Event()  # A session is open and has its rooms again, or the client has stopped.
        self._stopped: Stopped | None = None
        self._refused_token: str | None = None
        self._welcome: Frame = {"backoff": {"base_ms": 1000, "cap_ms": 30_000}}  # Until an edge sends its own.

    async def __aenter__(self) -> "HubbubClient":
        self._running = asyncio.create_task(self._run())
        await self._ready.wait()
        if self._stopped:
            raise self._stopped
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        await asyncio.wait([self._running])

    async def join(self, room: str, since: Position | None = None, again: bool = False) -> Frame:
        """Joins a room and replays what follows `since`. Returns the payload of the `ack`."""
        self._rooms[room] = since or {}  # From here on a new session joins the room, too.
        try:
            frame = {"type": "join_room", "payload": {"room_id": room, **self._rooms[room]}}
            answer = (await self._request(frame, in_session=again)).get("payload") or {}
        except (HubbubError, TimeoutError):
            self._rooms.pop(room, None)
            raise
        self._enter(room, answer, again)
        return answer

    async def leave(self, room: str) -> None:
        await self._request({"type": "leave_room", "payload": {"room_id": room}})
        self._rooms.pop(room, None)

    async def send(self, room: str, payload: Frame, type: str = "send_message") -> Frame:
        """Sends a message or a client event, under one `message_id` until the answer is final. Returns the `ack`."""
        return await self._request({"type": type, "room": room, "message_id": secrets.token_hex(16), "payload": payload})

    async def refresh(self) -> float | None:
        """Brings a new token into the session. Returns its life in milliseconds; None if it does not expire."""
        answer = await self._request({"type": "refresh", "payload": {"token": await self._get_token()}})
        self._on_notice("refreshed", answer.get("payload") or {})
        return (answer.get("payload") or {}).get("expires_in_ms")

    async def _run(self) -> None:
        attempt, now = 0, asyncio.get_running_loop().time
        try:
            while True:
                opened_at, (action, reason, retry_after_s) = now(), await self._hold_session(next(self._urls))
                self._on_notice("closed", {"action": action, "reason": reason})
                if action == "stop":
                    raise Stopped(reason)
                if action != "move":  # A client that moves has waited for the delay of the frame `reconnect`.
                    attempt = 0 if now() - opened_at > 5 else attempt
                    await asyncio.sleep(retry_after_s + self._random_delay(attempt))
                    attempt += 1
        except BaseException as error:
            self._stopped = error if isinstance(error, Stopped) else Stopped(f"closed: {error!r}")
            self._on_notice("stopped", {"reason": str(self._stopped)})
            self._ready.set()

    def _random_delay(self, attempt: int) -> float:
        base, cap = self._welcome["backoff"]["base_ms"], self._welcome["backoff"]["cap_ms"]
        return random.uniform(0, min(cap, base * 2 ** min(attempt, 30))) / 1000

    async def _hold_session(self, url: str) -> tuple[Action, str, float]:
        """Returns what the client does after the session, why, and the seconds that the edge asks it to wait."""
        self._moving, token = False, ""
        try:
            if (token := await self._get_token()) == self._refused_token:
                return "stop", "an edge refused this token, and there is no other", 0
            headers, protocol = {"Authorization": f"Bearer {token}"}, Subprotocol(f"hubbub.v1.{self._encoding}")
            async with connect(url, additional_headers=headers, subprotocols=[protocol], **SOCKET_LIMITS) as socket:
                await self._talk(socket)
        except InvalidStatus as refusal:
            status, retry_after = refusal.response.status_code, refusal.response.headers.get("Retry-After", "")
            self._refused_token = token if status == 401 else self._refused_token
            is_final = status in (414, 431) or (status in (400, 403, 404, 405, 426) and b'"code"' in refusal.response.body)
            action: Action = "renew" if status == 401 else "stop" if is_final else "reconnect"
            return action, str(refusal), float(retry_after) if retry_after.isdigit() else 0
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else 1006
            stops = code in (1000, 1007, 1009) or 4200 <= code <= 4299
            action = "stop" if stops else "renew" if 4100 <= code <= 4199 else "reconnect"
            return "move" if self._moving else action, str(closed), 0
        except (OSError, WebSocketException) as error:  # A TimeoutError is an OSError.
            return "reconnect", repr(error), 0

    async def _talk(self, socket: ClientConnection) -> NoReturn:
        self._welcome, self._socket = (await self._next_frame(socket, SILENCE_S))["payload"], socket
        self._on_notice("open", self._welcome)
        self._helpers = [asyncio.create_task(self._resume(socket)), asyncio.create_task(self._keep_token_fresh(socket))]
        try:
            while True:
                try:
                    frame = await self._next_frame(socket, self._welcome["ping_interval_ms"] / 1000)
                except TimeoutError:
                    await socket.send(self._encode({"type": "ping"}))
                    frame = await self._next_frame(socket, SILENCE_S)
                self._receive(frame, socket)
                await asyncio.sleep(0)  # A request takes its answer before the next frame.
        finally:
            self._ready.clear()
            self._socket = None
            for helper in self._helpers:
                helper.cancel()
            for answer in [answer for answer in self._pending.values() if not answer.done()]:
                answer.set_result(BROKEN)

    async def _resume(self, socket: ClientConnection) -> None:
        """Joins the rooms of the last session again, with what was published meanwhile (section 2.4)."""
        rooms = [{"room_id": name, **position} for name, position in self._rooms.items()]
        size = max(1, self._welcome["limits"]["max_frame_bytes"] // RESUME_ENTRY_BYTES - 1)
        try:
            for start in range(0, len(rooms), size):
                frame = {"type": "resume", "payload": {"rooms": rooms[start : start + size]}}
                answer = await self._request(frame, in_session=True)
                for result in answer["payload"]["rooms"]:
                    await self._settle(result["room_id"], result)
            self._ready.set()
            self._on_notice("ready", {})
        except (HubbubError, TimeoutError):
            socket.transport.abort()  # The next session tries again.

    async def _settle(self, name: str, result: Frame) -> None:
        """Takes what a `resume` answers for one room. A refused room is joined again, or lost."""
        if "error" not in result:
            return self._enter(name, result, again=True)
        await asyncio.sleep(result["error"].get("retry_after_ms", 0) / 1000)
        try:
            await self.join(name, self._rooms.get(name), again=True)
        except (HubbubError, TimeoutError) as error:
            self._on_notice("room_lost", {"room_id": name, "reason": repr(error)})

    def _enter(self, name: str, answer: Frame, again: bool) -> None:
        """Takes the position of a join, and reports what is missing before it."""
        if "epoch" in answer:
            self._advance(name, answer["epoch"], answer["offset"])
        if answer.get("recovered") is False or (again and "epoch" not in answer):
            self._on_notice("gap", {"reason": "no_history", **answer, "room_id": name})

    def _advance(self, name: str, epoch: str, offset: int) -> bool:
        """Moves a position forward. Returns False if the position is there or beyond already: a duplicate."""
        position = self._rooms.get(name, {})
        if position.get("epoch") == epoch and position["offset"] >= offset:
            return False
        if name in self._rooms:
            self._rooms[name] = {"epoch": epoch, "offset": offset}
        return True

    async def _keep_token_fresh(self, socket: ClientConnection) -> None:
        expires_in_ms = self._welcome.get("expires_in_ms")
        try:
            while expires_in_ms is not None:
                await asyncio.sleep(max(1, expires_in_ms / 1000 - random.uniform(0.5, 1) * min(expires_in_ms / 5000, 300)))
                expires_in_ms = await self.refresh()
        except (HubbubError, OSError) as error:
            self._on_notice("refresh_failed", {"reason": repr(error)})
            socket.transport.abort()  # The next session begins with a new token.

    async def _move(self, socket: ClientConnection, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        self._ready.clear()  # New requests wait for the next session.
        if self._pending:
            await asyncio.wait(self._pending.values(), timeout=1)
        self._moving = True
        await socket.close()

    async def _next_frame(self, socket: ClientConnection, patience_s: float) -> Frame:
        async with asyncio.timeout(patience_s):
            data = await socket.recv()
        return json.loads(data) if isinstance(data, str) else msgpack.unpackb(data, timestamp=3)  # type: ignore[no-any-return]

    def _encode(self, frame: Frame) -> str | bytes:
        packed = self._encoding == "msgpack"
        return msgpack.packb(frame, datetime=True) if packed else json.dumps(frame, default=to_json, allow_nan=False)

    def _receive(self, frame: Frame, socket: ClientConnection) -> None:
        kind, payload = frame["type"], frame.get("payload") or {}
        if kind in ("ack", "error") and (answer := self._pending.get(frame.get("id", ""))):
            return None if answer.done() else answer.set_result(frame)
        name: str = frame.get("room") or payload.get("room_id") or ""
        if "offset" in frame and kind != "ack" and not self._advance(name, frame["epoch"], frame["offset"]):
            return
        if kind == "reconnect":
            self._on_notice("moving", payload)
            self._helpers.append(asyncio.create_task(self._move(socket, payload["delay_ms"] / 1000)))
        elif kind in ("room_gap", "session_gap"):
            if "epoch" in payload:
                self._advance(name, payload["epoch"], payload["offset"])
            self._on_notice("gap", payload)
        elif kind == "room_closed":
            self._rooms.pop(name, None)
            self._on_notice("room_lost", payload)
        elif kind not in ("room_offset", "pong"):
            self._on_frame(frame)

    async def _request(self, frame: Frame, in_session: bool = False) -> Frame:
        """Asks until the answer is final, in later sessions too unless `in_session`; for a minute at most."""
        async with asyncio.timeout(GIVE_UP_S):
            for attempt in itertools.count():
                if not in_session:
                    await self._ready.wait()
                try:
                    return await self._ask(frame)
                except HubbubError as error:
                    executed = error.code not in ("RATE_LIMITED", "UNAVAILABLE")  # Perhaps.
                    forgets = frame["type"] == "send_message" and not self._rooms.get(frame["room"])
                    if error.code in FINAL_CODES or (executed and forgets):
                        raise
                    await asyncio.sleep(error.retry_after_s + self._random_delay(attempt))
        raise AssertionError("unreachable")

    async def _ask(self, frame: Frame) -> Frame:
        if self._stopped:
            raise self._stopped
        request_id, reply = next(self._request_ids), UNSENT
        answer = self._pending[request_id] = asyncio.get_running_loop().create_future()
        try:
            if self._socket:
                await self._socket.send(self._encode({**frame, "id": request_id}))
                reply = await answer
        except ConnectionClosed:
            reply = BROKEN
        finally:
            del self._pending[request_id]
        if reply["type"] == "error":
            raise HubbubError(reply["payload"])
        return reply


def to_json(value: object) -> object:
    """Returns what a JSON client sends for bytes and times (section 2.3)."""
    if isinstance(value, bytes):
        return {"$base64": b64encode(value).decode()}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"A {type(value).__name__} cannot be sent.")
