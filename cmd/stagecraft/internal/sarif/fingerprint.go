package sarif

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// fingerprintName has the version of what goes into a fingerprint (3.27.17).
const fingerprintName = "stagecraftDenial/v1"

// fingerprints counts results that are alike, so that each has its own.
type fingerprints map[string]int

func newFingerprints() fingerprints { return make(fingerprints) }

// of tells a result from others, and knows it again in a later run: a line may
// move, so its number has no part in it.
func (f fingerprints) of(rule, uri, said string) map[string]string {
	sum := sha256.Sum256([]byte(strconv.Quote(rule) + strconv.Quote(uri) + strconv.Quote(said)))
	print := hex.EncodeToString(sum[:16])
	f[print]++
	return map[string]string{fingerprintName: print + ":" + strconv.Itoa(f[print])}
}
