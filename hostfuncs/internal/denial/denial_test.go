package denial

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func files(paths ...string) (found []Found) {
	for _, p := range paths {
		found = append(found, Found{Path: p})
	}
	return found
}

func moved(paths ...string) (found []Found) {
	for _, p := range paths {
		found = append(found, Found{Path: p, Moves: true})
	}
	return found
}

func ports(kind Kind, port int) []Found { return []Found{{Kind: kind, Port: port}} }

// TestFind has what programs print that were confined: dash, bash, coreutils, git,
// Node.js 20, Python 3 and Go 1.26.
func TestFind(t *testing.T) {
	for line, want := range map[string][]Found{
		"":                                     nil,
		"cat: gone: No such file or directory": nil,
		"cat: secret: Permission denied":       files("secret"),
		"src/run.sh: 3: cannot create made: Permission denied":                                 files("made"),
		"src/run.sh: 5: .: cannot open ./secret: Permission denied":                            files("./secret"),
		"src/run.sh: 5: ./tool: Permission denied":                                             files("./tool"),
		"sh: 1: exec: ./tool: Permission denied":                                               files("./tool"),
		"bash: line 1: made: Permission denied":                                                files("made"),
		"ls: cannot open directory '/root': Permission denied":                                 files("/root"),
		"mkdir: cannot create directory ‘new’: Permission denied":                              files("new"),
		"rm: cannot remove 'kept': Permission denied":                                          moved("kept"),
		"rmdir: failed to remove 'dir': Permission denied":                                     moved("dir"),
		"mv: cannot move 'kept' to 'kept2': Permission denied":                                 moved("kept", "kept2"),
		"cp: cannot open 'kept' for reading: Permission denied":                                files("kept"),
		"ln: failed to create symbolic link 'link': Permission denied":                         moved("link"),
		"ln: failed to create hard link 'hard' => 'kept': Permission denied":                   moved("hard", "kept"),
		"touch: cannot touch 'made': Permission denied":                                        files("made"),
		"tee: made: Permission denied":                                                         files("made"),
		"sed: can't read kept: Permission denied":                                              files("kept"),
		"find: ‘dir2’: Permission denied":                                                      files("dir2"),
		"sort: open failed: secret: Permission denied":                                         files("secret"),
		"tar: made.tar: Cannot open: Permission denied":                                        files("made.tar"),
		"wget: Cannot read /etc/wgetrc (Permission denied).":                                   files("/etc/wgetrc"),
		"chmod: changing permissions of 'kept': Operation not permitted":                       nil,
		"fatal: cannot mkdir new: Permission denied":                                           files("new"),
		"fatal: Unable to create '/p/.git/index.lock': Permission denied":                      files("/p/.git/index.lock"),
		"Error: EACCES: permission denied, open 'secret'":                                      files("secret"),
		"Error: EACCES: permission denied, scandir '/root'":                                    files("/root"),
		"Error: EACCES: permission denied, rename 'kept' -> 'k2'":                              moved("kept", "k2"),
		"Error: EACCES: permission denied, copyfile 'kept' -> 'c'":                             files("kept", "c"),
		"Error: spawnSync ./tool EACCES":                                                       files("./tool"),
		"Error: listen EACCES: permission denied 0.0.0.0:8080":                                 ports(Listen, 8080),
		"Error: listen EACCES: permission denied :::8080":                                      ports(Listen, 8080),
		"Error: connect EACCES 127.0.0.1:5432 - Local (0.0.0.0:0)":                             ports(Connect, 5432),
		"Error: connect EACCES /var/run/docker.sock":                                           files("/var/run/docker.sock"),
		"PermissionError: [Errno 13] Permission denied: 'secret'":                              files("secret"),
		"PermissionError: [Errno 13] Permission denied: 'kept' -> 'x'":                         files("kept", "x"),
		"PermissionError: [Errno 13] Permission denied":                                        nil,
		"URLError: <urlopen error [Errno 13] Permission denied>":                               nil,
		"open secret: permission denied":                                                       files("secret"),
		"    more_test.go:11: open kept: permission denied":                                    files("kept"),
		"mkdir new: permission denied":                                                         files("new"),
		"remove kept: permission denied":                                                       moved("kept"),
		"rename kept x: permission denied":                                                     moved("kept", "x"),
		"fork/exec ./tool: permission denied":                                                  files("./tool"),
		"open /a b/c: d: permission denied":                                                    files("d"),
		"listen tcp :8080: bind: permission denied":                                            ports(Listen, 8080),
		"listen tcp 127.0.0.1:8080: bind: permission denied":                                   ports(Listen, 8080),
		"dial tcp [::1]:5432: connect: permission denied":                                      ports(Connect, 5432),
		"dial udp 8.8.8.8:53: socket: permission denied":                                       ports(UDP, 53),
		"dial unix /var/run/docker.sock: socket: permission denied":                            files("/var/run/docker.sock"),
		`Get "http://localhost:5432/": dial tcp 127.0.0.1:5432: connect: permission denied`:    ports(Connect, 5432),
		`dial tcp: lookup x.y on 10.2.5.5:53: dial udp 10.2.5.5:53: socket: permission denied`: ports(UDP, 53),
		"nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)":                   ports(Listen, 80),
		"nc: connect to 127.0.0.1 port 5432 (tcp) failed: Permission denied":                   ports(Connect, 5432),
		`connection to server at "127.0.0.1", port 5432 failed: Permission denied`:             ports(Connect, 5432),
		"port 99999: Permission denied":                                                        nil,
		"port 0: Permission denied":                                                            nil,
		"Permission denied":                                                                    nil,
		": Permission denied":                                                                  nil,
		"git@example.com: Permission denied (publickey).":                                      nil,
		"\xff: Permission denied":                                                              nil,
		"'a' 'b' 'c' 'd' 'e': Permission denied":                                               files("a", "b", "c", "d"),
	} {
		if diff := cmp.Diff(want, Find(line)); diff != "" {
			t.Errorf("%s: %s", line, diff)
		}
	}
}

// FuzzFind wants what is found to be a part of the line, and bounded.
func FuzzFind(f *testing.F) {
	f.Add("cat: secret: Permission denied")
	f.Add("Error: EACCES: permission denied, rename 'kept' -> 'k2'")
	f.Add("dial tcp [::1]:5432: connect: permission denied")
	f.Add("mkdir: cannot create directory ‘new’: Permission denied")
	f.Add("Error: spawnSync ./tool EACCES")
	f.Fuzz(func(t *testing.T, line string) {
		found := Find(line)
		if len(found) > maxFound {
			t.Errorf("%d are found", len(found))
		}
		for _, d := range found {
			switch {
			case d.Kind == File && (d.Path == "" || len(d.Path) > MaxLine || !strings.Contains(line, d.Path)):
				t.Errorf("found %q", d.Path)
			case d.Kind != File && (d.Port < 1 || d.Port > 65535 || d.Path != ""):
				t.Errorf("found %+v", d)
			}
		}
	})
}
