/** From lowest to highest: a value of a later layer replaces that of an earlier one. */
export type Layer = 'default' | 'base' | 'profile' | 'pipeline' | 'local' | 'environment' | 'flag';

/** Where a value came from. */
export interface Origin {
  readonly layer: Layer;
  /** `configs/base.yaml:3`, the name of an environment variable, the flag as it was given; null for a default. */
  readonly where: string | null;
}

/** One value at one address, and who said so. */
export interface Setting {
  /** Keys joined by dots: `promotion.alias`, `params.feature-pipeline.sync-index.chunk.maxTokens`. */
  readonly address: string;
  readonly value: unknown;
  readonly origin: Origin;
  /** The text of a value that came from the environment or a flag, before it was read as YAML. */
  readonly text?: string;
}

/** Settings by address. No address is the start of another one. */
export type Settings = ReadonlyMap<string, Setting>;

/** Lays settings over others: a value replaces whatever stood at, above or below its address, and another `kind` replaces its whole map. */
export function layOver(below: Settings, above: readonly Setting[]): Settings {
  const merged = new Map(below);
  for (const { address, value } of above) {
    const kind = address.endsWith('.kind') && !address.startsWith('params.') ? below.get(address) : undefined;
    if (kind === undefined || kind.value === value) continue;
    removeUnder(merged, address.slice(0, -'kind'.length));
  }
  for (const setting of above) {
    removeUnder(merged, `${setting.address}.`);
    for (let dot = setting.address.lastIndexOf('.'); dot > 0; dot = setting.address.lastIndexOf('.', dot - 1))
      merged.delete(setting.address.slice(0, dot));
    merged.set(setting.address, setting);
  }
  return merged;
}

function removeUnder(settings: Map<string, Setting>, prefix: string): void {
  for (const address of settings.keys()) if (address.startsWith(prefix)) settings.delete(address);
}

/** The nested value of settings under a prefix (`params.`, or empty for all). */
export function nested(settings: Iterable<Setting>, prefix = ''): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const { address, value } of settings) {
    if (!address.startsWith(prefix)) continue;
    const keys = address.slice(prefix.length).split('.');
    const last = keys.pop()!;
    let map = root;
    for (const key of keys) map = (map[key] ??= {}) as Record<string, unknown>;
    map[last] = value;
  }
  return root;
}

/** The setting that stands at an address, or else one above or below it; undefined where nobody said anything. */
export function settingNear(settings: Settings, address: string): Setting | undefined {
  for (let end = address.length; end > 0; end = address.lastIndexOf('.', end - 1)) {
    const found = settings.get(address.slice(0, end));
    if (found) return found;
  }
  for (const setting of settings.values()) if (setting.address.startsWith(`${address}.`)) return setting;
  return undefined;
}
