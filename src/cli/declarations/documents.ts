import type { Command } from 'commander';
import { collectValues, declare, group } from './declare.ts';

/** Commands about documents and the index made of them. */
export function declareDocuments(program: Command): void {
  const verify = group(program, 'verify', 'prove that derived data is right: index');
  declare(
    verify,
    'index',
    'compare the index with what the documents say it should hold; exit 3 if they differ',
    ['twin verify index', 'twin verify index --sample 1000', 'twin verify index --json'],
    async () => (await import('../commands/verify.ts')).verifyIndex,
  ).option('--sample <documents>', 'look at so many documents only, drawn by hash');

  declare(
    program,
    'watch <pipeline>',
    'follow the changes of the documents until it is stopped: the index stays in step',
    ['twin watch feature-pipeline', 'twin watch feature-pipeline --json --no-wait', 'twin watch feature-pipeline --metrics-port 9464'],
    async () => (await import('../commands/watch.ts')).watch,
  )
    .option('--set <address=value>', 'set a parameter of a step; may be repeated', collectValues)
    .option('--metrics-port <port>', 'serve Prometheus metrics and health (/metrics, /livez, /readyz); 0 takes a free port')
    .option('--metrics-host <address>', 'where to serve them (default: 127.0.0.1)')
    .option('--no-wait', 'fail at once when another process holds the index');

  declare(
    program,
    'reconcile [index]',
    'after a gap in the changes: read every document again; shows what it would do unless told --yes',
    ['twin reconcile', 'twin reconcile documents --yes'],
    async () => (await import('../commands/reconcile.ts')).reconcile,
  )
    .option('--yes', 'do it')
    .option('--pipeline <name>', 'the pipeline that fills the index (default: feature-pipeline)')
    .option('--no-wait', 'fail at once when another process holds the index');

  const dlq = group(program, 'dlq', 'documents that could not be brought into the index: list, show, retry, discard');
  declare(
    dlq,
    'list',
    'list them with their causes',
    ['twin dlq list', 'twin dlq list --json'],
    async () => (await import('../commands/dead-letters.ts')).listDeadLetters,
  );
  declare(
    dlq,
    'show <document>',
    'show the whole cause of one',
    ['twin dlq show 0b54…'],
    async () => (await import('../commands/dead-letters.ts')).showDeadLetter,
  );
  declare(
    dlq,
    'retry [documents...]',
    'try them again',
    ['twin dlq retry --all', 'twin dlq retry 0b54…'],
    async () => (await import('../commands/dead-letters.ts')).retryDeadLetters,
  )
    .option('--all', 'all of them')
    .option('--pipeline <name>', 'the pipeline that fills the index (default: feature-pipeline)');
  declare(
    dlq,
    'discard [documents...]',
    'give them up as they are, until their next change',
    ['twin dlq discard --all'],
    async () => (await import('../commands/dead-letters.ts')).discardDeadLetters,
  ).option('--all', 'all of them');

  declare(
    program,
    'collect <paths...>',
    'collect files, folders, git working trees and exports into the document store',
    ['twin collect README.md docs', 'twin collect ~/articles --prune'],
    async () => (await import('../commands/collect.ts')).collect,
  )
    .option('--prune', 'delete documents that their source no longer holds')
    .option('--strict', 'exit 3 when input lines were rejected')
    .option('--no-wait', 'fail at once when another run holds what this one needs');

  declare(
    program,
    'forget',
    'erase a document or an author from everything that was made of it; exit 4 until you say --yes',
    ['twin forget --document docs/old.md', 'twin forget --author "Ann Example" --yes'],
    async () => (await import('../commands/forget.ts')).forget,
  )
    .option('--document <name>', 'its id, its address, or the end of its address')
    .option('--author <name>', 'id or name of an author: all documents, and those that come later')
    .option('--tenant <name>', 'whose documents; the configured tenant by default')
    .option('--yes', 'erase; without it only what would go is shown')
    .option('--no-wait', 'fail at once when a run holds the documents or the index');
}
