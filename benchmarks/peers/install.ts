import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'twin', 'benchmarks');
const here = import.meta.dirname;

/** A folder with the peers' programs and their packages, installed on demand into the user's cache; null where they cannot be had. */
export function installedPeers(say: (line: string) => void): {
  readonly folder: string;
  readonly python: string | null;
  readonly node: boolean;
} {
  const programs = readdirSync(here).filter((file) => !file.endsWith('.ts'));
  const hash = createHash('sha256');
  for (const file of programs.toSorted()) hash.update(file).update(readFileSync(join(here, file)));
  const folder = join(cache, hash.digest('hex').slice(0, 12));
  if (!existsSync(folder)) {
    say(`Installing peers into ${folder}: two minutes, once.`);
    const building = `${folder}.building-${process.pid}`;
    mkdirSync(building, { recursive: true });
    for (const file of programs) cpSync(join(here, file), join(building, file));
    run(say, building, 'npm', 'install', '--no-audit', '--no-fund', '--loglevel=error');
    run(say, building, 'python3', '-m', 'pip', 'install', '-q', '--target', 'python', '-r', 'requirements.txt');
    rmSync(folder, { recursive: true, force: true });
    renameSync(building, folder);
  }
  const python = join(folder, 'python');
  return { folder, python: existsSync(join(python, 'kedro')) ? python : null, node: existsSync(join(folder, 'node_modules/bullmq')) };
}

function run(say: (line: string) => void, cwd: string, program: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (status !== 0) say(`${program} ${args[0]} failed, so its peers are absent: ${stderr.trim().split('\n').at(-1) ?? ''}`);
}
