import { readText } from '../config/environment.ts';
import { canonicalJson } from '../contracts/digest.ts';
import type { Problem, Result } from '../contracts/problem.ts';
import type { ParamOverride } from '../engine/params.ts';

/** Variants that a sweep may have: more is a mistake more often than a wish. */
export const mostVariants = 256;

/** A param with the values that a sweep gives it. */
export interface SweptParam {
  readonly address: string;
  readonly values: readonly ParamOverride[];
}

/** Reads `--sweep <address>=<value>,<value>`; all mistakes come at once. */
export function readSweep(flags: readonly string[], set: readonly string[]): Result<readonly SweptParam[], readonly Problem[]> {
  const swept: SweptParam[] = [];
  const problems: Problem[] = [];
  for (const flag of flags) {
    const where = `--sweep ${flag}`;
    const equals = flag.indexOf('=');
    const address = flag.slice(0, Math.max(0, equals));
    const texts = membersOf(flag.slice(equals + 1));
    if (equals <= 0 || texts.includes('')) {
      problems.push(invalid(`${where} names ${equals <= 0 || texts.length === 1 ? 'no values' : 'an empty value'}`, where));
      continue;
    }
    if (swept.some((one) => one.address === address)) problems.push(invalid(`--sweep names ${address} twice`, where));
    if (set.some((one) => one.startsWith(`${address}=`))) problems.push(invalid(`${address} is given by --set and by --sweep`, where));
    const values = texts.map((text): ParamOverride => ({ value: readText(text), text, origin: where }));
    const seen = new Set<string>();
    for (const { value, text } of values) {
      const known = canonicalJson(value);
      if (seen.has(known)) problems.push(invalid(`--sweep gives ${address} the value ${text} twice`, where));
      seen.add(known);
    }
    swept.push({ address, values });
  }
  const variants = swept.reduce((product, { values }) => product * values.length, 1);
  if (variants > mostVariants) {
    problems.push({
      reason: 'sweep-too-large',
      message: `The sweep has ${variants} variants`,
      where: flags.map((flag) => `--sweep ${flag}`).join(' '),
      expected: `at most ${mostVariants}`,
      found: swept.map(({ values }) => values.length).join(' × '),
      hint: 'Sweep fewer values, or one parameter after the other',
      exit: 2,
    });
  }
  return problems.length > 0 ? { ok: false, error: problems } : { ok: true, value: swept };
}

/** Every combination of the values, the last param changing fastest. */
export function variantsOf(swept: readonly SweptParam[]): readonly Readonly<Record<string, ParamOverride>>[] {
  return swept.reduce<readonly Readonly<Record<string, ParamOverride>>[]>(
    (variants, { address, values }) => variants.flatMap((variant) => values.map((value) => ({ ...variant, [address]: value }))),
    [{}],
  );
}

/** The members of a list as they are written: commas within brackets and quotes part nothing. */
function membersOf(text: string): readonly string[] {
  const members = [''];
  let depth = 0;
  let quote = '';
  for (const character of text) {
    if (quote === '' && depth === 0 && character === ',') {
      members.push('');
      continue;
    }
    if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
    members[members.length - 1] += character;
  }
  return members.map((member) => member.trim());
}

function invalid(message: string, where: string): Problem {
  return {
    reason: 'invalid-flag',
    message,
    where,
    expected: '--sweep <address>=<value>,<value>',
    hint: 'For example: --sweep train-sft.learningRate=1e-4,3e-4',
    exit: 2,
  };
}
