import type { Command } from 'commander';
import { declare, group } from './declare.ts';

/** Commands about model versions. */
export function declareModels(program: Command): void {
  const models = group(program, 'models', 'model versions: list, show');
  declare(
    models,
    'list',
    'list model versions, newest first',
    ['twin models list', 'twin models list --json'],
    async () => (await import('../commands/models.ts')).listModels,
  );
  declare(
    models,
    'show <version>',
    'show a model with its lineage, back to document revisions; an alias may stand for the version',
    ['twin models show champion', 'twin models show twin@1f9b'],
    async () => (await import('../commands/models.ts')).showModel,
  );
}
