import { expect, test } from 'vitest';
import type { FingerprintParts, StepResult } from '../../src/contracts/run.ts';
import { changesBetween, nearestChange } from '../../src/history/why.ts';

const parts: FingerprintParts = {
  contract: 1,
  step: 'train',
  version: 1,
  code: 'c1',
  params: { seed: 7, lora: { rank: 16, targets: ['q', 'k'] } },
  inputs: { train: 'd1' },
  ports: {},
  files: {},
  environment: { LANG: null },
  extra: { job: 'j1' },
  observed: null,
};

test('equal fingerprints differ in nothing', () => {
  expect(changesBetween(parts, structuredClone(parts))).toEqual([]);
});

test('differences are told member by member', () => {
  const after: FingerprintParts = {
    ...parts,
    version: 2,
    params: { seed: 7, lora: { rank: 8, targets: ['q'] }, epochs: 2 },
    inputs: { train: 'd2' },
    environment: { LANG: 'C' },
    extra: {},
    observed: 'token',
  };
  expect(changesBetween(parts, after)).toEqual([
    { part: 'version', name: null, before: 1, after: 2 },
    { part: 'params', name: 'lora.rank', before: 16, after: 8 },
    { part: 'params', name: 'lora.targets', before: ['q', 'k'], after: ['q'] },
    { part: 'params', name: 'epochs', before: null, after: 2 },
    { part: 'environment', name: 'LANG', before: null, after: 'C' },
    { part: 'extra', name: 'job', before: 'j1', after: null },
    { part: 'observed', name: null, before: null, after: 'token' },
    { part: 'inputs', name: 'train', before: 'd1', after: 'd2' },
  ]);
});

test('the nearest earlier result is the one that differs least', () => {
  const result = (run: string, changed: Partial<FingerprintParts>) => ({ run, parts: { ...parts, ...changed } }) as StepResult;
  const nearest = nearestChange([result('far', { code: 'c0', version: 0 }), result('near', { code: 'c0' })], parts);
  expect(nearest?.result.run).toBe('near');
  expect(nearest?.changes).toEqual([{ part: 'code', name: null, before: 'c0', after: 'c1' }]);
  expect(nearestChange([], parts)).toBeNull();
});
