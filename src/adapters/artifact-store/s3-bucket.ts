import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { asS3Problem, isAbsent, isBroken, type S3Place } from './s3-problem.ts';

/** Keys of an S3 account, read when they are needed. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A bucket and how to get into it. */
export interface S3Options extends S3Place {
  /** Put before every key, such as `team/`. */
  readonly prefix: string;
  /** Absent: whatever the machine offers (environment, profile, instance role). */
  readonly credentials?: () => Promise<S3Credentials>;
}

/** An object of the bucket. */
export interface S3Object {
  readonly key: string;
  readonly bytes: number;
  readonly changedAt: number;
}

/** Secrets are read again a minute later, as the client renews what has less than five minutes left: keys that a command prints may expire. */
const credentialsForMs = 6 * 60_000;
const partBytes = 8 * 1024 * 1024;
const partsAtOnce = 4;
/** A broken download is taken up where it broke, unless it breaks so often without a byte. */
const fruitlessAttempts = 5;
const firstPauseMs = 100;

/** The few calls of S3 that an artifact store needs; keys are without the prefix, and errors are problems where a user can act on them. */
export class S3Bucket {
  readonly #options: S3Options;
  #client: Promise<S3Client> | null = null;

  constructor(options: S3Options) {
    this.#options = options;
  }

  /** The object under a key; null where there is none. */
  async head(key: string): Promise<S3Object | null> {
    return this.#call(async (client) => {
      const { HeadObjectCommand } = await import('@aws-sdk/client-s3');
      try {
        const found = await client.send(new HeadObjectCommand(this.#at(key)));
        return { key, bytes: found.ContentLength ?? 0, changedAt: found.LastModified?.getTime() ?? 0 };
      } catch (error) {
        if (isAbsent(error)) return null;
        throw error;
      }
    });
  }

  /** Stores a local file, in parts where it is large. */
  async upload(key: string, file: string): Promise<void> {
    await this.#call(async (client) => {
      if ((await stat(file)).size <= partBytes) {
        const { PutObjectCommand } = await import('@aws-sdk/client-s3');
        return client.send(new PutObjectCommand({ ...this.#at(key), Body: await readFile(file) }));
      }
      const { Upload } = await import('@aws-sdk/lib-storage');
      const params = { ...this.#at(key), Body: createReadStream(file, { highWaterMark: 1 << 20 }) };
      return new Upload({ client, params, partSize: partBytes, queueSize: partsAtOnce }).done();
    });
  }

  /** Stores a short text. */
  async uploadText(key: string, text: string): Promise<void> {
    await this.#call(async (client) => {
      const { PutObjectCommand } = await import('@aws-sdk/client-s3');
      return client.send(new PutObjectCommand({ ...this.#at(key), Body: text }));
    });
  }

  /** The text of an object; null where there is none. */
  async text(key: string): Promise<string | null> {
    return this.#call(async (client) => {
      const { GetObjectCommand } = await import('@aws-sdk/client-s3');
      try {
        const { Body } = await client.send(new GetObjectCommand(this.#at(key)));
        return (await Body?.transformToString()) ?? null;
      } catch (error) {
        if (isAbsent(error)) return null;
        throw error;
      }
    });
  }

  /** Fetches an object into a new local file; false where there is none. A connection that breaks is taken up again where it broke. */
  async download(key: string, file: string): Promise<boolean> {
    let have = 0;
    for (let attempt = 1; ; attempt++) {
      try {
        const body = await this.#stream(key, have);
        if (body === null) return false;
        await pipeline(body, createWriteStream(file, { flags: have === 0 ? 'w' : 'a' }));
        return true;
      } catch (error) {
        const got = await stat(file).then(
          ({ size }) => size,
          () => 0,
        );
        if (got > have) attempt = 1;
        have = got;
        if (!isBroken(error) || attempt >= fruitlessAttempts) throw asS3Problem(error, this.#options);
        await delay(Math.random() * firstPauseMs * 2 ** attempt);
      }
    }
  }

  /** Removes objects; those that are not there are no error. */
  async remove(keys: readonly string[]): Promise<void> {
    await this.#call(async (client) => {
      const { DeleteObjectCommand } = await import('@aws-sdk/client-s3');
      for (const key of keys) await client.send(new DeleteObjectCommand(this.#at(key)));
    });
  }

  /** All objects whose key has a prefix, sorted by key. */
  async *list(prefix: string): AsyncGenerator<S3Object> {
    const { bucket, prefix: own } = this.#options;
    let token: string | undefined;
    do {
      const page = await this.#call(async (client) => {
        const { ListObjectsV2Command } = await import('@aws-sdk/client-s3');
        return client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `${own}${prefix}`, ContinuationToken: token }));
      });
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        yield { key: Key!.slice(own.length), bytes: Size ?? 0, changedAt: LastModified?.getTime() ?? 0 };
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  /** Ends open connections; a second call does nothing. */
  async close(): Promise<void> {
    const client = await this.#client?.catch(() => null);
    this.#client = null;
    client?.destroy();
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#options.bucket, Key: `${this.#options.prefix}${key}` };
  }

  async #stream(key: string, from: number): Promise<Readable | null> {
    const { GetObjectCommand } = await import('@aws-sdk/client-s3');
    const client = await this.#open();
    try {
      const { Body } = await client.send(new GetObjectCommand({ ...this.#at(key), ...(from > 0 && { Range: `bytes=${from}-` }) }));
      return (Body as Readable | undefined) ?? null;
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
  }

  async #call<Value>(work: (client: S3Client) => Promise<Value>): Promise<Value> {
    try {
      return await work(await this.#open());
    } catch (error) {
      throw asS3Problem(error, this.#options);
    }
  }

  #open(): Promise<S3Client> {
    this.#client ??= (async () => {
      const { S3Client: Client } = await import('@aws-sdk/client-s3');
      const { endpoint, region, credentials } = this.#options;
      return new Client({
        region,
        maxAttempts: 5,
        // What is fetched is known by its sha256, which is compared in any case.
        responseChecksumValidation: 'WHEN_REQUIRED',
        requestHandler: { connectionTimeout: 5000, requestTimeout: 60_000 },
        // Servers other than Amazon's mostly know buckets as the first part of the path.
        ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
        ...(credentials && {
          credentials: async () => ({ ...(await credentials()), expiration: new Date(Date.now() + credentialsForMs) }),
        }),
      });
    })();
    return this.#client;
  }
}
