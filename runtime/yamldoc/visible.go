package yamldoc

import "unicode"

// Visible tells whether one who reads a text sees that the character is there,
// and what it is. There are letters and marks that show as nothing or as a
// blank, such as the Hangul filler; text with one in it is read as another
// text: https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
func Visible(r rune) bool {
	const brailleBlank = '\u2800'
	return unicode.IsPrint(r) && r != brailleBlank && r != unicode.ReplacementChar &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
