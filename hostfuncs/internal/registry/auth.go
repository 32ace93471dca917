package registry

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Auth is what a user must show to one registry. The zero Auth is nothing.
type Auth struct {
	Username, Password string
	// IdentityToken replaces name and password where tokens are given out.
	IdentityToken string
	// RegistryToken is what a registry takes itself, as it is.
	RegistryToken string
}

// None reports whether there is nothing to show.
func (a Auth) None() bool { return a == Auth{} }

// Format prints no secret, whatever the verb is: what is printed by accident
// would be in a log.
func (a Auth) Format(f fmt.State, _ rune) {
	if a.None() {
		fmt.Fprint(f, "no credentials")
		return
	}
	fmt.Fprint(f, "credentials")
}

// record is an entry of config.json's auths.
type record struct {
	Auth          string `json:"auth"` // base64 of user:password
	Username      string `json:"username"`
	Password      string `json:"password"`
	IdentityToken string `json:"identitytoken"`
	RegistryToken string `json:"registrytoken"`
}

func (r record) decode() (Auth, error) {
	auth := Auth{Username: r.Username, Password: r.Password, IdentityToken: r.IdentityToken, RegistryToken: r.RegistryToken}
	if r.Auth == "" {
		return auth, nil
	}
	// The decoder's error would quote the text that it cannot decode.
	text, err := base64.StdEncoding.DecodeString(r.Auth)
	if err != nil {
		return Auth{}, errors.New("auth is not base64")
	}
	user, password, ok := strings.Cut(string(text), ":")
	if !ok || user == "" {
		return Auth{}, errors.New("auth is not user:password")
	}
	auth.Username, auth.Password = user, password
	return auth, nil
}
