import { join } from 'node:path';
import { openSqliteMetadataStore } from '../../../src/adapters/metadata-store/sqlite.ts';
import { metadataStoreConformance } from '../../conformance/metadata-store.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

metadataStoreConformance('SQLite', async () => openSqliteMetadataStore({ file: join(await temporaryFolder(), 'state.db') }));
