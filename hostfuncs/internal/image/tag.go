package image

import (
	"fmt"

	"github.com/distribution/reference"
)

// CheckTag says what keeps tag from naming an image that is built, if anything:
// it is a repository with or without a registry's host, and a tag or none,
// which means latest.
func CheckTag(tag string) error {
	_, err := ParseTag(tag)
	return err
}

// ParseTag gives the full name of a tag that [CheckTag] accepts, with the
// registry and the tag.
func ParseTag(tag string) (reference.NamedTagged, error) {
	named, err := reference.ParseNormalizedNamed(tag)
	if err != nil {
		return nil, fmt.Errorf("image tag %q: %w", tag, err)
	}
	if _, ok := named.(reference.Digested); ok {
		return nil, fmt.Errorf("image tag %q: a digest cannot be chosen; leave it out", tag)
	}
	tagged, ok := reference.TagNameOnly(named).(reference.NamedTagged)
	if !ok {
		return nil, fmt.Errorf("image tag %q: %w", tag, reference.ErrReferenceInvalidFormat)
	}
	return tagged, nil
}
