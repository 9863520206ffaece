"""A back end with the server SDK of Pusher for Python."""

import os

import pusher

CHANNEL = "presence-judged"

client = pusher.Pusher(
    app_id="1",
    key="c49a449b916bb4246729",
    secret="7ad3773142a6692b25b8",
    host="127.0.0.1",
    port=int(os.environ["PUSHER_PORT"]),
    ssl=False,
)
answer = client.channels_info("presence-", ["user_count"])
print("members:", answer["channels"][CHANNEL]["user_count"])
print("first user:", client.users_info(CHANNEL)["users"][0]["id"])
print("auth:", client.authenticate("private-judged", os.environ["SOCKET_ID"])["auth"])
client.trigger(CHANNEL, "greeting", {"text": "hello"})
client.trigger_batch([{"channel": "news", "name": "e", "data": "1"}, {"channel": "news", "name": "e", "data": "2"}])
