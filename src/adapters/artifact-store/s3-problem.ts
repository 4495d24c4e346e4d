import { type Problem, ProblemError } from '../../contracts/problem.ts';

/** Where a bucket is: what messages call it. It holds no secret. */
export interface S3Place {
  readonly endpoint?: string | undefined;
  readonly region: string;
  readonly bucket: string;
}

const credentialErrors = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'AuthorizationHeaderMalformed',
  'InvalidToken',
  'CredentialsProviderError',
]);
const expiredErrors = new Set(['ExpiredToken', 'ExpiredTokenException', 'RequestExpired', 'TokenRefreshRequired']);
const networkCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** The status of an answer of the server; null where none came. */
export function statusOf(error: unknown): number | null {
  const metadata = (error as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata;
  return metadata?.httpStatusCode ?? null;
}

/** Whether the object, and not the bucket, is absent. */
export function isAbsent(error: unknown): boolean {
  const name = error instanceof Error ? error.name : '';
  return name === 'NoSuchKey' || name === 'NotFound' || (statusOf(error) === 404 && name !== 'NoSuchBucket');
}

/** Whether the connection broke or the server was busy: the same request may well succeed later. */
export function isBroken(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'string' && networkCodes.has(code)) return true;
    if (at.name === 'TimeoutError' || at.name === 'AbortError' || /socket hang up|aborted|premature close/i.test(at.message)) return true;
  }
  const status = statusOf(error);
  return status !== null && (status >= 500 || status === 429);
}

/** The error itself, or a ProblemError around it where a user can act on it. */
export function asS3Problem(error: unknown, place: S3Place): unknown {
  if (error instanceof ProblemError || !(error instanceof Error)) return error;
  const problem = problemOf(error, place);
  return problem === null ? error : new ProblemError(problem, { cause: error });
}

function problemOf(error: Error, { endpoint, region, bucket }: S3Place): Problem | null {
  const server = endpoint ?? `S3 in ${region}`;
  const found = `${error.name}: ${error.message}`;
  if (error.name === 'NoSuchBucket') {
    const hint = 'Make the bucket, or correct artifactStore.bucket.';
    return {
      reason: 's3-no-bucket',
      message: `There is no bucket ${bucket} at ${server}`,
      where: 'artifactStore.bucket',
      found,
      hint,
      exit: 2,
    };
  }
  const where = 'artifactStore';
  if (expiredErrors.has(error.name)) {
    const message = `The credentials for the bucket ${bucket} at ${server} have expired`;
    const hint = 'Renew them and run again: what was finished is a hit. Credentials that a command prints are renewed while twin runs.';
    return { reason: 's3-credentials-expired', message, where, found, hint, exit: 1 };
  }
  if (credentialErrors.has(error.name)) {
    const message = `${server} does not accept the credentials for the bucket ${bucket}`;
    const hint = 'Correct what artifactStore.accessKeyId and artifactStore.secretAccessKey refer to.';
    return { reason: 's3-credentials', message, where, found, hint, exit: 2 };
  }
  if (error.name === 'AccessDenied' || statusOf(error) === 403) {
    const hint = 'Allow these credentials to get, put, delete and list objects of the bucket, or correct them.';
    return { reason: 's3-access-denied', message: `${server} refuses access to the bucket ${bucket}`, where, found, hint, exit: 2 };
  }
  if (isBroken(error)) {
    const hint = 'Start it, or correct artifactStore.endpoint; what was not stored is done again by the next run.';
    return { reason: 's3-unreachable', message: `${server} does not answer`, where: 'artifactStore.endpoint', found, hint, exit: 1 };
  }
  return null;
}
