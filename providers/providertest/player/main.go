// Command player is a provider for tests: it makes the calls in its configuration, one
// after another.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/settings"
)

type player struct{}

// config is the value of player in stagecraft.yml.
type config struct {
	Dev   []step `json:"dev"`
	Build []step `json:"build"`
}

// step is one call.
type step struct {
	Exec        *abi.ExecRequest        `json:"exec"`
	DockerBuild *abi.DockerBuildRequest `json:"docker_build"`
	DockerImage string                  `json:"docker_image"`
	ReadFile    string                  `json:"read_file"`
	Stat        string                  `json:"stat"`
	List        string                  `json:"list"`
	EnvStatus   []string                `json:"env_status"`
	Log         string                  `json:"log"`
	// Start, Watch, Wait, Stop and Probe are of programs and watches by the order in
	// which they were started, from 1. The results of Wait and Probe are logged.
	Watch *abi.WatchRequest        `json:"watch"`
	Start *abi.ProcessStartRequest `json:"start"`
	Wait  *abi.ProcessWaitRequest  `json:"wait"`
	Stop  *abi.ProcessStopRequest  `json:"stop"`
	Probe *abi.ProbeRequest        `json:"probe"`
	// Status asks for the state of variables with files; the result is logged.
	Status *abi.EnvStatusRequest `json:"status"`
	// Raw sends bytes unchanged, for what the SDK's requests cannot express.
	Raw *raw `json:"raw"`
	// Say logs the result or error of the step before.
	Say bool `json:"say"`
	// Fail ends the run with this error.
	Fail *abi.Error `json:"fail"`
	// Output runs what the exec before printed: a program not known in advance.
	Output bool `json:"output"`
	// Ignore goes on after an error.
	Ignore bool `json:"ignore"`
	// Find logs whether the result of a call contains this text.
	Find string `json:"find"`
	// Times makes the same call again and again.
	Times int `json:"times"`
}

// raw is what is sent to an operation: Text, Repeat times in place of the @ in
// it where there is one, or else Bytes.
type raw struct {
	Operation string `json:"operation"`
	Text      string `json:"text"`
	Repeat    string `json:"repeat"`
	Times     int    `json:"times"`
	Bytes     []byte `json:"bytes"`
}

func (r raw) request() []byte {
	if r.Text == "" {
		return r.Bytes
	}
	return []byte(strings.Replace(r.Text, "@", strings.Repeat(r.Repeat, r.Times), 1))
}

// maxSaid is the most that is logged of a file or a reply, in bytes.
const maxSaid = 1000

func init() { backend.Register(player{}) }

func main() {}

// ID implements [backend.Provider].
func (player) ID() string { return "player" }

// Dev implements [backend.Provider].
func (player) Dev(ctx backend.Context, opts backend.DevOptions) error {
	var c config
	if err := settings.Decode(opts.Config, &c); err != nil {
		return err
	}
	return play(ctx, c.Dev)
}

// BuildDocker implements [backend.Provider].
func (player) BuildDocker(ctx backend.Context, opts backend.BuildDockerOptions) (string, error) {
	var c config
	if err := settings.Decode(opts.Config, &c); err != nil {
		return "", err
	}
	return opts.ImageTag, play(ctx, c.Build)
}

// detection is the file detect.json of a project: calls, and what is proposed after them.
type detection struct {
	Calls      []step          `json:"calls"`
	Candidates []abi.Candidate `json:"candidates"`
	// Copies proposes the first candidate again and again.
	Copies int `json:"copies"`
}

// Detect implements [backend.Detector].
func (player) Detect(ctx backend.Context, _ backend.DetectOptions) ([]abi.Candidate, error) {
	data, err := backend.ReadFile(ctx, "detect.json")
	if err != nil {
		return nil, nil
	}
	var d detection
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, err
	}
	for range d.Copies {
		d.Candidates = append(d.Candidates, d.Candidates[0])
	}
	return d.Candidates, play(ctx, d.Calls)
}

func play(ctx backend.Context, steps []step) error {
	output := ""
	for _, s := range steps {
		for range max(s.Times, 1) {
			if err := s.play(ctx, &output); err != nil {
				if !s.Ignore {
					return err
				}
				output = reason(err)
			}
			if s.Find != "" && strings.Contains(output, s.Find) {
				backend.Log(ctx, abi.LevelInfo, "found "+s.Find)
			}
		}
	}
	return nil
}

// reason returns all that a provider learns of an error.
func reason(err error) string {
	if e, ok := errors.AsType[*abi.Error](err); ok {
		return strings.TrimSpace(string(e.Code) + ": " + e.Message + " " + e.Hint)
	}
	return err.Error()
}

func (s step) play(ctx backend.Context, output *string) (err error) {
	switch {
	case s.Exec != nil:
		var res abi.ExecResult
		res, err = backend.Run(ctx, *s.Exec)
		*output = res.Stdout
	case s.DockerBuild != nil:
		_, err = backend.DockerBuild(ctx, *s.DockerBuild)
	case s.DockerImage != "":
		_, err = backend.Image(ctx, s.DockerImage)
	case s.ReadFile != "":
		var data []byte
		data, err = backend.ReadFile(ctx, s.ReadFile)
		*output = string(data[:min(len(data), maxSaid)])
	case s.Stat != "":
		var info abi.FileInfo
		info, err = backend.Stat(ctx, s.Stat)
		*output = fmt.Sprintf("%+v", info)
	case s.List != "":
		var entries []abi.FileInfo
		entries, err = backend.List(ctx, s.List)
		*output = fmt.Sprintf("%d entries %+v", len(entries), entries[:min(len(entries), 10)])
	case s.Raw != nil:
		reply := transport(s.Raw.Operation, s.Raw.request())
		*output = string(reply[:min(len(reply), maxSaid)])
	case s.EnvStatus != nil:
		_, err = backend.EnvStatus(ctx, s.EnvStatus...)
	case s.Start != nil:
		_, err = backend.Start(ctx, *s.Start)
	case s.Watch != nil:
		_, err = backend.Watch(ctx, *s.Watch)
	case s.Wait != nil:
		var res abi.ProcessWaitResult
		res, err = backend.Wait(ctx, *s.Wait)
		say(ctx, err, res)
	case s.Stop != nil:
		var res abi.ProcessExit
		res, err = backend.Stop(ctx, *s.Stop)
		say(ctx, err, res)
	case s.Probe != nil:
		var res abi.ProbeResult
		res, err = backend.Probe(ctx, *s.Probe)
		say(ctx, err, res)
	case s.Status != nil:
		var states map[string]abi.EnvState
		states, err = backend.EnvStatusIn(ctx, s.Status.Files, s.Status.Names...)
		say(ctx, err, states)
	case s.Say:
		backend.Log(ctx, abi.LevelInfo, *output)
	case s.Fail != nil:
		return s.Fail
	case s.Output:
		_, err = backend.Run(ctx, abi.ExecRequest{Argv: []string{"echo", "got " + *output}})
	default:
		backend.Log(ctx, abi.LevelInfo, s.Log)
	}
	return err
}

// say logs a result.
func say(ctx backend.Context, err error, result any) {
	if data, jerr := json.Marshal(result); err == nil && jerr == nil {
		backend.Log(ctx, abi.LevelInfo, string(data))
	}
}
