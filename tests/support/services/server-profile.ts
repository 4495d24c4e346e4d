import type { StartedMongod } from './mongod.ts';
import type { StartedS3 } from './s3.ts';

/** The environment of a twin whose journal, artifacts and queue lie on servers, apart from those of every other `database`. */
export function serverProfile(
  servers: {
    readonly mongod: Pick<StartedMongod, 'url'>;
    readonly redis: { readonly url: string };
    readonly s3: Pick<StartedS3, 'endpoint' | 'bucket' | 'accessKey' | 'secretKey'>;
  },
  database: string,
): Readonly<Record<string, string>> {
  const { mongod, redis, s3 } = servers;
  return {
    TWIN_METADATA_STORE__KIND: 'mongodb',
    TWIN_METADATA_STORE__URL: mongod.url,
    TWIN_METADATA_STORE__DATABASE: database,
    TWIN_ARTIFACT_STORE__KIND: 's3',
    TWIN_ARTIFACT_STORE__ENDPOINT: s3.endpoint,
    TWIN_ARTIFACT_STORE__BUCKET: s3.bucket,
    TWIN_ARTIFACT_STORE__PREFIX: `${database}/`,
    TWIN_ARTIFACT_STORE__ACCESS_KEY_ID__ENV: 'AWS_ACCESS_KEY_ID',
    TWIN_ARTIFACT_STORE__SECRET_ACCESS_KEY__ENV: 'AWS_SECRET_ACCESS_KEY',
    TWIN_WORK_QUEUE__KIND: 'redis',
    TWIN_WORK_QUEUE__URL: redis.url,
    TWIN_WORK_QUEUE__PREFIX: database,
    AWS_ACCESS_KEY_ID: s3.accessKey,
    AWS_SECRET_ACCESS_KEY: s3.secretKey,
  };
}
