import { describe, expect, test } from 'vitest';
import type { EvaluationRecord } from '../../src/contracts/registry.ts';
import { sha256 } from '../../src/contracts/digest.ts';
import { moveAlias, previousTarget, readAlias } from '../../src/registry/aliases.ts';
import { listEvaluations, recordEvaluation } from '../../src/registry/evaluations.ts';
import { judgePromotion } from '../../src/registry/promotion.ts';
import { metadataStore } from '../support/registry-fixture.ts';

function evaluation(change: Partial<EvaluationRecord> = {}): EvaluationRecord {
  return {
    candidate: 'twin@2',
    incumbent: 'twin@1',
    alias: 'champion',
    report: sha256('report'),
    frozenSet: sha256('set'),
    verdict: 'pass',
    reasons: ['better'],
    difference: -0.1,
    bitsPerByte: 1,
    run: 'r1',
    when: '2026-01-01T00:00:00Z',
    ...change,
  };
}

describe('a promotion by hand', () => {
  test('needs an evaluation against exactly what the alias names', () => {
    expect(judgePromotion([evaluation()], 'twin@2', 'twin@1')).toMatchObject({ ok: true });
    expect(judgePromotion([evaluation()], 'twin@2', 'twin@0')).toMatchObject({ ok: false, reason: 'stale' });
    expect(judgePromotion([evaluation({ incumbent: null })], 'twin@2', null)).toMatchObject({ ok: true });
    expect(judgePromotion([evaluation()], 'twin@3', 'twin@1')).toMatchObject({ ok: false, reason: 'not-evaluated', evaluation: null });
  });

  test('is judged by the newest evaluation, whatever an older one said', () => {
    const records = [evaluation(), evaluation({ verdict: 'undecided', report: sha256('later') })];
    expect(judgePromotion(records, 'twin@2', 'twin@1')).toMatchObject({ ok: false, reason: 'undecided' });
    expect(judgePromotion(records.toReversed(), 'twin@2', 'twin@1')).toMatchObject({ ok: true });
  });
});

test('an evaluation is kept once, however often its step runs', async () => {
  const store = await metadataStore();
  const { when: _, ...record } = evaluation();
  await Promise.all([recordEvaluation(store, 'twin', record), recordEvaluation(store, 'twin', record)]);
  await recordEvaluation(store, 'twin', { ...record, verdict: 'fail', report: sha256('other') });
  await recordEvaluation(store, 'twin', record);
  expect((await listEvaluations(store, 'twin')).map(({ verdict }) => verdict)).toEqual(['pass', 'fail', 'pass']);
});

test('rolling back twice goes two versions back, and a new move begins anew from there', async () => {
  const store = await metadataStore();
  const move = async (to: string, rollback?: true) => {
    const { target } = await readAlias(store, 'twin', 'champion');
    const request = { model: 'twin', alias: 'champion', expected: target, to, who: 'me', run: null, report: null, reason: '' };
    await moveAlias(store, { ...request, ...(rollback && { rollback }) });
    return previousTarget((await readAlias(store, 'twin', 'champion')).moves);
  };
  expect(await move('twin@1')).toBeNull();
  expect(await move('twin@2')).toBe('twin@1');
  expect(await move('twin@3')).toBe('twin@2');
  expect(await move('twin@2', true)).toBe('twin@1');
  expect(await move('twin@1', true)).toBeNull();
  expect(await move('twin@4')).toBe('twin@1');
});
