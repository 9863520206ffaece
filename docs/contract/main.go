// Publishes one message into a room of Hubbub in standard Go (docs/redis-contract.md): no library, no SDK.
//
//	go run main.go 127.0.0.1:6379 hubbub general
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
)

func main() {
	address, prefix, room := os.Args[1], os.Args[2], os.Args[3]
	message, err := json.Marshal(map[string]any{
		"type":    "build.finished",
		"payload": map[string]any{"ok": true, "by": "go"},
	})
	fail(err)
	connection, err := net.Dial("tcp", address)
	fail(err)
	defer connection.Close()
	_, err = connection.Write(command("PUBLISH", prefix+":room:{"+room+"}", string(message)))
	fail(err)
	answer, err := bufio.NewReader(connection).ReadString('\n')
	fail(err)
	if !strings.HasPrefix(answer, ":") {
		fail(fmt.Errorf("Redis refuses: %s", answer))
	}
	// How many subscribers took it: edges with a member in the room, and not the members.
	fmt.Println("edges", strings.TrimSpace(answer[1:]))
}

// A command as Redis reads it (RESP2).
func command(words ...string) []byte {
	var text strings.Builder
	fmt.Fprintf(&text, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(&text, "$%d\r\n%s\r\n", len(word), word)
	}
	return []byte(text.String())
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
