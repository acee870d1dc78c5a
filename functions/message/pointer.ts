/**
 * The pointer to a payload in S3 that is too large for a queue, in the form of the Amazon SQS Extended Client Library.
 */
import type { ObjectAt } from '../aws/s3.ts';
import { isRecord } from '../untrusted.ts';

const CURRENT = 'software.amazon.payloadoffloading.PayloadS3Pointer';
/** What the library wrote before its version 2; read, never written. */
const FORMER = 'com.amazon.sqs.javamessaging.MessageS3Pointer';

/** The body of a message whose payload is this object. */
export function pointerBody({ bucket, key }: ObjectAt): string {
  return JSON.stringify([CURRENT, { s3BucketName: bucket, s3Key: key }]);
}

/** @param json a message's body, parsed. @returns undefined if it is no pointer */
export function readPointer(json: unknown): ObjectAt | undefined {
  const [name, at]: unknown[] = Array.isArray(json) ? json : [];
  if ((name !== CURRENT && name !== FORMER) || !isRecord(at)) return undefined;
  const { s3BucketName: bucket, s3Key: key } = at;
  return typeof bucket === 'string' && typeof key === 'string' && bucket !== '' && key !== ''
    ? { bucket, key }
    : undefined;
}
