import type { Problem } from '../contracts/problem.ts';
import type { Settings } from './origin.ts';
import type { Config } from './schema.ts';
import { configProblem } from './yaml-file.ts';

/** What must hold between keys, beyond what each of them allows by itself. */
export function checkRules(_config: Config, settings: Settings): readonly Problem[] {
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
