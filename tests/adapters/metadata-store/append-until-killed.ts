// A process that appends to a stream of a metadata store, and prints the number of each record once the store has it.
// Arguments: the store's file, the stream, how many records (0: until it is killed).
import { openSqliteMetadataStore } from '../../../src/adapters/metadata-store/sqlite.ts';

const [file, stream, asked] = process.argv.slice(2);
const count = Number(asked) || Infinity;
const store = openSqliteMetadataStore({ file: file! });
for (let n = 1; n <= count; n++) {
  const outcome = await store.append(stream!, null, [{ pid: process.pid, n }]);
  if (outcome.ok) process.stdout.write(`${outcome.seq}\n`);
}
await store.close();
