package session_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// main is a complete command line with sandboxed providers: "shop dev" and
// "shop build TAG", in a project with a stagecraft.yml.
func main() {
	session.Main()
	log.SetFlags(0)
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() { cancel(session.Interrupt(<-signals, nil)) }()

	cache, err := os.UserCacheDir()
	if err != nil {
		log.Fatal(err)
	}
	s, err := session.Open(session.Options{
		Dir:       ".",
		BuiltIns:  os.DirFS("providers"), // or an embed.FS with generic.wasm
		Ceilings:  []session.Ceiling{{Path: "company.policy.yml"}},
		InProject: session.AllowInProject,
		CacheDir:  filepath.Join(cache, "shop"),
		Environ:   os.Environ(),
		Stdout:    os.Stdout,
		Stderr:    os.Stderr,
		Builds:    session.BuildSettings{Engine: "embedded", Outputs: []string{"oci:image"}},
	})
	switch {
	case err != nil:
	case len(os.Args) == 2 && os.Args[1] == session.CommandDev:
		err = s.Dev(ctx)
	case len(os.Args) == 3 && os.Args[1] == session.CommandBuild:
		var image session.Image
		if image, err = s.Build(ctx, session.BuildOptions{Tag: os.Args[2]}); err == nil {
			fmt.Println("built", image.Reference)
		}
	default:
		err = fmt.Errorf("usage: shop dev, or shop build TAG")
	}
	if err != nil {
		log.Fatal("error: ", err)
	}
}

// Example runs the program in a project: exampleProject changes to a directory with the
// files that main names.
func Example() {
	defer exampleProject()()
	os.Args = []string{"shop", "dev"}
	main()
	os.Args = []string{"shop", "build", "shop:1"}
	main()
	// Output:
	// hello
	// built shop:1
}
