// Prints milliseconds: `chain <n> <port>` of one job in a flow of n, each the child of the next; `map <n> <port> <bytes>` of one of n jobs.
import { FlowProducer, Queue, Worker } from 'bullmq';

const [what, text, port, bytes = '100'] = process.argv.slice(2);
const count = Number(text);
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
const queueName = `bench-${process.pid}`;
const worker = new Worker(queueName, async (job) => job.data.n + 1, { connection, concurrency: what === 'map' ? 50 : 1 });
await worker.waitUntilReady();
const ended = Promise.withResolvers();
let done = 0;
worker.on('completed', () => {
  done += 1;
  if (done === count) ended.resolve();
});
const start = performance.now();
if (what === 'chain') {
  const flow = new FlowProducer({ connection });
  let job = { name: 'step', queueName, data: { n: 0 } };
  for (let at = 1; at < count; at += 1) job = { name: 'step', queueName, data: { n: at }, children: [job] };
  await flow.add(job);
  await ended.promise;
  console.log((performance.now() - start) / count);
  await flow.close();
} else {
  const queue = new Queue(queueName, { connection });
  const jobs = Array.from({ length: count }, (_, n) => ({ name: 'row', data: { n, text: 'x'.repeat(Number(bytes)) } }));
  for (let at = 0; at < count; at += 1000) await queue.addBulk(jobs.slice(at, at + 1000));
  await ended.promise;
  console.log((performance.now() - start) / count);
  await queue.close();
}
await worker.close();
process.exit(0);
