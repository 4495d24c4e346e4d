import type { Command } from 'commander';
import { declare, group } from './declare.ts';

/** Commands about documents and the index made of them. */
export function declareDocuments(program: Command): void {
  const verify = group(program, 'verify', 'prove that derived data is right: index');
  declare(
    verify,
    'index',
    'compare the index with what the documents say it should hold; exit 3 if they differ',
    ['twin verify index', 'twin verify index --json'],
    async () => (await import('../commands/verify.ts')).verifyIndex,
  );

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
