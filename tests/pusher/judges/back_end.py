"""A back end with the server SDK of Pusher for Python."""

import os

import pusher

client = pusher.Pusher(
    app_id="1",
    key="c49a449b916bb4246729",
    secret="7ad3773142a6692b25b8",
    host="127.0.0.1",
    port=int(os.environ["PUSHER_PORT"]),
    ssl=False,
)
answer = client.channels_info("presence-", ["user_count"])
print("channels:", answer["channels"]["presence-python"])
print("users:", client.users_info("presence-python")["users"])
print("auth:", client.authenticate("private-python", os.environ["SOCKET_ID"])["auth"])
client.trigger("presence-python", "greeting", {"text": "hello from Python"})
client.trigger_batch([{"channel": "news", "name": "e", "data": "1"}, {"channel": "news", "name": "e", "data": "2"}])
