import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';

// Loading the package takes longer than all else that reading the configuration does, and most files are plain maps of plain values.

/** The yaml package, loaded when it is first needed. */
export function yamlPackage(): typeof Yaml {
  return createRequire(import.meta.url)('yaml') as typeof Yaml;
}

/** One value of a plain file. */
export interface PlainEntry {
  /** Keys joined by dots. */
  readonly address: string;
  readonly value: unknown;
  /** Line of the key, from 1. */
  readonly line: number;
}

const wordShape = String.raw`[./]*[A-Za-z][\w./-]*(?: [\w./-]+)*`;
const numberShape = String.raw`(?:0|[1-9]\d{0,11})(?:\.\d{1,12})?`;
const scalarShape = `(?:${wordShape}|${numberShape})`;
const scalar = new RegExp(`^${scalarShape}$`);
const number = new RegExp(`^${numberShape}$`);
const entry = new RegExp(String.raw`^( *)([A-Za-z][\w.-]*):(?: +(${scalarShape}|\[${scalarShape}(?:, ${scalarShape})*\]))? *(?: #.*)?$`);
const nothing = /^ *(?:#.*)?$/;
/** Words that YAML 1.2 may take for something other than text. */
const reserved = /^(?:null|true|false|\.inf|\.nan)$/i;

/** The value of a scalar that no rule of YAML takes for anything else; undefined where the package has to decide. */
export function plainScalar(text: string): unknown {
  if (!scalar.test(text)) return undefined;
  if (number.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  return reserved.test(text) ? undefined : text;
}

/** The values of nested maps of plain scalars and of lists of them; null for any text that holds more of YAML, or a mistake. */
export function readPlainYaml(text: string): readonly PlainEntry[] | null {
  const entries: PlainEntry[] = [];
  let maps = [{ indent: 0, prefix: '', keys: new Set<string>() }];
  /** A key whose map has to come next. */
  let open: { readonly indent: number; readonly prefix: string } | null = null;
  for (const [index, line] of text.split('\n').entries()) {
    if (nothing.test(line)) continue;
    const [, spaces, key, written] = entry.exec(line) ?? [];
    if (spaces === undefined || key === undefined || reserved.test(key)) return null;
    const indent = spaces.length;
    if (open !== null) {
      if (indent <= open.indent) return null;
      maps.push({ indent, prefix: open.prefix, keys: new Set() });
      open = null;
    }
    maps = maps.filter((map) => map.indent <= indent);
    const map = maps.at(-1);
    if (map?.indent !== indent || map.keys.has(key)) return null;
    map.keys.add(key);
    const address = map.prefix + key;
    if (written === undefined) {
      open = { indent, prefix: `${address}.` };
      continue;
    }
    const value = written.startsWith('[') ? written.slice(1, -1).split(', ').map(plainScalar) : plainScalar(written);
    if (value === undefined || (Array.isArray(value) && value.includes(undefined))) return null;
    entries.push({ address, value, line: index + 1 });
  }
  return open === null ? entries : null;
}
