import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { registerSecret } from '../contracts/masking.ts';
import { ProblemError } from '../contracts/problem.ts';
import { type Config, SecretReference } from './schema.ts';

/** Reads a secret when it is needed; whoever calls it keeps the value to himself. */
export type ReadSecret = () => Promise<string>;

/** Where references are read from. */
export interface SecretSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where twin was started. */
  readonly folder: string;
}

/** A command that prints a secret is asked again after so long at the earliest: it may cost a second, or a touch on a key. */
const commandAgainMs = 60_000;
const commandLimitMs = 30_000;

/** A reader of the secret that a reference at a key of the configuration names; each value that was read is masked from then on. */
export function secretReader(reference: SecretReference, key: string, surroundings: SecretSurroundings): ReadSecret {
  let printed: { readonly value: Promise<string>; readonly at: number } | null = null;
  return async () => {
    if (!('command' in reference)) return known(await readPlain(reference, key, surroundings));
    if (printed === null || performance.now() - printed.at > commandAgainMs) {
      const value = runCommand(reference.command, key, surroundings);
      printed = { value, at: performance.now() };
      value.catch(() => (printed = null));
    }
    return known(await printed.value);
  };
}

/** The secret that a reference names, read now. */
export function readSecret(
  reference: SecretReference,
  key: string,
  environment: SecretSurroundings['environment'],
  folder = process.cwd(),
): Promise<string> {
  return secretReader(reference, key, { environment, folder })();
}

/** A URL as it stands, or the one that a secret holds. */
export function readUrl(
  url: string | SecretReference,
  key: string,
  environment: SecretSurroundings['environment'],
  folder?: string,
): Promise<string> {
  return typeof url === 'string' ? Promise.resolve(url) : readSecret(url, key, environment, folder);
}

/** Every reference to a secret in a configuration, with its key: `chatModel.apiKey`. Parameters of steps hold none. */
export function secretReferences(value: unknown, key = ''): readonly { readonly key: string; readonly reference: SecretReference }[] {
  if (typeof value !== 'object' || value === null) return [];
  const reference = SecretReference.safeParse(value, { jitless: true });
  if (reference.success) return [{ key, reference: reference.data }];
  return Object.entries(value)
    .filter(([name]) => key !== '' || name !== 'params')
    .flatMap(([name, member]) => secretReferences(member, key === '' ? name : `${key}.${name}`));
}

/** Has secrets of the environment masked before anything is written: whatever a step prints of its environment is safe. */
export function registerEnvironmentSecrets(config: Config, environment: SecretSurroundings['environment']): void {
  for (const { reference } of secretReferences(config)) {
    const value = 'env' in reference ? environment[reference.env] : undefined;
    if (value) known(value);
  }
}

/** Has a secret masked; of a URL also its password alone, as libraries print URLs in their own ways. */
function known(secret: string): string {
  registerSecret(secret);
  // By hand: a URL of several hosts, as MongoDB has them, is none to URL.
  const password = /^[a-z0-9+.-]+:\/\/[^/?#:@]*:([^/?#@]*)@/i.exec(secret)?.[1] ?? '';
  if (password !== '') registerSecret(password);
  if (password.includes('%')) registerSecret(decoded(password));
  return secret;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone percent sign is part of the password.
    return text;
  }
}

async function readPlain(
  reference: Exclude<SecretReference, { readonly command: unknown }>,
  key: string,
  { environment, folder }: SecretSurroundings,
): Promise<string> {
  if ('env' in reference) {
    const value = environment[reference.env];
    if (!value) throw unset(reference.env, key);
    return value;
  }
  const path = resolve(folder, reference.file);
  const refused = (found: string, hint: string) =>
    secretProblem('secret-missing', `${key} is to be read from the file ${reference.file}`, `${key}.file`, found, hint);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw refused(code === 'ENOENT' ? 'no such file' : `it cannot be read (${code})`, `Look at it: ls -l ${path}`);
  }
  // Editors and `echo` end a file with a line break that is no part of the secret.
  const value = text.replace(/\r?\n$/, '');
  if (value === '') throw refused('an empty file', `Write the secret into ${path}`);
  return value;
}

async function runCommand(command: readonly string[], key: string, { environment, folder }: SecretSurroundings): Promise<string> {
  const { execFile } = await import('node:child_process');
  const [program, ...args] = command as [string, ...string[]];
  const refused = (found: string) =>
    secretProblem(
      'secret-command-failed',
      `${key} is to be printed by the command ${program}`,
      `${key}.command`,
      found,
      `Run it yourself: ${command.join(' ')}`,
    );
  return new Promise((settle, fail) => {
    const options = { cwd: folder, env: { ...environment }, timeout: commandLimitMs, maxBuffer: 2 ** 20 };
    execFile(program, args, options, (error, stdout, stderr) => {
      const value = stdout.replace(/\r?\n$/, '');
      if (error === null && value !== '') settle(value);
      else if (error === null) fail(refused('it printed nothing'));
      else if (error.code === 'ENOENT') fail(refused('there is no such program'));
      else if (error.killed === true) fail(refused(`no answer within ${commandLimitMs / 1000} s`));
      else fail(refused(`exit ${String(error.code)}: ${stderr.trim().split('\n').at(-1) ?? ''}`.replace(/: $/, '')));
    });
  });
}

function unset(name: string, key: string): ProblemError {
  return secretProblem(
    'secret-missing',
    `${key} is to be found in the environment variable ${name}`,
    `${key}.env`,
    'it is not set',
    `Set it: export ${name}=…`,
  );
}

function secretProblem(reason: string, message: string, where: string, found: string, hint: string): ProblemError {
  return new ProblemError({ reason, message, where, found, hint, exit: 2 });
}
