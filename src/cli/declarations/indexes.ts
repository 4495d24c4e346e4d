import type { Command } from 'commander';
import { declare, group } from './declare.ts';

/** Commands about the generations of the index. */
export function declareIndexes(program: Command): void {
  const index = group(program, 'index', 'generations of the index: list, rollback, switch, drop');
  const load = () => import('../commands/index-generations.ts');
  const wait = ['--no-wait', 'fail at once when a run holds the index'] as const;
  declare(
    index,
    'list',
    'show every generation of the index, and which one readers find',
    ['twin index list', 'twin index list --json'],
    async () => (await load()).listIndex,
  );
  declare(
    index,
    'rollback',
    'give readers back the generation that they found before',
    ['twin index rollback'],
    async () => (await load()).rollBack,
  ).option(...wait);
  declare(
    index,
    'switch <generation>',
    'give readers a generation that has served before',
    ['twin index switch documents-1a582878d90a'],
    async () => (await load()).switchTo,
  ).option(...wait);
  declare(
    index,
    'drop <generation>',
    'remove a generation that readers do not find',
    ['twin index drop documents-1a582878d90a'],
    async () => (await load()).dropOne,
  ).option(...wait);
}
