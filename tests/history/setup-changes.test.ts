import { expect, test } from 'vitest';
import type { PlannedStep, RunSetup } from '../../src/contracts/run.ts';
import { setupChanges } from '../../src/history/setup-changes.ts';

const setup: RunSetup = {
  set: [],
  strict: false,
  keepGoing: false,
  gate: 'default',
  from: null,
  to: null,
  only: [],
  tags: [],
  force: [],
  origins: {},
  code: { sync: { version: 1, code: 'a' }, chunk: { version: 1, code: 'b' }, train: { version: 1, code: 'c' } },
  driven: { sync: ['chunk'] },
  params: { 'sync.chunk': { maxTokens: 254 }, train: { lora: { rank: 16 }, epochs: 1 } },
  files: { train: { 'prompt.txt': 'f1' } },
  environment: {},
};
const step = (address: string): PlannedStep => ({ address, step: address, kind: 'step', summary: '', inputs: {}, place: '' });
const before = { setup, steps: [step('sync'), step('train'), step('gone')] };

test('equal set-ups differ in nothing', () => {
  expect(setupChanges(before, structuredClone(before))).toEqual([]);
});

test('code, params, files and versions are told step by step, those of driven map steps at the step that drives them', () => {
  const after = {
    steps: [step('sync'), step('train'), step('new')],
    setup: {
      ...setup,
      code: { ...setup.code, chunk: { version: 2, code: 'b2' } },
      params: { 'sync.chunk': { maxTokens: 200 }, train: { lora: { rank: 8 }, epochs: 1 } },
      files: { train: { 'prompt.txt': 'f2' } },
    },
  };
  expect(setupChanges(before, after)).toEqual([
    {
      address: 'sync',
      changes: [
        { part: 'version', name: 'chunk', before: 1, after: 2 },
        { part: 'code', name: 'chunk', before: 'b', after: 'b2' },
        { part: 'params', name: 'chunk.maxTokens', before: 254, after: 200 },
      ],
    },
    {
      address: 'train',
      changes: [
        { part: 'params', name: 'lora.rank', before: 16, after: 8 },
        { part: 'files', name: 'prompt.txt', before: 'f1', after: 'f2' },
      ],
    },
    { address: 'gone', changes: null },
    { address: 'new', changes: null },
  ]);
});
