import { constantFrom, array, assert, oneof, property, string, tuple } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { plainScalar, readPlainYaml } from '../../src/config/plain-yaml.ts';

/** The entries as the value that YAML would make of the text, where no key holds a dot. */
function nested(text: string): unknown {
  const entries = readPlainYaml(text);
  if (entries === null) return null;
  const root: Record<string, unknown> = {};
  for (const { address, value } of entries) {
    const keys = address.split('.');
    const last = keys.pop()!;
    let map = root;
    for (const key of keys) map = (map[key] ??= {}) as Record<string, unknown>;
    map[last] = value;
  }
  return root;
}

describe('a plain file', () => {
  test('gives addresses, values and the lines of the keys', () => {
    const text =
      '# about\nstate: .twin # here\n\nembedder:\n  kind: python\nparams:\n  a.rate: 0.0001\n  b.sources: [README.md, docs, 3]\n';
    expect(readPlainYaml(text)).toEqual([
      { address: 'state', value: '.twin', line: 2 },
      { address: 'embedder.kind', value: 'python', line: 5 },
      { address: 'params.a.rate', value: 0.0001, line: 7 },
      { address: 'params.b.sources', value: ['README.md', 'docs', 3], line: 8 },
    ]);
  });

  test('may hold paths, absolute and relative', () => {
    const text = 'state: /var/lib/twin\nsources: [../notes, ./a.md]\n';
    expect(nested(text)).toEqual(parse(text));
    expect(plainScalar('/var/lib/twin')).toBe('/var/lib/twin');
  });

  test('may say nothing', () => {
    expect(readPlainYaml('')).toEqual([]);
    expect(readPlainYaml('# nothing\n\n  # at all\n')).toEqual([]);
  });

  test.each([
    ['a key without value', 'a:\n'],
    ['a key without value before another', 'a:\nb: 1\n'],
    ['a key given twice', 'a: 1\na: 2\n'],
    ['an indent that no map has', 'a:\n    b: 1\n  c: 2\n'],
    ['a map under a value', 'a: 1\n  b: 2\n'],
    ['a value over two lines', 'a: one\n  two\n'],
    ['a list over lines', 'a:\n  - b\n'],
    ['quotes', 'a: "b"\n'],
    ['an anchor', 'a: &b c\n'],
    ['a tag', 'a: !!str 1\n'],
    ['null', 'a: Null\n'],
    ['true in capitals', 'a: TRUE\n'],
    ['an octal number', 'a: 0o17\n'],
    ['a number with a leading zero', 'a: 007\n'],
    ['an exponent', 'a: 1e3\n'],
    ['infinity', 'a: .inf\n'],
    ['a tab', 'a:\tb\n'],
    ['Windows line ends', 'a: b\r\n'],
    ['a marker of documents', '---\na: b\n'],
    ['an address of the web', 'a: http://localhost\n'],
  ])('leaves %s to the package', (_, text) => {
    expect(readPlainYaml(text)).toBeNull();
  });
});

test('whatever is read is what the package reads', () => {
  const key = constantFrom('a', 'b', 'c', 'on', 'true', 'x-1', 'y_2');
  const value = oneof(
    constantFrom(
      '',
      'off',
      'yes',
      'no',
      'y',
      'null',
      '~',
      'true',
      'False',
      '.5',
      '.inf',
      '.NaN',
      '1.0',
      '1.50',
      '0',
      '-1',
      '12:30',
      '1_000',
    ),
    constantFrom(
      '[]',
      '[a, 1, off]',
      '[true, .x]',
      '[null]',
      '[a,b]',
      '{ a: 1 }',
      '- a',
      'two words',
      'a#b',
      'a #b',
      'a: b',
      '2020-01-01',
      '0x1f',
      '0.10',
    ),
    string({ maxLength: 6 }),
  );
  const line = tuple(
    constantFrom('', '', '  ', '    ', ' '),
    key,
    constantFrom(':', ': ', ':  ', ' : '),
    value,
    constantFrom('', ' ', ' # c', '#c'),
  );
  const text = array(line, { maxLength: 6 }).map((lines) => lines.map((parts) => parts.join('')).join('\n'));
  assert(
    property(text, (written) => {
      const plain = nested(written);
      expect(plain).toEqual(plain === null ? null : (parse(written) ?? {}));
    }),
    { numRuns: 3000 },
  );
});

test('a plain scalar is what the package makes of it', () => {
  const scalar = oneof(
    string({ maxLength: 8 }),
    array(constantFrom(...'0123456789.eE+-xob_ntrufalsy/ '), { maxLength: 8 }).map((letters) => letters.join('')),
  );
  assert(
    property(scalar, (written) => {
      const plain = plainScalar(written);
      expect(plain).toEqual(plain === undefined ? undefined : parse(written));
    }),
    { numRuns: 3000 },
  );
});
