import type { Command } from 'commander';
import { collectValues, declare, group } from './declare.ts';

/** Commands about the configuration and the state. */
export function declareConfiguration(program: Command): void {
  const config = group(program, 'config', 'the configuration: show, schema');
  declare(
    config,
    'show [pipeline]',
    'show every value; with a pipeline also the parameters of its steps',
    ['twin config show', 'twin config show feature-pipeline --origin'],
    async () => (await import('../commands/config.ts')).showConfig,
  )
    .option('--origin', 'say where each value came from')
    .option('--set <address=value>', 'as of twin run; may be repeated', collectValues);
  declare(
    config,
    'schema',
    'write JSON Schemas, by which an editor completes and checks configs, with the parameters of every step',
    ['twin config schema', 'twin config schema --output configs/schemas'],
    async () => (await import('../commands/config.ts')).writeSchemas,
  ).option('--output <folder>', 'where to write them', 'configs/schemas');

  declare(
    program,
    'gc',
    'free disk space that no kept run, model, dataset or alias needs; safe while runs go on',
    ['twin gc --dry-run', 'twin gc --keep-runs 5', 'twin gc --older-than 14d'],
    async () => (await import('../commands/gc.ts')).collectGarbage,
  )
    .option('--dry-run', 'say what would be freed and change nothing')
    .option('--keep-runs <count>', 'keep the newest runs of each pipeline (default: 10, with --older-than 30d)')
    .option('--older-than <age>', 'free what belongs to runs older than this: 12h, 30d, 8w');
}
