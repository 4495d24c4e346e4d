import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { InstructionSample } from '../contracts/dataset.ts';
import { digestOf, sha256 } from '../contracts/digest.ts';
import { ProblemError } from '../contracts/problem.ts';

/** A row as Alpaca wrote it, and many sets since. */
const PublicRow = z.object({ instruction: z.string().min(1), input: z.string().default(''), output: z.string().min(1) });

/** What is drawn from where. */
export interface Draw {
  readonly file: string;
  /** The sha256 that the file must have; null where it is not pinned. */
  readonly sha256: string | null;
  readonly rows: number;
  readonly seed: number;
}

/**
 * Draws rows of a public instruction set, the same ones for the same file and seed, in the order of the file.
 * A row that is none is counted in `skipped`; a file that is not there, not the pinned one, or too small is a ProblemError.
 */
export async function drawInstructions(
  draw: Draw,
): Promise<{ readonly samples: readonly InstructionSample[]; readonly skipped: Readonly<Record<string, number>> }> {
  const { file, rows, seed } = draw;
  const revision = await digestOfFile(file);
  if (draw.sha256 !== null && draw.sha256 !== revision) throw notPinned(draw, revision);
  // The rows with the lowest hashes: a draw that does not depend on how many rows there are before it.
  const drawn: { readonly rank: string; readonly at: number; readonly row: z.output<typeof PublicRow> }[] = [];
  let at = 0;
  let skipped = 0;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    at++;
    if (line.trim() === '') continue;
    const row = parsed(line);
    if (row) drawn.push({ rank: sha256(`${seed} ${at}`), at, row });
    else skipped++;
  }
  if (drawn.length < rows) throw tooFew(draw, drawn.length);
  const chosen = drawn
    .toSorted((one, other) => (one.rank < other.rank ? -1 : 1))
    .slice(0, rows)
    .toSorted((one, other) => one.at - other.at);
  const document = `public:${basename(file)}`;
  const samples = chosen.map(({ at: line, row: { instruction, input, output } }): InstructionSample => {
    const asked = input === '' ? instruction : `${instruction}\n\n${input}`;
    return {
      id: digestOf({ revision, line }).slice(0, 32),
      instruction: asked,
      answer: output,
      method: 'public',
      document,
      headings: [],
      start: 0,
      end: [...output].length,
      sources: [{ document, revision }],
    };
  });
  return { samples, skipped: skipped === 0 ? {} : { 'not a row': skipped } };
}

function parsed(line: string): z.output<typeof PublicRow> | null {
  try {
    return PublicRow.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}

async function digestOfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  } catch (error) {
    throw new ProblemError({
      reason: 'no-instruction-set',
      message: `The public instruction set ${file} cannot be read`,
      where: 'mix-instructions.file',
      expected: 'JSON Lines of instruction, input and output',
      found: (error as NodeJS.ErrnoException).code ?? String(error),
      hint: 'Download the set at the revision that the recipe names and convert it to JSON Lines; or mix nothing in: --set mix-instructions.file=null',
      exit: 2,
    });
  }
  return hash.digest('hex');
}

function notPinned({ file, sha256: expected }: Draw, found: string): ProblemError {
  return new ProblemError({
    reason: 'another-instruction-set',
    message: `The public instruction set ${file} is not the one that is pinned`,
    where: 'mix-instructions.sha256',
    expected: expected!,
    found,
    hint: 'Take the pinned revision, or pin this one if you mean it',
    exit: 2,
  });
}

function tooFew({ file, rows }: Draw, found: number): ProblemError {
  return new ProblemError({
    reason: 'too-few-instructions',
    message: `The public instruction set ${file} has fewer rows than are wanted`,
    where: 'mix-instructions.rows',
    expected: `${rows} rows with instruction and output`,
    found: `${found}`,
    hint: `Want fewer: --set mix-instructions.rows=${found}`,
    exit: 2,
  });
}
