import { setImmediate } from 'node:timers/promises';

/** Longest time in milliseconds that settled steps may follow one another before the event loop gets its turn. */
const breathAfterMs = 15;

/** A step to be scheduled: its address, and the addresses of those that must have settled before. */
export interface Schedulable {
  readonly address: string;
  readonly dependencies: readonly string[];
}

/** Settles every node as soon as all that it waits for has settled: in-degree counts, O(nodes + edges). `settle` must not reject. */
export async function schedule<Node extends Schedulable>(nodes: readonly Node[], settle: (node: Node) => Promise<void>): Promise<void> {
  const missing = new Map(nodes.map((node) => [node.address, node.dependencies.length]));
  const dependants = new Map<string, Node[]>();
  for (const node of nodes) {
    for (const dependency of node.dependencies) {
      const known = dependants.get(dependency);
      if (known) known.push(node);
      else dependants.set(dependency, [node]);
    }
  }
  let lastBreath = performance.now();
  await new Promise<void>((resolve, reject) => {
    let open = nodes.length;
    const start = async (node: Node): Promise<void> => {
      if (performance.now() - lastBreath > breathAfterMs) {
        await setImmediate();
        lastBreath = performance.now();
      }
      await settle(node);
      if (--open === 0) resolve();
      for (const dependant of dependants.get(node.address) ?? []) {
        const left = missing.get(dependant.address)! - 1;
        missing.set(dependant.address, left);
        if (left === 0) start(dependant).catch(reject);
      }
    };
    if (open === 0) resolve();
    for (const node of nodes) if (node.dependencies.length === 0) start(node).catch(reject);
  });
}
