import type { Setting } from './origin.ts';
import { plainScalar, yamlPackage } from './plain-yaml.ts';

/** Names that begin with TWIN_ and are no configuration: read by tests, by bin/twin.js, or to choose the profile. */
const otherNames = /^TWIN_(TEST_.*|REQUIRE_.*|REEXECUTED|PROFILE|CACHE|PYTHON)$/;

/** Reads a value that came as text: as YAML where it is YAML, as it stands where not. */
export function readText(text: string): unknown {
  const plain = plainScalar(text);
  if (plain !== undefined) return plain;
  try {
    return yamlPackage().parse(text);
  } catch {
    return text;
  }
}

/** `TWIN_PROMOTION__ALIAS` → `promotion.alias`, `TWIN_CHAT_MODEL__URL` → `chatModel.url`. */
function keyOf(name: string): string {
  return name
    .slice('TWIN_'.length)
    .toLowerCase()
    .replaceAll('__', '.')
    .replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The settings in the environment: `TWIN_SET__<address>` for parameters (`__` for a dot, `_` for a hyphen), `TWIN_<KEY>` for other keys. */
export function readEnvironment(environment: Readonly<Record<string, string | undefined>>): readonly Setting[] {
  return Object.entries(environment)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .flatMap(([name, text]) => {
      if (!name.startsWith('TWIN_') || otherNames.test(name) || text === undefined) return [];
      const parameter = name.startsWith('TWIN_SET__');
      const address = parameter ? `params.${name.slice('TWIN_SET__'.length).replaceAll('__', '.').replaceAll('_', '-')}` : keyOf(name);
      return [{ address, value: readText(text), text, origin: { layer: 'environment', where: name } } satisfies Setting];
    });
}
