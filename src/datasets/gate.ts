import type { GateFinding, GateReport, InstructionSample, PreferencePair, SplitName } from '../contracts/dataset.ts';
import { checkDuplicates, checkRepeatedInstructions } from './checks/duplicates.ts';
import { checkFloors, type Floor } from './checks/floors.ts';
import { checkGrounding, type GroundingLimits } from './checks/grounding.ts';
import { checkLeakage } from './checks/leakage.ts';
import { checkDanglingReferences, checkPlaceholders } from './checks/placeholder.ts';
import { checkEqualAnswers, checkLengthBias, type LengthBiasLimits } from './checks/preference.ts';
import { defaultMinHash, type MinHashOptions } from './minhash.ts';

/** An instruction sample as gates look at it, whoever made it. */
export interface GateSample {
  readonly id: string;
  readonly split: SplitName;
  readonly instruction: string;
  readonly answer: string;
  /** Null for a sample that names no source. */
  readonly document: string | null;
  readonly slice: { readonly start: number; readonly end: number } | null;
}

/** A preference pair as gates look at it, whoever made it. */
export interface GatePair {
  readonly id: string;
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
  readonly document: string | null;
}

/** What gates allow beside the floors. */
export interface GateLimits {
  readonly minHash: MinHashOptions;
  readonly grounding: GroundingLimits;
  readonly lengthBias: LengthBiasLimits;
  /** Words in a run that train and held-out answers may not share. */
  readonly overlapWords: number;
  /** The share of instructions that may speak of a text unseen. */
  readonly danglingReferences: number;
}

/** The limits that the pipelines use unless told otherwise. */
export const defaultGateLimits: GateLimits = {
  minHash: defaultMinHash,
  grounding: { run: 5, containment: 0.6 },
  lengthBias: { tolerance: 0.1, imbalance: 0.4 },
  overlapWords: 13,
  danglingReferences: 0.02,
};

const sampleChecks = [
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
];
const pairChecks = [
  'too-few',
  'unresolved-placeholder',
  'dangling-reference',
  'ungrounded-answer',
  'exact-duplicate',
  'near-duplicate',
  'chosen-equals-rejected',
  'length-bias',
];

/** Looks at an instruction set before anything is trained on it; `texts` holds the cleaned text of every source document by id. */
export async function gateSamples(
  samples: readonly GateSample[],
  texts: ReadonlyMap<string, string>,
  floors: readonly Floor[],
  limits: GateLimits = defaultGateLimits,
): Promise<GateReport> {
  const instructions = samples.map(({ id, instruction }) => ({ id, texts: [instruction] }));
  const answers = samples.map(({ id, answer }) => ({ id, text: answer }));
  const findings = [
    checkFloors(floors),
    await checkPlaceholders(samples.map(({ id, instruction, answer }) => ({ id, texts: [instruction, answer] }))),
    await checkDanglingReferences(instructions, limits.danglingReferences),
    await checkGrounding(samples, texts, limits.grounding),
    await checkDuplicates(answers, limits.minHash, 'answers'),
    checkRepeatedInstructions(samples.map(({ id, instruction }) => ({ id, text: instruction }))),
    await checkLeakage(samples, limits.minHash, limits.overlapWords),
  ];
  return report(sampleChecks, findings.flat(), `${samples.length} samples`);
}

/**
 * Looks at a preference set before anything is tuned on it.
 * What is to be unlearned may be anything, so only prompt and chosen answer are held to the rules of text.
 */
export async function gatePairs(
  pairs: readonly GatePair[],
  texts: ReadonlyMap<string, string>,
  floors: readonly Floor[],
  limits: GateLimits = defaultGateLimits,
): Promise<GateReport> {
  const prompts = pairs.map(({ id, prompt }) => ({ id, texts: [prompt] }));
  const chosen = pairs.map(({ id, chosen, document }) => ({ id, answer: chosen, document, slice: null }));
  const findings = [
    checkFloors(floors),
    await checkPlaceholders(pairs.map(({ id, prompt, chosen }) => ({ id, texts: [prompt, chosen] }))),
    await checkDanglingReferences(prompts, limits.danglingReferences),
    await checkGrounding(chosen, texts, limits.grounding),
    await checkDuplicates(
      chosen.map(({ id, answer }) => ({ id, text: answer })),
      limits.minHash,
      'chosen answers',
    ),
    checkEqualAnswers(pairs),
    checkLengthBias(pairs, limits.lengthBias),
  ];
  return report(pairChecks, findings.flat(), `${pairs.length} pairs`);
}

/** A sample of one of our own sets as gates look at it. */
export function gateSampleOf(sample: InstructionSample, split: SplitName): GateSample {
  const { id, instruction, answer, document, start, end } = sample;
  return { id, split, instruction, answer, document, slice: { start, end } };
}

/** A pair of one of our own sets as gates look at it. */
export function gatePairOf({ id, prompt, chosen, rejected, document }: PreferencePair): GatePair {
  return { id, prompt, chosen, rejected, document };
}

function report(checks: readonly string[], findings: GateFinding[], looked: string): GateReport {
  const refusing = findings.filter(({ severity }) => severity === 'refuse');
  return {
    verdict: refusing.length > 0 ? 'refuse' : 'pass',
    checks: [...checks],
    findings,
    reasons:
      refusing.length > 0 ? refusing.map(({ check, message }) => `${check}: ${message}`) : [`${looked} passed ${checks.length} checks`],
  };
}
