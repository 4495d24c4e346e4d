import { isUtf8 } from 'node:buffer';
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
  const refused = (problem: Problem): ReadFile => ({ settings: [], problems: [problem] });
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { settings: [], problems: [] };
    if (code === 'EISDIR')
      return refused(configProblem(`${name} is a folder`, { where: name, expected: 'a YAML file', hint: 'Rename or remove it.' }));
    return refused(configProblem(`${name} cannot be read (${code})`, { where: name, hint: `Check its permissions: ls -l ${name}` }));
  }
  if (!isUtf8(bytes) || bytes.includes(0)) {
    const hint = 'Save it as UTF-8, or remove it.';
    return refused(configProblem(`${name} is no text`, { where: name, expected: 'YAML in UTF-8', found: 'other bytes', hint }));
  }
  return parseYaml(bytes.toString('utf8'), name, layer);
}

/** A mistake of the YAML itself, with the line that it stands on. */
function notYaml(text: string, name: string, { line, col }: { readonly line: number; readonly col: number }, said: string): Problem {
  const found = text.split('\n')[line - 1]?.trim();
  return configProblem(`${name} is not YAML: ${said}`, {
    reason: 'invalid-yaml',
    where: `${name}:${line}:${col}`,
    ...(found && { found }),
    hint: 'Mend that line. Every key and its values: configs/schemas/config.schema.json',
  });
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
      problems: document.errors.map(({ code, message, pos }) => {
        const said = code === 'MULTIPLE_DOCS' ? 'a second document begins here' : message;
        return notYaml(text, name, lines.linePos(pos[0]), said);
      }),
    };
  }
  const settings: Setting[] = [];
  const problems: Problem[] = [];
  const place = (node: unknown) => `${name}:${lines.linePos((node as Node | null)?.range?.[0] ?? 0).line}`;
  const walk = (node: unknown, address: string, where: string): void => {
    const target = isAlias(node) ? node.resolve(document) : node;
    if (isAlias(node) && target === undefined) {
      problems.push(notYaml(text, name, lines.linePos(node.range?.[0] ?? 0), `nothing above is marked &${node.source}`));
      return;
    }
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
