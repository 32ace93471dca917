package providertest

import (
	"archive/tar"
	"bytes"
	"os"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Frontend pushes BuildKit's own frontend to a registry, as the image frontend:1
// of a program that a line # syntax= may name, and returns its reference, by its
// digest.
func Frontend(t testing.TB, registry string) string {
	t.Helper()
	program, err := Tool("dockerfile-frontend")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	made, err := programImage("frontend", text)
	if err != nil {
		t.Fatal(err)
	}
	to, err := name.ParseReference(registry + "/frontend:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(to, made); err != nil {
		t.Fatal(err)
	}
	digest, err := made.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return to.Context().Name() + "@" + digest.String()
}

// programImage returns an image that contains only a program and runs it.
func programImage(name string, text []byte) (v1.Image, error) {
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text))}); err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	made, err := mutate.AppendLayers(empty.Image, static.NewLayer(layer.Bytes(), types.OCIUncompressedLayer))
	if err != nil {
		return nil, err
	}
	return mutate.Config(made, v1.Config{Entrypoint: []string{"/" + name}})
}

// Cosign builds cosign, another project's tool for signed statements, and returns its
// path. The build takes minutes, so only "make test-long" does it.
func Cosign(t testing.TB) string {
	t.Helper()
	Long(t)
	program, err := Tool("cosign")
	if err != nil {
		t.Fatal(err)
	}
	return program
}
