import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { createMasker, forgetSecrets, holdsSecret, mask, maskValue, registerSecret } from '../../src/contracts/masking.ts';

afterEach(forgetSecrets);

describe('a registered secret', () => {
  test('is masked wherever it stands', () => {
    registerSecret('sk-very-secret');
    expect(mask('key sk-very-secret, again sk-very-secret')).toBe('key ***, again ***');
  });

  test('is masked as JSON and URLs escape it', () => {
    registerSecret('p"ss/w?rd\\');
    expect(mask(JSON.stringify({ key: 'p"ss/w?rd\\' }))).toBe('{"key":"***"}');
    expect(mask(`https://user:${encodeURIComponent('p"ss/w?rd\\')}@host`)).toBe('https://user:***@host');
  });

  test('is masked within the base64 of anything that holds it, at any offset and in both alphabets', () => {
    registerSecret('correct horse battery');
    for (const user of ['', 'a', 'ab', 'abc']) {
      const plain = Buffer.from(`${user}correct horse battery!`);
      expect(holdsSecret(plain.toString('base64'))).toBe(true);
      expect(holdsSecret(plain.toString('base64url'))).toBe(true);
    }
  });

  test('of many lines is masked line by line', () => {
    registerSecret('-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----\n');
    expect(mask('read MIIEvQIBADANBgkq')).toBe('read ***');
  });

  test('of three characters is left alone, as it would garble everything', () => {
    registerSecret('abc');
    expect(mask('abcdef')).toBe('abcdef');
  });

  test('is masked in values, their keys too', () => {
    registerSecret('sk-very-secret');
    expect(maskValue({ a: ['x sk-very-secret', 1, null], 'sk-very-secret': true })).toEqual({ a: ['x ***', 1, null], '***': true });
  });

  test('cannot slip through between pieces of a stream', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant('sk-very-secret'), fc.constant('sk-very'), fc.constant('sk-'), fc.string({ maxLength: 5 }))),
        fc.array(fc.nat(60)),
        (parts, cuts) => {
          forgetSecrets();
          registerSecret('sk-very-secret');
          const text = parts.join('');
          const masker = createMasker();
          let written = '';
          let from = 0;
          for (const cut of [...new Set(cuts)].toSorted((left, right) => left - right)) {
            written += masker.write(text.slice(from, Math.max(from, cut)));
            from = Math.max(from, cut);
          }
          written += masker.write(text.slice(from)) + masker.end();
          expect(written).not.toContain('sk-very-secret');
          expect(written).toBe(text.replaceAll('sk-very-secret', '***'));
        },
      ),
    );
  });
});

test('without secrets, texts and values pass as they are', () => {
  const value = { a: 1 };
  expect(maskValue(value)).toBe(value);
  const masker = createMasker();
  expect(masker.write('any') + masker.end()).toBe('any');
});
