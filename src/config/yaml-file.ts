import { readFileSync } from 'node:fs';
import type { Node } from 'yaml';
import type { Problem } from '../contracts/problem.ts';
import type { Layer, Setting } from './origin.ts';
import { readPlainYaml, yamlPackage } from './plain-yaml.ts';

/** The settings of a file, or what is wrong with it; no settings where there is no such file. */
export interface ReadFile {
  readonly settings: readonly Setting[];
  readonly problems: readonly Problem[];
}

/** Reads a YAML file into settings. `name` is the path as messages show it. */
export function readYamlFile(path: string, name: string, layer: Layer): ReadFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { settings: [], problems: [] };
    return {
      settings: [],
      problems: [configProblem(`${name} cannot be read (${code})`, { where: name, hint: `Check its permissions: ls -l ${name}` })],
    };
  }
  return parseYaml(text, name, layer);
}

/** A problem of the configuration; exits 2. */
export function configProblem(message: string, more: Omit<Problem, 'reason' | 'message' | 'exit'> & { readonly reason?: string }): Problem {
  return { reason: 'invalid-config', message, ...more, exit: 2 };
}

/** The settings that YAML text holds, each with the line of its key. */
export function parseYaml(text: string, name: string, layer: Layer): ReadFile {
  const plain = readPlainYaml(text);
  if (plain) {
    const settings = plain.map(({ address, value, line }) => ({ address, value, origin: { layer, where: `${name}:${line}` } }));
    return { settings, problems: [] };
  }
  const { isAlias, isMap, isScalar, LineCounter, parseDocument } = yamlPackage();
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  if (document.errors.length > 0) {
    return {
      settings: [],
      problems: document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return configProblem(`${name} is not YAML: ${error.message}`, { where: `${name}:${line}:${col}`, reason: 'invalid-yaml' });
      }),
    };
  }
  const settings: Setting[] = [];
  const problems: Problem[] = [];
  const place = (node: unknown) => `${name}:${lines.linePos((node as Node | null)?.range?.[0] ?? 0).line}`;
  const walk = (node: unknown, address: string, where: string): void => {
    const target = isAlias(node) ? node.resolve(document) : node;
    if (isMap(target)) {
      for (const pair of target.items) {
        const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
        walk(pair.value, address === '' ? key : `${address}.${key}`, place(pair.key));
      }
      return;
    }
    // An empty map, and `params:` with nothing under it, say nothing.
    const value: unknown = target ? (target as Node).toJS(document) : null;
    if (address === '' || (address === 'params' && value === null)) {
      if (value !== null)
        problems.push(
          configProblem(`${name} must be a map of keys`, {
            where,
            expected: 'a map',
            found: Array.isArray(value) ? 'a list' : 'one value',
          }),
        );
      return;
    }
    settings.push({ address, value, origin: { layer, where } });
  };
  walk(document.contents, '', `${name}:1`);
  return { settings, problems };
}
