package build

import (
	"maps"
	"path"
	"slices"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/asks"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// AskedRules allow the builds and images that a provider asks for, as far as its
// requests can be known from the configuration. tag is the reference that the
// user builds, empty if nothing is built.
func (i *Images) AskedRules(a *asks.Asks, tag string) []capability.Rule {
	r := &askedRules{Asks: a, images: i}
	for _, ask := range a.Build {
		for _, name := range ask.Args {
			r.add(capability.AllowArg(name, yamldoc.Pos{}))
		}
		if tag != "" {
			r.build(ask, tag)
		}
	}
	for _, pattern := range a.Images {
		r.add(capability.AllowImage(pattern))
	}
	return r.rules
}

type askedRules struct {
	*asks.Asks
	images *Images
	rules  []capability.Rule
}

func (r *askedRules) add(rules ...capability.Rule) { r.rules = append(r.rules, rules...) }

// build allows nothing if the context is outside of the project; the call reports
// why.
func (r *askedRules) build(ask abi.BuildAsk, tag string) {
	named, where := ".", ""
	for _, pointer := range ask.ContextFrom {
		if text := r.Text(pointer); text != "" {
			named, where = text, pointer
			break
		}
	}
	context, err := r.images.project.Locate(named)
	if err != nil {
		return
	}
	r.add(capability.AllowContext(context.Rel, r.Position(where)), capability.AllowTag(tag), capability.AllowPush())
	for _, further := range r.images.options.Tags {
		r.add(capability.AllowTag(further))
	}
	dockerfile := r.Text(ask.DockerfileFrom)
	if dockerfile == "" {
		dockerfile = path.Join(named, "Dockerfile")
	}
	if file, err := r.images.project.Locate(dockerfile); err == nil {
		r.add(capability.AllowRead(file.Rel, r.Position(ask.DockerfileFrom)))
	}
	r.fields(ask)
}

// fields allows the values in the configuration. What a request cannot name is
// the user's own choice, in the Dockerfile or on the command line: other layers
// narrow it.
func (r *askedRules) fields(ask abi.BuildAsk) {
	for _, key := range []string{"layouts", "syntax", "remotes", "outputs", "engines"} {
		r.add(capability.AllowAnyBuild(key))
	}
	if ask.TargetFrom != "" {
		r.add(capability.BoundBuild("targets"))
		r.Each(ask.TargetFrom, func(stage string, pos yamldoc.Pos) { r.add(capability.AllowBuild("targets", stage, pos)) })
	}
	if ask.PlatformsFrom != "" {
		r.add(capability.BoundBuild("platforms"))
		r.each(ask.PlatformsFrom, "platforms", ParsePlatform)
		for _, text := range r.images.options.Platforms {
			if name, err := ParsePlatform(text); err == nil {
				r.add(capability.AllowBuild("platforms", name, yamldoc.Pos{}))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Mapping(ask.ArgsFrom))) {
		r.add(capability.AllowArg(name, r.Position(abi.UnderPointer(ask.ArgsFrom, name))))
	}
	r.Each(ask.NetworkFrom, func(name string, pos yamldoc.Pos) {
		if isNetwork(name) {
			r.add(capability.AllowNetwork(name, pos))
		}
	})
	r.secrets(ask.SecretsFrom)
	r.each(ask.CacheImportFrom, "cache_from", cacheReference)
	r.each(ask.CacheExportFrom, "cache_to", cacheReference)
}

func cacheReference(text string) (string, error) {
	c, err := parseCache(text, true)
	return c.ref, err
}

// each allows each text at a pointer as a claim has it. One that cannot be read is
// not allowed; the call reports why.
func (r *askedRules) each(pointer, key string, read func(string) (string, error)) {
	r.Each(pointer, func(text string, pos yamldoc.Pos) {
		if claimed, err := read(text); err == nil {
			r.add(capability.AllowBuild(key, claimed, pos))
		}
	})
}

// secrets allows each secret of a mapping, with its variable and dotenv files.
func (r *askedRules) secrets(pointer string) {
	for _, id := range slices.Sorted(maps.Keys(r.Mapping(pointer))) {
		at := abi.UnderPointer(pointer, id)
		if rules := r.images.env.AskedReference(r.Asks, at); len(rules) > 0 && isSecretID(id) {
			r.add(capability.AllowBuild("secrets", id, r.Position(at)))
			r.add(rules...)
		}
	}
}
