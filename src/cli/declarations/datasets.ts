import type { Command } from 'commander';
import { declare, group } from './declare.ts';

/** Commands about dataset versions. */
export function declareDatasets(program: Command): void {
  const datasets = group(program, 'datasets', 'dataset versions: list, show');
  declare(
    datasets,
    'list',
    'list dataset versions, newest first',
    ['twin datasets list'],
    async () => (await import('../commands/datasets.ts')).listDatasets,
  );
  declare(
    datasets,
    'show <version>',
    'show a dataset with its card: counts, lengths, sources, drops',
    ['twin datasets show twin@1f9b', 'twin datasets show 1f9b --json'],
    async () => (await import('../commands/datasets.ts')).showDataset,
  );
}
