package providertest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// sdkPath is the Go module of provider authors, in the directory guest-sdk.
const sdkPath = modulePath + "/guest-sdk"

// ModuleProxy writes a module proxy that serves both modules of the repository,
// with the files of the work tree, as if the version that the root's go.mod
// requires of the SDK were released. It returns the variables by which the go
// command uses it. The module cache in dir keeps these versions out of the
// user's.
func ModuleProxy(dir string) (env []string, err error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	version, err := sdkVersion(root)
	if err != nil {
		return nil, err
	}
	proxy := filepath.Join(dir, "proxy")
	for path, source := range map[string]string{sdkPath: filepath.Join(root, "guest-sdk"), modulePath: root} {
		if err := serveModule(proxy, module.Version{Path: path, Version: version}, source); err != nil {
			return nil, fmt.Errorf("module %s: %w", path, err)
		}
	}
	downloads := filepath.Join(GoEnv("GOMODCACHE"), "cache", "download")
	return []string{
		"GOPROXY=" + fileURL(proxy) + "," + fileURL(downloads) + "," + GoEnv("GOPROXY"),
		"GOMODCACHE=" + filepath.Join(dir, "modules"), "GOFLAGS=-modcacherw", "GOSUMDB=off", "GOWORK=off",
	}, nil
}

// sdkVersion is the version of the SDK that the root's go.mod requires.
func sdkVersion(root string) (string, error) {
	name := filepath.Join(root, "go.mod")
	data, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	file, err := modfile.Parse(name, data, nil)
	if err != nil {
		return "", err
	}
	for _, r := range file.Require {
		if r.Mod.Path == sdkPath {
			return r.Mod.Version, nil
		}
	}
	return "", fmt.Errorf("%s does not require %s", name, sdkPath)
}

// serveModule adds a module to a proxy's directory.
func serveModule(proxy string, m module.Version, source string) error {
	dir := filepath.Join(proxy, filepath.FromSlash(m.Path), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	mod, err := os.ReadFile(filepath.Join(source, "go.mod"))
	if err != nil {
		return err
	}
	for name, content := range map[string]string{
		"list": m.Version + "\n", m.Version + ".mod": string(mod), m.Version + ".info": fmt.Sprintf(`{"Version":%q}`, m.Version),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	files, err := moduleFiles(source)
	if err != nil {
		return err
	}
	out, err := os.Create(filepath.Join(dir, m.Version+".zip"))
	if err != nil {
		return err
	}
	defer out.Close()
	if err := zip.Create(out, m, files); err != nil {
		return err
	}
	return out.Close()
}

// moduleFiles lists what git tracks or would track below a directory. Modules
// below it are left out by [zip.Create].
func moduleFiles(source string) ([]zip.File, error) {
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = source
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	var files []zip.File
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if info, err := os.Lstat(filepath.Join(source, name)); err == nil && info.Mode().IsRegular() {
			files = append(files, sourceFile{filepath.Join(source, name), name})
		}
	}
	return files, nil
}

// sourceFile is a file of the work tree for [zip.Create].
type sourceFile struct{ path, name string }

func (f sourceFile) Path() string                 { return f.name }
func (f sourceFile) Lstat() (os.FileInfo, error)  { return os.Lstat(f.path) }
func (f sourceFile) Open() (io.ReadCloser, error) { return os.Open(f.path) }

func fileURL(path string) string { return "file://" + filepath.ToSlash(path) }
