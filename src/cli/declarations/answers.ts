import type { Command } from 'commander';
import { declare } from './declare.ts';

/** Commands that answer. */
export function declareAnswers(program: Command): void {
  declare(
    program,
    'ask <question...>',
    'answer a question from the index, with the passages that say so',
    ['twin ask "What does a gate do?"', 'twin ask "What does a gate do?" --passages 3 --json'],
    async () => (await import('../commands/ask.ts')).ask,
  )
    .option('--passages <count>', 'how many passages', '5')
    .option('--model <version>', 'answer with this registered model or alias');
}
