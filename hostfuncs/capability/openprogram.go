package capability

import (
	"path"
	"strings"
)

// openPrograms run whatever their arguments say: another program, or code.
//
// Sources: https://gtfobins.github.io and the programs' own manuals.
var openPrograms = []struct {
	why   string
	names []string
}{
	{"a shell runs what its arguments say", []string{"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "pwsh", "powershell", "cmd"}},
	{"it runs the program that its arguments name", []string{
		"env", "xargs", "nice", "ionice", "nohup", "timeout", "setsid", "stdbuf", "sudo", "doas", "su", "runuser", "chroot", "unshare", "nsenter",
		"time", "watch", "strace", "ltrace", "gdb", "script", "expect", "parallel", "busybox", "systemd-run", "flock", "setpriv", "capsh", "start-stop-daemon",
	}},
	{"with -exec and its like it runs any program", []string{"find", "fd", "tar", "rsync", "zip", "sort", "split", "sed", "awk", "gawk", "mawk", "ed", "vi", "vim", "nvim", "emacs", "less", "more", "man"}},
	{"it runs code that its arguments give or name", []string{
		"node", "nodejs", "deno", "bun", "python*", "pypy*", "perl*", "ruby*", "php*", "lua*", "tclsh*", "java", "jshell", "groovy", "dotnet", "osascript", "ts-node", "tsx",
	}},
	{"it runs any package or script that its arguments name", []string{"npm", "npx", "yarn", "pnpm", "pnpx", "bunx", "corepack", "pip*", "pipx", "uv", "uvx", "gem", "bundle", "composer", "mvn", "gradle", "cargo", "poetry"}},
	{"with -c, an alias or a hook it runs any program", []string{"git", "hg", "svn"}},
	{"it runs whatever a file of the project says, or its arguments", []string{"make", "gmake", "ninja", "cmake", "just", "task", "rake", "bazel", "meson"}},
	{"with -exec, -toolexec, run or generate it runs any program", []string{"go"}},
	{"it starts containers that can have any folder and device", []string{"docker", "podman", "nerdctl", "buildah", "ctr", "kubectl", "helm", "docker-compose"}},
	{"it runs programs on other machines, and here by its options", []string{"ssh", "scp", "sftp", "ansible*"}},
}

// open warns of a rule that leaves the arguments of such a program open.
func (c *checker) open(l List, rule *Rule) {
	if l.Key != "exec" {
		return
	}
	name := stem(strings.ToLower(base(cleanFile(rule.words[0]))))
	if strings.Contains(name, "*") {
		c.find(l, rule, OpenProgram, "name the programs that are meant", "leaves open which program runs, so it may be one that runs any other")
		return
	}
	if !strings.Contains(strings.Join(rule.words[1:], "\x00"), "*") {
		return
	}
	for _, family := range openPrograms {
		for _, open := range family.names {
			if ok, _ := path.Match(open, name); ok {
				c.find(l, rule, OpenProgram, "write the arguments word by word", "leaves arguments of %s open: %s", name, family.why)
				return
			}
		}
	}
}
