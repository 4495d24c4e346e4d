import type { Problem } from '../contracts/problem.ts';
import { type Settings, settingNear } from './origin.ts';
import type { Config } from './schema.ts';
import { configProblem } from './yaml-file.ts';

/** What must hold between keys, beyond what each of them allows by itself. */
export function checkRules(config: Config, settings: Settings): readonly Problem[] {
  const { chatModel } = config;
  if (chatModel.kind !== 'openai-compatible') return [];
  const { username, password } = new URL(chatModel.url);
  if (username === '' && password === '') return [];
  const where = settingNear(settings, 'chatModel.url')?.origin.where;
  return [
    configProblem('chatModel.url holds a credential', {
      reason: 'secret-in-config',
      ...(where ? { where } : {}),
      expected: 'a URL without user and password',
      hint: 'Name the variable that holds the key instead: chatModel.apiKey.env: NAME',
    }),
  ];
}
