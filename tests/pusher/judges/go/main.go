// A back end with the server SDK of Pusher for Go.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/pusher/pusher-http-go/v5"
)

const channel = "presence-judged"

func main() {
	client := pusher.Client{
		AppID:  "1",
		Key:    "c49a449b916bb4246729",
		Secret: "7ad3773142a6692b25b8",
		Host:   "127.0.0.1:" + os.Getenv("PUSHER_PORT"),
	}
	prefix, info := "presence-", "user_count"
	channels, err := client.Channels(pusher.ChannelsParams{FilterByPrefix: &prefix, Info: &info})
	check(err)
	fmt.Println("members:", channels.Channels[channel].UserCount)
	users, err := client.GetChannelUsers(channel)
	check(err)
	fmt.Println("first user:", users.List[0].ID)
	form := "socket_id=" + os.Getenv("SOCKET_ID") + "&channel_name=private-judged"
	answer, err := client.AuthorizePrivateChannel([]byte(form))
	check(err)
	var signed struct{ Auth string }
	check(json.Unmarshal(answer, &signed))
	fmt.Println("auth:", signed.Auth)
	check(client.Trigger(channel, "greeting", map[string]string{"text": "hello"}))
	_, err = client.TriggerBatch([]pusher.Event{
		{Channel: "news", Name: "e", Data: "1"},
		{Channel: "news", Name: "e", Data: "2"},
	})
	check(err)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
