package hostfuncs

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"path"
	"slices"
	"strconv"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Asks are what a provider says that it needs, and where that leads.
type Asks struct {
	Provider     string
	Capabilities abi.Capabilities
	// Config is the provider's part of the configuration, and Position where
	// a JSON pointer into it stands.
	Config   json.RawMessage
	Position func(pointer string) yamldoc.Pos
	// Tag is the reference that the user builds, "" when nothing is built.
	Tag string
	// Env are the variables that the session itself gives to the provider.
	Env map[string]string
	// Inherit leaves it to other layers what of the user's environment a child
	// gets.
	Inherit bool
}

// AskedPolicy is the layer of what a provider asks for: exactly what its
// requests resolve to in the user's configuration.
func (w *World) AskedPolicy(asked Asks) (*capability.Policy, error) {
	b := askedBuilder{Asks: asked, world: w}
	if err := json.Unmarshal(asked.Config, &b.tree); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	asks := asked.Capabilities
	for _, ask := range asks.Exec {
		b.exec(ask)
	}
	for _, ask := range asks.Build {
		b.build(ask)
	}
	for _, name := range slices.Sorted(maps.Keys(asked.Env)) {
		b.add(capability.AllowEnv(name, yamldoc.Pos{}))
	}
	for _, name := range slices.Concat(asks.Env, asks.EnvPass, asks.EnvSecret) {
		b.add(capability.AllowEnv(name, yamldoc.Pos{}))
	}
	for _, pointer := range asks.EnvFrom {
		b.each(pointer, func(name string, pos yamldoc.Pos) { b.add(capability.AllowEnv(name, pos)) })
	}
	for _, pattern := range asks.Files {
		b.add(capability.AllowRead(pattern, yamldoc.Pos{}))
	}
	for _, pointer := range asks.EnvFilesFrom {
		b.each(pointer, b.envFile)
	}
	b.connect(asks)
	for _, pattern := range asks.Images {
		b.add(capability.AllowImage(pattern))
	}
	for _, argv := range asks.Daemons {
		b.add(capability.AllowDaemon(argv))
	}
	if asked.Inherit {
		b.add(capability.InheritEnv())
	}
	policy, err := capability.New("the configuration", asked.Provider, b.rules...)
	if err != nil {
		return nil, err
	}
	policy.Layer = capability.Asked
	return policy, nil
}

type askedBuilder struct {
	Asks
	world *World
	tree  any
	rules []capability.Rule
}

func (b *askedBuilder) add(rules ...capability.Rule) { b.rules = append(b.rules, rules...) }

func (b *askedBuilder) exec(ask abi.ExecAsk) {
	if len(ask.Argv) > 0 {
		b.add(capability.AllowCommand(ask.Argv, yamldoc.Pos{}))
	}
	if argv := stringsAt(b.tree, ask.ArgvFrom); len(argv) > 0 {
		dir, ok := b.located(textAt(b.tree, ask.DirFrom))
		if ok {
			b.add(capability.AllowArgv(argv, dir, b.Position(ask.ArgvFrom)))
		}
	}
	if env, ok := at(b.tree, ask.EnvFrom).(map[string]any); ok {
		for _, name := range slices.Sorted(maps.Keys(env)) {
			b.add(capability.AllowEnv(name, b.Position(abi.UnderPointer(ask.EnvFrom, name))))
		}
	}
}

func (b *askedBuilder) build(ask abi.BuildAsk) {
	for _, name := range ask.Args {
		b.add(capability.AllowArg(name, yamldoc.Pos{}))
	}
	if b.Tag == "" {
		return
	}
	named, where := ".", ""
	for _, pointer := range ask.ContextFrom {
		if text := textAt(b.tree, pointer); text != "" {
			named, where = text, pointer
			break
		}
	}
	context, ok := b.located(named)
	if !ok {
		return
	}
	b.add(capability.AllowContext(context, b.Position(where)), capability.AllowTag(b.Tag), capability.AllowPush())
	for _, tag := range b.world.Builds.Tags {
		b.add(capability.AllowTag(tag))
	}
	dockerfile := textAt(b.tree, ask.DockerfileFrom)
	if dockerfile == "" {
		dockerfile = path.Join(named, "Dockerfile")
	}
	if file, ok := b.located(dockerfile); ok {
		b.add(capability.AllowRead(file, b.Position(ask.DockerfileFrom)))
	}
	b.buildFields(ask)
}

// envFile allows a dotenv file, and the variables that it has now.
func (b *askedBuilder) envFile(named string, pos yamldoc.Pos) {
	at, err := b.world.locate(named)
	if err != nil {
		return
	}
	b.add(capability.AllowLoad(at.rel, pos))
	f := b.world.readEnvFile(at)
	for _, name := range append(slices.Sorted(maps.Keys(f.vars)), f.taken...) {
		b.add(capability.AllowEnv(name, pos))
	}
}

// connect allows the port of each address that the configuration has, and the
// ports that are asked for by their number where it has none.
func (b *askedBuilder) connect(asks abi.Capabilities) {
	found := false
	for _, pointer := range asks.ConnectFrom {
		b.each(pointer, func(address string, pos yamldoc.Pos) {
			_, port, err := net.SplitHostPort(address)
			if number, nerr := strconv.Atoi(port); err == nil && nerr == nil {
				found = true
				b.add(capability.AllowConnect(number, pos))
			}
		})
	}
	for _, port := range asks.Connect {
		if !found {
			b.add(capability.AllowConnect(port, yamldoc.Pos{}))
		}
	}
}

// each calls use for the text at a pointer, or for each text of a list there.
func (b *askedBuilder) each(pointer string, use func(text string, pos yamldoc.Pos)) {
	if text := textAt(b.tree, pointer); text != "" {
		use(text, b.Position(pointer))
	}
	for i, text := range stringsAt(b.tree, pointer) {
		use(text, b.Position(abi.UnderPointer(pointer, strconv.Itoa(i))))
	}
}

// located is a path of the configuration as a claim will name it. One that
// can't be is not granted, and the call says why.
func (b *askedBuilder) located(named string) (string, bool) {
	p, err := b.world.locate(named)
	return p.rel, err == nil
}

// at follows a JSON pointer (RFC 6901) through mappings; nil when it leads
// nowhere.
func at(tree any, pointer string) any {
	if pointer == "" {
		return nil
	}
	for _, key := range abi.SplitPointer(pointer) {
		m, ok := tree.(map[string]any)
		if !ok {
			return nil
		}
		tree = m[key]
	}
	return tree
}

func textAt(tree any, pointer string) string {
	text, _ := at(tree, pointer).(string)
	return text
}

func stringsAt(tree any, pointer string) []string {
	list, _ := at(tree, pointer).([]any)
	words := make([]string, 0, len(list))
	for _, item := range list {
		word, ok := item.(string)
		if !ok {
			return nil
		}
		words = append(words, word)
	}
	return words
}
