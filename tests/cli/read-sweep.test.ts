import { describe, expect, test } from 'vitest';
import { readSweep, variantsOf } from '../../src/cli/read-sweep.ts';

/** The values of each variant, by address. */
function variants(...flags: readonly string[]) {
  const swept = readSweep(flags, []);
  if (!swept.ok) throw new Error(swept.error.map(({ message }) => message).join('\n'));
  return variantsOf(swept.value).map((variant) =>
    Object.fromEntries(Object.entries(variant).map(([address, { value }]) => [address, value])),
  );
}

describe('the values of a sweep', () => {
  test('are parted by commas, but not within brackets and quotes', () => {
    expect(variants('sft.targets=[q, v], [q, v, k]')).toEqual([{ 'sft.targets': ['q', 'v'] }, { 'sft.targets': ['q', 'v', 'k'] }]);
    expect(variants(`sft.prompt="a, b",'c'`)).toEqual([{ 'sft.prompt': 'a, b' }, { 'sft.prompt': 'c' }]);
    expect(variants('sft.lora={rank: 4, alpha: 8},{rank: 8, alpha: 16}')).toHaveLength(2);
    expect(variants('sft.rate=1e-4,3e-4')).toEqual([{ 'sft.rate': 0.0001 }, { 'sft.rate': 0.0003 }]);
  });

  test('are combined, the last one changing fastest', () => {
    expect(variants('a.x=1,2', 'a.y=true,false')).toEqual([
      { 'a.x': 1, 'a.y': true },
      { 'a.x': 1, 'a.y': false },
      { 'a.x': 2, 'a.y': true },
      { 'a.x': 2, 'a.y': false },
    ]);
  });

  test('are given once, and by one flag', () => {
    const read = readSweep(['a.x=1,2', 'a.x=3', 'a.y=1,', 'a.z'], ['a.x=5']);
    expect(read.ok ? [] : read.error.map(({ message }) => message)).toEqual([
      'a.x is given by --set and by --sweep',
      '--sweep names a.x twice',
      'a.x is given by --set and by --sweep',
      '--sweep a.y=1, names an empty value',
      '--sweep a.z names no values',
    ]);
  });
});
