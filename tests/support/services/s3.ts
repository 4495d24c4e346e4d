import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findBinary } from './find-binary.ts';
import { freePort, type ServerProcess, startServer } from './server-process.ts';

/** A real S3 server (versitygw over a folder), its made-up credentials and a bucket that is there. */
export interface StartedS3 extends ServerProcess {
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** The folder that holds the buckets. */
  readonly data: string;
}

/** Starts an S3 server in `folder`. */
export async function startS3(folder: string): Promise<StartedS3> {
  const port = await freePort();
  const [accessKey, secretKey, bucket] = ['twin-test', 'twin-test-secret', 'artifacts'];
  const data = join(folder, 'data');
  await mkdir(join(data, bucket), { recursive: true });
  const server = await startServer({
    binary: findBinary('versitygw')!,
    args: ['--port', `127.0.0.1:${port}`, '--access', accessKey, '--secret', secretKey, 'posix', data],
    port,
    folder,
  });
  return { ...server, endpoint: `http://127.0.0.1:${port}`, bucket, accessKey, secretKey, data };
}
