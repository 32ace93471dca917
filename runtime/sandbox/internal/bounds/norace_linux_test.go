//go:build linux && !race

package bounds_test

const raceDetector = false
