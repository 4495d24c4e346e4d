import { expect, test } from 'vitest';
import { GateReport } from '../../src/contracts/dataset.ts';
import { gatePairOf, gatePairs, gateSampleOf, gateSamples, type GatePair, type GateSample } from '../../src/datasets/gate.ts';
import { instructionSample, wordsFrom } from '../support/dataset-rows.ts';

const documents = Array.from({ length: 6 }, (_, index) => ({
  id: `document-${index}`,
  text: `${wordsFrom(`opening${index}x`, 30)}.\n\n${wordsFrom(`ending${index}x`, 30)}.`,
}));
const texts = new Map(documents.map(({ id, text }) => [id, text]));

function goodSamples(): GateSample[] {
  return documents.flatMap(({ id, text }, index) =>
    text.split('\n\n').map((answer, part) => {
      const start = text.indexOf(answer);
      const sample = instructionSample({
        id: `${id}-${part}`,
        instruction: `What is in part ${part} of ${id}?`,
        answer,
        document: id,
        start,
        end: start + answer.length,
      });
      return gateSampleOf(sample, index < 4 ? 'train' : index < 5 ? 'validation' : 'test');
    }),
  );
}

/** A copy of a row that differs in some fields. */
const but = <Row extends object>(row: Row, change: Partial<Row>): Row => Object.assign({}, row, change);

const refusals = (report: GateReport) => report.findings.filter(({ severity }) => severity === 'refuse').map(({ check }) => check);

test('a sound set passes, and the report names every check that ran', async () => {
  const report = await gateSamples(goodSamples(), texts, []);
  expect(GateReport.parse(report)).toEqual({
    verdict: 'pass',
    checks: [
      'too-few',
      'unresolved-placeholder',
      'dangling-reference',
      'ungrounded-answer',
      'exact-duplicate',
      'near-duplicate',
      'repeated-instruction',
      'document-leak',
      'instruction-leak',
      'answer-leak',
      'overlap-leak',
    ],
    findings: [],
    reasons: ['12 samples passed 11 checks'],
  });
});

test('a placeholder refuses the set, with the sample and the words around it', async () => {
  const samples = goodSamples();
  samples[2] = { ...samples[2]!, instruction: 'Summarize {extract} in one line.' };
  expect(await gateSamples(samples, texts, [])).toMatchObject({
    verdict: 'refuse',
    reasons: ['unresolved-placeholder: 1 of 12 samples hold an unresolved placeholder outside code; none may'],
    findings: [
      {
        check: 'unresolved-placeholder',
        count: 1,
        limit: 0,
        samples: [{ id: 'document-1-0', excerpt: 'Summarize {extract} in one line.' }],
      },
    ],
  });
});

test('an answer that is not its slice, not in its document, or of no document is ungrounded', async () => {
  const samples = goodSamples();
  samples[0] = { ...samples[0]!, slice: { start: 1, end: 50 } };
  samples[1] = { ...samples[1]!, slice: null, answer: wordsFrom('invented', 30) };
  samples[2] = { ...samples[2]!, document: 'unknown' };
  const report = await gateSamples(samples, texts, []);
  expect(report.reasons).toEqual(['ungrounded-answer: 3 of 12 answers are not the text of their source document; none may']);
  expect(report.findings[0]!.samples.map(({ id }) => id)).toEqual(['document-0-0', 'document-0-1', 'document-1-0']);
});

test('an answer without offsets is grounded where most of its words stand in its document, or in any where it names none', async () => {
  const samples = goodSamples();
  const answer = `${wordsFrom('opening0x', 28)} as the author says`;
  samples[0] = { ...samples[0]!, slice: null, answer };
  samples[1] = { ...samples[1]!, slice: null, document: null };
  expect((await gateSamples(samples, texts, [])).verdict).toBe('pass');
});

test('exact and near duplicates refuse the set', async () => {
  const samples = goodSamples();
  const twin = samples[0]!;
  const close = twin.answer.replace('opening0x15', 'changed');
  const report = await gateSamples(
    [
      ...samples,
      { ...twin, id: 'z-1', instruction: 'Asked otherwise?' },
      { ...twin, id: 'z-2', instruction: 'Asked anew?', answer: close, slice: null },
    ],
    texts,
    [],
  );
  expect(report.reasons).toEqual([
    'exact-duplicate: 1 of 14 answers repeat the words of another one; none may',
    'near-duplicate: 1 of 14 answers are near-duplicates of another one (70 % of their 3-word runs in common); none may',
  ]);
});

test('a repeated instruction refuses the set', async () => {
  const samples = goodSamples();
  samples[1] = { ...samples[1]!, instruction: samples[0]!.instruction.toUpperCase() };
  expect((await gateSamples(samples, texts, [])).reasons).toEqual([
    'repeated-instruction: 1 of 12 samples repeat the instruction of another one; none may',
  ]);
});

test('a document on both sides of the split refuses the set', async () => {
  const samples = goodSamples();
  samples[11] = { ...samples[11]!, split: 'train' };
  expect((await gateSamples(samples, texts, [])).reasons).toEqual([
    'document-leak: 1 of 3 held-out samples come from a document that is trained on; none may',
  ]);
});

test('a held-out answer that training nearly holds refuses the set, by likeness and by overlap', async () => {
  const samples = goodSamples();
  const answer = samples[10]!.answer.replace('opening5x15', 'changed');
  samples.push({ ...samples[0]!, id: 'z', instruction: 'Asked otherwise?', answer, document: null, slice: null });
  expect(refusals(await gateSamples(samples, texts, []))).toEqual(['near-duplicate', 'answer-leak', 'overlap-leak']);
});

test('a held-out instruction that training asks refuses the set', async () => {
  const samples = goodSamples();
  samples[10] = { ...samples[10]!, instruction: samples[0]!.instruction };
  expect(refusals(await gateSamples(samples, texts, []))).toEqual(['repeated-instruction', 'instruction-leak']);
});

test('few instructions about an unseen text only warn, many refuse', async () => {
  const samples = goodSamples();
  const dangling = (index: number): GateSample => ({ ...samples[index]!, instruction: `What does the extract say, number ${index}?` });
  expect((await gateSamples([...samples.slice(0, 10), dangling(10), dangling(11)], texts, [])).reasons).toEqual([
    'dangling-reference: 2 of 12 instructions speak of a text that their reader does not see ("the extract", "the context"); at most 2 % may',
  ]);
});

test('a set below its floor is refused with what to do about it', async () => {
  const floor = { what: 'samples in the train split', count: 12, minimum: 20, remedy: 'collect more documents' };
  expect((await gateSamples(goodSamples(), texts, [floor])).reasons).toEqual([
    'too-few: there are 12 samples in the train split, and 20 are needed: collect more documents',
  ]);
});

function goodPairs(): GatePair[] {
  return documents.map(({ id, text }, index) =>
    gatePairOf({
      id: `pair-${index}`,
      prompt: `What is in ${id}?`,
      chosen: text.split('\n\n')[0]!,
      rejected: `${wordsFrom(`model${index}xyz`, 30)}.`,
      document: id,
      sources: [{ document: id, revision: '0'.repeat(64) }],
    }),
  );
}

test('sound pairs pass', async () => {
  expect(await gatePairs(goodPairs(), texts, [])).toMatchObject({ verdict: 'pass', findings: [], reasons: ['6 pairs passed 8 checks'] });
});

test('equal answers refuse the pairs', async () => {
  const pairs = goodPairs();
  pairs[3] = { ...pairs[3]!, rejected: ` ${pairs[3]!.chosen.toUpperCase()}` };
  expect((await gatePairs(pairs, texts, [])).reasons).toEqual([
    'chosen-equals-rejected: 1 of 6 pairs have the same answer chosen and rejected; none may',
  ]);
});

test('a length that tells the answers apart refuses the pairs, whichever side it favours', async () => {
  const short = goodPairs().map((pair, index) => (index === 0 ? pair : but(pair, { rejected: 'Too short.' })));
  const reason = (side: string) => [
    `length-bias: the ${side} answer is the longer one (by over 10 %) in 5 of 6 pairs, the other one in 0; they may differ by 40 % of the pairs`,
  ];
  expect((await gatePairs(short, texts, [])).reasons).toEqual(reason('chosen'));
  const long = goodPairs().map((pair, index) => (index === 0 ? pair : but(pair, { rejected: pair.rejected.repeat(3) })));
  expect((await gatePairs(long, texts, [])).reasons).toEqual(reason('rejected'));
});

test('a placeholder in a rejected answer is what shall be unlearned, in a chosen one it refuses', async () => {
  const pairs = goodPairs();
  pairs[0] = { ...pairs[0]!, rejected: `${pairs[0]!.rejected} {extract}` };
  expect((await gatePairs(pairs, texts, [])).verdict).toBe('pass');
  pairs[0] = { ...pairs[0], chosen: `${pairs[0].chosen} {extract}` };
  expect(refusals(await gatePairs(pairs, texts, []))).toEqual(['unresolved-placeholder']);
});

test('a finding shows the first five rows and counts the rest', async () => {
  const samples = goodSamples().map((sample) => but(sample, { slice: null, answer: wordsFrom(sample.id, 20) }));
  const [finding] = (await gateSamples(samples, texts, [])).findings;
  expect(finding).toMatchObject({ check: 'ungrounded-answer', count: 12 });
  expect(finding!.samples).toHaveLength(5);
});
