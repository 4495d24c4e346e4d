/** What a text may hold that cleaning would change; a true trait may still turn out to be nothing. */
export interface Survey {
  readonly carriageReturn: boolean;
  readonly surrogate: boolean;
  /** Control, zero-width, bidirectional and tag characters, line separators, soft hyphens. */
  readonly hidden: boolean;
  readonly fakeLetter: boolean;
  /** White space before a line end. */
  readonly trailingSpace: boolean;
}

/** Looks at every UTF-16 code unit once, so that a text with nothing to clean costs no further pass. */
export function survey(text: string): Survey {
  let carriageReturn = false;
  let surrogate = false;
  let hidden = false;
  let fakeLetter = false;
  let trailingSpace = false;
  let before = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0x0a) trailingSpace ||= before === 0x20 || before === 0x09 || before === 0x0d || before >= 0x80;
    else if (code < 0x20) {
      if (code === 0x0d) carriageReturn = true;
      else if (code !== 0x09) hidden = true;
    } else if (code >= 0x7f) {
      if (code >= 0xd800 && code <= 0xdfff) {
        surrogate = true;
        if (code === MATHEMATICAL || code === ENCLOSED) fakeLetter = true;
        else if (code === TAGS) hidden = true;
      } else {
        hidden ||= isHidden(code);
        fakeLetter ||= code >= 0x24b6 && (code <= 0x24e9 || (code >= 0xfb00 && code <= 0xfb06) || (code >= 0xff10 && code <= 0xff5a));
      }
    }
    before = code;
  }
  return { carriageReturn, surrogate, hidden, fakeLetter, trailingSpace };
}

/** First halves of the surrogate pairs of U+1D400 to U+1D7FF, of U+1F130 to U+1F149, and of U+E0001 to U+E007F. */
const MATHEMATICAL = 0xd835;
const ENCLOSED = 0xd83c;
const TAGS = 0xdb40;

function isHidden(code: number): boolean {
  if (code < 0x200b) return code < 0xa0 || code === 0xad || code === 0x61c || code === 0x180e;
  return (
    code <= 0x200f ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x206f) ||
    code === 0xfeff ||
    (code >= 0xfff9 && code <= 0xfffb)
  );
}
