import { createHash, hash } from 'node:crypto';

/** A value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * The one text of a JSON value by RFC 8785: keys sorted by UTF-16 code units, no white space, ECMAScript numbers.
 * Properties that are `undefined` are left out, as JSON.stringify does; a number that is not finite, a lone surrogate, a function or a symbol throws.
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw new TypeError('A lone surrogate has no canonical JSON');
      return JSON.stringify(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${value} has no canonical JSON`);
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object': {
      if (value === null) return 'null';
      if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
      const record = value as Record<string, unknown>;
      let members = '';
      for (const key of Object.keys(record).toSorted()) {
        const member = record[key];
        if (member !== undefined) members += `${members === '' ? '' : ','}${canonicalJson(key)}:${canonicalJson(member)}`;
      }
      return `{${members}}`;
    }
    default:
      throw new TypeError(`A ${typeof value} has no canonical JSON`);
  }
}

/** The sha256 of text (as UTF-8) or bytes: 64 lower-case hexadecimal digits. */
export function sha256(data: string | Uint8Array): string {
  // One call costs half of what a hash object does, and every key of a step is one.
  return hash('sha256', data, 'hex');
}

/** The sha256 of a value's canonical JSON. */
export function digestOf(value: unknown): string {
  return sha256(canonicalJson(value));
}

/** The namespace of every UUID that twin derives; never to change, since point ids in live indexes depend on it. */
export const twinNamespace = '6f9ad8a1-5c0e-5d53-9a2f-7a1d3f8b2c44';

/** The UUIDv5 of a name within a namespace UUID (RFC 9562, section 5.5). */
export function uuidv5(name: string, namespace: string = twinNamespace): string {
  const bytes = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest();
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
