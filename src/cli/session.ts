import { loadConfig, type LoadedConfig, type UsedPipeline } from '../config/load.ts';
import { registerEnvironmentSecrets } from '../config/secret.ts';
import type { Problem, Result } from '../contracts/problem.ts';
import type { CommandContext } from './context.ts';
import { type PipelineIndex, pipelineIndex } from './project.ts';
import { type Wired, type Writes, wire } from './wire.ts';

/** What a command needs of the configuration. */
export interface SessionOptions {
  readonly uses?: readonly UsedPipeline[];
  readonly set?: readonly string[];
  readonly writes?: Writes;
  readonly pipelines?: PipelineIndex;
  /** Many jobs are to come: one warm parent forks them all, unless the configuration says how jobs start. */
  readonly manyJobs?: boolean;
}

/** Configuration and adapters of one command. */
export interface Session extends LoadedConfig {
  readonly wired: Wired;
  /** Where twin was started. */
  readonly folder: string;
}

/** Loads the configuration and wires the adapters, which close when the command ends. */
export async function openSession(context: CommandContext, options: SessionOptions = {}): Promise<Result<Session, readonly Problem[]>> {
  const pipelines = options.pipelines ?? (await pipelineIndex(context.project));
  const loaded = loadConfig({
    project: context.project,
    folder: context.folder,
    profile: context.profile,
    uses: options.uses ?? [],
    pipelines: Object.keys(pipelines),
    environment: context.environment,
    set: options.set ?? [],
  });
  if (!loaded.ok) return loaded;
  registerEnvironmentSecrets(loaded.value.config, context.environment);
  const wired = wire({
    config: loaded.value.config,
    folder: context.folder,
    environment: context.environment,
    progress: context.progress,
    writes: options.writes ?? 'everything',
    detached: context.detached === true,
    warmJobs: options.manyJobs === true && !loaded.value.settings.has('jobLauncher.start'),
  });
  context.onEnd(() => wired.dispose());
  return { ok: true, value: { ...loaded.value, wired, folder: context.folder } };
}
