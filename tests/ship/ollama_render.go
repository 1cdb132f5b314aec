// Renders a Modelfile's template as Ollama does for one turn: Go's text/template with System and Prompt, and what
// follows .Response cut off. Reads {"template", "system", "prompt"} as JSON on stdin.
package main

import (
	"encoding/json"
	"os"
	"strings"
	"text/template"
)

func main() {
	var given struct{ Template, System, Prompt string }
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		panic(err)
	}
	made := template.Must(template.New("").Option("missingkey=zero").Parse(given.Template))
	const end = "\x00response\x00"
	var out strings.Builder
	values := map[string]any{"System": given.System, "Prompt": given.Prompt, "Response": end}
	if err := made.Execute(&out, values); err != nil {
		panic(err)
	}
	before, _, _ := strings.Cut(out.String(), end)
	os.Stdout.WriteString(before)
}
