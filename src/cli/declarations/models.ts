import type { Command } from 'commander';
import { declare, group } from './declare.ts';

/** Commands about model versions. */
export function declareModels(program: Command): void {
  const models = group(program, 'models', 'model versions: list, show, diff, register, promote, rollback, delete, export, push, pull');
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
  declare(
    models,
    'diff <before> <after>',
    'show what two versions are, learned and scored, and how far their weights moved',
    ['twin models diff champion candidate', 'twin models diff twin@1f9b twin@2c3d --json'],
    async () => (await import('../commands/diff-models.ts')).diffModels,
  );
  declare(
    models,
    'register <folder>',
    'take a model that was made elsewhere into the registry',
    ['twin models register ./llama-8b --name llama --licence llama3.1'],
    async () => (await import('../commands/register-model.ts')).registerModel,
  )
    .option('--name <model>', 'its name in the registry', 'twin')
    .option('--licence <id>', 'the licence it stands under (default: what its model card says)');
  declare(
    models,
    'promote <version>',
    'move an alias to a version whose evaluation passed; exit 3 if the gate refuses',
    [
      'twin models promote candidate',
      'twin models promote twin@1f9b --to staging',
      'twin models promote twin@1f9b --force --reason "hot fix"',
    ],
    async () => (await import('../commands/promote-model.ts')).promoteModel,
  )
    .option('--to <alias>', 'the alias to move (default: promotion.alias of the configuration)')
    .option('--force', 'pass over the gate; needs --reason and is shown for ever')
    .option('--reason <text>', 'kept with the move');
  declare(
    models,
    'rollback [alias]',
    'move an alias back to what it named before; nothing is trained or copied',
    ['twin models rollback', 'twin models rollback staging --reason "answers got worse"'],
    async () => (await import('../commands/rollback-model.ts')).rollbackModel,
  )
    .option('--name <model>', 'whose alias', 'twin')
    .option('--reason <text>', 'kept with the move');
  declare(
    models,
    'delete <version>',
    'take a version out of the registry; refused while something refers to it',
    ['twin models delete twin@1f9b --reason "trained on a wrong set"'],
    async () => (await import('../commands/delete-model.ts')).deleteModel,
  ).option('--reason <text>', 'kept with the deletion');
  declare(
    models,
    'export <version>',
    'copy a version out of the registry, with its card',
    ['twin models export champion --output ./champion', 'twin models export champion --format gguf --quantization q4_0 --output ./gguf'],
    async () => (await import('../commands/export-model.ts')).exportModel,
  )
    .option('--format <format>', 'merged, adapter, gguf, ollama (gguf with a Modelfile), or int8 (compressed-tensors)', 'merged')
    .option('--quantization <kind>', 'of gguf: f16, q8_0 (default), q5_0, q4_0; of int8: absmax (default), zero-point')
    .option('--calibrate <samples>', 'of int8: round inputs of layers too, by the ranges that so many samples show')
    .requiredOption('--output <folder>', 'where to; must be empty or not there');
  declare(
    models,
    'push <version> <repository>',
    'upload a version with its card to the model hub, as one commit',
    ['twin models push champion my-team/twin', 'twin models push champion my-team/twin-gguf --format gguf --public'],
    async () => (await import('../commands/push-model.ts')).pushModel,
  )
    .option('--format <format>', 'as of twin models export', 'merged')
    .option('--quantization <kind>', 'as of twin models export')
    .option('--calibrate <samples>', 'as of twin models export')
    .option('--public', 'make a new repository public (default: private)')
    .option('--revision <branch>', 'branch to commit to (default: main)');
  declare(
    models,
    'pull <repository>',
    'download a model from the model hub and register it',
    ['twin models pull my-team/twin', 'twin models pull my-team/twin --revision 2f1b --name twin'],
    async () => (await import('../commands/pull-model.ts')).pullModel,
  )
    .option('--name <model>', 'its name in the registry (default: that of the repository)')
    .option('--revision <revision>', 'branch, tag or commit (default: main)')
    .option('--licence <id>', 'the licence it stands under (default: what its model card says)');
  declare(
    program,
    'trace <model>',
    'show every step that led to a model, back to the documents',
    ['twin trace champion', 'twin trace twin@1f9b --json'],
    async () => (await import('../commands/trace.ts')).trace,
  );
  declare(
    program,
    'impact <document>',
    'show everything that was made from a document: artifacts, datasets, models',
    ['twin impact README.md', 'twin impact README.md --json'],
    async () => (await import('../commands/impact.ts')).impact,
  );
}
