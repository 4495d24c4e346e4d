import { usualProfile } from '../contracts/usual-profile.ts';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nearName } from '../contracts/near-name.ts';
import type { Problem, Result } from '../contracts/problem.ts';
import { readEnvironment, readText } from './environment.ts';
import { schemasAt } from './describe.ts';
import { jsonSchemaOf, problemsOf } from './issues.ts';
import { nameHint } from './name-hint.ts';
import { layOver, nested, type Setting, type Settings } from './origin.ts';
import { checkRules } from './rules.ts';
import { Config } from './schema.ts';
import { configProblem, type ReadFile, readYamlFile } from './yaml-file.ts';

/** A pipeline in a run: the outer one with an empty prefix, and each one that it uses under the prefix of its steps' addresses. */
export interface UsedPipeline {
  readonly name: string;
  readonly prefix: string;
}

/** What the configuration is loaded for. */
export interface ConfigRequest {
  /** Root of the project: its `configs/` holds base, profiles and pipelines. */
  readonly project: string;
  /** Where twin was started: `configs/local.yaml` of this folder is the local layer. */
  readonly folder: string;
  readonly profile: string;
  /** Pipelines of the run, the outer one first; none for a command that runs nothing. */
  readonly uses: readonly UsedPipeline[];
  /** Names of all pipelines: a parameter may begin with one, and says nothing where that one is not in the run. */
  readonly pipelines: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `<address>=<value>`, as given by --set. */
  readonly set: readonly string[];
}

/** The configuration, and where each value of it came from. */
export interface LoadedConfig {
  readonly config: Config;
  readonly settings: Settings;
}

/** Reads all layers, lays them over each other and checks them: the configuration, or everything that is wrong with it. */
export function loadConfig(request: ConfigRequest): Result<LoadedConfig, readonly Problem[]> {
  const { project, profile, uses } = request;
  const profiles = profileNames(project);
  if (!profiles.includes(profile)) {
    return {
      ok: false,
      error: [
        configProblem(`Profile ${profile} is not part of this version of twin`, {
          reason: 'unknown-profile',
          hint: nameHint(profile, profiles, 'profiles'),
        }),
      ],
    };
  }
  // A file of the folder that twin was started in stands for the project's of the same name.
  const file = (name: string, layer: Setting['origin']['layer']) => {
    const own = join(request.folder, 'configs', name);
    return readYamlFile(existsSync(own) ? own : join(project, 'configs', name), `configs/${name}`, layer);
  };
  const flags = readFlags(request.set);
  const deepestFirst = uses.toSorted((left, right) => depth(right.prefix) - depth(left.prefix));
  const read = [
    scoped(file('base.yaml', 'base'), request),
    scoped(file(`profiles/${profile}.yaml`, 'profile'), request),
    ...deepestFirst.map((used) => underPrefix(file(`pipelines/${used.name}.yaml`, 'pipeline'), used)),
    scoped(readYamlFile(join(request.folder, 'configs', 'local.yaml'), 'configs/local.yaml', 'local'), request),
    scoped({ settings: readEnvironment(request.environment), problems: [] }, request),
    scoped(flags, request),
  ];
  const unreadable = [...read.flatMap(({ problems }) => problems), ...strayFiles(request)];
  if (unreadable.length > 0) return { ok: false, error: unreadable };
  const merged = read.reduce<Settings>((below, { settings: above }) => layOver(below, above), new Map());
  const settings = keysAsWritten(merged);
  const value = nested([...settings.values()].filter(({ address }) => !address.startsWith('params.')));
  // Compiling a schema pays only where it is used many times.
  const parsed = Config.safeParse(value, { jitless: true });
  if (!parsed.success) return { ok: false, error: problemsOf(Config, value, parsed.error.issues, settings) };
  const config = parsed.data;
  const broken = checkRules(config, settings);
  return broken.length > 0 ? { ok: false, error: broken } : { ok: true, value: { config, settings } };
}

/** What was taken for a number stays text where a key wants text: `TWIN_TENANT=42`. */
function keysAsWritten(settings: Settings): Settings {
  const taken = [...settings.values()].filter(
    ({ address, text, value }) => text !== undefined && typeof value !== 'string' && !address.startsWith('params.'),
  );
  if (taken.length === 0) return settings;
  const schema = jsonSchemaOf(Config);
  const kept = new Map(settings);
  for (const setting of taken) {
    const expected = schemasAt(schema, setting.address.split('.'));
    if (expected.length > 0 && expected.every(({ type }) => type === 'string'))
      kept.set(setting.address, { ...setting, value: setting.text });
  }
  return kept;
}

/** Files in `configs/pipelines` that no pipeline reads. */
function strayFiles({ project, folder, pipelines }: ConfigRequest): readonly Problem[] {
  const files = [...new Set([project, folder])].flatMap((root) => yamlNames(join(root, 'configs', 'pipelines')));
  return [...new Set(files.filter((name) => !pipelines.includes(name)))].map((name) =>
    configProblem(`There is no pipeline ${name}`, {
      reason: 'unknown-pipeline',
      where: `configs/pipelines/${name}.yaml`,
      hint: nameHint(name, pipelines, 'pipelines'),
    }),
  );
}

/** The profiles of a project, by their files. */
function profileNames(project: string): readonly string[] {
  const names = yamlNames(join(project, 'configs', 'profiles'));
  return names.length === 0 ? [usualProfile] : names;
}

/** The names of the YAML files in a folder; none where there is no such folder. */
function yamlNames(folder: string): readonly string[] {
  try {
    const files = readdirSync(folder);
    return files.filter((name) => name.endsWith('.yaml')).map((name) => name.slice(0, -'.yaml'.length));
  } catch {
    return [];
  }
}

function depth(prefix: string): number {
  return prefix === '' ? 0 : prefix.split('.').length;
}

function readFlags(set: readonly string[]): ReadFile {
  const topLevel = Object.keys(Config.shape);
  const settings: Setting[] = [];
  const problems: Problem[] = [];
  for (const flag of set) {
    const equals = flag.indexOf('=');
    if (equals <= 0) {
      problems.push(
        configProblem(`--set ${flag} names no value`, {
          reason: 'invalid-flag',
          expected: '--set <address>=<value>',
          hint: 'For example: --set chunk-documents.maxTokens=200',
        }),
      );
      continue;
    }
    const [name, text] = [flag.slice(0, equals), flag.slice(equals + 1)];
    // The address of a parameter has a dot: without one, a key was meant.
    const near = name.includes('.') || topLevel.includes(name) ? null : nearName(name, topLevel);
    if (near !== null) {
      problems.push(
        configProblem(`There is no key ${name}`, { reason: 'unknown-key', where: `--set ${flag}`, hint: `Did you mean ${near}?` }),
      );
      continue;
    }
    const address = topLevel.includes(name.split('.')[0]!) ? name : `params.${name}`;
    settings.push({ address, value: readText(text), text, origin: { layer: 'flag', where: `--set ${flag}` } });
  }
  return { settings, problems };
}

/** The parameters of a pipeline's own file, under the prefix that the pipeline has in this run. */
function underPrefix({ settings, problems }: ReadFile, { prefix, name }: UsedPipeline): ReadFile {
  const others = settings.filter(({ address }) => !address.startsWith('params.'));
  const wrong = others.map(({ address, origin }) =>
    configProblem(`configs/pipelines/${name}.yaml may only hold params, not ${address}`, {
      reason: 'unknown-key',
      where: origin.where!,
      hint: 'Set it in configs/local.yaml.',
    }),
  );
  const own = settings.filter(({ address }) => address.startsWith('params.'));
  if (prefix === '') return { settings: own, problems: [...problems, ...wrong] };
  return {
    settings: own.map((setting) => moved(setting, setting.address.replace('params.', `params.${prefix}.`))),
    problems: [...problems, ...wrong],
  };
}

function moved(setting: Setting, address: string): Setting {
  return { ...setting, address };
}

/** Parameters of a layer that is about every pipeline: one that begins with a pipeline's name applies wherever that pipeline stands in this run. */
function scoped({ settings, problems }: ReadFile, { uses, pipelines }: ConfigRequest): ReadFile {
  const general: Setting[] = [];
  const specific: Setting[] = [];
  for (const setting of settings) {
    const [first, pipeline, ...rest] = setting.address.split('.');
    if (first !== 'params' || pipeline === undefined || !pipelines.includes(pipeline)) {
      general.push(setting);
      continue;
    }
    for (const { name, prefix } of uses) {
      if (name !== pipeline) continue;
      const address = ['params', ...(prefix === '' ? [] : [prefix]), ...rest].join('.');
      (prefix === '' ? specific : general).push(moved(setting, address));
    }
  }
  return { settings: [...general, ...specific], problems };
}
