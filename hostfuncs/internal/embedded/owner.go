package embedded

import (
	"fmt"
	"strconv"
	"strings"
)

// userFileLimit is the most bytes of /etc/passwd and of /etc/group.
const userFileLimit = 10 << 20

// owner returns the owner that USER or --chown means: numbers, or names in the image's
// /etc/passwd and /etc/group. An unknown name is root, as in BuildKit.
func (t *tree) owner(of string) (*owner, error) {
	user, group, _ := strings.Cut(of, ":")
	var o owner
	if id, ok := number(user); ok {
		o = owner{id, id}
	} else {
		fields, err := t.entry("/etc/passwd", user)
		if err != nil {
			return nil, err
		}
		if len(fields) > 3 {
			o.uid, _ = strconv.Atoi(fields[2])
			o.gid, _ = strconv.Atoi(fields[3])
		}
	}
	if group == "" {
		return &o, nil
	}
	if id, ok := number(group); ok {
		o.gid = id
		return &o, nil
	}
	fields, err := t.entry("/etc/group", group)
	if len(fields) > 2 {
		o.gid, _ = strconv.Atoi(fields[2])
	}
	return &o, err
}

func number(s string) (int, bool) {
	if s == "root" {
		return 0, true
	}
	id, err := strconv.ParseInt(s, 10, 32)
	return int(id), err == nil && id >= 0
}

// entry returns the fields of a line in a file such as /etc/passwd, nil if the name is
// unknown.
func (t *tree) entry(path, name string) ([]string, error) {
	_, n, err := t.resolve(path, true)
	if err != nil || n == nil || n.file.content == nil {
		return nil, err
	}
	text, err := n.file.small(userFileLimit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for line := range strings.Lines(text) {
		if fields := strings.Split(strings.TrimSpace(line), ":"); fields[0] == name && name != "" {
			return fields, nil
		}
	}
	return nil, nil
}
