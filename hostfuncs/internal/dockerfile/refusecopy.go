package dockerfile

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/opencontainers/go-digest"
	mode "github.com/tonistiigi/dchapes-mode"
)

// checkAdd checks an expanded ADD.
func checkAdd(c *instructions.AddCommand) error {
	if err := cmp.Or(CheckOwner(c.Chown, c.Link), CheckMode(c.Chmod)); err != nil {
		return err
	}
	if err := checkChecksum(c); err != nil {
		return err
	}
	for _, source := range c.SourcePaths {
		if !known(source) {
			continue
		}
		ref, isGit, err := dfgitutil.ParseGitRef(source)
		if err != nil && isGit {
			return err
		}
		if err == nil && !ref.IndistinguishableFromLocal {
			err = checkGit(c, ref)
		} else if isURL(source) && c.Checksum != "" && known(c.Checksum) {
			_, err = digest.Parse(c.Checksum)
		} else {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func checkChecksum(c *instructions.AddCommand) error {
	if c.Checksum == "" || !known(c.Checksum) {
		return nil
	}
	if len(c.SourcePaths) != 1 {
		return errors.New("checksum can't be specified for multiple sources")
	}
	source := c.SourcePaths[0]
	if _, isGit, _ := dfgitutil.ParseGitRef(source); known(source) && !isURL(source) && !isGit {
		return errors.New("checksum requires HTTP(S) or Git sources")
	}
	return nil
}

func checkGit(c *instructions.AddCommand, ref *dfgitutil.GitRef) error {
	if c.KeepGitDir != nil && ref.KeepGitDir != nil && *c.KeepGitDir != *ref.KeepGitDir {
		return errors.New("inconsistent keep-git-dir configuration")
	}
	if c.Checksum != "" && known(c.Checksum) && ref.Checksum != "" && c.Checksum != ref.Checksum {
		return fmt.Errorf("checksum mismatch %q != %q", c.Checksum, ref.Checksum)
	}
	return nil
}

// checkCopy checks an expanded COPY.
func checkCopy(c *instructions.CopyCommand) error {
	if err := cmp.Or(CheckOwner(c.Chown, c.Link), CheckMode(c.Chmod)); err != nil {
		return err
	}
	for _, source := range c.SourcePaths {
		if !known(source) {
			continue
		}
		ref, isGit, err := dfgitutil.ParseGitRef(source)
		switch {
		case err != nil && isGit:
			return err
		case err == nil && !ref.IndistinguishableFromLocal:
			return fmt.Errorf("source can't be a git ref for COPY: %s; use ADD", source)
		case isURL(source):
			return fmt.Errorf("source can't be a URL for COPY: %s; use ADD", source)
		}
	}
	return nil
}

func isURL(source string) bool {
	return strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://")
}

// CheckOwner refuses names with --link, for which there is no file to look them up in.
func CheckOwner(chown string, link bool) error {
	if !link || chown == "" || !known(chown) {
		return nil
	}
	user, group, _ := strings.Cut(chown, ":")
	if isID(user) && (group == "" || isID(group)) {
		return nil
	}
	return fmt.Errorf("--chown=%s: user and group names can't be resolved when used with --link, use numeric uid[:gid] instead", chown)
}

func isID(name string) bool {
	_, err := strconv.ParseInt(name, 10, 32)
	return err == nil || name == "root"
}

// CheckMode refuses a --chmod that is neither octal nor symbolic, such as u=rwX.
func CheckMode(chmod string) error {
	if chmod == "" || !known(chmod) {
		return nil
	}
	octal, err := strconv.ParseUint(chmod, 8, 32)
	if err == nil && octal <= 0o7777 {
		return nil
	}
	if err != nil {
		if _, err = mode.Parse(chmod); err == nil {
			return nil
		}
		if _, numeric := errors.AsType[*strconv.NumError](err); !numeric {
			return fmt.Errorf("invalid chmod parameter: '%s': %w", chmod, err)
		}
	}
	return fmt.Errorf("invalid chmod parameter: '%s'. it should be octal string and between 0 and 07777", chmod)
}
