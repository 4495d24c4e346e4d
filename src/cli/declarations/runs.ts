import type { Command } from 'commander';
import { declare, group } from './declare.ts';

/** Commands about runs that were. */
export function declareRuns(program: Command): void {
  const runs = group(program, 'runs', 'runs that were: list, show, logs');
  declare(
    runs,
    'list',
    'list runs, newest first',
    ['twin runs list', 'twin runs list --limit 5 --json'],
    async () => (await import('../commands/runs.ts')).listRuns,
  )
    .option('--limit <count>', 'how many at most', '20')
    .option('--pipeline <name>', 'only those of this pipeline');
  declare(
    runs,
    'show [run]',
    'show every step of a run with its outcome and reason (default: the latest run)',
    ['twin runs show', 'twin runs show 3f2a'],
    async () => (await import('../commands/runs.ts')).showRun,
  );
  declare(
    runs,
    'logs [run]',
    'show what a run said and its steps printed, also while it runs (default: the latest run)',
    ['twin runs logs', 'twin runs logs 3f2a --step sync-index', 'twin runs logs -f', 'twin runs logs --step train-sft --lines 50'],
    async () => (await import('../commands/run-logs.ts')).runLogs,
  )
    .option('--step <step>', 'only of this step, with all that its job printed')
    .option('-f, --follow', 'go on until the run ends')
    .option('--lines <count>', 'only the last ones');
}
