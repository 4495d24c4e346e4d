import { readFileSync } from 'node:fs';

/** A package as `requirements.lock` pins it for every platform, `name==version`; throws where the lock does not name it. */
export function pinnedPackage(lockFile: string, name: string): string {
  const line = readFileSync(lockFile, 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${name}==`));
  if (line === undefined) throw new Error(`${lockFile} does not pin ${name}`);
  return line.split(/[\s;\\]/)[0]!;
}
