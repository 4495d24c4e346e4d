import { z } from 'zod';
import type { Problem, Result } from '../contracts/problem.ts';
import type { GatePair, GateSample } from './gate.ts';

const Split = <Row extends z.ZodType>(row: Row) => z.record(z.string(), z.object({ samples: z.array(row) }));
const InstructionExport = exportOf(z.object({ id: z.string(), instruction: z.string(), answer: z.string() }));
const PreferenceExport = exportOf(z.object({ id: z.string(), instruction: z.string(), chosen: z.string(), rejected: z.string() }));

function exportOf<Row extends z.ZodType>(row: Row) {
  return z.object({ train: Split(row), test: Split(row) });
}

/** Reads an instruction set as the LLM Engineer's Handbook exports it: splits, categories within them, samples without sources. */
export function parseInstructionExport(value: unknown): Result<GateSample[]> {
  const parsed = InstructionExport.safeParse(value);
  if (!parsed.success) return refused('an instruction set', parsed.error);
  const samples = (['train', 'test'] as const).flatMap((split) =>
    Object.values(parsed.data[split]).flatMap((category) =>
      category.samples.map(({ id, instruction, answer }) => ({ id, split, instruction, answer, document: null, slice: null })),
    ),
  );
  return { ok: true, value: samples };
}

/** Reads a preference set as the LLM Engineer's Handbook exports it; pairs of all splits together. */
export function parsePreferenceExport(value: unknown): Result<GatePair[]> {
  const parsed = PreferenceExport.safeParse(value);
  if (!parsed.success) return refused('a preference set', parsed.error);
  const pairs = [parsed.data.train, parsed.data.test].flatMap((split) =>
    Object.values(split).flatMap((category) =>
      category.samples.map(({ id, instruction, chosen, rejected }) => ({ id, prompt: instruction, chosen, rejected, document: null })),
    ),
  );
  return { ok: true, value: pairs };
}

function refused(what: string, error: z.ZodError): { ok: false; error: Problem } {
  const issue = error.issues[0]!;
  return {
    ok: false,
    error: {
      reason: 'unreadable-export',
      message: `This is not the export of ${what}`,
      where: issue.path.join('.') || 'the top level',
      expected: 'train and test, each with categories that hold samples',
      found: issue.message,
      exit: 2,
    },
  };
}
