package backend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// Detect asks the provider for candidates. Their texts are safe to show, and their
// directories are in the project.
//
// # Errors
//
// A [*ContractError] for a candidate that is too large, or that names a path outside of
// the project.
func (g *Guest) Detect(ctx context.Context, opts abi.DetectOptions) ([]abi.Candidate, error) {
	var result abi.DetectResult
	if err := g.call(ctx, abi.ExportDetect, opts, &result); err != nil {
		return nil, err
	}
	if n := len(result.Candidates); n > abi.MaxCandidates {
		return nil, &ContractError{abi.ExportDetect, fmt.Sprintf("it proposes %d configurations, the limit is %d", n, abi.MaxCandidates)}
	}
	for i := range result.Candidates {
		if err := checkCandidate(&result.Candidates[i]); err != nil {
			return nil, &ContractError{abi.ExportDetect, fmt.Sprintf("candidate %d: %v", i+1, err)}
		}
	}
	return result.Candidates, nil
}

// checkCandidate checks and cleans a candidate.
func checkCandidate(c *abi.Candidate) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if len(data) > abi.MaxProposal {
		return fmt.Errorf("it has %d bytes, the limit is %d", len(data), abi.MaxProposal)
	}
	if config := bytes.TrimSpace(c.Config); len(config) == 0 || config[0] != '{' {
		return fmt.Errorf("its configuration is not an object")
	}
	if !slices.Contains([]abi.Certainty{abi.Certain, abi.Likely}, c.Certainty) {
		c.Certainty = abi.Possible
	}
	if c.Dir, err = inProject(c.Dir); err != nil {
		return err
	}
	c.Name = shown(c.Name)
	for _, list := range []*[]string{&c.Evidence, &c.Before, &c.Notes} {
		if err := showLines(list); err != nil {
			return err
		}
	}
	if err := showComments(c.Comments); err != nil {
		return err
	}
	return checkNeeds(&c.Needs)
}

// inProject returns a path of a provider, clean.
func inProject(name string) (string, error) {
	clean := path.Clean(name)
	if !filepath.IsLocal(filepath.FromSlash(clean)) || !isPlainText(clean) {
		return "", fmt.Errorf("%q is not a path in the project", termtext.Line(name, 100))
	}
	return clean, nil
}

// isPlainText reports whether a text that goes into a file is seen as it is.
func isPlainText(text string) bool {
	return utf8.ValidString(text) && termtext.Clean(text) == text && !strings.ContainsAny(text, "\n\t")
}

// shown is a text of a provider, cleaned, on one line.
func shown(text string) string { return termtext.Mark(termtext.Line(text, abi.MaxProposedLine)) }

func showLines(list *[]string) error {
	if len(*list) > abi.MaxProposedLines {
		return fmt.Errorf("one of its lists has %d lines, the limit is %d", len(*list), abi.MaxProposedLines)
	}
	for i, line := range *list {
		(*list)[i] = shown(line)
	}
	return nil
}

func showComments(comments map[string]string) error {
	if len(comments) > abi.MaxProposedLines {
		return fmt.Errorf("it has %d comments, the limit is %d", len(comments), abi.MaxProposedLines)
	}
	for key, comment := range comments {
		comments[key] = shown(comment)
	}
	return nil
}

// checkNeeds checks the content of a first policy. Each word of a command is literal,
// except that a policy cannot escape *.
func checkNeeds(n *abi.Needs) error {
	for _, commands := range [][][]string{n.Exec, n.Daemons} {
		for _, argv := range commands {
			if err := checkCommand(argv); err != nil {
				return err
			}
		}
	}
	for _, list := range [][]string{n.Write, n.Build} {
		for i, name := range list {
			clean, err := inProject(name)
			if err != nil {
				return err
			}
			if strings.Contains(clean, "*") {
				return fmt.Errorf("%q is not a directory", clean)
			}
			list[i] = clean
		}
	}
	for _, list := range [][]string{n.Use, n.EnvPass} {
		for _, word := range list {
			if word == "" || strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
				return fmt.Errorf("%q is not the name of a tool or variable", termtext.Line(word, 100))
			}
		}
	}
	for _, list := range [][]int{n.Listen, n.Connect} {
		for _, port := range list {
			if port < 1 || port > 65535 {
				return fmt.Errorf("%d is not a port", port)
			}
		}
	}
	n.Unconfined, n.Network = shown(n.Unconfined), shown(n.Network)
	return showComments(n.Comments)
}

func checkCommand(argv []string) error {
	if len(argv) == 0 || argv[0] == "" {
		return fmt.Errorf("a command of it is empty")
	}
	for i, word := range argv {
		switch {
		case !isPlainText(word):
			return fmt.Errorf("the command %q has characters that are not visible", termtext.Line(strings.Join(argv, " "), 100))
		case strings.Contains(word, "*") && (i == 0 || strings.Trim(word, "*") == ""):
			return fmt.Errorf("the command %q allows any word", termtext.Line(strings.Join(argv, " "), 100))
		}
	}
	return nil
}
