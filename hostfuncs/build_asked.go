package hostfuncs

import (
	"maps"
	"slices"
	"strconv"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// buildFields allows what the configuration has at the places that are asked
// for. What no request can name is the user's own choice, by the Dockerfile or
// the command line, and is for other layers to narrow.
func (b *askedBuilder) buildFields(ask abi.BuildAsk) {
	for _, key := range []string{"layouts", "syntax", "remotes", "outputs", "engines"} {
		b.add(capability.AllowAnyBuild(key))
	}
	if ask.TargetFrom != "" {
		b.add(capability.BoundBuild("targets"))
		b.each(ask.TargetFrom, func(stage string, pos yamldoc.Pos) { b.add(capability.AllowBuild("targets", stage, pos)) })
	}
	if ask.PlatformsFrom != "" {
		b.add(capability.BoundBuild("platforms"))
		b.eachRead(ask.PlatformsFrom, "platforms", ParsePlatform)
		// And those that the user names in their place.
		for _, text := range b.world.Builds.Platforms {
			if name, err := ParsePlatform(text); err == nil {
				b.add(capability.AllowBuild("platforms", name, yamldoc.Pos{}))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.mapping(ask.ArgsFrom))) {
		b.add(capability.AllowArg(name, b.Position(abi.UnderPointer(ask.ArgsFrom, name))))
	}
	b.each(ask.NetworkFrom, func(name string, pos yamldoc.Pos) {
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

// eachRead allows each text at a pointer as a claim will have it. What can't be
// read is not granted, and the call says why.
func (b *askedBuilder) eachRead(pointer, key string, read func(string) (string, error)) {
	b.each(pointer, func(text string, pos yamldoc.Pos) {
		if claimed, err := read(text); err == nil {
			b.add(capability.AllowBuild(key, claimed, pos))
		}
	})
}

// secrets allows each secret of a mapping, with the variable and the dotenv files
// that its value is from.
func (b *askedBuilder) secrets(pointer string) {
	secrets := b.mapping(pointer)
	for _, id := range slices.Sorted(maps.Keys(secrets)) {
		at := abi.UnderPointer(pointer, id)
		name := textAt(b.tree, abi.UnderPointer(at, "env"))
		if name == "" || !isSecretID(id) {
			continue
		}
		b.add(capability.AllowBuild("secrets", id, b.Position(at)), capability.AllowEnv(name, b.Position(at)))
		files := abi.UnderPointer(at, "files")
		for i, file := range stringsAt(b.tree, files) {
			b.secretFile(file, b.Position(abi.UnderPointer(files, strconv.Itoa(i))))
		}
	}
}

// secretFile allows a dotenv file, and the host's variables that its values are
// made of.
func (b *askedBuilder) secretFile(named string, pos yamldoc.Pos) {
	at, err := b.world.locate(named)
	if err != nil {
		return
	}
	b.add(capability.AllowLoad(at.rel, pos))
	for _, name := range b.world.readEnvFile(at).taken {
		b.add(capability.AllowEnv(name, pos))
	}
}

// mapping is the mapping at a pointer; nil where there is none.
func (b *askedBuilder) mapping(pointer string) map[string]any {
	m, _ := at(b.tree, pointer).(map[string]any)
	return m
}
