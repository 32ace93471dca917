package hostile_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	controlapi "github.com/moby/buildkit/api/services/control"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth"
	"github.com/moby/buildkit/session/filesync"
	"github.com/moby/buildkit/session/grpchijack"
	"github.com/moby/buildkit/session/secrets"
	"github.com/moby/buildkit/solver/pb"
	"github.com/rogpeppe/go-internal/testscript"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// cmdDaemon starts a hostile BuildKit daemon for the rest of the script. It builds
// nothing. $DAEMON is its address, $DAEMON_HOST the host of its token server, and
// daemon.log lists what it received:
//
//	daemon files NAME...    asks for directories and files outside the context
//	daemon edits FILE       writes to a Dockerfile before it asks for it
//	daemon layout KIND      sends an invalid layout: see layoutOf
//	daemon secrets ID...    asks for secrets
//	daemon tokens HOST SCOPE...  asks for registry credentials, and for a token
//	                        from its own server, which HOST own names
//	daemon names TEXT       names the built image by a text
//	daemon says             reports steps with terminal escapes
func cmdDaemon(ts *testscript.TestScript, neg bool, args []string) {
	d := &daemon{work: ts.MkAbs("."), log: ts.MkAbs("daemon.log"), ended: make(chan struct{})}
	does := map[string]func(context.Context, session.Caller) error{
		"files": d.files, "edits": d.nothing, "layout": d.layout, "secrets": d.secrets, "tokens": d.tokens, "names": d.nothing, "says": d.nothing,
	}
	if neg || len(args) == 0 || does[args[0]] == nil {
		ts.Fatalf("usage: daemon files|edits|layout|secrets|tokens|names|says ARG...")
	}
	d.kind, d.args, d.does = args[0], args[1:], does[args[0]]
	sessions, err := session.NewManager()
	ts.Check(err)
	d.sessions = sessions
	// A socket's path must be short.
	dir, err := os.MkdirTemp("", "bk")
	ts.Check(err)
	listener, err := net.Listen("unix", filepath.Join(dir, "s"))
	ts.Check(err)
	server := grpc.NewServer()
	controlapi.RegisterControlServer(server, d)
	go func() { _ = server.Serve(listener) }()
	d.http = httptest.NewServer(http.HandlerFunc(d.asked))
	ts.Defer(func() {
		server.Stop()
		d.http.Close()
		os.RemoveAll(dir)
	})
	ts.Setenv("DAEMON", "buildkit+unix://"+filepath.Join(dir, "s"))
	ts.Setenv("DAEMON_HOST", strings.TrimPrefix(d.http.URL, "http://"))
}

// daemon is the server.
type daemon struct {
	controlapi.UnimplementedControlServer
	work, log string
	kind      string
	args      []string
	does      func(context.Context, session.Caller) error
	sessions  *session.Manager
	http      *httptest.Server

	mu    sync.Mutex
	once  sync.Once
	ended chan struct{}
}

// note logs what it received.
func (d *daemon) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := os.OpenFile(d.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		fmt.Fprintf(f, format+"\n", args...)
		f.Close()
	}
}

// Info is called once the build is decided on.
func (d *daemon) Info(context.Context, *controlapi.InfoRequest) (*controlapi.InfoResponse, error) {
	if d.kind == "edits" {
		if err := os.WriteFile(filepath.Join(d.work, d.args[0]), []byte("FROM evil.example/base\n"), 0o600); err != nil {
			return nil, err
		}
	}
	return new(controlapi.InfoResponse), nil
}

// Session is the connection back to the client.
func (d *daemon) Session(stream controlapi.Control_SessionServer) error {
	conn, closed, opts := grpchijack.Hijack(stream)
	defer conn.Close()
	ctx, stop := context.WithCancel(stream.Context())
	go func() {
		<-closed
		stop()
	}()
	return d.sessions.HandleConn(ctx, conn, opts)
}

// Solve attacks the client.
func (d *daemon) Solve(ctx context.Context, req *controlapi.SolveRequest) (*controlapi.SolveResponse, error) {
	defer d.once.Do(func() { close(d.ended) })
	c, err := d.sessions.Get(ctx, req.Session, false)
	if err != nil {
		return nil, err
	}
	if err := d.receive(ctx, c, "dockerfile"); err != nil {
		return nil, err
	}
	if err := d.does(ctx, c); err != nil {
		return nil, err
	}
	name := "sha256:" + strings.Repeat("1", 64)
	if d.kind == "names" {
		name = d.args[0]
	}
	return &controlapi.SolveResponse{ExporterResponse: map[string]string{"containerimage.digest": name, "containerimage.config.digest": name}}, nil
}

// Status reports steps.
func (d *daemon) Status(_ *controlapi.StatusRequest, stream controlapi.Control_StatusServer) error {
	if d.kind == "says" {
		const evil = "\x1b]0;x\a\x1b[2Jevil\r\n::error::evil\u202e"
		now := timestamppb.Now()
		update := &controlapi.StatusResponse{
			Vertexes: []*controlapi.Vertex{
				{Digest: "a", Name: evil, Error: evil, Started: now, Completed: now},
				{Digest: "b", Name: evil, Started: now, Completed: now, ProgressGroup: &pb.ProgressGroup{Id: "g", Name: evil}},
			},
			Statuses: []*controlapi.VertexStatus{{ID: evil, Name: evil, Vertex: "a", Started: now, Timestamp: now}},
			Logs:     []*controlapi.VertexLog{{Vertex: "a", Msg: []byte(evil + "\n"), Timestamp: now}},
			Warnings: []*controlapi.VertexWarning{{Vertex: "a", Short: []byte(evil), Url: evil}},
		}
		if err := stream.Send(update); err != nil {
			return err
		}
	}
	<-d.ended
	return nil
}

func (*daemon) nothing(context.Context, session.Caller) error { return nil }

// receive fetches a whole directory and logs its files.
func (d *daemon) receive(ctx context.Context, c session.Caller, name string, follow ...string) error {
	to, err := os.MkdirTemp("", "daemon")
	if err != nil {
		return err
	}
	defer os.RemoveAll(to)
	err = filesync.FSSync(ctx, c, filesync.FSSendRequestOpt{Name: name, DestDir: to, FollowPaths: follow})
	if err != nil {
		d.note("%s: refused: %v", name, err)
		return nil
	}
	return filepath.WalkDir(to, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		d.note("%s: got %s: %s", name, strings.TrimPrefix(path, to), bytes.TrimSpace(text))
		return err
	})
}

func (d *daemon) files(ctx context.Context, c session.Caller) error {
	for _, name := range append([]string{"context"}, d.args...) {
		if err := d.receive(ctx, c, name); err != nil {
			return err
		}
	}
	return d.receive(ctx, c, "context", d.args...)
}

func (d *daemon) secrets(ctx context.Context, c session.Caller) error {
	for _, id := range d.args {
		value, err := secrets.GetSecret(ctx, c, id)
		d.note("%s: %s, %v", id, value, err)
	}
	return nil
}

// tokens asks for a password and for tokens, from the registry's server if that is the
// daemon's, and always from the daemon's.
func (d *daemon) tokens(ctx context.Context, c session.Caller) error {
	host := d.args[0]
	if host == "own" {
		host = strings.TrimPrefix(d.http.URL, "http://")
	}
	client := auth.NewAuthClient(c.Conn())
	got, err := client.Credentials(ctx, &auth.CredentialsRequest{Host: host})
	d.note("password: %s, %v", got.GetSecret(), err)
	token, err := client.FetchToken(ctx, &auth.FetchTokenRequest{Host: host, Realm: d.http.URL + "/token", Scopes: d.args[1:]})
	d.note("token: %s, %v", token.GetToken(), err)
	return nil
}

// asked handles a request to its token server.
func (d *daemon) asked(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/token" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/token"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	user, password, _ := r.BasicAuth()
	d.note("asked for %s by %s with %s", r.URL.Query()["scope"], user, password)
	fmt.Fprint(w, `{"token": "t"}`)
}

// layout sends an invalid OCI layout.
func (d *daemon) layout(ctx context.Context, c session.Caller) error {
	w, err := filesync.CopyFileWriter(ctx, nil, 0, c)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(w)
	for _, h := range layoutOf(d.args[0]) {
		text := h.PAXRecords["text"]
		h.PAXRecords, h.Size, h.Mode, h.ModTime = nil, int64(len(text)), 0o644, time.Unix(0, 0)
		if err := archive.WriteHeader(h); err != nil {
			return err
		}
		if _, err := archive.Write([]byte(text)); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return w.Close()
}

// layoutOf returns a layout with a link out of it, with a wrong blob, or with a part
// missing.
func layoutOf(kind string) []*tar.Header {
	file := func(name, text string) *tar.Header {
		return &tar.Header{Typeflag: tar.TypeReg, Name: name, PAXRecords: map[string]string{"text": text}}
	}
	blob := func(text string) (name, described string) {
		sum := sha256.Sum256([]byte(text))
		digest := hex.EncodeToString(sum[:])
		return "blobs/sha256/" + digest, fmt.Sprintf(`{"digest": "sha256:%s", "size": %d}`, digest, len(text))
	}
	layerName, layerIs := blob("layer")
	text := `{"layers": [` + layerIs + `]}`
	name, is := blob(text)
	layer, manifest, index := file(layerName, "layer"), file(name, text), file("index.json", `{"manifests": [`+is+`]}`)
	switch kind {
	case "out":
		return []*tar.Header{file("../evil", "evil"), file("oci-layout", "{}"), layer, manifest, index}
	case "link":
		return []*tar.Header{{Typeflag: tar.TypeSymlink, Name: "index.json", Linkname: "../evil"}, file("oci-layout", "{}"), layer, manifest, index}
	case "other":
		return []*tar.Header{file("oci-layout", "{}"), file(layerName, "other"), manifest, index}
	case "missing":
		return []*tar.Header{file("oci-layout", "{}"), manifest, index}
	}
	return []*tar.Header{file("oci-layout", "{}"), layer, manifest, index}
}
