"""A service of Hubbub in standard Python (docs/redis-contract.md): it reads client events, answers, and keeps them in the
room's history.

    python3 service.py 127.0.0.1 6379 hubbub path/to/packages/broker/lua

It ends when it has handled an event of the type `stop`.
"""
import base64
import json
import os
import sys
import time
from datetime import datetime, timezone

from redis_connection import RedisConnection, RedisError

HOST, PORT, PREFIX, LUA = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
NAMESPACE, GROUP, CONSUMER = "game", "py-referee", "py-1"
redis = RedisConnection(HOST, PORT)


def script(name: str) -> str:
    with open(os.path.join(LUA, name), encoding="utf-8") as file:
        return file.read()


POSITION = script("history-position.lua")
APPEND, READ = POSITION + script("history-append.lua"), POSITION + script("history-read.lua")


def envelope(frame: dict) -> bytes:
    """0x01, the header as JSON, 0x02, the frame."""
    header = {"e": "j", "t": int(time.time() * 1000)}
    timestamp = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = {**frame, "timestamp": timestamp}  # "type" first
    return b"\x01" + json.dumps(header, separators=(",", ":")).encode() + b"\x02" + json.dumps(body).encode()


def new_epoch() -> str:
    return base64.urlsafe_b64encode(os.urandom(9)).decode()


def namespace_of(room: str) -> dict:
    """Whether rooms of the namespace have a history: written by the edges. Ask again every few seconds."""
    name = room.split(":")[0] if ":" in room else "default"
    found = redis.call("HGET", f"{PREFIX}:namespaces", name)
    return json.loads(found) if found else {"historySize": 0, "historyTtlMs": 300_000}


def publish(room: str, frame: dict, key: str) -> object:
    """To everybody in the room; into its history, where it has one. The same key again publishes nothing more."""
    namespace = namespace_of(room)
    channel = f"{PREFIX}:room:{{{room}}}"
    if namespace["historySize"] == 0:
        return redis.call("PUBLISH", channel, json.dumps(frame))
    history = f"{PREFIX}:history:{{{room}}}"
    ttl = namespace["historyTtlMs"]
    return redis.call(
        "EVAL", APPEND, 3, f"{history}:meta", f"{history}:stream", f"{history}:id:service:{key}",
        new_epoch(), "", "", 0, 2 * ttl, channel, envelope(frame), namespace["historySize"], ttl, 300_000,
    )


def read_history(room: str, limit: int = 100) -> list:
    """The newest messages of the room, oldest first, each with its offset."""
    history = f"{PREFIX}:history:{{{room}}}"
    ttl = 2 * namespace_of(room)["historyTtlMs"]
    arguments = (new_epoch(), "", "", 0, ttl, "1-0", "+", limit, "newest")
    _, _, entries, _ = redis.call("EVAL", READ, 2, f"{history}:meta", f"{history}:stream", *arguments)
    messages = []
    for entry_id, (_, bytes_) in reversed(entries):
        head, body = bytes_[1:].split(b"\x02", 1)
        if json.loads(head)["e"] == "j":  # "m": MessagePack, of a client that speaks it
            messages.append({**json.loads(body), "offset": int(entry_id.split(b"-")[0])})
    return messages


def reply(event: dict, frame: dict) -> None:
    """To the session that sent the event, and no other."""
    message = {**frame, "id": event["id"], "sessions": [event["session"]]}
    if "room" in event:
        message["room"] = event["room"]
    redis.call("PUBLISH", f"{PREFIX}:node:{{{event['node']}}}", json.dumps(message))


def handle(event: dict, entry_id: str) -> None:
    payload = json.loads(event["payload"])
    user = json.loads(event["user"])
    # The entry's id is the key: who handles the event a second time publishes nothing more.
    publish(event["room"], {"type": "move.made", "payload": payload, "sender": user}, entry_id)
    made = [message for message in read_history(event["room"]) if message["type"] == "move.made"]
    reply(event, {"type": "move.seen", "payload": {"number": len(made), "offset": made[-1]["offset"]}})


def consume() -> None:
    stream = f"{PREFIX}:events:{{{NAMESPACE}}}"
    try:
        redis.call("XGROUP", "CREATE", stream, GROUP, 0, "MKSTREAM")
    except RedisError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise
    print("ready", flush=True)
    # First what an earlier life of this consumer had and did not acknowledge ("0"), then what is new (">").
    position = "0"
    while True:
        found = redis.call(
            "XREADGROUP", "GROUP", GROUP, CONSUMER, "COUNT", 16, "BLOCK", 1000, "STREAMS", stream, position
        )
        entries = found[0][1] if found else []
        if position == "0" and not entries:
            position = ">"
        for entry_id, fields in entries:
            event = {fields[i].decode(): fields[i + 1].decode() for i in range(0, len(fields), 2)}
            if event["type"] != "stop":
                handle(event, entry_id.decode())
            redis.call("XACK", stream, GROUP, entry_id)
            if event["type"] == "stop":
                return


consume()
