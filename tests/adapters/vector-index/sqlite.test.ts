import { join } from 'node:path';
import { openSqliteVectorIndex } from '../../../src/adapters/vector-index/sqlite.ts';
import { vectorIndexConformance } from '../../conformance/vector-index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

vectorIndexConformance('SQLite', async () => openSqliteVectorIndex({ file: join(await temporaryFolder(), 'index.db') }));
