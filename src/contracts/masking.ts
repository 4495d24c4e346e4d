/** What stands in place of a secret. */
export const maskedText = '***';

/** A shorter secret cannot be told from ordinary words, so that masking it would garble everything else. */
const shortestSecret = 4;
/** Lines of a secret of many lines (a PEM key) that are secrets by themselves. */
const shortestLine = 12;
/** Fewer characters of base64 say too little of a secret, and stand in too many other texts. */
const shortestBase64 = 8;

// One registry a process: a writer masks what any part of the process has read, whoever read it.
const patterns = new Set<string>();
let matcher: RegExp | null = null;
let longest = 0;

/** Makes a secret unreadable in everything that is written from now on: as it stands, escaped in JSON or in a URL, and in base64. */
export function registerSecret(secret: string): void {
  if (secret.length < shortestSecret) return;
  const lines = secret.includes('\n') ? secret.split(/\r?\n/).filter((line) => line.length >= shortestLine) : [];
  for (const text of [secret, secret.trim(), ...lines].filter((text) => text.length >= shortestSecret)) {
    patterns.add(text).add(JSON.stringify(text).slice(1, -1)).add(encodeURIComponent(text.toWellFormed()));
    for (const encoded of base64Forms(text)) patterns.add(encoded);
  }
  const known = [...patterns].toSorted((left, right) => right.length - left.length);
  longest = known[0]!.length;
  matcher = new RegExp(known.map((pattern) => RegExp.escape(pattern)).join('|'), 'g');
}

/** Forgets all secrets: for tests. */
export function forgetSecrets(): void {
  patterns.clear();
  matcher = null;
  longest = 0;
}

/** Whether a text holds a secret that was registered. */
export function holdsSecret(text: string): boolean {
  return mask(text) !== text;
}

/** A text as it may be written: every registered secret is `***`. */
export function mask(text: string): string {
  return matcher === null ? text : text.replace(matcher, maskedText);
}

/** A JSON value with every text in it masked; the value itself where nothing is to be masked. */
export function maskValue<Value>(value: Value): Value {
  return matcher === null ? value : (masked(value) as Value);
}

function masked(value: unknown): unknown {
  if (typeof value === 'string') return mask(value);
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [mask(key), masked(member)]));
}

/** Masks a text that comes in pieces, so that a secret cannot slip through between two of them. */
export interface Masker {
  /** What may be written now; an end that may be the beginning of a secret is held back. */
  write(piece: string): string;
  /** What was held back. */
  end(): string;
}

/** A masker for one stream. */
export function createMasker(): Masker {
  let held = '';
  return {
    write(piece) {
      if (matcher === null && held === '') return piece;
      const text = held + piece;
      const safe = notWithinSecret(text, text.length - begunSecret(text));
      held = text.slice(safe);
      return mask(text.slice(0, safe));
    },
    end() {
      const rest = held;
      held = '';
      return mask(rest);
    },
  };
}

/** How many characters at the end of a text may be the beginning of a secret. */
function begunSecret(text: string): number {
  for (let length = Math.min(longest - 1, text.length); length > 0; length--) {
    const end = text.slice(text.length - length);
    for (const pattern of patterns) if (pattern.startsWith(end) && pattern !== end) return length;
  }
  return 0;
}

/** The place to cut a text at: as asked, or before the secret that it would cut through. */
function notWithinSecret(text: string, cut: number): number {
  for (const { index, 0: secret } of matcher === null ? [] : text.matchAll(matcher))
    if (index < cut && cut < index + secret.length) return index;
  return cut;
}

/** What a text looks like within the base64 of anything that holds it: without the characters at its ends that its neighbours share. */
function base64Forms(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const forms = [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    const from = Math.ceil((offset * 8) / 6);
    const to = Math.floor(((offset + bytes.length) * 8) / 6);
    const inner = encoded.slice(from, to);
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });
  return forms.filter((form) => form.length >= shortestBase64);
}
