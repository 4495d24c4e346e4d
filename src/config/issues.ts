import { z } from 'zod';
import type { Problem } from '../contracts/problem.ts';
import { describeValue, expectation, type JsonSchema, keysAt, schemasAt } from './describe.ts';
import { nearName } from '../contracts/near-name.ts';
import { type Settings, settingNear } from './origin.ts';
import { configProblem } from './yaml-file.ts';

/** The name of the environment variable that sets a key: `promotion.alias` → `TWIN_PROMOTION__ALIAS`. */
function variableOf(address: string): string {
  return `TWIN_${address
    .replaceAll('.', '__')
    .replaceAll(/[A-Z]/g, (letter) => `_${letter}`)
    .toUpperCase()}`;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((found, key) => (found as Record<PropertyKey, unknown> | null | undefined)?.[key], value);
}

/** The JSON Schema of what may be written. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input' }) as JsonSchema;
}

/** Every way in which keys do not fit their schema, each at the place where it was written. */
export function problemsOf(schema: z.ZodType, value: unknown, issues: readonly z.core.$ZodIssue[], settings: Settings): readonly Problem[] {
  const json = jsonSchemaOf(schema);
  return issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...path, key], keysAt(json, issue.path), settings));
    const address = path.join('.');
    const found = at(value, issue.path);
    const where = settingNear(settings, address)?.origin.where;
    return [
      configProblem(found === undefined ? `${address} is missing` : `${address} has a wrong value`, {
        reason: found === undefined ? 'missing-key' : 'invalid-key',
        ...(where ? { where } : {}),
        expected: expectation(schemasAt(json, issue.path)) ?? issue.message,
        found: describeValue(found),
      }),
    ];
  });
}

function unknownKey(path: readonly string[], known: readonly string[], settings: Settings): Problem {
  const owner = path.slice(0, -1);
  const origin = settingNear(settings, path.join('.'))?.origin;
  const near = nearName(path.at(-1)!, known);
  const meant = near === null ? null : [...owner, near].join('.');
  const list = `${owner.length === 0 ? 'The keys' : `The keys of ${owner.join('.')}`} are: ${known.join(', ')}.`;
  return configProblem(`Unknown key ${path.join('.')}`, {
    reason: 'unknown-key',
    ...(origin?.where ? { where: origin.where } : {}),
    hint: meant === null ? list : `Did you mean ${origin?.layer === 'environment' ? variableOf(meant) : meant}?`,
  });
}
