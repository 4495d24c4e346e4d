import { execFileSync } from 'node:child_process';

/** Any Python of the machine, for what needs the standard library alone; null where there is none. */
export function plainPython(): string | null {
  try {
    return execFileSync(
      process.env['TWIN_PYTHON'] ?? 'python3',
      ['-c', 'import sys; assert sys.version_info >= (3, 10); print(sys.executable)'],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    ).trim();
  } catch {
    return null;
  }
}
