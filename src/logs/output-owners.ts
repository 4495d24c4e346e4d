import { readdir } from 'node:fs/promises';
import { outputFolder, outputOwner } from './places.ts';

/** The steps of a run that printed something. */
export async function outputOwners(logs: string, run: string): Promise<readonly string[]> {
  const names = await readdir(outputFolder(logs, run)).catch((): string[] => []);
  return [...new Set(names.flatMap((name) => outputOwner(name)?.step ?? []))];
}
