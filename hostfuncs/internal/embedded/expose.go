package embedded

import (
	"fmt"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
)

// portsLimit is the most ports that an image may have.
const portsLimit = 20_000

func (s *stage) expose(c *instructions.ExposeCommand) error {
	var ports []string
	for _, word := range c.Ports {
		words, err := s.builder.expander.Words(word, s.vars)
		if err != nil {
			return err
		}
		for _, w := range words {
			some, err := dockerfile.Ports(w)
			if err != nil {
				return fmt.Errorf("EXPOSE %s: %w", w, err)
			}
			if ports = append(ports, some...); len(ports) > portsLimit {
				return fmt.Errorf("the image has more than %d ports", portsLimit)
			}
		}
	}
	if s.config.Config.ExposedPorts == nil {
		s.config.Config.ExposedPorts = map[string]struct{}{}
	}
	for _, port := range ports {
		s.config.Config.ExposedPorts[port] = struct{}{}
	}
	if n := len(s.config.Config.ExposedPorts); n > portsLimit {
		return fmt.Errorf("the image has %d ports, more than %d", n, portsLimit)
	}
	s.note(fmt.Sprintf("EXPOSE %v", ports), true)
	return nil
}
