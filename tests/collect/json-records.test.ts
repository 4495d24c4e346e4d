import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { arrayRecords, type JsonRecord } from '../../src/collect/json-records.ts';

const read = (text: string): JsonRecord[] => [...arrayRecords(text, text.indexOf('[') + 1)];
const values = (text: string): unknown[] => read(text).flatMap((record) => (record.ok ? [record.value] : []));
const broken = (text: string): string[] => read(text).flatMap((record) => (record.ok ? [] : [`${record.line}: ${record.message}`]));

describe('records of a JSON array', () => {
  test('are what JSON.parse says, however the array is written', () => {
    const json = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 5 });
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 1, 2), (records, indent) => {
        const text = JSON.stringify(records, null, indent);
        expect(values(text)).toEqual(JSON.parse(text));
        expect(broken(text)).toEqual([]);
      }),
    );
  });

  test('know the line that they begin on', () => {
    expect(read('[\n  {"a": 1},\n  {\n    "a": 2\n  },\n  {"a": 3}\n]').map(({ line }) => line)).toEqual([2, 3, 6]);
  });

  const lines = (broken: string): string => `[\n  {"a": "one"},\n  ${broken},\n  {"a": "three"}\n]\n`;
  const damages = [
    ['a missing quote', '{"a": "two}', '3: expected the end of a string, found the end of the line'],
    ['a quote inside a string', '{"a": "t"wo"}', '3: expected , or end, found `wo"},`'],
    ['a missing colon', '{"a" "two"}', '3: expected :, found `"two"},`'],
    ['a missing value', '{"a": }', '3: expected value, found `},`'],
    ['a missing closing brace', '{"a": "two"', '4: expected key, found `{"a": "three"}`'],
    ['a bad word', '{"a": two}', '3: Unexpected token \'w\', "{"a": two}" is not valid JSON'],
    ['a bad escape', '{"a": "\\x"}', '3: Bad escaped character'],
    ['a cut line', '{"a": "tw', '3: expected the end of a string, found the end of the line'],
  ] as const;
  test.each(damages)('lose one record to %s, and name its line', (_name, damage, message) => {
    expect(values(lines(damage))).toEqual([{ a: 'one' }, { a: 'three' }]);
    expect(broken(lines(damage))).toEqual([message]);
  });

  test.each(damages.filter(([name]) => name !== 'a cut line' && name !== 'a missing quote'))(
    'lose one record to %s where all stand on one line',
    (_name, damage) => {
      const text = `[{"a": "one"}, ${damage}, {"a": "three"}, {"a": "four"}]`;
      expect(values(text)).toEqual([{ a: 'one' }, { a: 'three' }, { a: 'four' }]);
      expect(broken(text)).toHaveLength(1);
    },
  );

  test('end early where the file was cut off, which is said', () => {
    expect(values('[{"a": 1}, {"a": 2')).toEqual([{ a: 1 }]);
    expect(broken('[{"a": 1}, {"a": 2')).toEqual(['1: expected , or end, found the end of the file']);
    expect(broken('[\n{"a": 1}\n')).toEqual(['3: the array has no closing bracket']);
  });
});
