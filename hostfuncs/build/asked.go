package build

import (
	"maps"
	"path"
	"slices"
	"strconv"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/asks"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// asked makes the rules for what a provider asks for.
type asked struct {
	*asks.Asks
	project *files.Project
	env     *values.Environment
	user    BuildOptions
	rules   []capability.Rule
}

// AskedRules allow the builds and images that a provider asks for. tag is the
// reference that the user builds, empty if nothing is built, and user are the
// user's options.
func AskedRules(a *asks.Asks, project *files.Project, env *values.Environment, tag string, user BuildOptions) []capability.Rule {
	b := asked{Asks: a, project: project, env: env, user: user}
	for _, ask := range a.Build {
		for _, name := range ask.Args {
			b.add(capability.AllowArg(name, yamldoc.Pos{}))
		}
		if tag != "" {
			b.build(ask, tag)
		}
	}
	for _, pattern := range a.Images {
		b.add(capability.AllowImage(pattern))
	}
	return b.rules
}

func (b *asked) add(rules ...capability.Rule) { b.rules = append(b.rules, rules...) }

// build allows the context and the Dockerfile of a build. A path outside of the
// project is not allowed; the call reports why.
func (b *asked) build(ask abi.BuildAsk, tag string) {
	named, where := ".", ""
	for _, pointer := range ask.ContextFrom {
		if text := b.Text(pointer); text != "" {
			named, where = text, pointer
			break
		}
	}
	context, err := b.project.Locate(named)
	if err != nil {
		return
	}
	b.add(capability.AllowContext(context.Rel, b.Position(where)), capability.AllowTag(tag), capability.AllowPush())
	for _, tag := range b.user.Tags {
		b.add(capability.AllowTag(tag))
	}
	dockerfile := b.Text(ask.DockerfileFrom)
	if dockerfile == "" {
		dockerfile = path.Join(named, "Dockerfile")
	}
	if file, err := b.project.Locate(dockerfile); err == nil {
		b.add(capability.AllowRead(file.Rel, b.Position(ask.DockerfileFrom)))
	}
	b.fields(ask)
}

// fields allow what the configuration has at the places that are asked for. What no
// request can name is the user's own choice, by the Dockerfile or the command line:
// other layers may narrow it.
func (b *asked) fields(ask abi.BuildAsk) {
	for _, key := range []string{"layouts", "syntax", "remotes", "outputs", "engines"} {
		b.add(capability.AllowAnyBuild(key))
	}
	if ask.TargetFrom != "" {
		b.add(capability.BoundBuild("targets"))
		b.Each(ask.TargetFrom, func(stage string, pos yamldoc.Pos) { b.add(capability.AllowBuild("targets", stage, pos)) })
	}
	if ask.PlatformsFrom != "" {
		b.add(capability.BoundBuild("platforms"))
		b.eachRead(ask.PlatformsFrom, "platforms", ParsePlatform)
		// And those that the user names in their place.
		for _, text := range b.user.Platforms {
			if name, err := ParsePlatform(text); err == nil {
				b.add(capability.AllowBuild("platforms", name, yamldoc.Pos{}))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.Mapping(ask.ArgsFrom))) {
		b.add(capability.AllowArg(name, b.Position(abi.UnderPointer(ask.ArgsFrom, name))))
	}
	b.Each(ask.NetworkFrom, func(name string, pos yamldoc.Pos) {
		if isNetwork(name) {
			b.add(capability.AllowNetwork(name, pos))
		}
	})
	b.secrets(ask.SecretsFrom)
	b.eachRead(ask.CacheImportFrom, "cache_from", cacheReference)
	b.eachRead(ask.CacheExportFrom, "cache_to", cacheReference)
}

func cacheReference(text string) (string, error) {
	c, err := parseCache(text, true)
	return c.ref, err
}

// eachRead allows each text at a pointer as a claim will have it. A text that
// cannot be read is not allowed; the call reports why.
func (b *asked) eachRead(pointer, key string, read func(string) (string, error)) {
	b.Each(pointer, func(text string, pos yamldoc.Pos) {
		if claimed, err := read(text); err == nil {
			b.add(capability.AllowBuild(key, claimed, pos))
		}
	})
}

// secrets allow each secret of a mapping, with the variable and the dotenv files
// that its value is from.
func (b *asked) secrets(pointer string) {
	for _, id := range slices.Sorted(maps.Keys(b.Mapping(pointer))) {
		at := abi.UnderPointer(pointer, id)
		name := b.Text(abi.UnderPointer(at, "env"))
		if name == "" || !secretID().MatchString(id) {
			continue
		}
		b.add(capability.AllowBuild("secrets", id, b.Position(at)), capability.AllowEnv(name, b.Position(at)))
		list := abi.UnderPointer(at, "files")
		for i, file := range b.Texts(list) {
			loads, _ := b.env.AskedFile(file, b.Position(abi.UnderPointer(list, strconv.Itoa(i))))
			b.add(loads...)
		}
	}
}
