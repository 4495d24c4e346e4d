import { join } from 'node:path';
import { openSqliteVectorIndex } from '../../../src/adapters/vector-index/sqlite.ts';
import { keepsTenantsApart } from '../../conformance/vector-index-tenants.ts';
import { vectorIndexConformance } from '../../conformance/vector-index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const open = async () => openSqliteVectorIndex({ file: join(await temporaryFolder(), 'index.db') });

vectorIndexConformance('SQLite', open);
keepsTenantsApart('SQLite', open);
