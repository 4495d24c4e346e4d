import { expect, test } from 'vitest';
import { openQdrantVectorIndex } from '../../../src/adapters/vector-index/qdrant.ts';
import { agreesWithSqlite } from '../../conformance/vector-index-agreement.ts';
import { keepsTenantsApart } from '../../conformance/vector-index-tenants.ts';
import { examplePoint, vectorIndexConformance } from '../../conformance/vector-index.ts';
import { qdrantServers } from '../../support/services/qdrant-servers.ts';

for (const { name, url, shim, empty } of await qdrantServers()) {
  const open = async () => {
    await empty();
    return openQdrantVectorIndex({ url });
  };
  vectorIndexConformance(name, open);
  agreesWithSqlite(name, open);
  keepsTenantsApart(name, open, 8);

  const onlyReal = 'only a real server proves that readers find one generation or the other while an alias moves';
  test.skipIf(shim !== null)(`${onlyReal} (${name})`, async () => {
    const index = await open();
    for (const generation of ['blue', 'green']) {
      await index.ensure(generation, 3);
      await index.upsert(generation, 'default', [examplePoint('a', 0, [1, 0, 0], { text: generation })]);
    }
    await index.moveAlias('current', null, 'blue');
    const moved = new AbortController();
    let found = 0;
    const reading = (async () => {
      while (!moved.signal.aborted) {
        const [hit] = await index.searchDense('current', 'default', { vector: Float32Array.of(1, 0, 0), limit: 1 });
        expect(['blue', 'green']).toContain(hit!.payload.text);
        found += 1;
      }
    })();
    for (let turn = 0; turn < 20; turn++) {
      const [from, to] = turn % 2 === 0 ? (['blue', 'green'] as const) : (['green', 'blue'] as const);
      expect(await index.moveAlias('current', from, to)).toBe(true);
    }
    moved.abort();
    await reading;
    expect(found).toBeGreaterThan(0);
  });
}
