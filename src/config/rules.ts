import type { Problem } from '../contracts/problem.ts';
import { type Settings, settingNear } from './origin.ts';
import type { Config } from './schema.ts';
import { configProblem } from './yaml-file.ts';

/** What must hold between keys, beyond what each of them allows by itself. */
export function checkRules(config: Config, settings: Settings): readonly Problem[] {
  return [...credentialsIn(settings), ...halfCredentials(config, settings)];
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
