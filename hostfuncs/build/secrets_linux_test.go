package build

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/creack/pty"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/buildkit/client"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

const secretValue = "pa55-w0rd-of-the-test"

// TestBuildSecret gives a step a secret from a dotenv file: the step has it, and
// nobody else: it is in nothing that is shown, and in no file of the image or of
// the cache.
func TestBuildSecret(t *testing.T) { eachRig(t, testBuildSecret) }

func testBuildSecret(t *testing.T, r rig) {
	for _, engine := range r.running() {
		for _, mode := range []string{"plain", "rawjson", "tty"} {
			t.Run(string(engine.Kind)+" "+mode, func(t *testing.T) {
				s := secretSite(t, r, engine)
				s.Builds.Mode, s.Builds.NoCache = mode, true
				seen := s.progress.String
				if mode == "tty" {
					seen = s.onTerminal(t)
				}
				file := filepath.Join(imagetest.Dir(t), "image.tar")
				s.Builds.Outputs = []Output{{Path: file}}
				cache := s.cacheInto(t, engine)
				reply := s.build(t.Context(), t, "shop:secret", false)
				if r.withoutBuildKit(t, s, engine, reply, "secrets") {
					return
				}
				hosttest.As[abi.DockerBuildResult](t, reply)
				sum := sha256.Sum256([]byte(secretValue))
				files := imageText(t, file)
				if !strings.Contains(files, hex.EncodeToString(sum[:])) {
					t.Error("the step had another secret")
				}
				if strings.Contains(files, secretValue) {
					t.Error("the image has the secret")
				}
				if cache != "" && strings.Contains(directoryText(t, cache), secretValue) {
					t.Error("the cache has the secret")
				}
				said := wantShown(t, mode, seen())
				if strings.Contains(said, secretValue) || !strings.Contains(said, "/run/secrets/token") || strings.Contains(said, "\x1b]") {
					t.Errorf("shown is %q", said)
				}
				if mode != "tty" && (!strings.Contains(said, "it is ") || strings.ContainsAny(said, "\x1b\x07")) {
					t.Errorf("shown is %q", said)
				}
			})
		}
	}
}

// onTerminal has a build shown on a terminal, of which all that was written can
// be had in the end.
func (s site) onTerminal(t *testing.T) func() string {
	t.Helper()
	ours, theirs, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	if err := pty.Setsize(ours, &pty.Winsize{Rows: 40, Cols: 250}); err != nil {
		t.Fatal(err)
	}
	s.Builds.Progress = theirs
	read := make(chan string, 1)
	go func() {
		// It ends with an error when nobody has the other end any more.
		text, _ := io.ReadAll(ours)
		read <- string(text)
	}()
	return func() string {
		theirs.Close()
		return await(t, "the terminal", read)
	}
}

// secretSite has a step that is given a secret, whose value is in its name too.
func secretSite(t *testing.T, r rig, e Engine) site {
	t.Helper()
	s := r.site(t, e, withTool(t, map[string]string{
		"Dockerfile": "FROM scratch\nCOPY tool /tool\n" +
			`RUN --mount=type=secret,id=token,required=true ["/tool", "show", "/run/secrets/token", "/sum", "` + secretValue + `"]` + "\n",
	}))
	imagetest.Write(t, s.Root, map[string]string{".env": "TOKEN=" + secretValue + "\n"})
	s.policy = strings.Replace(allowEach, "build: {", "env: {pass: [TOKEN]}, files: {env: [.env]}, build: {secrets: [token], cache_to: ['**'], ", 1)
	s.ask = func(q *abi.DockerBuildRequest) {
		q.Secrets = map[string]abi.Value{"token": abi.EnvRef("TOKEN", ".env")}
	}
	return s
}

// cacheInto has a daemon send its cache to a registry, whose directory it gives.
func (s *site) cacheInto(t *testing.T, e Engine) string {
	t.Helper()
	if e.Kind != BuildKit {
		return ""
	}
	host, dir := providertest.RegistryIn(t)
	secrets := s.ask
	s.ask = func(q *abi.DockerBuildRequest) {
		secrets(q)
		q.CacheTo = []string{"type=registry,ref=" + host + "/cache:1,mode=max"}
	}
	return dir
}

// imageText is all that is in the layers of an image, and its configuration.
func imageText(t *testing.T, file string) string {
	t.Helper()
	img, err := tarball.ImageFromPath(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	// That is the Dockerfile in other words.
	config.History = nil
	var text strings.Builder
	if err := json.NewEncoder(&text).Encode(config); err != nil {
		t.Fatal(err)
	}
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range layers {
		r, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		for archive := tar.NewReader(r); ; {
			h, err := archive.Next()
			if err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			text.WriteString(h.Name + "\n")
			if _, err := io.Copy(&text, archive); err != nil {
				t.Fatal(err)
			}
		}
	}
	return text.String()
}

func directoryText(t *testing.T, dir string) string {
	t.Helper()
	var text strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		text.Write(data)
		return err
	})
	if err != nil || text.Len() == 0 {
		t.Fatalf("nothing is in %s, %v", dir, err)
	}
	return text.String()
}

// wantShown is what a mode shows, in words; rawjson must be lines of JSON.
func wantShown(t *testing.T, mode, progress string) string {
	t.Helper()
	if mode != "rawjson" {
		return progress
	}
	var said strings.Builder
	for line := range strings.Lines(progress) {
		var s client.SolveStatus
		in := json.NewDecoder(bytes.NewReader([]byte(line)))
		in.DisallowUnknownFields()
		if err := in.Decode(&s); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		for _, v := range s.Vertexes {
			said.WriteString(v.Name + v.Error + "\n")
		}
		for _, log := range s.Logs {
			said.Write(log.Data)
		}
	}
	return said.String()
}

// TestRawJSONPush wants what the Docker engine tells of a push in JSON as well.
func TestRawJSONPush(t *testing.T) { eachDocker(t, testRawJSONPush) }

func testRawJSONPush(t *testing.T, r rig) {
	s := r.site(t, dockerKind, map[string]string{"Dockerfile": "FROM scratch\nLABEL a=b\n"})
	s.Builds.Mode = "rawjson"
	tag := providertest.Registry(t, "") + "/shop:1"
	hosttest.As[abi.DockerBuildResult](t, s.build(t.Context(), t, tag, true))
	said := wantShown(t, "rawjson", s.progress.String())
	if !strings.Contains(said, "pushing "+tag) || !strings.Contains(said, "digest: sha256:") {
		t.Errorf("shown is %q", said)
	}
}
