// Command grafana reads a dashboard from stdin as Grafana's published schema has it: strictly, with its validation.
// It prints the problems, and nothing if there are none.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	// Options of panels and queries have schemas of their own.
	plugins.RegisterDefaultPlugins()
	var board dashboard.Dashboard
	report(board.UnmarshalJSONStrict(text))
	report(board.Validate())
}

// The SDK returns an empty list where it found nothing.
func report(err error) {
	var problems cog.BuildErrors
	if err == nil || (errors.As(err, &problems) && len(problems) == 0) {
		return
	}
	fmt.Println(err)
}
