import type { Problem } from '../contracts/problem.ts';
import { type Settings, settingNear } from './origin.ts';
import type { Config } from './schema.ts';
import { configProblem } from './yaml-file.ts';

/** What must hold between keys, beyond what each of them allows by itself. */
export function checkRules(config: Config, settings: Settings): readonly Problem[] {
  return [...credentialsIn(settings), ...halfCredentials(config, settings), ...halfShared(config, settings)];
}

/** Hosts that share work or a journal find everything that it speaks of in shared stores, or nowhere. */
function halfShared({ metadataStore, artifactStore, workQueue }: Config, settings: Settings): readonly Problem[] {
  if (metadataStore.kind !== 'mongodb' && workQueue.kind !== 'redis') return [];
  const parts = [
    { key: 'metadataStore', kind: metadataStore.kind, shared: 'mongodb' },
    { key: 'artifactStore', kind: artifactStore.kind, shared: 's3' },
    { key: 'workQueue', kind: workQueue.kind, shared: 'redis' },
  ];
  const others = parts.filter(({ kind, shared }) => kind === shared).map(({ key }) => key);
  return parts
    .filter(({ kind, shared }) => kind !== shared)
    .map(({ key, kind, shared }) => {
      const where = settingNear(settings, `${key}.kind`)?.origin.where;
      return configProblem(`Other hosts share ${others.join(' and ')}, and not ${key}`, {
        reason: 'not-shared',
        ...(where ? { where } : {}),
        expected: `${key}.kind: ${shared}`,
        found: `${key}.kind: ${kind}`,
        hint: 'Share all three, as --profile server does, or none of them.',
      });
    });
}

/** Keys of an account come in pairs. */
function halfCredentials({ artifactStore }: Config, settings: Settings): readonly Problem[] {
  if (artifactStore.kind !== 's3') return [];
  const { accessKeyId, secretAccessKey, sessionToken } = artifactStore;
  const lacking =
    accessKeyId === undefined && (secretAccessKey ?? sessionToken) !== undefined
      ? 'accessKeyId'
      : secretAccessKey === undefined && (accessKeyId ?? sessionToken) !== undefined
        ? 'secretAccessKey'
        : null;
  if (lacking === null) return [];
  const where = settingNear(settings, 'artifactStore')?.origin.where;
  return [
    configProblem(`artifactStore.${lacking} is missing`, {
      reason: 'missing-key',
      ...(where ? { where } : {}),
      expected: 'accessKeyId and secretAccessKey, or none of both',
      hint: `Name the variable, file or command that holds it: artifactStore.${lacking}.env: NAME`,
    }),
  ];
}

function credentialsIn(settings: Settings): readonly Problem[] {
  return [...settings.values()].flatMap(({ address, value, origin: { where } }) => {
    if (address.startsWith('params.') || typeof value !== 'string' || !/^[a-z0-9+.-]+:\/\/[^/?#]*@/i.test(value)) return [];
    const hint =
      address === 'chatModel.url'
        ? 'Name the variable, file or command that holds the key instead: chatModel.apiKey.env: NAME'
        : `Name the variable, file or command that holds the whole URL instead: ${address}.env: NAME`;
    return [
      configProblem(`${address} holds a credential`, {
        reason: 'secret-in-config',
        ...(where ? { where } : {}),
        expected: 'a URL without user and password',
        hint,
      }),
    ];
  });
}
