"""A connection to Redis in standard Python: enough of RESP2 for a service of Hubbub."""
import socket


class RedisError(Exception):
    """What Redis answers when it refuses."""


class RedisConnection:
    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), timeout=10)
        self._stream = self._socket.makefile("rb")

    def call(self, *words: object) -> object:
        """Sends one command. Texts of the answer are bytes: envelopes are no UTF-8."""
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        request = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        self._socket.sendall(request)
        return self._answer()

    def _answer(self) -> object:
        line = self._stream.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        length = int(rest)
        if length < 0:
            return None
        if kind == b"*":
            return [self._answer() for _ in range(length)]
        return self._stream.read(length + 2)[:-2]
