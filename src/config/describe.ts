/** A JSON Schema, as far as it is read here. */
export interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly pattern?: string;
  readonly format?: string;
}

const longest = 60;

/** A value as a sentence names it: `the text "many"`, `the number 1.5`, `a list of 3`. */
export function describeValue(value: unknown): string {
  if (value === null) return 'nothing (null)';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  switch (typeof value) {
    case 'string':
      return `the text ${JSON.stringify(value.length > longest ? `${value.slice(0, longest - 1)}…` : value)}`;
    case 'number':
      return `the number ${value}`;
    case 'boolean':
      return String(value);
    default: {
      const keys = Object.keys(value);
      return keys.length === 0 ? 'an empty map' : `a map of ${keys.slice(0, 5).join(', ')}${keys.length > 5 ? ', …' : ''}`;
    }
  }
}

function branches(schema: JsonSchema): readonly JsonSchema[] {
  return schema.anyOf ?? schema.oneOf ?? [schema];
}

/** The schemas that a path leads to; several where a choice stands on the way. */
export function schemasAt(schema: JsonSchema, path: readonly PropertyKey[]): readonly JsonSchema[] {
  const [key, ...rest] = path;
  if (key === undefined) return [schema];
  return branches(schema).flatMap((branch) => {
    const next = typeof key === 'number' ? branch.items : (branch.properties?.[String(key)] ?? branch.additionalProperties);
    return typeof next === 'object' ? schemasAt(next, rest) : [];
  });
}

/** The keys that a map at this path may hold. */
export function keysAt(schema: JsonSchema, path: readonly PropertyKey[]): readonly string[] {
  return [
    ...new Set(schemasAt(schema, path).flatMap((found) => branches(found).flatMap((branch) => Object.keys(branch.properties ?? {})))),
  ];
}

function within(schema: JsonSchema): string {
  const parts: string[] = [];
  const { minimum, maximum } = schema;
  const low = minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined;
  const high = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  if (low !== undefined && high !== undefined) parts.push(`from ${low} to ${high}`);
  else if (low !== undefined) parts.push(`of at least ${low}`);
  else if (high !== undefined) parts.push(`of at most ${high}`);
  if (schema.exclusiveMinimum !== undefined) parts.push(`greater than ${schema.exclusiveMinimum}`);
  if (schema.exclusiveMaximum !== undefined) parts.push(`less than ${schema.exclusiveMaximum}`);
  return parts.length === 0 ? '' : ` ${parts.join(' and ')}`;
}

function describeOne(schema: JsonSchema): string | null {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  switch (schema.type) {
    case 'integer':
      return `a whole number${within(schema)}`;
    case 'number':
      return `a number${within(schema)}`;
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    case 'string':
      if (schema.format === 'uri') return 'a URL';
      if (schema.pattern !== undefined) return `text that matches ${schema.pattern}`;
      return schema.minLength === undefined ? 'text' : 'text that is not empty';
    case 'array': {
      const item = typeof schema.items === 'object' ? expectation([schema.items]) : null;
      return `a list${schema.minItems === undefined ? '' : ` of at least ${schema.minItems}`}${item === null ? '' : `, each ${item}`}`;
    }
    case 'object': {
      const keys = Object.keys(schema.properties ?? {});
      return keys.length === 0 ? 'a map' : `a map of ${keys.join(', ')}`;
    }
    default:
      return null;
  }
}

/** What values schemas allow, as a sentence says it: `a whole number greater than 0`; null where they allow anything. */
export function expectation(schemas: readonly JsonSchema[]): string | null {
  const words = schemas.flatMap(branches).map(describeOne);
  if (words.length === 0 || words.includes(null)) return null;
  return [...new Set(words)].join(' or ');
}
