import { ProblemError, type Problem } from '../contracts/problem.ts';

/** The primary result code of an error that SQLite raised, null for any other error. */
export function sqliteCode(error: unknown): number | null {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : null;
}

/** SQLITE_BUSY or SQLITE_LOCKED: another connection stands in the way for the moment. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === 5 || code === 6;
}

/** What a user can do about a result code (https://www.sqlite.org/rescode.html), null where the code means a bug of ours. */
function problemOf(code: number, file: string, found: string): Problem | null {
  switch (code) {
    case 8:
      return {
        reason: 'state-read-only',
        message: `${file} cannot be written`,
        where: file,
        found,
        hint: 'Make the file and its folder writable for this user.',
        exit: 1,
      };
    case 10:
      return {
        reason: 'state-unreadable',
        message: `The disk failed while ${file} was read or written`,
        where: file,
        found,
        hint: 'Check the disk and the space on it.',
        exit: 1,
      };
    case 11:
    case 26:
      return {
        reason: 'state-corrupt',
        message: `${file} is damaged, or no SQLite database`,
        where: file,
        expected: 'a SQLite database',
        found,
        hint: 'Restore it from a backup, or move it away together with its -wal and -shm files.',
        exit: 1,
      };
    case 13:
      return {
        reason: 'disk-full',
        message: `No space is left to write ${file}`,
        where: file,
        found,
        hint: 'Free some space and run again: nothing of the failed write was kept.',
        exit: 1,
      };
    case 14:
      return unopenable(file, found);
    default:
      return null;
  }
}

function unopenable(file: string, found: string): Problem {
  return {
    reason: 'state-unopenable',
    message: `${file} cannot be opened`,
    where: file,
    found,
    hint: 'Check that its folder can be written, and that no folder has its name.',
    exit: 1,
  };
}

/** The problem of a file whose folder cannot be made. */
export function asUnopenable(error: unknown, file: string): ProblemError {
  return new ProblemError(unopenable(file, error instanceof Error ? error.message : String(error)), { cause: error });
}

/** The error itself, or a ProblemError around it where its result code is one that a user can act on. */
export function asProblem(error: unknown, file: string): unknown {
  const code = sqliteCode(error);
  const problem = code === null ? null : problemOf(code, file, (error as Error).message);
  return problem === null ? error : new ProblemError(problem, { cause: error });
}
