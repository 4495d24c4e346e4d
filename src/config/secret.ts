import { ProblemError } from '../contracts/problem.ts';
import type { SecretReference } from './schema.ts';

/** The value of a secret, read when it is needed: `setting` is the key that refers to it, named where nothing is found. */
export function readSecret(
  reference: SecretReference,
  setting: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const value = environment[reference.env];
  if (value) return Promise.resolve(value);
  return Promise.reject(
    new ProblemError({
      reason: 'secret-missing',
      message: `${setting} is to be found in ${reference.env}, which is not set`,
      where: `${setting}.env`,
      hint: `Set it: export ${reference.env}=…`,
      exit: 2,
    }),
  );
}

/** A URL as it stands, or the one that a secret holds. */
export function readUrl(
  url: string | SecretReference,
  setting: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  return typeof url === 'string' ? Promise.resolve(url) : readSecret(url, setting, environment);
}
