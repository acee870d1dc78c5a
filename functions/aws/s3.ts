/** S3, the one file that imports its client, which is loaded on first need: few messages are that large. */
import type { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
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
  /** @throws RelayError `PAYLOAD_MISSING`, `PAYLOAD_UNAVAILABLE` */
  describe(object: ObjectAt, signal: AbortSignal): Promise<ObjectVersion>;
  /** Opens exactly this version of the object as a stream. @throws RelayError as above */
  open(object: ObjectAt, version: ObjectVersion, signal: AbortSignal): Promise<Readable>;
  /** @throws RelayError `PAYLOAD_UNAVAILABLE` */
  put(object: ObjectAt, body: Uint8Array, signal: AbortSignal): Promise<void>;
  /** @throws RelayError `PAYLOAD_UNAVAILABLE` */
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
      const { ContentLength: bytes = 0, ETag: etag } = await client.send(command, { abortSignal }).catch(failed);
      return { bytes, ...(etag === undefined ? {} : { etag }) };
    },
    async open({ bucket, key }, { etag }, abortSignal) {
      const { client, sdk } = await loaded();
      const command = new sdk.GetObjectCommand({ Bucket: bucket, Key: key, IfMatch: etag });
      const { Body } = await client.send(command, { abortSignal }).catch(failed);
      return Body as Readable;
    },
    async put({ bucket, key }, body, abortSignal) {
      const { client, sdk } = await loaded();
      const command = new sdk.PutObjectCommand({ Bucket: bucket, Key: key, Body: body });
      await client.send(command, { abortSignal }).catch(failed);
    },
    async delete({ bucket, key }, abortSignal) {
      const { client, sdk } = await loaded();
      const command = new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key });
      await client.send(command, { abortSignal }).catch(failed);
    },
  };
}

function failed(cause: unknown): never {
  const name = cause instanceof Error ? cause.name : 'unknown error';
  if (name === 'NoSuchKey' || name === 'NotFound') {
    throw new RelayError(
      'PAYLOAD_MISSING',
      'the object with the payload does not exist; the sender must send it again',
      { cause },
    );
  }
  throw new RelayError(
    'PAYLOAD_UNAVAILABLE',
    `the object with the payload cannot be had now (${name}); a later try may help`,
    {
      cause,
    },
  );
}
