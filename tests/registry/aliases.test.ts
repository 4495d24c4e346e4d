import { describe, expect, test } from 'vitest';
import { incumbentOf, listAliases, modelUnder, moveAlias, readAlias } from '../../src/registry/aliases.ts';
import { modelReference } from '../../src/registry/models.ts';
import { registerTraining } from '../../src/registry/register-training.ts';
import { metadataStore, trainingRun } from '../support/registry-fixture.ts';

const request = { model: 'twin', alias: 'champion', who: 'a test', run: null, report: null, reason: 'because' };

describe('an alias', () => {
  test('names what its last move says, and keeps every move', async () => {
    const store = await metadataStore();
    expect(await readAlias(store, 'twin', 'champion')).toMatchObject({ target: null, moves: [] });
    expect(await moveAlias(store, { ...request, expected: null, to: 'twin@1' })).toEqual({ ok: true });
    expect(await moveAlias(store, { ...request, expected: 'twin@1', to: 'twin@2' })).toEqual({ ok: true });
    const alias = await readAlias(store, 'twin', 'champion');
    expect(alias.target).toBe('twin@2');
    expect(alias.moves.map(({ from, to }) => [from, to])).toEqual([
      [null, 'twin@1'],
      ['twin@1', 'twin@2'],
    ]);
  });

  test('is not moved away from under someone: the expectation must hold', async () => {
    const store = await metadataStore();
    await moveAlias(store, { ...request, expected: null, to: 'twin@1' });
    expect(await moveAlias(store, { ...request, expected: null, to: 'twin@2' })).toEqual({ ok: false, found: 'twin@1' });
    expect((await readAlias(store, 'twin', 'champion')).target).toBe('twin@1');
  });

  test('moved by two at once, goes to one of them', async () => {
    const store = await metadataStore();
    const moves = await Promise.all(['twin@1', 'twin@2'].map((to) => moveAlias(store, { ...request, expected: null, to })));
    expect(moves.filter(({ ok }) => ok)).toHaveLength(1);
    expect((await readAlias(store, 'twin', 'champion')).moves).toHaveLength(1);
  });

  test('moved to where it stands, makes no entry', async () => {
    const store = await metadataStore();
    await moveAlias(store, { ...request, expected: null, to: 'twin@1' });
    await moveAlias(store, { ...request, expected: 'twin@1', to: 'twin@1' });
    expect((await readAlias(store, 'twin', 'champion')).moves).toHaveLength(1);
  });

  test('is listed under its model alone, also where another model has a longer name', async () => {
    const store = await metadataStore();
    await moveAlias(store, { ...request, expected: null, to: 'twin@1' });
    await moveAlias(store, { ...request, model: 'twin-two', expected: null, to: 'twin-two@1' });
    expect((await listAliases(store, 'twin')).map(({ model, alias }) => `${model}/${alias}`)).toEqual(['twin/champion']);
    expect(await listAliases(store)).toHaveLength(2);
  });

  test('resolves to the version that it names', async () => {
    const store = await metadataStore();
    const candidate = await registerTraining(store, trainingRun(), 'run-1');
    expect(await modelUnder(store, 'twin', 'candidate')).toEqual(candidate);
    expect(await modelUnder(store, 'twin', 'champion')).toBeNull();
    expect(modelReference(candidate)).toBe(`twin@${candidate.version}`);
  });
});

describe('the incumbent of a candidate', () => {
  const move = (from: string | null, to: string) => ({ from, to, who: '', when: '', run: null, report: null, reason: '' });

  test('is what the alias names', () => {
    expect(incumbentOf({ target: 'twin@1', moves: [move(null, 'twin@1')] }, 'twin@2')).toBe('twin@1');
  });

  test('is what the candidate replaced, where the alias names the candidate already', () => {
    expect(incumbentOf({ target: 'twin@2', moves: [move(null, 'twin@1'), move('twin@1', 'twin@2')] }, 'twin@2')).toBe('twin@1');
  });

  test('is nobody for the first', () => {
    expect(incumbentOf({ target: null, moves: [] }, 'twin@1')).toBeNull();
    expect(incumbentOf({ target: 'twin@1', moves: [move(null, 'twin@1')] }, 'twin@1')).toBeNull();
  });
});
