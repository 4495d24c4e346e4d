// Prints milliseconds of one durable step of a workflow on Postgres.
import { DBOS } from '@dbos-inc/dbos-sdk';

const [text, url] = process.argv.slice(2);
const count = Number(text);
DBOS.setConfig({ name: 'bench', systemDatabaseUrl: url, logLevel: 'error' });
const chain = DBOS.registerWorkflow(
  async (steps) => {
    let at = 0;
    for (let link = 0; link < steps; link += 1) at = await DBOS.runStep(async () => at + 1, { name: `step-${link}` });
    return at;
  },
  { name: 'chain' },
);
await DBOS.launch();
await chain(10);
const start = performance.now();
await chain(count);
console.log((performance.now() - start) / count);
await DBOS.shutdown();
process.exit(0);
