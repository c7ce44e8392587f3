// The task with OpenAI's SDK for Go, streamed: main ORIGIN KEY MODEL PROMPT
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
)

func tool(name string, fields ...string) openai.ChatCompletionToolUnionParam {
	properties := map[string]any{}
	for _, field := range fields {
		properties[field] = map[string]string{"type": "string"}
	}
	return openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
		Name:       name,
		Parameters: shared.FunctionParameters{"type": "object", "properties": properties, "required": fields},
	})
}

func run(name string, given map[string]string) string {
	switch name {
	case "read_file":
		text, _ := os.ReadFile(given["path"])
		return string(text)
	case "edit":
		text, _ := os.ReadFile(given["path"])
		changed := strings.Replace(string(text), given["old_string"], given["new_string"], 1)
		if err := os.WriteFile(given["path"], []byte(changed), 0o644); err != nil {
			return err.Error()
		}
		return "edited"
	default:
		printed, _ := exec.Command("sh", "-c", given["command"]).Output()
		return string(printed)
	}
}

func main() {
	client := openai.NewClient(option.WithBaseURL(os.Args[1]+"/v1"), option.WithAPIKey(os.Args[2]))
	params := openai.ChatCompletionNewParams{
		Model:    os.Args[3],
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(os.Args[4])},
		Tools: []openai.ChatCompletionToolUnionParam{
			tool("read_file", "path"), tool("edit", "path", "old_string", "new_string"), tool("bash", "command"),
		},
	}
	for range 8 {
		stream := client.Chat.Completions.NewStreaming(context.Background(), params)
		whole := openai.ChatCompletionAccumulator{}
		for stream.Next() {
			whole.AddChunk(stream.Current())
		}
		if err := stream.Err(); err != nil {
			log.Fatal(err)
		}
		message := whole.Choices[0].Message
		if len(message.ToolCalls) == 0 {
			fmt.Println(message.Content)
			return
		}
		params.Messages = append(params.Messages, message.ToParam())
		for _, call := range message.ToolCalls {
			given := map[string]string{}
			if err := json.Unmarshal([]byte(call.Function.Arguments), &given); err != nil {
				log.Fatal(err)
			}
			params.Messages = append(params.Messages, openai.ToolMessage(run(call.Function.Name, given), call.ID))
		}
	}
}
