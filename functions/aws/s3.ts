/** S3, the one file that imports its client, which is loaded on first need: few messages are that large. */
import type { Readable } from 'node:stream';
import type { S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { RelayError } from '../error.ts';

/** Where an object lies. */
export interface ObjectAt {
  readonly bucket: string;
  readonly key: string;
}

/** What an object is now; another upload makes another version. */
export interface ObjectVersion {
  readonly bytes: number;
  readonly etag?: string;
}

export interface S3 {
  /** @throws RelayError `PAYLOAD_MISSING`, `PAYLOAD_FORBIDDEN`, `PAYLOAD_UNAVAILABLE`, or the reason of the signal */
  describe(object: ObjectAt, signal: AbortSignal): Promise<ObjectVersion>;
  /** Opens exactly this version of the object as a stream. @throws RelayError as above */
  open(object: ObjectAt, version: ObjectVersion, signal: AbortSignal): Promise<Readable>;
  /** @throws RelayError `PAYLOAD_FORBIDDEN`, `PAYLOAD_UNAVAILABLE`, or the reason of the signal */
  put(object: ObjectAt, body: Uint8Array, signal: AbortSignal): Promise<void>;
  /** @throws RelayError as `put` */
  delete(object: ObjectAt, signal: AbortSignal): Promise<void>;
}

/** @param environment for the region. Default `process.env` */
export function createS3(environment: Readonly<Record<string, string | undefined>> = process.env): S3 {
  let loading: Promise<{ client: S3Client; sdk: typeof import('@aws-sdk/client-s3') }> | undefined;

  function loaded() {
    loading ??= import('@aws-sdk/client-s3').then((sdk) => {
      const { AWS_REGION: region, AWS_ENDPOINT_URL_S3: endpoint } = environment;
      const client = new sdk.S3Client({
        ...(region === undefined ? {} : { region }),
        // An endpoint of one's own has no host name for each bucket.
        forcePathStyle: endpoint !== undefined,
        maxAttempts: 3,
        requestHandler: { connectionTimeout: 2_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
      });
      return { client, sdk };
    });
    return loading;
  }

  return {
    async describe({ bucket, key }, abortSignal) {
      const { client, sdk } = await loaded();
      const command = new sdk.HeadObjectCommand({ Bucket: bucket, Key: key });
      const { ContentLength: bytes, ETag: etag } = await client
        .send(command, { abortSignal })
        .catch(failed(bucket, READ, abortSignal));
      if (bytes === undefined) throw unavailable('S3 did not say its length');
      return { bytes, ...(etag === undefined ? {} : { etag }) };
    },
    async open({ bucket, key }, { etag }, abortSignal) {
      const { client, sdk } = await loaded();
      const command = new sdk.GetObjectCommand({ Bucket: bucket, Key: key, IfMatch: etag });
      const { Body } = await client.send(command, { abortSignal }).catch(failed(bucket, READ, abortSignal));
      return Body as Readable;
    },
    async put({ bucket, key }, body, abortSignal) {
      const { client, sdk } = await loaded();
      const command = new sdk.PutObjectCommand({ Bucket: bucket, Key: key, Body: body });
      await client.send(command, { abortSignal }).catch(failed(bucket, WRITE, abortSignal));
    },
    async delete({ bucket, key }, abortSignal) {
      const { client, sdk } = await loaded();
      const command = new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key });
      await client.send(command, { abortSignal }).catch(failed(bucket, 's3:DeleteObject', abortSignal));
    },
  };
}

/** Without `s3:ListBucket` S3 does not say that an object is missing: it answers 403 then, too. */
const READ = 's3:GetObject and s3:ListBucket, and kms:Decrypt where the bucket has a key of its own';
const WRITE = 's3:PutObject, and kms:GenerateDataKey where the bucket has a key of its own';

/** @param needed what the function must be allowed to, for the operator */
function failed(bucket: string, needed: string, signal: AbortSignal): (cause: unknown) => never {
  return (cause) => {
    if (signal.aborted) throw signal.reason;
    const name = cause instanceof Error ? cause.name : 'unknown error';
    if (name === 'NoSuchKey' || name === 'NotFound') {
      const reason = 'the object with the payload does not exist; the sender must send it again';
      throw new RelayError('PAYLOAD_MISSING', reason, { cause });
    }
    if (statusOf(cause) === 403) {
      const reason = `S3 refuses the payload in bucket "${bucket}"; the operator must allow the function ${needed}`;
      throw new RelayError('PAYLOAD_FORBIDDEN', reason, { cause });
    }
    throw unavailable(name, cause);
  };
}

function unavailable(why: string, cause?: unknown): RelayError {
  const reason = `the object with the payload cannot be had now (${why}); a later try may help`;
  return new RelayError('PAYLOAD_UNAVAILABLE', reason, { cause });
}

function statusOf(cause: unknown): number | undefined {
  return (cause as Partial<S3ServiceException> | undefined)?.$metadata?.httpStatusCode;
}
