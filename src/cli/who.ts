import { hostname, userInfo } from 'node:os';

/** Who moves and deletes by hand, as the registry keeps it: `<user>@<host>`. */
export function who(): string {
  return `${userInfo().username}@${hostname()}`;
}
