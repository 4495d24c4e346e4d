import type { Command } from 'commander';
import { collectValues, declare, group } from './declare.ts';

/** Commands about the configuration. */
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
}
