"""Runs the client for a program in any language: a command in JSON on each line of stdin, an answer or event on each line of stdout."""

import argparse
import asyncio
import json
import sys
from base64 import b64decode
from typing import Any

from client import Frame, HubbubClient, HubbubError, Stopped, to_json


def write(line: Frame) -> None:
    print(json.dumps(line, default=to_json), flush=True)


class Tokens:
    """Asks for each token with the line `{"wanted": "token"}`; the command `{"token": "..."}` answers."""

    def __init__(self) -> None:
        self._answers: asyncio.Queue[str] = asyncio.Queue()

    def answer(self, token: str) -> None:
        self._answers.put_nowait(token)

    async def get(self) -> str:
        write({"wanted": "token"})
        return await self._answers.get()


async def execute(client: HubbubClient, command: Frame) -> Any:
    match command["do"]:
        case "join":
            return await client.join(command["room"], command.get("since"))
        case "leave":
            return await client.leave(command["room"])
        case "send":
            return await client.send(command["room"], with_bytes(command["payload"]))
        case "refresh":
            return await client.refresh()
        case "echo":
            return command
        case unknown:
            raise ValueError(f"Unknown command {unknown!r}: use join, leave, send, refresh or echo.")


def with_bytes(payload: Frame) -> Frame:
    """Turns `{"$base64": "..."}` into bytes, because JSON lines have none."""
    return {
        key: b64decode(value["$base64"]) if isinstance(value, dict) and "$base64" in value else value
        for key, value in payload.items()
    }


async def answer(client: HubbubClient, command: Frame) -> None:
    try:
        write({"answer": command["id"], "result": await execute(client, command)})
    except HubbubError as error:
        write({"answer": command["id"], "error": error.code})
    except (TimeoutError, Stopped, ValueError) as error:
        write({"answer": command["id"], "error": repr(error)})


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoding", choices=["json", "msgpack"], default="json")
    parser.add_argument("urls", nargs="+", metavar="url", help="ws://host/ws of an edge or a load balancer")
    options = parser.parse_args()

    stdin = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    tokens = Tokens()
    client = HubbubClient(
        options.urls,
        tokens.get,
        options.encoding,
        on_frame=lambda frame: write({"frame": frame}),
        on_notice=lambda name, details: write({"notice": name, "details": details}),
    )

    async def read_commands() -> None:
        running: set[asyncio.Task[None]] = set()
        while line := await stdin.readline():
            command = json.loads(line)
            if "token" in command:
                tokens.answer(command["token"])
                continue
            task = asyncio.create_task(answer(client, command))
            running.add(task)
            task.add_done_callback(running.discard)

    commands = asyncio.create_task(read_commands())
    try:
        async with client:
            await commands  # Until stdin ends.
    except Stopped:
        commands.cancel()


if __name__ == "__main__":
    asyncio.run(main())
