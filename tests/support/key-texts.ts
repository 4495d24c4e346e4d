import fc from 'fast-check';

/** Short texts of few characters, so that they often begin alike, among them those at which orders of text differ. */
export const keyTexts = fc.string({
  unit: fc.constantFrom('a', 'b', 'A', '%', '_', '/', '\0', 'é', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'),
  maxLength: 3,
});
