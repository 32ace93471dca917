// Package keyboard reads the lines that the user types at the terminal while somebody
// waits for them. The terminal stays in its usual mode, so that nothing has to be
// restored, however this process ends: a line arrives with Enter, and Ctrl-C and Ctrl-Z
// work as always. What is typed while nobody waits stays in the terminal.
package keyboard
